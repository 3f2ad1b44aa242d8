from html.parser import HTMLParser

from model_records import model_record
from reporting.exports import ONNXRUNTIME, REPORT, quantised
from roadseg.reporting.export_page import write_export_page

ORIGIN = {
    "run": "v9",
    "data_set": "drawn",
    "data_terms": None,
    "environment": "",
    "commit": None,
    "versions": {"prepared_scenes": "v1", "split_table": "v2", "segnet_model": "v3"},
    "parameters": {"export": {"formats": ["onnx"]}, "card": {"licence": "other", "licence_name": "<b>"}},
    "packages": {"keras": "3.15.1"},
    "machine": {"platform": "Linux", "processor": "Z80", "cores": 2, "python": "3.11.7"},
}


class Page(HTMLParser):
    """The cells of the rows of each section of a page, and the tags that were left open."""

    def __init__(self, text):
        super().__init__()
        self.sections, self.open = {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag in ("meta", "br"):
            return
        self.open.append(tag)
        if tag == "section":
            self.rows = self.sections.setdefault(dict(attrs)["id"], [])
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"th", "td"} & set(self.open):
            self.rows[-1][-1] += data.strip()


def rows(report):
    page = Page(write_export_page(report, model_record(), ORIGIN))
    assert page.open == []
    return page.sections


def test_files_runtimes_and_origin_stand_in_tables():
    found = rows(REPORT)
    assert found["files"][1] == [
        "onnx",
        "1,234,567",
        "images: uint8 (batch, 15, 24, 3)",
        "label_map: uint8 (batch, 15, 24)confidence: float32 (batch, 15, 24)",
        "opset: 17ir_version: 8",
    ]
    assert found["proof"][:3] == [
        [
            "program",
            "version",
            "pixels of the same class",
            "in images of one colour",
            "mean IoU",
            "difference",
            "ms per image",
            "times Keras",
        ],
        ["Keras", "3.15.1", "99.9931 %", "100.0000 %", "0.7940", "+0.000000", "40.0", "1.00"],
        ["onnxruntime", "1.32", "100.0000 %", "100.0000 %", "0.7940", "-0.000003", "50.0", "1.25"],
    ]
    assert found["proof"][3:] == [["scenes", "32"], ["pixels", "11520"]]
    assert found["operators"][1:] == [["Conv", "26"], ["Relu", "13"]]
    assert ["terms of the data", "Apache-2.0", "not recorded"] in found["provenance"]
    assert ["licence of the model", "mit", "<b>"] in found["provenance"]
    assert ["run, started at (UTC)", "v3", "v9"] in found["provenance"]


def test_the_table_follows_what_the_report_holds():
    more = ONNXRUNTIME | {"lost_iou": {"road": 0.003}}
    found = rows(REPORT | {"runtimes": {"onnxruntime": more}, "calibration_scenes": 64})
    assert found["proof"][0][-2:] == ["lost iou.road", "times Keras"]
    assert [row[-2:] for row in found["proof"][1:3]] == [["\N{EN DASH}", "1.00"], ["0.003", "1.25"]]
    assert ["calibration scenes", "64"] in found["proof"]


def test_a_quantised_file_stands_beside_the_one_that_it_was_made_from():
    int8 = ONNXRUNTIME | {"milliseconds": 24.0}
    found = rows(REPORT | {"runtimes": {"onnxruntime": int8}, "unquantized": {"onnxruntime": ONNXRUNTIME}})
    timed = [(row[0], *row[-2:]) for row in found["proof"][2:4]]
    assert timed == [("onnxruntime", "24.0", "0.60"), ("onnxruntime, not quantised", "50.0", "1.25")]
    page = write_export_page(quantised(["a_1"], float_ends=False), model_record(), ORIGIN)
    assert "The file in int8 was calibrated with 1 training scene, by the method percentile.</p>" in page
