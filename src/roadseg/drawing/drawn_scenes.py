"""Drives of drawn scenes: nothing on disk, each scene drawn when it is asked for."""

from roadseg.drawing.scene import DRAWING_VERSION, DrawingOptions, draw_scene
from roadseg.scenes.raw import RawScenes, Scene, SceneRecord


class DrawnScenes(RawScenes):
    """Drives of drawn scenes; scene ids are `drive00_frame00` and on."""

    def __init__(self, options: DrawingOptions) -> None:
        """Names the scenes; draws none of them."""
        self._options = options
        self._places = {
            f"drive{drive:02}_frame{frame:02}": (drive, frame)
            for drive in range(options.drives)
            for frame in range(options.frames_per_drive)
        }
        fingerprint = f"{DRAWING_VERSION} {options.model_dump_json(include={'seed', 'size', 'frames_per_drive'})}"
        self.records = {
            scene: SceneRecord(f"drive{drive:02}", None, fingerprint) for scene, (drive, _) in self._places.items()
        }

    def read(self, scene: str, least: tuple[int, int] | None) -> Scene:
        """Returns the scene, drawn; see `RawScenes`."""
        drive, frame = self._places[scene]
        return draw_scene(self._options, drive, frame)
