"""The train pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.train.nodes import draw_curves, draw_network, train_segnet


def create_pipeline() -> Pipeline:
    """Returns the pipeline from prepared scenes and their split to a trained SegNet."""
    return Pipeline(
        [
            Node(
                train_segnet,
                [
                    "prepared_scenes",
                    "split_table",
                    "params:network",
                    "params:train",
                    "params:scenes",
                    "params:seed",
                    "provenance",
                    "training_state",
                    "tensorboard_folder",
                    "continued_training",
                ],
                ["segnet_model", "training_history"],
                name="train_segnet",
            ),
            Node(draw_curves, ["training_history", "segnet_model"], "training_curves", name="draw_curves"),
            Node(draw_network, "segnet_model", "network_diagram", name="draw_network"),
        ],
        tags="train",
    )
