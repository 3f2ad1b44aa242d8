"""Every table of the catalog gives back what was saved, whatever splits, drives, scenes and classes are called."""

from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from model_records import model_record
from roadseg.datasets.provenance import Provenance
from roadseg.pipelines.evaluate.nodes import score_prior, summarise_scores, tabulate_scores
from roadseg.pipelines.prepare.nodes import index_scenes, report_data, split_scenes
from roadseg.predicting.entry import Entry, tabulate_pictures, tabulate_shares
from roadseg.reading.work_options import WorkOptions
from roadseg.scenes.palette import PictureOptions
from roadseg.scenes.prepared import PreparedScene, PreparedScenes
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import SplitOptions
from roadseg.scoring.annotation_order import order_for_annotation
from roadseg.scoring.disagreement import tabulate_suspect_regions, tabulate_suspect_scenes
from roadseg.scoring.error_detection import tabulate_detection, tabulate_doubts
from roadseg.scoring.measures import EvaluateOptions, measure_scene
from roadseg.scoring.prediction import Prediction
from roadseg.scoring.scores import SCORES
from roadseg.scoring.tables import (
    list_scenes,
    tabulate_calibration,
    tabulate_confusion,
    tabulate_scene_classes,
    tabulate_scenes,
)
from roadseg.segnet.segmentation import Segmentation
from roadseg.training.checkpoint import COLUMNS, Checkpoint

CONFIGURATION = OmegaConfigLoader(
    str(Path(__file__).parents[1] / "conf"), base_env="base", default_run_env="base", merge_strategy={}
)
TABLES = sorted(name for name, entry in CONFIGURATION["catalog"].items() if entry["type"] == "pandas.CSVDataset")

NAMES = [
    *("NA", "N/A", "<NA>", "None", "nan", "NaN", "null", "NULL", "TRUE", "False", "inf", "-", "007", "1e5", "1_000"),
    *(
        str(2**53 + 1),
        str(-(2**64)),
        "2026-01-31",
        "0x1F",
        "=1+1",
        "#1",
        "a,b",
        "a;b",
        'say "x"',
        '"',
        "'",
        "\\",
        "a\\",
    ),
    *(" lead", "trail ", "\ttab", " ", "line\nend", "return\ralone", "both\r\nends", "Straße", "道路", "\ufeffmark"),
    *("<b>&amp;</b>", "$x$", "_", "truth", "predicted", "pixels", "split", "scene", "road", "road low", "IoU road"),
]
"""Of drives, of frames and of classes, all at once."""

SCORE_COLUMNS = {
    *("prior_mean_iou", "batch_averaged_mean_iou"),
    *(column for name in SCORES for column in (name, f"{name} low", f"{name} high")),
}
"""Floats in any case, of which the catalog says nothing."""

SEED = Seed(1)
WORK = WorkOptions(in_flight=16, cluster=None, wait_for_workers=60)
ROW = {"usable": True, "faults": [], "height": 2, "width": 3, "image_hash": "1e5"}


def scene_of(name: str, index: int) -> dict[str, Any]:
    pixels = np.bincount([index, 0], minlength=len(NAMES)).tolist()
    return {"scene": f"{name}/{name}", "drive": name, "published_split": None, **ROW, "pixels": pixels}


@cache
def prepared_scenes() -> PreparedScenes:
    """A scene a name, which holds its class and the first one; one scene without labels, and one that is broken."""
    rows = [scene_of(name, index) for index, name in enumerate(NAMES)]
    rows[3]["faults"] = [["no objects", ""], ["unknown label", "NA"]]
    rows[4]["published_split"] = "train"
    rows.append({**scene_of("blind", 0), "pixels": None})
    rows.append(
        {**scene_of("broken", 0), **dict.fromkeys(ROW), "usable": False, "pixels": None, "faults": [["x", "1"]]}
    )
    classes = [{"name": name, "colour": [index, 0, 0]} for index, name in enumerate(NAMES)]

    def read(row: Any) -> PreparedScene:
        ids = np.repeat(np.arange(len(NAMES)), row["pixels"]).astype(np.uint8)
        return PreparedScene(np.zeros((1, 2, 3), np.uint8), ids[None], (2, 3))

    return PreparedScenes({"classes": classes, "image_size": [1, 2], "scenes": rows}, read)


def evaluate_options(*measures: str) -> EvaluateOptions:
    options = CONFIGURATION["parameters"]["evaluate"]
    suspects = {"regions": 60, "confidence": 0.0}  # the network of these tests is sure of nothing
    return EvaluateOptions(**options | {"further_measures": measures, "suspects": suspects})


@cache
def make_tables() -> dict[str, pd.DataFrame]:
    """Returns each table of the catalog, made as a run makes it."""
    scenes = prepared_scenes()
    scene_index, class_pixels, fault_table = index_scenes(scenes)
    options = SplitOptions(**CONFIGURATION["parameters"]["split"] | {"method": "drives"})
    split_table = split_scenes(scenes, scene_index, class_pixels, options, SEED)
    options = evaluate_options("boundary_f1", "calibration_error", "error_detection", "suspects")
    listed = list_scenes(split_table, "network")
    measures = [measure_scene(predict(scenes, scene), len(NAMES), options) for scene in listed["scene"]]
    disagreements = [each.disagreement for each in measures]
    found = {
        "scene_index": scene_index,
        "class_pixels": class_pixels,
        "fault_table": fault_table,
        "split_table": split_table,
        "confusion_table": tabulate_confusion(listed, [each.confusion for each in measures], NAMES),
        "calibration_table": tabulate_calibration(listed, measures),
        "doubt_table": tabulate_doubts(listed, [each.doubts for each in measures]),
        "scene_scores": tabulate_scenes(listed, measures),
        "scene_class_scores": tabulate_scene_classes(listed, measures, NAMES),
        "suspect_scenes": tabulate_suspect_scenes(listed, disagreements),
        "suspect_regions": tabulate_suspect_regions(listed, disagreements, NAMES, options.suspects),
        "prior_confusion": score_prior(scenes, split_table, {}, None, options, WORK),
        "training_history": history(),
    }
    scored = ("scene_scores", "scene_class_scores", "calibration_table", "prior_confusion")
    scores, drive_scores = summarise_scores(
        **{name: found[name] for name in scored},
        model_record=model_record(classes=NAMES),
        prepared_scenes=scenes,
        split_table=split_table,
        provenance=provenance(),
        options=options,
        seed=SEED,
    )
    found["error_detection"] = tabulate_detection(found["doubt_table"])
    entries = [
        Entry(picture=name, drive=name, fingerprint="", time=None if place % 2 else 0.1, fault=name, **facts)
        for place, name in enumerate(NAMES)
        for facts in ({}, {"height": 2, "width": 3, "mean_confidence": 0.1, "shares": [1 / len(NAMES)] * len(NAMES)})
    ]
    entries.append(Entry(picture="top", drive="", fingerprint="", fault=""))
    layouts = np.eye(len(entries), dtype=np.int16)
    pictures = tabulate_pictures(entries).assign(entropy=0.1)
    found["annotation_order"] = order_for_annotation(pictures, layouts, len(entries))
    found |= {"prediction_table": tabulate_pictures(entries), "picture_class_shares": tabulate_shares(entries, NAMES)}
    score_table, class_scores = tabulate_scores(scores)
    return found | {"score_table": score_table, "class_scores": class_scores, "drive_scores": drive_scores}


def predict(scenes: PreparedScenes, scene: str) -> Prediction:
    """Returns a prediction that takes each pixel for the class after its own."""
    truth = scenes[scene].label_map
    found = Segmentation(np.zeros((*truth.shape, len(NAMES)), np.float32), truth.shape, temperature=2.0)
    return Prediction(scene, truth, (truth + 1) % len(NAMES), np.full(truth.shape, 0.1, np.float32), found)


def history() -> pd.DataFrame:
    checkpoint = Checkpoint(Path(), "val_mean_iou", [])
    checkpoint.rows = [{"epoch": epoch, **dict.fromkeys(COLUMNS[1:], 0.1 + 1 / epoch)} for epoch in (1, 3)]
    return checkpoint.tabulate()


def provenance() -> Provenance:
    versions = dict.fromkeys(("prepared_scenes", "split_table", "segnet_model"), "2026-01-31T10.20.30.000Z")
    facts = {"run": "", "data_set": "NA", "environment": "", "commit": None, "parameters": {}, "packages": {}}
    return Provenance(**facts, versions=versions)


def save_and_load(name: str, table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    entry = {**CONFIGURATION["catalog"][name], "filepath": str(folder / "table.csv")}
    DataCatalog.from_config({name: entry}, save_version="1").save(name, table)
    return DataCatalog.from_config({name: entry}, load_versions={name: "1"}).load(name)


def test_there_is_a_table_for_each_entry_of_the_catalog() -> None:
    assert sorted(make_tables()) == TABLES


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_equal_after_loading_in_types_too(name: str, tmp_path: Path) -> None:
    table = make_tables()[name]
    pd.testing.assert_frame_equal(save_and_load(name, table, tmp_path), table, check_exact=True)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_a_row_is_equal_too_but_for_the_types_of_scores(name: str, tmp_path: Path) -> None:
    table = make_tables()[name][:0]
    loaded = save_and_load(name, table, tmp_path)
    assert list(loaded) == list(table)
    described = [column for column in table if column in CONFIGURATION["catalog"][name]["load_args"]["dtype"]]
    pd.testing.assert_frame_equal(loaded[described], table[described])


@pytest.mark.parametrize("name", TABLES)
def test_no_heading_follows_from_a_name(name: str) -> None:
    described = CONFIGURATION["catalog"][name]["load_args"]["dtype"]
    assert set(make_tables()[name]) <= {*described, *SCORE_COLUMNS}


def test_names_are_the_ones_that_were_given() -> None:
    tables = make_tables()
    assert set(tables["split_table"]["drive"]) == set(tables["scene_scores"]["drive"]) == set(NAMES)
    assert tables["class_scores"]["class"].tolist() == 3 * NAMES
    assert set(tables["confusion_table"]["truth"]) == set(tables["confusion_table"]["predicted"]) == set(NAMES)
    assert set(tables["drive_scores"]["drive"]) == set(NAMES)


@pytest.mark.parametrize("name", ["fault_table", "calibration_table", "prior_confusion"])
def test_a_table_that_may_have_no_row_is_equal_too(name: str, tmp_path: Path) -> None:
    scenes = prepared_scenes()
    whole = {"classes": scenes.manifest["classes"], "image_size": [1, 2], "scenes": scenes.rows[:3]}
    split = make_tables()["split_table"].assign(split="test")
    listed = list_scenes(split, "network")
    measures = [measure_scene(predict(scenes, scene), len(NAMES), evaluate_options()) for scene in listed["scene"]]
    empty = {
        "fault_table": lambda: PreparedScenes(whole, scenes._read).tabulate_faults(),
        "calibration_table": lambda: tabulate_calibration(listed, measures),
        "prior_confusion": lambda: score_prior(scenes, split, {}, None, evaluate_options(), WORK),
    }[name]()
    assert empty.empty
    pd.testing.assert_frame_equal(save_and_load(name, empty, tmp_path), empty)


def test_the_data_report_names_them() -> None:
    tables = make_tables()
    of_data = [tables[name] for name in ("scene_index", "class_pixels", "split_table")]
    page = report_data(prepared_scenes(), *of_data, PictureOptions(palette="classes"))
    shown = unescape(page)
    for name in NAMES:
        assert f'"></span><span class="name">{name}</span></th>' in shown  # among the classes
        assert f'<th><span class="name">{name}</span></th>' in shown  # among the drives
