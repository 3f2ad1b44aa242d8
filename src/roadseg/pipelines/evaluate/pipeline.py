"""The evaluate pipeline."""

from kedro.pipeline import Node, Pipeline

from roadseg.pipelines.evaluate.nodes import (
    detect_errors,
    draw_class_iou,
    draw_confusion,
    draw_examples,
    draw_scores,
    draw_suspects,
    score_prior,
    score_scenes,
    summarise_scores,
    tabulate_scores,
    write_model_card,
    write_report,
)


def create_pipeline() -> Pipeline:
    """Returns the pipeline from a trained SegNet and the scenes of its split to scores, pictures and a report."""
    return Pipeline(
        [
            Node(
                score_scenes,
                {
                    "segnet_model": "segnet_model",
                    "prepared_scenes": "prepared_scenes",
                    "split_table": "split_table",
                    "raw_scenes": "raw_scenes",
                    "label_space": "label_space",
                    "provenance": "provenance",
                    "options": "params:evaluate",
                    "seed": "params:seed",
                },
                [
                    "confusion_table",
                    "calibration_table",
                    "doubt_table",
                    "scene_scores",
                    "scene_class_scores",
                    "suspect_scenes",
                    "suspect_regions",
                ],
                name="score_scenes",
            ),
            Node(
                score_prior,
                {
                    "prepared_scenes": "prepared_scenes",
                    "split_table": "split_table",
                    "raw_scenes": "raw_scenes",
                    "label_space": "label_space",
                    "options": "params:evaluate",
                },
                "prior_confusion",
                name="score_prior",
            ),
            Node(
                summarise_scores,
                {
                    "scene_scores": "scene_scores",
                    "scene_class_scores": "scene_class_scores",
                    "calibration_table": "calibration_table",
                    "prior_confusion": "prior_confusion",
                    "model_record": "model_record",
                    "prepared_scenes": "prepared_scenes",
                    "split_table": "split_table",
                    "provenance": "provenance",
                    "options": "params:evaluate",
                    "seed": "params:seed",
                },
                ["scores", "drive_scores"],
                name="summarise_scores",
            ),
            Node(tabulate_scores, "scores", ["score_table", "class_scores"], name="tabulate_scores"),
            Node(
                detect_errors,
                ["doubt_table", "scores"],
                ["error_detection", "error_detection_figure"],
                name="detect_errors",
            ),
            Node(
                draw_confusion,
                ["confusion_table", "prepared_scenes", "scores"],
                "confusion_figure",
                name="draw_confusion",
            ),
            Node(
                draw_class_iou,
                ["confusion_table", "prepared_scenes", "scores", "params:pictures"],
                "class_iou_figure",
                name="draw_class_iou",
            ),
            Node(draw_scores, "scores", "score_figure", name="draw_scores"),
            Node(
                write_model_card,
                ["scores", "drive_scores", "model_history", "params:export"],
                "model_card",
                name="write_model_card",
            ),
            Node(
                draw_examples,
                {
                    "segnet_model": "segnet_model",
                    "prepared_scenes": "prepared_scenes",
                    "scene_scores": "scene_scores",
                    "options": "params:evaluate",
                    "picture_options": "params:pictures",
                    "seed": "params:seed",
                },
                "example_panels",
                name="draw_examples",
            ),
            Node(
                draw_suspects,
                {
                    "segnet_model": "segnet_model",
                    "prepared_scenes": "prepared_scenes",
                    "suspect_regions": "suspect_regions",
                    "options": "params:evaluate",
                    "picture_options": "params:pictures",
                    "seed": "params:seed",
                },
                "suspect_figure",
                name="draw_suspects",
            ),
            Node(
                write_report,
                {
                    "segnet_model": "segnet_model",
                    "prepared_scenes": "prepared_scenes",
                    "confusion_table": "confusion_table",
                    "scene_scores": "scene_scores",
                    "scene_class_scores": "scene_class_scores",
                    "doubt_table": "doubt_table",
                    "error_detection": "error_detection",
                    "suspect_scenes": "suspect_scenes",
                    "suspect_regions": "suspect_regions",
                    "scores": "scores",
                    "options": "params:evaluate",
                    "picture_options": "params:pictures",
                    "seed": "params:seed",
                },
                "evaluation_report",
                name="write_report",
            ),
        ],
        namespace="evaluate",
        prefix_datasets_with_namespace=False,
    )
