"""The file of a manifest: its lines, and those of older programs."""

import json

import pandas as pd
import pytest

from roadseg.errors import InputError
from roadseg.reading.manifest_text import read_manifest, write_manifest
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.scene_rows import SceneRows, list_values

CLASSES = [{"name": "road", "colour": [128, 64, 18]}, {"name": "sky", "colour": [70, 130, 180]}]
ROWS = [
    {
        **{"scene": "a_1", "drive": "a", "published_split": "train", "usable": True},
        **{"faults": [["empty polygon", "1 pole 街"]], "height": 60, "width": 80, "pixels": [3, 0], "image_hash": "0a"},
        **{"facts": "a_1-0.json", "image": "a_1-0.image.png", "label_map": "a_1-0.labels.png"},
    },
    {
        **{"scene": "b_1", "drive": "b", "published_split": None, "usable": False},
        **{"faults": [["image broken", "cut"]], "height": None, "width": None, "pixels": None, "image_hash": None},
        **{"facts": "b_1-0.json", "image": None, "label_map": None},
    },
    {
        **{"scene": "c_1", "drive": "c", "published_split": None, "usable": True},
        **{"faults": [], "height": 4, "width": 6, "pixels": None, "image_hash": "0b"},
        **{"facts": "c_1-0.json", "image": "c_1-0.image.png", "label_map": None},
    },
]
MANIFEST = {"classes": CLASSES, "image_size": [2, 4], "scenes": ROWS}
TEXT = rb"""{"classes": [{"name": "road", "colour": [128, 64, 18]}, {"name": "sky", "colour": [70, 130, 180]}], "image_size": [2, 4], "columns": ["scene", "drive", "published_split", "usable", "faults", "height", "width", "pixels", "image_hash", "name"], "scenes": [
["a_1", "a", "train", true, [["empty polygon", "1 pole \u8857"]], 60, 80, [3, 0], "0a", "a_1-0"],
["b_1", "b", null, false, [["image broken", "cut"]], null, null, null, null, "b_1-0"],
["c_1", "c", null, true, [], 4, 6, null, "0b", "c_1-0"]
]}
"""  # noqa: E501
DIGEST = "5e4713e3eaa36e13"
"""Of the manifest, as `sha256sum` says it of what `json.dumps` with `sort_keys` writes."""


def text_of(manifest):
    return b"".join(write_manifest(manifest))


def old(manifest):
    """Returns the file that an older program wrote."""
    return json.dumps(manifest, indent=1).encode()


@pytest.fixture(params=[1, 2, 10_000])
def chunk(monkeypatch, request):
    for module in ("scenes.scene_rows", "reading.manifest_text"):
        monkeypatch.setattr(f"roadseg.{module}.CHUNK", request.param)


def test_a_scene_is_a_line_and_the_whole_is_json():
    assert text_of(MANIFEST) == TEXT
    parsed = json.loads(TEXT)
    table = pd.DataFrame(parsed["scenes"], columns=parsed["columns"])  # as docs/data.md says
    assert table["pixels"].tolist() == [[3, 0], None, None]


def test_manifest_comes_back(chunk):
    found = read_manifest(TEXT)
    assert (found["classes"], found["image_size"]) == (CLASSES, [2, 4])
    assert list(found["scenes"]) == ROWS
    assert [found["scenes"][place] for place in (0, 1, -1)] == ROWS
    assert found["scenes"][:2] == ROWS[:2]
    assert text_of(found) == TEXT
    with pytest.raises(IndexError):
        found["scenes"][3]


def test_manifest_of_an_older_program_is_read_and_gives_the_same_text():
    found = read_manifest(old(MANIFEST))
    assert found == MANIFEST
    assert text_of(found) == TEXT


def test_digest_is_the_one_of_older_programs(chunk):
    for text in (TEXT, old(MANIFEST)):
        assert PreparedScenes(read_manifest(text), print).digest == DIGEST


def test_manifest_without_scenes_comes_back():
    text = text_of(MANIFEST | {"scenes": []})
    assert list(read_manifest(text)["scenes"]) == []


@pytest.mark.parametrize(
    ("old_part", "new_part", "message"),
    [
        (TEXT[-4:], b"", "its end is missing"),
        (TEXT[-3:], b"", "its end is missing"),
        (b'["c_1"', b'["c_1', "Invalid JSON: .* after scene 2"),
        (b"[3, 0]", b"[3, 0, 1]", r"List should have at most 2 items .* at scenes\.0\.pixels"),
        (b'"b", null, false', b'"b", null, "no"', r"Input should be a valid boolean.* at scenes\.1\.usable"),
        (b', "b_1-0"]', b"]", r"Field required at scenes\.1\.name"),
        (b'"image_size": [2, 4]', b'"image_size": [2]', r"Field required at image_size\.1"),
    ],
)
def test_what_is_broken_is_named(old_part, new_part, message, monkeypatch):
    monkeypatch.setattr("roadseg.reading.manifest_text.CHUNK", 1 if "Invalid" in message else 10_000)
    assert old_part in TEXT
    with pytest.raises(InputError, match=f"^{message}"):
        read_manifest(TEXT.replace(old_part, new_part))


def test_rows_share_their_drives_and_list_what_is_unusable():
    rows = SceneRows(list_values([row | {"drive": "".join(["d", "0"])} for row in ROWS]), 3, 2)
    assert list(rows) == [row | {"drive": "d0"} for row in ROWS]
    assert rows[0]["drive"] is rows[2]["drive"]
    assert rows.list_unusable() == {"b_1": [["image broken", "cut"]]}
