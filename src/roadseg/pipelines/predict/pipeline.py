"""The predict pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.predict.nodes import predict_pictures, rank_for_annotation, write_page


def create_pipeline() -> Pipeline:
    """Returns the pipeline from a trained SegNet and pictures to label maps, overlays, tables and a page."""
    return Pipeline(
        [
            Node(
                predict_pictures,
                {
                    "pictures": "pictures",
                    "segnet_model": "segnet_model",
                    "provenance": "provenance",
                    "options": "params:predict",
                    "picture_options": "params:pictures",
                    "seed": "params:seed",
                    "work_options": "params:work",
                },
                ["predicted_pictures", "prediction_table", "picture_class_shares"],
                name="predict_pictures",
            ),
            Node(
                write_page,
                {
                    "predicted_pictures": "predicted_pictures",
                    "prediction_table": "prediction_table",
                    "picture_class_shares": "picture_class_shares",
                    "model_record": "model_record",
                    "provenance": "provenance",
                    "options": "params:predict",
                    "picture_options": "params:pictures",
                },
                "prediction_page",
                name="write_page",
            ),
            Node(
                rank_for_annotation,
                {"predicted_pictures": "predicted_pictures", "options": "params:predict"},
                ["annotation_order", "annotation_strip"],
                name="rank_for_annotation",
            ),
        ],
        namespace="predict",
        prefix_datasets_with_namespace=False,
    )
