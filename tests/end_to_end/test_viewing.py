"""What a user looks at: the graph with its pictures, and the catalog from a notebook."""

import base64
import json

import nbclient
import nbformat
import pytest

from end_to_end.project import Project

PICTURES = {
    "prepared_scenes",
    "training_curves",
    "network_diagram",
    "confusion_figure",
    "class_iou_figure",
    "score_figure",
    "example_panels",
    "error_detection_figure",
    "suspect_figure",
}


@pytest.fixture(scope="module")
def site(trained: Project) -> dict[str, dict]:
    """What Kedro-Viz's static site holds: the graph under `main`, and each data set under its name."""
    done = trained.kedro("viz", "build", "--include-previews")
    assert done.returncode == 0, done.stdout
    api = trained.folder / "build/api"
    main = json.loads((api / "main").read_text())
    names = {node["id"]: node["name"] for node in main["nodes"] if node["type"] == "data"}
    pipelines = {each["id"]: json.loads((api / "pipelines" / each["id"]).read_text()) for each in main["pipelines"]}
    return {"main": main, "pipelines": pipelines} | {
        name: json.loads((api / "nodes" / each).read_text()) for each, name in names.items()
    }


def test_the_graph_shows_the_pipelines_in_layers(site: dict[str, dict]) -> None:
    # Kedro-Viz lists the layers of all pipelines for each of them; those without a data set in it have no band.
    layers = {name: each["layers"] for name, each in site["pipelines"].items()}
    assert set(layers) == {"__default__", "prepare", "train", "evaluate", "export", "predict"}
    in_default = [each for each in layers["__default__"] if each != "model_output"]
    assert in_default == ["raw", "primary", "models", "reporting"]
    of_predict = [each for each in layers["predict"] if each != "primary"]
    assert set(of_predict[:2]) == {"raw", "models"}  # neither is made from the other
    assert of_predict[2:] == ["model_output", "reporting"]


def test_every_picture_shows_when_it_is_clicked(site: dict[str, dict]) -> None:
    for name in PICTURES:
        assert site[name]["preview_type"] == "ImagePreview"
        assert base64.b64decode(site[name]["preview"]).startswith(b"\x89PNG")


def test_the_score_table_shows_when_it_is_clicked(site: dict[str, dict]) -> None:
    assert site["score_table"]["preview_type"] == "TablePreview"
    assert [row[0] for row in site["score_table"]["preview"]["data"]] == ["train", "validation", "test"]


def test_scores_are_json_that_a_browser_reads(site: dict[str, dict]) -> None:
    json.loads(site["scores"]["preview"], parse_constant=pytest.fail)


@pytest.mark.slow
def test_a_notebook_loads_anything_by_its_catalog_name(trained: Project) -> None:
    cells = [
        "%load_ext kedro.ipython",
        "print(len(catalog.load('prepared_scenes')), catalog.load('segnet_model').network.name)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(trained.folder)}}).execute()
    printed = "".join(each["text"] for each in notebook.cells[1].outputs if each.get("name") == "stdout")
    assert "15 segnet" in printed
