"""A runtime at work in a process of its own, image by image."""

import json
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError, RoadSegError

OnnxRuntime = Literal["onnxruntime", "openvino"]
"""What reads ONNX."""

Runtime = OnnxRuntime | Literal["litert", "tensorflow"]

PACKAGES: dict[Runtime, str] = {
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "litert": "ai-edge-litert",
    "tensorflow": "tensorflow",
}
"""Which package each runtime is; the name of its module has `_` for `-`."""

EXTRAS: dict[Runtime, str] = {"onnxruntime": "export", "openvino": "openvino", "litert": "litert"}
"""Which extra of the project brings a runtime; TensorFlow is always there."""

SCRIPT = Path(__file__).with_name("runtime_script.py")


def check_runtime(runtime: Runtime) -> None:
    """Refuses a runtime that is not there.

    Raises:
        RoadSegError: If its package is missing.
    """
    package = PACKAGES[runtime]
    if runtime in EXTRAS and find_spec(package.replace("-", "_")) is None:
        raise RoadSegError(
            f"proving an exported model needs the package {package}, of the extra '{EXTRAS[runtime]}': "
            f"pip install {package}"
        )


class RuntimeProcess:
    """An exported model, opened by its runtime in a fresh process without this project's code.

    Attributes:
        version: Of the runtime.
    """

    def __init__(self, runtime: Runtime, model: Path, images: NDArray[np.uint8], folder: Path) -> None:
        """Starts the process, and waits until it has opened the model.

        Args:
            runtime: Its name.
            model: The file, or the folder.
            images: (images, height, width, 3) uint8, RGB, of the size that the model takes.
            folder: Where images and predictions are exchanged.

        Raises:
            RoadSegError: If the runtime is not installed.
            FileError: If it can't open the model.
        """
        check_runtime(runtime)
        given, self._predictions = folder / f"{runtime}.images.npy", folder / f"{runtime}.npz"
        np.save(given, images)
        self._runtime, self._log = runtime, folder / f"{runtime}.log"
        command = [sys.executable, "-I", str(SCRIPT), runtime, str(model), str(given), str(self._predictions)]
        with self._log.open("wb") as log:
            self._process: Any = subprocess.Popen(  # noqa: S603 - our own script
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
            )
        self.version = str(self._read()["version"])

    def __enter__(self) -> Self:
        """Returns the process."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Ends the process."""
        if kind:
            self._process.kill()
        self._process.communicate()

    def run_next(self) -> tuple[float, dict[str, NDArray[Any]]]:
        """Runs the model on the next image, and returns the seconds that it took, and its outputs without the batch.

        Raises:
            FileError: If the process has ended.
        """
        with suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        seconds = float(self._read())
        with np.load(self._predictions) as found:
            return seconds, dict(found)

    def _read(self) -> Any:
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            said = self._log.read_text("utf-8", "replace").split("\n")
            reason = next((each for each in reversed(said) if each.strip()), "it said nothing")
            raise FileError(f"{self._runtime} can't run the exported model: {reason}")
        return json.loads(line)
