"""The export pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.export.nodes import export_onnx


def create_pipeline() -> Pipeline:
    """Returns the pipeline from a trained SegNet to a file for other runtimes, proved on validation scenes."""
    return Pipeline(
        [
            Node(
                export_onnx,
                {
                    "segnet_model": "segnet_model",
                    "prepared_scenes": "prepared_scenes",
                    "split_table": "split_table",
                    "options": "params:export",
                },
                ["onnx_model", "export_report"],
                name="export_onnx",
            ),
        ],
        namespace="export",
        prefix_datasets_with_namespace=False,
    )
