"""The export pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.export.nodes import export_segnet, write_page


def create_pipeline() -> Pipeline:
    """Returns the pipeline from a trained SegNet to files for other runtimes, proved on validation scenes."""
    return Pipeline(
        [
            Node(
                export_segnet,
                {
                    "segnet_model": "segnet_model",
                    "prepared_scenes": "prepared_scenes",
                    "split_table": "split_table",
                    "raw_scenes": "raw_scenes",
                    "label_space": "label_space",
                    "model_history": "model_history",
                    "provenance": "provenance",
                    "options": "params:export",
                    "card_options": "params:card",
                },
                ["exported_model", "export_report"],
                name="export_segnet",
            ),
            Node(write_page, ["export_report", "model_record", "provenance"], "export_page", name="write_page"),
        ],
        namespace="export",
        prefix_datasets_with_namespace=False,
    )
