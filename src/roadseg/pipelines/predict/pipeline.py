"""The predict pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.predict.nodes import predict_pictures


def create_pipeline() -> Pipeline:
    """Returns the pipeline from a trained SegNet and pictures to label maps, overlays and tables."""
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
                },
                ["predicted_pictures", "prediction_table", "picture_class_shares"],
                name="predict_pictures",
            ),
        ],
        namespace="predict",
        prefix_datasets_with_namespace=False,
    )
