"""Drawn street scenes as a raw data set: nothing on disk, each scene drawn when it is asked for."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from roadseg.scenes.drawing.scene import DRAWING_VERSION, DrawingOptions, draw_scene
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


class DrawnScenesDataset(AbstractDataset[NoReturn, DrawnScenes]):
    """Procedural street scenes with exact labels, for trying everything without a download.

    Examples:
        ```yaml
        raw_scenes:
          type: roadseg.datasets.drawn.DrawnScenesDataset
          drives: 12
          frames_per_drive: 16
          size: [240, 480]
          seed: 1
        ```
    """

    def __init__(
        self,
        *,
        drives: int,
        frames_per_drive: int,
        size: tuple[int, int],
        seed: int,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Takes how many scenes there are, their (height, width) in pixels and the seed of the drawing.

        Raises:
            pydantic.ValidationError: If one of them has a wrong type or is out of range.
        """
        self._options = DrawingOptions.model_validate(
            {"drives": drives, "frames_per_drive": frames_per_drive, "size": size, "seed": seed}
        )
        self.metadata = metadata

    def load(self) -> DrawnScenes:
        """Returns the scenes, not yet drawn."""
        return DrawnScenes(self._options)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: raw data are read only."""
        raise DatasetError("raw scenes are read only")

    def _describe(self) -> dict[str, Any]:
        return self._options.model_dump()

    def _exists(self) -> bool:
        return True
