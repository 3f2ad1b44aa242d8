"""The places that a run names at its end: of reports that it has made, in the order of the nodes."""

import logging
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from roadseg.hooks.report import ReportHooks

LAYERS = {"table": "primary", "figure": "reporting", "page": "reporting", "unmade": "reporting", "plain": None} | {
    "segnet_model": "models",
    "exported_model": "models",
}


def test_models_and_reports_that_the_run_made_are_named_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entries = {
        name: {
            "type": "text.TextDataset",
            "filepath": str((tmp_path if name != "page" else tmp_path.parent) / f"{name}.txt"),
            "metadata": {"kedro-viz": {"layer": layer}} if layer else None,
        }
        for name, layer in LAYERS.items()
    }
    outputs = ["table", "figure", "plain", "segnet_model", "exported_model"]
    nodes = [Node(len, "figure", "page"), Node(len, "page", "unmade"), Node(len, "raw", outputs)]
    hooks = ReportHooks()
    hooks.before_pipeline_run()
    for name in ("page", "figure", "plain", "table", "segnet_model", "exported_model"):
        hooks.after_dataset_saved(name)
    with caplog.at_level(logging.INFO):
        hooks.after_pipeline_run(Pipeline(nodes), DataCatalog.from_config(entries), {"project_path": str(tmp_path)})
    assert caplog.messages == [
        "figure: figure.txt",
        "segnet_model: segnet_model.txt",
        "exported_model: exported_model.txt",
        f"page: {tmp_path.parent}/page.txt",
    ]
