"""The train pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.meeting import Meeting
from roadseg.pipelines.train.nodes import draw_curves, draw_network, train_segnet

INPUTS = {
    "prepared_scenes": "prepared_scenes",
    "split_table": "split_table",
    "network_options": "params:network",
    "options": "params:train",
    "scene_options": "params:scenes",
    "picture_options": "params:pictures",
    "work_options": "params:work",
    "seed": "params:seed",
    "provenance": "provenance",
    "continued_training": "continued_training",
}


def create_pipeline() -> Pipeline:
    """Returns the pipeline from prepared scenes and their split to a trained SegNet.

    On a host that helps host 0 to train, it has one node, which saves nothing.
    """
    helps = Meeting.current is not None and not Meeting.current.hosts.is_first
    nodes = [
        Node(train_segnet, INPUTS, ["segnet_model", "model_record", "training_history"], name="train_segnet"),
        Node(draw_curves, ["training_history", "model_record"], "training_curves", name="draw_curves"),
        Node(draw_network, "segnet_model", "network_diagram", name="draw_network"),
    ]
    return Pipeline(
        [Node(train_segnet, INPUTS, None, name="train_segnet")] if helps else nodes,
        namespace="train",
        prefix_datasets_with_namespace=False,
    )
