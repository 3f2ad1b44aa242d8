"""The prepare pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.prepare.nodes import index_scenes, prepare_scenes, report_data, split_scenes


def create_pipeline() -> Pipeline:
    """Returns the pipeline from raw scenes to prepared scenes, their split, and a report on them."""
    return Pipeline(
        [
            Node(
                prepare_scenes,
                {
                    "raw_scenes": "raw_scenes",
                    "label_space": "label_space",
                    "scene_store": "scene_store",
                    "options": "params:prepare",
                    "scene_options": "params:scenes",
                    "split_options": "params:split",
                    "work_options": "params:work",
                },
                "prepared_scenes",
                name="prepare_scenes",
            ),
            Node(index_scenes, "prepared_scenes", ["scene_index", "class_pixels", "fault_table"], name="index_scenes"),
            Node(
                split_scenes,
                {
                    "prepared_scenes": "prepared_scenes",
                    "scene_index": "scene_index",
                    "class_pixels": "class_pixels",
                    "options": "params:split",
                    "seed": "params:seed",
                },
                "split_table",
                name="split_scenes",
            ),
            Node(
                report_data,
                {
                    "prepared_scenes": "prepared_scenes",
                    "scene_index": "scene_index",
                    "class_pixels": "class_pixels",
                    "split_table": "split_table",
                    "picture_options": "params:pictures",
                },
                "data_report",
                name="report_data",
            ),
        ],
        namespace="prepare",
        prefix_datasets_with_namespace=False,
    )
