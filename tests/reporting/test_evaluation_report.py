import html
import json
import re

import numpy as np
import pytest

from reporting.evaluation import HISTORY, Scored, write_page
from roadseg.reporting.curves import write_curves
from roadseg.reporting.evaluation_report import (
    compare_parameters,
    shade_confusion,
)
from roadseg.scoring.scores import SCORES

NASTY = "<b>&\"'</script>"
NAMES = ["road", NASTY, "sky"]

# Test together: road 5 hits, 6 true, 5 predicted; the nasty class 1 hit, 1 true, 2 predicted; no sky.
SCENES = [
    Scored("r1", "train", "A", [[1, 1], [1, 1]], [[1, 1], [1, 1]]),
    Scored("t1", "test", "D", [[0, 0], [1, 255]], [[0, 1], [1, 0]]),
    Scored("t2", "test", "E", [[0, 0], [0, 0]], [[0, 0], [0, 0]]),
    Scored("v1", "test", "E", [[255, 255], [255, 255]], [[0, 1], [2, 0]]),
]

# Of the wrong pixel of d1 the network is surer than of one that is right; the variance is the largest there.
DOUBTED = [
    Scored("r1", "train", "A", [[1, 1]], [[1, 1]], [[0.5, 0.6]], [[0.1, 0.2]]),
    Scored("v1", "validation", "B", [[255, 255]], [[1, 1]], [[0.5, 0.6]], [[0.1, 0.2]]),
    Scored("d1", "test", "D", [[0, 0], [1, 255]], [[0, 1], [1, 0]], [[0.5, 0.6], [0.8, 0.9]], [[0.1, 0.3], [0.2, 0]]),
]

# The network is sure of two neighbours in s2 that are annotated as something else, and of one pixel in s1.
SUSPECT = [
    Scored("s1", "train", "A", [[0, 0, 0, 0]] * 4, [[0, 0, 0, 0]] * 3 + [[0, 2, 0, 0]], [[0.96] * 4] * 4),
    Scored(
        f"s2{NASTY}", "test", f"D{NASTY}", [[1, 1, 0, 0]] * 4, [[1, 0, 0, 0]] * 2 + [[1, 1, 0, 0]] * 2, [[0.98] * 4] * 4
    ),
]


@pytest.fixture(scope="module")
def page():
    return write_page(SCENES, NAMES)


@pytest.fixture(scope="module")
def suspicious():
    return write_page(SUSPECT, NAMES)


def section(page, name):
    return re.search(rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)[1]


def texts(part, *tags):
    """Returns the text of each element of a kind, without the small print in it."""
    kinds = "|".join(tags)
    found = re.findall(rf"<({kinds})\b[^>]*>(.*?)</\1>", part, re.DOTALL)
    return [plain(re.sub(r"<small.*?</small>", "", text, flags=re.DOTALL)) for _, text in found]


def plain(part):
    return " ".join(html.unescape(re.sub("<[^>]+>", "", part)).split())


def tables(part):
    """Returns the cells of the rows of each table."""
    return [
        [texts(row, "th", "td") for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]
        for table in re.findall(r"<table.*?</table>", part, re.DOTALL)
    ]


def scene_table(page):
    return json.loads(re.search(r'id="scene-table">(.*?)</script>', page, re.DOTALL)[1])


def test_the_headline_is_the_mean_iou_of_the_test_split_and_why_it_has_no_interval(page):
    headline = plain(section(page, "headline"))
    assert "0.6667 mean IoU on test of mine" in headline  # (5/6 + 1/2) / 2
    assert "No interval: test has 2 drives, and an interval needs at least 5" in headline
    assert "3 scenes of 2 drives, at the network's 2 x 2 pixels; 7 pixels are annotated" in headline
    assert "A guess without looking at the image reaches 0.1250" in headline
    assert "neither in the truth nor in the prediction of test: sky" in headline


def test_the_headline_has_an_interval_over_five_drives():
    # Each drive has half of its two pixels right, so that every draw gives the same score: IoU 1/2 and 0.
    five = [Scored(f"s{drive}", "test", drive, [[0, 0]], [[0, 1]]) for drive in "ABCDE"]
    page = write_page(five, NAMES)
    assert "95 % interval 0.2500 to 0.2500, over 5 drives" in plain(section(page, "headline"))
    row = re.search(r'<tr data-score="mean_iou">.*?</tr>', page, re.DOTALL)[0]
    assert plain(row).endswith("0.25000.2500\N{EN DASH}0.2500")


def test_without_test_scenes_the_headline_is_the_last_split_that_has_some():
    page = write_page([SCENES[0], Scored("w1", "validation", "B", [[0, 0]], [[0, 1]])], NAMES)
    headline = plain(section(page, "headline"))
    assert "0.2500 mean IoU on validation" in headline
    assert "validation has 1 drive," in headline
    assert "These scenes were used to choose the epoch, so this score is too high." in headline
    page = write_page(SCENES[:1], NAMES)
    assert "1.0000 mean IoU on train" in plain(section(page, "headline"))
    assert "These are the scenes it was trained on." in plain(section(page, "headline"))


def test_one_scene_that_is_void_throughout_has_no_score():
    page = write_page(SCENES[3:], NAMES)
    assert "\N{EN DASH} mean IoU on test of mine Undefined: no pixel of test is annotated." in plain(
        section(page, "headline")
    )
    assert scene_table(page)["rows"][0][:6] == ["test", "E", "v1", 0, None, None]
    assert "No pictures" in section(page, "gallery")
    assert not re.search(r"\bnan\b", page.split("<script>")[0], re.IGNORECASE)


@pytest.mark.parametrize(
    ("resolution", "named"),
    [
        ("native", "at the size of each annotation, to which the logits of 2 x 2 pixels were resized; 7 pixels are"),
        ("idd_protocol", "at 720 x 1280 pixels, to which prediction and annotation were resized (nearest pixel), as"),
    ],
)
def test_the_headline_says_at_which_resolution_it_was_scored(resolution, named):
    assert named in plain(section(write_page(SCENES, NAMES, resolution=resolution), "headline"))


def test_an_exported_file_that_was_scored_is_named(page):
    runtime = {"name": "onnxruntime", "version": "1.32.0", "exported_model": "v9", "precision": "int8"}
    named = "onnxruntime 1.32.0 from the export v9 (int8)"
    found = write_page(SCENES, NAMES, runtime=runtime)
    assert f"scores the network of v3 in {named} (segnet of width" in plain(section(found, "headline"))
    assert f"runtime {named}" in plain(section(found, "provenance"))
    assert "scores the network of v3 (segnet of width" in plain(section(page, "headline"))
    assert "runtime Keras" in plain(section(page, "provenance"))


def test_a_model_of_other_data_learnt_from_none_of_the_splits(page):
    others = {"prepared_scenes": "bb", "split_table": "cc"}
    foreign = write_page(SCENES, NAMES, training_drives=["elsewhere"], digests=others)
    assert "It was trained on other data, theirs: none of these drives" in plain(section(foreign, "headline"))
    provenance = plain(section(foreign, "provenance"))
    assert "data set theirs mine" in provenance
    assert "prepared_scenes v1content aa v1content bb" in provenance
    assert "same content" not in provenance
    assert "The network was trained on none of these splits." in plain(section(foreign, "scores"))
    assert "other data" not in section(page, "headline")
    assert "The network was trained on train." in plain(section(page, "scores"))


def test_what_the_model_learnt_from_and_was_scored_on_is_named(page):
    assert "<title>Evaluation of v3 on mine</title>" in page
    provenance = plain(section(page, "provenance"))
    assert "data set mine mine environment default default git commit none 0123+" in provenance
    assert "prepared_scenes v1content aa v1same content" in provenance


def test_a_network_below_the_guess_is_warned_of(page):
    assert "below the guess" not in page
    assert "below the guess" in plain(section(write_page(SCENES, NAMES, prior_mean_iou=0.7), "headline"))


@pytest.mark.parametrize(
    ("resolution", "named"),
    [
        ("network", "at the network's 2 x 2 pixels"),
        ("native", "at the size of each annotation"),
        ("idd_protocol", "at the 720 x 1280 pixels of IDD's protocol"),
    ],
)
def test_tables_say_at_which_resolution_their_figures_are(resolution, named):
    page = write_page(SCENES, NAMES, resolution=resolution)
    for name in ("scores", "confusion", "classes", "scenes"):
        assert plain(section(page, name).partition("</h2>")[0]).endswith(named), name
    assert ("the pictures show the scenes at the network's size" in plain(section(page, "gallery"))) == (
        resolution != "network"
    )


def test_drives_that_stand_in_two_splits_are_named(page):
    assert "almost equal" not in section(page, "headline")
    scenes = [*SCENES, Scored("r2", "train", "D", [[0]], [[0]])]
    assert "D (test, train)" in plain(section(write_page(scenes, NAMES), "headline"))
    foreign = write_page(scenes, NAMES, training_drives=["elsewhere"])
    assert "almost equal" not in section(foreign, "headline")  # no split of these taught it


def test_drives_that_an_earlier_model_learnt_from_are_named():
    earlier = {"file": "a.keras", "run": "v0", "learnt_from": {}, "training_drives": ["A", "E"]}
    page = write_page(SCENES, NAMES, started_from=earlier)
    assert "drives with these names, which are in test: E." in plain(section(page, "headline"))
    assert "run v0" in plain(section(page, "provenance"))


def test_every_score_stands_in_the_score_table(page):
    rows = re.findall(r'<tr data-score="(\w+)">(.*?)</tr>', page, re.DOTALL)
    scores = {name: texts(row, "td") for name, row in rows}
    assert set(scores) == {*SCORES, "prior_mean_iou", "batch_averaged_mean_iou"}
    assert scores["mean_iou"] == ["1.0000", "0.6667"]
    assert scores["pixel_accuracy"] == ["1.0000", "0.8571"]  # 6 of 7
    assert scores["mean_class_accuracy"] == ["1.0000", "0.9167"]  # 5/6 and 1
    assert scores["frequency_weighted_iou"] == ["1.0000", "0.7857"]  # 6/7 * 5/6 + 1/7 * 1/2
    assert scores["calibration_error"] == ["0.0000", "0.1429"]  # sure of all, wrong in 1 of 7
    assert scores["batch_averaged_mean_iou"] == ["1.0000", "0.6667"]  # one batch
    assert "Biased" in dict(rows)["batch_averaged_mean_iou"]


def test_confusion_is_shown_in_counts_and_in_shares_of_rows_and_columns(page):
    panels = dict(
        re.findall(
            r'data-panel="confusion" (data-split="\w+" data-view="\w+")(?: hidden)?>(.*?)</div>', page, re.DOTALL
        )
    )
    assert len(panels) == 2 * 3
    dash = "\N{EN DASH}"
    head = ["true \\ predicted", *NAMES]
    shown = {name: tables(panel)[0] for name, panel in panels.items()}
    assert shown['data-split="test" data-view="counts"'] == [
        head,
        ["road", "5", "1", "0"],
        [NASTY, "0", "1", "0"],
        ["sky", "0", "0", "0"],
    ]
    assert shown['data-split="test" data-view="rows"'][1:] == [
        ["road", "83.3", "16.7", "0.0"],
        [NASTY, "0.0", "100.0", "0.0"],
        ["sky", dash, dash, dash],
    ]
    assert shown['data-split="test" data-view="columns"'][1:] == [
        ["road", "100.0", "50.0", dash],
        [NASTY, "0.0", "50.0", dash],
        ["sky", "0.0", "0.0", dash],
    ]
    assert shown['data-split="train" data-view="counts"'][2] == [NASTY, "0", "4", "0"]


def test_only_the_headline_split_is_open_at_first(page):
    opened = re.findall(r'data-panel="(\w+)" data-split="(\w+)"(?: data-view="(\w+)")?>', page)
    assert opened == [("confusion", "test", "rows"), ("gallery", "test", ""), ("gallery", "test", "")]


def test_classes_have_share_iou_accuracy_and_boundary_f1_in_each_split(page):
    rows = tables(section(page, "classes"))[0][2:]
    dash = "\N{EN DASH}"
    # Scene t1 alone has boundaries: in the truth the left pixels, in the prediction the upper right one too. At this
    # size only equal places match: road 1 of 1 both ways, the other class 1 of 2 predicted pixels and 1 of 1 true one.
    assert rows == [
        ["road", "0.0", dash, dash, dash, "85.7", "0.833", "0.833", "1.000"],
        [NASTY, "100.0", "1.000", "1.000", dash, "14.3", "0.500", "1.000", "0.667"],
        ["sky", "0.0", dash, dash, dash, "0.0", dash, dash, dash],
    ]


def test_doubts_stand_beside_what_chance_finds_in_each_split():
    sure = section(write_page(DOUBTED, NAMES), "sure")
    (table,) = tables(sure)
    dash = "\N{EN DASH}"
    # Train has no error, validation is void. Test: of two right pixels one is doubted less than the wrong one, which is
    # the second of those that are doubted most. The least doubted third has no error, two thirds have 1 of 2, all have
    # 1 of 3. By its variance the wrong pixel is doubted most.
    nothing, by_softmax = [dash] * 6, ["0.5000", "0.5000", "0.2778"]
    assert table[2:] == [
        ["confidence", *nothing, *by_softmax],
        ["entropy", *nothing, *by_softmax],
        ["variance", *nothing, "1.0000", "1.0000", "0.1111"],
        ["by chance", "0.5000", "0.0000", "0.0000", *[dash] * 3, "0.5000", "0.3333", "0.3333"],
    ]
    assert [name for name in table[0] if name] == ["train", "validation", "test"]
    assert texts(sure, "figcaption") == ["train", "test"]
    assert [each in plain(sure) for each in ("variance: AUROC 1.0000", "entropy: AUROC 0.5000")] == [True] * 2


def test_the_temperature_is_named_and_where_there_is_none_that_is_said(page):
    assert "Its softmax has the temperature 1.500, which was fitted on validation." in plain(section(page, "sure"))
    without = plain(section(write_page(SCENES, NAMES, temperature=None), "sure"))
    assert "The record of this model has no temperature, so its softmax is taken as it is." in without


def test_what_was_not_measured_is_not_shown_and_that_is_said():
    page = write_page([*DOUBTED, *SUSPECT], NAMES, further_measures=[])
    assert "No doubts: evaluate.further_measures is without error_detection," in plain(section(page, "sure"))
    assert "Not looked for: evaluate.further_measures is without suspects," in plain(section(page, "suspects"))
    assert not tables(section(page, "sure")) + tables(section(page, "suspects"))
    assert "label quality" not in page.split("<script>")[0]


def test_suspects_are_listed_worst_first_with_classes_and_place(suspicious):
    (table,) = tables(section(suspicious, "suspects"))
    assert table[1:] == [
        ["1", "test", f"s2{NASTY}", NASTY, "road", "2", "0.9800", "0, 1", "2 x 1"],
        ["2", "train", "s1", "road", "sky", "1", "0.9600", "3, 1", "1 x 1"],
    ]
    rows = re.findall(r'<tr data-panel="suspects" data-split="(\w+)">', suspicious)
    assert rows == ["test", "train"]
    assert re.findall(r'<button type="button" name="split" value="(\w+)"', section(suspicious, "suspects")) == [
        *("all", "train", "test")
    ]


def test_suspects_have_pictures_with_the_region_in_a_frame(suspicious):
    figures = re.findall(r"<figure.*?</figure>", section(suspicious, "suspects"), re.DOTALL)
    dot = "\N{MIDDLE DOT}"
    caption = plain(re.search(r"<figcaption>(.*?)<button", figures[0], re.DOTALL)[1])
    assert caption == (
        f"1. s2{NASTY} drive D{NASTY} in test {dot} annotated {NASTY}, predicted road {dot} 2 pixels "
        f"{dot} confidence 0.980"
    )
    assert [re.search(r'id="([^"]+)"', each)[1] for each in figures] == ["suspect-1", "suspect-2"]
    assert 'href="#suspect-1"' in section(suspicious, "suspects")
    # The window of the first region is the whole scene: 2 of 4 rows from the first on, 1 of 4 columns from the second.
    assert 'x="25%" y="0%" width="25%" height="50%"' in figures[0]
    assert len(re.findall("data:image/webp", figures[0])) == 1
    assert len(re.findall("data:image/png", figures[0])) == 3


def test_scenes_can_be_sorted_by_label_quality(suspicious):
    table = scene_table(suspicious)
    place = [each["title"] for each in table["columns"]].index("label quality")
    assert place == 6
    # Soft minima by hand, with weights exp((1 - p) / 0.1): of 15 pixels with 0.96 and one with 0.02, and of 14 with
    # 0.98 and two with 0.01.
    weights = np.exp([0.04 / 0.1, 0.98 / 0.1, 0.02 / 0.1, 0.99 / 0.1])
    s1 = (15 * weights[0] * 0.96 + weights[1] * 0.02) / (15 * weights[0] + weights[1])
    s2 = (14 * weights[2] * 0.98 + 2 * weights[3] * 0.01) / (14 * weights[2] + 2 * weights[3])
    assert {row[2]: row[place] for row in table["rows"]} == {
        "s1": pytest.approx(s1, abs=1e-4),
        f"s2{NASTY}": pytest.approx(s2, abs=1e-4),
    }


def test_where_nothing_is_suspect_that_is_said_with_the_confidence_that_is_asked_for():
    suspects = section(write_page(DOUBTED, NAMES), "suspects")
    assert "with a confidence of at least 0.9." in plain(suspects)
    assert not tables(suspects)
    none = plain(section(write_page(SUSPECT, NAMES, num_regions=0), "suspects"))
    assert none.endswith("No region is listed: evaluate.suspects.regions is 0.")


def test_all_scenes_are_listed_worst_first_and_those_without_a_score_last(page):
    table = scene_table(page)
    assert table["classes"] == NAMES
    assert [row[2] for row in table["rows"]] == ["t1", "r1", "t2", "v1"]
    # In its truth or prediction t1 has road and the nasty class; of these both have boundaries, and v1 has neither.
    assert table["rows"][0] == ["test", "D", "t1", 3, 0.5, 0.6667, {"0": [0.5, 1.0], "1": [0.5, 0.6667]}]
    assert table["rows"][2] == ["test", "E", "t2", 4, 1.0, 1.0, {"0": [1.0, None]}]
    assert table["rows"][3] == ["test", "E", "v1", 0, None, None, {}]
    assert table["pictured"] == ["r1", "t2", "t1"]


def test_pictured_scenes_have_captions_and_four_pictures(page):
    figures = re.findall(r"<figure.*?</figure>", section(page, "gallery"), re.DOTALL)
    assert len(figures) == 3
    caption = plain(re.search(r"<figcaption>(.*?)<button", figures[2], re.DOTALL)[1])
    assert (
        caption
        == "t1 drive D \N{MIDDLE DOT} rank 2 of 2 in test \N{MIDDLE DOT} mean IoU 0.500 \N{MIDDLE DOT} 33.3 % wrong"
    )
    assert len(re.findall("data:image/webp", figures[2])) == 1
    assert len(re.findall("data:image/png", figures[2])) == 3
    legend = texts(section(page, "gallery"), "li")
    assert legend == [*NAMES, "void", "wrong"]


def test_no_pictures_are_in_a_page_without_a_gallery():
    page = write_page([*SCENES, *SUSPECT], NAMES, gallery_scenes=0)
    assert "data:image" not in page.split("<script>")[0]
    assert scene_table(page)["pictured"] == []
    assert len(tables(section(page, "suspects"))[0]) == 3
    assert "#suspect-" not in page


def test_curves_show_the_history_of_the_model(page):
    assert write_curves(HISTORY) in section(page, "training")


@pytest.mark.parametrize("history", [{}, {"history": []}])
def test_a_model_without_a_history_says_so(history):
    training = {"epochs": 2, "best_epoch": 2, "seconds": 61.6, "is_interrupted": True, **history}
    page = write_page(SCENES, NAMES, training=training)
    assert "The record of this model has no training history." in section(page, "training")
    assert "<svg" not in section(page, "training")
    assert "epoch 2 of 2, interrupted" in plain(section(page, "headline"))


def test_the_page_says_where_it_comes_from(page):
    facts, parameters = tables(section(page, "provenance"))
    facts = {row[0]: row[1:] for row in facts}
    assert facts["run, started at (UTC)"] == ["v3", "v4"]
    assert facts["prepared_scenes"] == ["v1", "v1"]
    assert facts["duration"][0] == "0:01:02 (h:mm:ss), epochs: 2"
    assert facts["keras"] == ["3.15.0", "3.15.1"]
    assert facts["processor"] == ["not recorded", "Z80"]
    assert ["network.width", "0.25", "0.25"] in parameters
    assert ["evaluate.batch_size", "", "8"] in parameters


def test_names_from_the_data_cannot_break_the_page():
    evil = [Scored(f"s{NASTY}", "test", f"d{NASTY}", [[0, 1]], [[0, 0]])]
    page = write_page(evil, NAMES)
    assert NASTY not in page
    assert "<b>&" not in page
    assert f"s{NASTY} drive d{NASTY}" in plain(section(page, "gallery"))
    assert scene_table(page)["rows"][0][1:3] == [f"d{NASTY}", f"s{NASTY}"]


def test_the_page_needs_no_other_file(page):
    addresses = re.findall(
        r'<[^<>]*\b(?:src|href)="([^"]*)"', re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    )
    assert addresses
    assert all(address.startswith(("data:image/", "#")) for address in addresses)
    assert "@import" not in page.split("</style>")[0]
    assert "<link" not in page.split("<script>")[0]


def test_of_many_classes_the_most_confused_are_shown_and_all_others_together():
    names = [f"class {index}" for index in range(255)]
    # Class 0 is right twice, 1 to 40 are called 100, of which there is none; 1 to 10 have more pixels than the others.
    scene = [[0, *range(1, 41), *range(1, 11)], [0] * 51]
    page = write_page([Scored("a", "test", "A", scene, [[0, *[100] * 50], [0] * 51])], names, gallery_scenes=0)
    (table,) = tables(section(page, "confusion"))[2:]
    assert len(page.encode()) < 7_000_000
    shown = [row[0] for row in table[1:]]
    assert table[0][1:] == shown
    assert len(shown) == 31
    assert {"class 1", "class 10", "class 29", "class 100"} <= set(shown)
    assert shown[-1] == "225 others"
    assert "class 0" not in shown
    assert sum(int(cell) for row in table[1:] for cell in row[1:]) == 102
    assert "Of 255 classes, each split shows the 30 with the most pixels that are missed or wrongly" in plain(
        section(page, "confusion")
    )


def test_confusion_without_pixels_has_no_shares():
    views = shade_confusion(np.zeros((2, 2), np.int64))
    assert np.isnan(views["rows"]).all()
    assert np.isnan(views["columns"]).all()
    assert (views["counts"] == 0).all()


def test_parameters_stand_beside_each_other():
    training, evaluation = {"seed": 1, "train": {"epochs": 2, "rate": None}}, {"seed": 2, "evaluate": {"size": [1, 2]}}
    assert compare_parameters(training, evaluation) == [
        ("seed", "1", "2"),
        ("train.epochs", "2", ""),
        ("train.rate", "None", ""),
        ("evaluate.size", "", "[1, 2]"),
    ]


def test_a_page_of_two_thousand_scenes_takes_little_more_than_a_megabyte_beside_its_pictures():
    many = [
        Scored(f"drive{index // 20}/frame{index:06d}", "test", f"drive{index // 20}", [[0]], [[0]])
        for index in range(2000)
    ]
    assert len(write_page(many, NAMES, gallery_scenes=0).encode()) < 1_200_000
