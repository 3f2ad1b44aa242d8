import io
import json
import zipfile

import pytest

from model_records import WHOLE, model_record
from roadseg.segnet.model_record import read_record, write_record

OLDER = {
    "run": "2026-01-31T10.20.30.000Z",
    "environment": "camvid",
    "learnt_from": {"prepared_scenes": {"version": "v1", "digest": "0a"}},
    "classes": ["road", "sky"],
    "image_size": [240, 480],
    "training_drives": ["a"],
    "parameters": {"seed": 1, "network": {"width": 0.25}},
    "packages": {"keras": "3.15.1"},
    "training": {"epochs": 2, "best_epoch": 2, "best_validation_mean_iou": 0.25, "seconds": 9.5},
}
"""What the first models said of themselves."""

SINCE_THEN = {
    "data_set": "drawn",
    "commit": None,
    "machine": {"platform": "Linux-6.1", "processor": "Z80", "cores": 2, "python": "3.11.7"},
    "state": "0a7d7557f0c27f80",
    "started_from": None,
    "training": {
        **OLDER["training"],
        "is_interrupted": True,
        "continued_from": None,
        "history": [{"epoch": 1, "loss": 2.016, "val_mean_iou": None}],
    },
}
"""What models said besides before their records had types."""


def archive(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr(name, content)
    return file


def read(content):
    text = content if isinstance(content, bytes) else json.dumps(content)
    return read_record(archive("record.json", text), "segnet.keras")


def test_a_record_comes_back_and_its_json_has_all_keys_in_their_order():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        write_record(model_record(), archive)
        written = archive.read("record.json").decode()
    assert json.dumps(json.loads(written), indent=2) == written == json.dumps(WHOLE, indent=2)
    assert read_record(file, "segnet.keras") == model_record()


def test_the_first_records_are_read_and_what_they_lack_is_told_as_unknown():
    record = read(OLDER)
    assert (record.run, record.environment, record.image_size) == ("2026-01-31T10.20.30.000Z", "camvid", (240, 480))
    assert record.learnt_from["prepared_scenes"].digest == "0a"
    assert record.class_names == ["road", "sky"]
    assert (record.data_set, record.commit, record.machine, record.state, record.started_from) == (None,) * 5
    assert (record.training.is_interrupted, record.training.continued_from, record.training.history) == (
        False,
        None,
        (),
    )


def test_records_without_types_are_read_and_written_as_they_were_but_for_colours_and_what_is_known_besides():
    given = OLDER | SINCE_THEN
    written = read(given).model_dump(mode="json")
    assert [each.pop("name") for each in written.pop("classes")] == ["road", "sky"]
    assert {key: written["machine"].pop(key) for key in ("system", "memory", "gpus")} == dict.fromkeys(
        ("system", "memory", "gpus")
    )
    for name in ("temperature", "data_name", "data_terms", "num_parameters", "licence", "licence_name", "licence_link"):
        assert written.pop(name) is None
    assert written == {name: value for name, value in given.items() if name != "classes"}


def test_what_a_later_program_adds_is_passed_over():
    assert read(WHOLE | {"mood": "sunny"}) == model_record()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        ({"run": "v1"}, "environment: Field required"),
        (WHOLE | {"image_size": "large"}, "image_size: Input should be a valid"),
        (WHOLE | {"classes": [{"name": "road", "colour": [0, 0, 256]}]}, "classes.0.colour.2: Input should be less"),
        (WHOLE | {"temperature": 0}, "temperature: Input should be greater than 0"),
        (WHOLE | {"training": {"epochs": "many"}}, "training.epochs: Input should be a valid integer"),
    ],
)
def test_a_damaged_record_is_one_sentence_that_names_the_file(content, reason):
    with pytest.raises(ValueError, match=r"^the record\.json in 'segnet\.keras' is damaged: ") as refusal:
        read(content)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_file_without_a_record_is_named():
    with pytest.raises(ValueError, match=r"'a\.keras' contains no record\.json: it was not saved by this project"):
        read_record(archive("config.json", "{}"), "a.keras")


@pytest.mark.parametrize("kept", [0, 10, -10])
def test_file_that_is_cut_off_is_named(kept):
    content = archive("record.json", json.dumps(WHOLE)).getvalue()[:kept]
    with pytest.raises(ValueError, match=r"'a\.keras' is not a zip archive, .* cut off or damaged"):
        read_record(io.BytesIO(content), "a.keras")
