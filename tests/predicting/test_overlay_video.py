import resource

import cv2
import numpy as np
import pytest

from roadseg.errors import FileError
from roadseg.predicting.overlay_video import OverlayVideo

NOISE = np.random.default_rng(0).integers(0, 256, (12, 96, 128, 3), np.uint8)


def write(path, rate=25.0):
    with OverlayVideo(path, (96, 128), rate) as video:
        for frame in NOISE:
            video.add(frame)


@pytest.mark.parametrize("rate", [0.1, 7.0, 23.976, 60.0, 1000.0])
def test_a_video_has_all_frames_at_any_rate(tmp_path, rate):
    write(tmp_path / "film.mp4", rate)
    capture = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    assert sum(1 for _ in iter(lambda: capture.read()[0], False)) == 12
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(rate, rel=1e-3)


def test_a_video_that_the_disk_has_no_room_for_is_refused_and_removed(tmp_path):
    """A limit on the size of files, as OpenCV writes past all that could be put in its way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(FileError, match=r"film\.mp4' could not be written whole: see that the disk has room"):
            write(tmp_path / "film.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_a_video_without_a_frame_leaves_no_file(tmp_path):
    with OverlayVideo(tmp_path / "film.mp4", (96, 128), 25.0):
        pass
    assert not list(tmp_path.iterdir())
