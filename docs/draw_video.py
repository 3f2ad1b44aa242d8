"""Draws a video of a drive past drawn streets, to try predictions with: `python docs/draw_video.py data/drive.mp4`."""

from pathlib import Path

import click

from roadseg.drawing.scene import DrawingOptions, draw_scene
from roadseg.predicting.overlay_video import OverlayVideo
from roadseg.sentences import told_in_a_sentence

SIZE = (480, 960)
"""(height, width) in pixels."""

FRAME_RATE = 3.0
"""Frames per second; from one frame to the next the car moves four to eight metres."""

SEED, DRIVE = 2, 2
"""Another seed than that of the data set `drawn`, so that no network was trained on these streets."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--frames", type=click.IntRange(min=1), default=50, show_default=True, help="Number of frames.")
def draw_video(path: Path, frames: int) -> None:
    """Draw a drive as an MP4 file."""
    options = DrawingOptions(size=SIZE, drives=DRIVE + 1, frames_per_drive=frames, seed=SEED)
    with told_in_a_sentence(), OverlayVideo(path, SIZE, FRAME_RATE) as video:
        for frame in range(frames):
            video.add(draw_scene(options, DRIVE, frame).image)


if __name__ == "__main__":
    draw_video()
