"""Drawn street scenes as a raw data set."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from roadseg.drawing.drawn_scenes import DrawnScenes
from roadseg.drawing.scene import DrawingOptions


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
