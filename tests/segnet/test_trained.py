import pytest

from model_records import model_record
from roadseg.errors import FileError
from roadseg.segnet.trained import check_classes, check_image_size, check_learnt_from, load_model


def record(environment="", training_drives=("a", "b")):
    return model_record(
        run="2026-01-02T03.04.05.678Z",
        environment=environment,
        learnt_from={
            "prepared_scenes": {"version": "2026-01-01T00.00.00.000Z", "digest": "aaaa"},
            "split_table": {"version": "2026-01-01T00.00.01.000Z", "digest": "bbbb"},
        },
        training_drives=training_drives,
        image_size=(240, 480),
    )


def refusal(digests, environment=""):
    with pytest.raises(ValueError, match="was trained on another version") as fault:
        check_learnt_from(record(environment), digests, {"b", "c"})
    return str(fault.value)


def test_the_folder_of_a_model_is_refused(tmp_path):
    with pytest.raises(FileError, match=rf"^'{tmp_path}' is a folder, expected a \.keras file$"):
        load_model(tmp_path)


def test_what_the_model_learnt_from_is_accepted():
    assert check_learnt_from(record(), {"prepared_scenes": "aaaa", "split_table": "bbbb"}, {"a", "b", "c"})


def test_other_data_are_accepted_where_no_drive_of_theirs_trained_the_model():
    assert not check_learnt_from(record(), {"prepared_scenes": "cccc", "split_table": "dddd"}, {"c", "d"})


def test_classes_and_size_of_the_record_fit():
    check_classes(record(), ["road", "sky"])
    check_image_size(record(), (240, 480))


@pytest.mark.parametrize("classes", [["sky", "road"], ["road"], ["road", "sky", "car"]])
def test_other_classes_are_refused_with_both_lists(classes):
    with pytest.raises(ValueError, match=f"it has road, sky; the scenes have {', '.join(classes)}$"):
        check_classes(record(), classes)


def test_another_size_is_refused_with_both_sizes():
    sizes = "takes images of 240 x 480 pixels, but the scenes were prepared at 64 x 128$"
    with pytest.raises(ValueError, match=sizes):
        check_image_size(record(), (64, 128))


@pytest.mark.parametrize(
    ("digests", "named"),
    [
        ({"prepared_scenes": "aaaa", "split_table": "cccc"}, "another version of split_table than"),
        ({"prepared_scenes": "cccc", "split_table": "bbbb"}, "another version of prepared_scenes than"),
        ({"prepared_scenes": "bbbb", "split_table": "aaaa"}, "another version of prepared_scenes and split_table than"),
    ],
)
def test_other_content_is_refused_by_name(digests, named):
    message = refusal(digests)
    assert named in message
    assert "2026-01-02T03.04.05.678Z" in message


@pytest.mark.parametrize(
    ("drives", "sentence"),
    [
        ({"b", "c"}, r"1 of the 2 drives here have the names of its training drives \(b\), so"),
        ({"c", "b", "a"}, r"2 of the 3 drives here have the names of its training drives \(a, b\), so"),
        ({*"abcdefgh"}, r"6 of the 8 drives here .* \(a, b, d, e, f, \.\.\.\), so"),
    ],
)
def test_refusal_says_which_names_of_drives_are_equal_and_that_others_need_others(drives, sentence):
    known = record(training_drives=[*"fedgba"])
    with pytest.raises(ValueError, match=sentence + ".* if they are other drives, give them other names"):
        check_learnt_from(known, {"prepared_scenes": "cccc", "split_table": "dddd"}, drives)
