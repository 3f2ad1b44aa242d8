"""Keras on JAX and on PyTorch, TensorFlow not being there at all."""

import re
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from end_to_end.project import Project


def without_tensorflow(folder: Path) -> Path:
    """Returns a folder from which `import tensorflow` fails, whatever is installed."""
    package = folder / "blocked" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('there is no TensorFlow here')\n")
    return package.parent


def newest(project: Project, name: str) -> pd.DataFrame:
    return pd.read_csv(max(project.folder.glob(f"data/*/drawn/{name}/*/*.csv")))


needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `torch`")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=[pytest.mark.torch, needs_torch])])
def test_network_trains_and_is_scored_without_tensorflow_and_tensorflow_scores_it_alike(
    trained_copy: Project, tmp_path: Path, backend: str
) -> None:
    environment = {"KERAS_BACKEND": backend, "PYTHONPATH": str(without_tensorflow(tmp_path))}
    # In bfloat16 the backends round too differently to be compared.
    float32 = ("--params", "train.precision=float32")
    output = trained_copy.run("--pipelines", "train,evaluate,export", *float32, environment=environment)
    assert f"Backend {backend}, cpu:0, precision float32" in output
    assert output.count("TensorFlow is not installed") == 1
    assert list(newest(trained_copy, "training_history.csv")["epoch"]) == [1, 2]
    assert not list(trained_copy.folder.glob("data/06_models/drawn/training_state/*"))
    assert re.search(r"onnxruntime \S+\s+[\d.]+\s+%\s+of\s+the\s+pixels\s+have\s+the\s+same\s+class", output)
    theirs = newest(trained_copy, "confusion_table.csv").set_index(["scene", "truth", "predicted"])["pixels"]
    trained_copy.run("--pipelines", "evaluate")
    ours = newest(trained_copy, "confusion_table.csv").set_index(["scene", "truth", "predicted"])["pixels"]
    assert theirs.sum() == ours.sum() > 15_000
    # Rounding may turn a pixel whose two best classes are nearly equal: one in a thousand at most.
    assert theirs.sub(ours, fill_value=0).abs().sum() / 2 <= 0.001 * ours.sum()
