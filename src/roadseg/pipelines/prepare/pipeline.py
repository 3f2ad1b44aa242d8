"""The prepare pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.prepare.nodes import index_scenes, prepare_scenes, split_scenes


def create_pipeline() -> Pipeline:
    """Returns the pipeline from raw scenes to prepared scenes and their split."""
    return Pipeline(
        [
            Node(
                prepare_scenes,
                ["raw_scenes", "label_space", "params:prepare", "params:scenes"],
                "prepared_scenes",
                name="prepare_scenes",
            ),
            Node(index_scenes, "prepared_scenes", "scene_index", name="index_scenes"),
            Node(split_scenes, ["scene_index", "params:split", "params:seed"], "split_table", name="split_scenes"),
        ],
        tags="prepare",
    )
