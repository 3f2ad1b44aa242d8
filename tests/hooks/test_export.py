import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from exporting.networks import OPTIONS
from roadseg.errors import InputError
from roadseg.hooks.export import ExportHooks


def test_an_export_that_can_not_be_written_stops_before_its_first_node():
    export, score = (Pipeline([Node(len, "segnet_model", made, name=made)]) for made in ("exported_model", "scores"))
    too_old = DataCatalog({"params:export": MemoryDataset(OPTIONS.model_copy(update={"opset": 12}))})
    with pytest.raises(InputError, match=r"^opset: expected 13, the oldest .* received 12$"):
        ExportHooks().before_pipeline_run(export, too_old)
    ExportHooks().before_pipeline_run(score, too_old)
