"""Pictures of known colours through a network that names the colours."""

import threading
import time

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from predicting.pictures import RECORD, draw_halves, name_colours, picture_files, save_picture, save_video
from roadseg.errors import FileError
from roadseg.predicting.prediction_folder import PredictionFolder
from roadseg.predicting.work import Work, count_shares
from roadseg.reading.picture import Picture
from roadseg.reading.picture_source import list_pictures
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

HALVES = [(0, 1), (1, 2), (2, 0), (0, 2), (1, 0)]
SIZES = [(24, 32), (13, 17), (120, 90), (2, 4), (24, 32)]


@pytest.fixture(scope="module")
def predictor():
    return name_colours()


@pytest.fixture
def source(tmp_path):
    """A folder of five pictures in two drives."""
    for number, (halves, size) in enumerate(zip(HALVES, SIZES, strict=True)):
        save_picture(tmp_path / f"source/drive {number % 2}/ä{number}.png", draw_halves(size, *halves))
    return tmp_path / "source"


def read_pixels(files, kind, name):
    """Returns the pixels of a file of a picture."""
    with Image.open(files.folder.name_file(kind, name)) as picture:
        return np.asarray(picture)


def count_predicted(predictor, monkeypatch):
    """Returns a list that gets the number of images of each call of the network."""
    predicted = []
    original = predictor.predict_each
    monkeypatch.setattr(
        predictor, "predict_each", lambda images: original(predicted.extend(images) or images), raising=True
    )
    return predicted


def test_each_picture_gets_its_files_at_its_own_size_and_its_entry(tmp_path, predictor, source):
    files = picture_files(tmp_path / "out")
    Work(predictor, files).predict(list_pictures(source))
    assert sorted(files.folder.entries) == [f"drive {number % 2}/ä{number}" for number in (0, 2, 4, 1, 3)]
    for number, ((left, right), (height, width)) in enumerate(zip(HALVES, SIZES, strict=True)):
        name = f"drive {number % 2}/ä{number}"
        entry = files.folder.entries[name]
        assert (entry.drive, entry.height, entry.width, entry.fault) == (f"drive {number % 2}", height, width, "")
        with Image.open(files.folder.name_file("label_maps", name)) as label_map:
            assert (label_map.mode, label_map.size) == ("P", (width, height))
            values = np.asarray(label_map)
        assert (values[:, 0] == left).all()
        assert (values[:, -1] == right).all()
        assert entry.shares == pytest.approx([(values == each).mean() for each in range(3)])
        for kind in ("overlays", "confidence_maps", "entropy_maps", "thumbnails"):
            assert read_pixels(files, kind, name).shape[:2] == (height, width)


def test_figures_of_an_entry_are_those_of_the_softmax(tmp_path, predictor):
    save_picture(tmp_path / "source/red.png", np.full((12, 16, 3), (255, 0, 0), np.uint8))
    files = picture_files(tmp_path / "out", unsure_below=0.97)
    Work(predictor, files).predict(list_pictures(tmp_path / "source"))
    entry = files.folder.entries["red"]
    odds = np.exp([255 / 64, 0, 0])
    chances = odds / odds.sum()
    assert entry.mean_confidence == pytest.approx(chances[0], rel=1e-5)
    assert entry.entropy == pytest.approx(-(chances * np.log(chances)).sum(), rel=1e-4)
    assert (entry.unsure_share, entry.shares) == (1.0, (1.0, 0.0, 0.0))
    assert entry.layout == {0: (256,) * 16}
    assert (read_pixels(files, "confidence_maps", "red") == round(255 * chances[0])).all()
    assert (read_pixels(files, "entropy_maps", "red") == round(255 * entry.entropy / np.log(3))).all()


def test_a_variance_map_is_written_of_passes_with_dropout(tmp_path):
    save_picture(tmp_path / "source/half.png", draw_halves((12, 16), 0, 1))
    images = keras.Input((12, 16, 3))
    network = keras.Model(images, keras.layers.Dropout(0.5)(keras.layers.Rescaling(1 / 64)(images)))
    files = picture_files(tmp_path / "out", samples=4, maps=["variance"])
    Work(Predictor(TrainedSegNet(network, RECORD), samples=4), files).predict(list_pictures(tmp_path / "source"))
    written = read_pixels(files, "variance_maps", "half")
    # A pass that keeps the only colour says 0.9993 for its class, and else 1/3 for each. Of four passes, one or three
    # that keep it have a variance of 3/16 (0.666^2 + 2 x 0.333^2) / 3 = 0.0416, two have 0.0555; 2/9 is the largest.
    assert {*np.unique(written)} == {0, 48, 64}
    assert written.mean() / 255 * 2 / 9 == pytest.approx(files.folder.entries["half"].variance, abs=0.5 / 255 * 2 / 9)
    assert not (tmp_path / "out/entropy_maps").exists()


def test_only_what_is_missing_changed_or_broken_is_predicted_again(tmp_path, predictor, source, monkeypatch):
    (source / "broken.jpg").write_bytes(b"nothing")
    Work(predictor, picture_files(tmp_path / "out")).predict(list_pictures(source))
    predicted = count_predicted(predictor, monkeypatch)
    Work(predictor, picture_files(tmp_path / "out")).predict(list_pictures(source))
    assert predicted == []
    save_picture(source / "drive 0/ä0.png", draw_halves((30, 40), 2, 2))
    save_picture(source / "broken.jpg", draw_halves((16, 16), 1, 1))
    files = picture_files(tmp_path / "out")
    assert "broken.jpg" in files.folder.entries["broken"].fault
    Work(predictor, files).predict(list_pictures(source))
    assert len(predicted) == 2
    assert files.folder.entries["broken"].fault == ""
    assert files.folder.entries["drive 0/ä0"].height == 30


def test_a_video_becomes_label_maps_and_a_video_of_its_size_and_rate(tmp_path, predictor, monkeypatch):
    frames = [draw_halves((48, 64), *HALVES[place % 5]) for place in range(7)]
    (tmp_path / "source").mkdir()
    save_video(tmp_path / "source/film.avi", frames, rate=8.0)
    files = picture_files(tmp_path / "out", video={"every": 3, "start": 0.0, "end": None})

    def write_the_first_last(kind, name, content, write=files.folder.write):
        time.sleep(0.5 * name.endswith("/000000"))
        write(kind, name, content)

    monkeypatch.setattr(files.folder, "write", write_the_first_last)
    Work(predictor, files).predict(list_pictures(tmp_path / "source"))
    times = {name: each.time for name, each in files.folder.entries.items()}
    assert times == {f"film/{number:06d}": pytest.approx(number / 8, abs=1e-3) for number in (0, 3, 6)}
    assert list(files.folder.videos) == ["film"]
    capture = cv2.VideoCapture(str(files.folder.name_file("overlay_videos", "film")))
    assert capture.get(cv2.CAP_PROP_FPS) == 8.0
    seen = []
    while (read := capture.read())[0]:
        seen.append(read[1])
    assert len(seen) == 7
    for place, frame in enumerate(frames):
        predicted = np.repeat(np.array(HALVES[place // 3 * 3 % 5], np.uint8), 32)[None].repeat(48, axis=0)
        painted = files.overlay.paint(frame, predicted)
        assert np.abs(seen[place][..., ::-1] - painted.astype(float)).mean() < 6


def test_a_video_that_was_broken_off_is_painted_from_what_is_there(tmp_path, predictor, monkeypatch):
    frames = [draw_halves((48, 64), *HALVES[place % 3]) for place in range(6)]
    (tmp_path / "source").mkdir()
    save_video(tmp_path / "source/film.avi", frames)
    files = picture_files(tmp_path / "whole")
    Work(predictor, files).predict(list_pictures(tmp_path / "source"))
    whole = files.folder.name_file("overlay_videos", "film").read_bytes()

    broken = picture_files(tmp_path / "broken")
    written = []

    def fail_at_the_fourth(kind, name, content, write=broken.folder.write):
        written.append(name) if kind == "label_maps" else None
        if len(written) >= 4:
            raise FileError("the disk is full")
        write(kind, name, content)

    monkeypatch.setattr(broken.folder, "write", fail_at_the_fourth)
    with pytest.raises(FileError, match="the disk is full"):
        Work(predictor, broken).predict(list_pictures(tmp_path / "source"))
    assert not list((tmp_path / "broken/overlays").iterdir())
    predicted = count_predicted(predictor, monkeypatch)
    again = picture_files(tmp_path / "broken")
    assert len(again.folder.entries) == 3
    Work(predictor, again).predict(list_pictures(tmp_path / "source"))
    assert len(predicted) == 3
    assert again.folder.name_file("overlay_videos", "film").read_bytes() == whole


def test_a_video_that_is_cut_off_keeps_what_could_be_read_and_names_the_fault(tmp_path, predictor):
    (tmp_path / "source").mkdir()
    path = tmp_path / "source/film.avi"
    noise = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), np.uint8)
    save_video(path, list(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    files = picture_files(tmp_path / "out")
    Work(predictor, files).predict(list_pictures(tmp_path / "source"))
    frames = dict(files.folder.entries)
    assert "film.avi" in frames.pop("film").fault
    assert 5 <= len(frames) < 20
    assert not any(each.fault for each in frames.values())


def test_an_error_ends_all_threads(tmp_path, predictor, source, monkeypatch):
    before = set(threading.enumerate())
    files = picture_files(tmp_path / "out")

    def fail(*_):
        raise FileError("the disk is full")

    monkeypatch.setattr(files.folder, "write", fail)
    with pytest.raises(FileError, match="the disk is full") as raised:
        Work(predictor, files).predict(list_pictures(source))
    assert raised.tb  # which keeps all that the functions held
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # that of the progress bar was told to end, and not waited for
    assert set(threading.enumerate()) <= before
    assert PredictionFolder(tmp_path / "out").entries == {}


def test_few_pictures_are_in_memory_at_once(tmp_path, predictor, monkeypatch):
    """A reader that is counted: never more than a few pictures ahead of those that are finished."""
    finished, most = [], 0
    files = picture_files(tmp_path / "out")
    note = files.folder.note
    monkeypatch.setattr(files.folder, "note", lambda entry: (note(entry), finished.append(entry)))
    started = []

    def read(picture):
        nonlocal most
        started.append(picture)
        most = max(most, len(started) - len(finished))
        return draw_halves((12, 16), 0, 1)

    monkeypatch.setattr(Picture, "read", read)
    pictures = [Picture(f"{number:03d}", tmp_path / f"{number:03d}.png") for number in range(60)]
    Work(predictor, files).predict(pictures)
    assert len(finished) == 60
    assert most <= 4 + 4 * 2  # readers, and lists that are read, predicted, waited for and written


def test_shares_are_counted_exactly():
    label_map = np.repeat(np.array([0, 2, 254], np.uint8), [3, 5, 2]).reshape(2, 5)
    assert count_shares(label_map, 255)[:3] == (0.3, 0.0, 0.5)
    assert count_shares(label_map, 255)[254] == 0.2
