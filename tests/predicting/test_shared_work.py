"""Predicting on a Dask cluster whose scheduler and workers are processes of their own."""

import os
import signal
import sys

import cloudpickle
import pytest

from dask_cluster import DaskCluster
from predicting.pictures import PALETTE, draw_halves, model_of_colours, predict_options, save_picture, save_video
from roadseg.predicting.predicted_pictures import predict_source
from roadseg.reading.cluster import Cluster
from roadseg.reading.folder import Folder
from roadseg.reading.picture import Picture
from roadseg.reading.picture_source import list_pictures

pytestmark = [pytest.mark.scale, pytest.mark.slow]


class Deadly(Picture):
    """A picture that ends the process that reads it."""

    def read(self):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(autouse=True)
def by_value():
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def predict(source, out, share=None):
    given = model_of_colours(), out / "half_done", Folder.at(out), PALETTE, predict_options(), 0
    predicted = predict_source(source, *given, share)
    predicted.release()
    files = {path.relative_to(predicted.folder.on_disk): path for path in predicted.folder.on_disk.rglob("*.*")}
    return predicted.entries, {
        str(name): path.read_bytes() for name, path in files.items() if path.name != "index.json"
    }


def test_files_and_entries_are_those_of_this_machine_and_one_picture_may_kill_workers(tmp_path):
    for number in range(5):
        save_picture(tmp_path / f"source/{number}.png", draw_halves((20 + number, 30), number % 3, 2))
    save_video(tmp_path / "source/film.avi", [draw_halves((24, 32), 0, 1), draw_halves((24, 32), 1, 2)])
    (tmp_path / "source/broken.jpg").write_bytes(b"nothing")
    source = list_pictures(tmp_path / "source")
    deadly = [Deadly(each.name, each.path) if each.name == "3" else each for each in source]
    with DaskCluster(2) as dask, Cluster(dask.address, 60) as cluster:
        entries, files = predict(deadly, tmp_path / "there", cluster.share)
    here, files_here = predict(source, tmp_path / "here")
    assert len(here) == len(entries) == 8  # five pictures, two frames, and what is no picture
    same = [(one, other) for one, other in zip(entries, here, strict=True) if one.picture != "3"]
    assert all(one.model_copy(update={"seconds": other.seconds}) == other for one, other in same)
    [killed] = [entry for entry in entries if entry.picture == "3"]
    assert killed.fault == "it ended each of 2 workers"
    assert files == {name: content for name, content in files_here.items() if not name.split("/")[-1].startswith("3.")}
    assert len(files) == 4 * 5 + 2 * 4 + 1  # label map, overlay, thumbnail, two maps; one overlay of all frames
