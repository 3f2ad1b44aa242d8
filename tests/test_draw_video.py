"""The video that the docs draw is one that predictions read."""

import runpy
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from roadseg.drawing.scene import DrawingOptions, draw_scene
from roadseg.reading.picture_source import list_pictures
from roadseg.reading.video import Video, VideoOptions

DRAW_VIDEO = runpy.run_path(str(Path(__file__).parents[1] / "docs/draw_video.py"))


def test_a_drawn_video_is_read_frame_by_frame(tmp_path: Path) -> None:
    path = tmp_path / "drive.mp4"
    result = CliRunner().invoke(DRAW_VIDEO["draw_video"], [str(path), "--frames", "3"])
    assert (result.exit_code, result.output) == (0, "")
    (video,) = list_pictures(path)
    assert isinstance(video, Video)
    frames = list(video.read_frames(VideoOptions(every=1, start=0.0, end=None)))
    assert [round(each.time * 3) for each in frames] == [0, 1, 2]
    options = DrawingOptions(size=(480, 960), drives=3, frames_per_drive=3, seed=2)
    for number, each in enumerate(frames):
        assert each.image.shape == (480, 960, 3)
        drawn = draw_scene(options, 2, number).image
        assert np.abs(each.image.astype(int) - drawn).mean() < 6  # of 255, as the file has losses
