"""What is predicted of pictures, and what is written of it."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt, model_validator

from roadseg.reading.label_map_writing import LabelMapOptions
from roadseg.reading.video import VideoOptions


class OverlayOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Pictures with the colours of their classes over them.

    Attributes:
        written: Whether they are.
        opacity: Of the colours, 0..1.
        quality: Of the JPEG files, 1..100.
    """

    written: bool
    opacity: Annotated[float, Field(ge=0, le=1, strict=False)]
    quality: Annotated[int, Field(ge=1, le=100)]


class PredictOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How pictures are predicted.

    Attributes:
        batch_size: Pictures that go through the network at once.
        samples: Passes with dropout per picture, whose softmaxes are averaged; 0 is one pass without dropout.
        unsure_below: Confidence below which a pixel counts as unsure, 0..1.
        label_maps: Values in the files of label maps.
        overlays: Whether and how overlays are written.
        maps: Which maps of how sure the network is are written per picture; `variance` only with samples.
        video: Which frames of a video are predicted.
        page_pictures: Pictures that the page shows, from the least to the most certain.
        annotation_pictures: Pictures that are ranked by what annotating them would teach.
    """

    batch_size: PositiveInt
    samples: NonNegativeInt
    unsure_below: Annotated[float, Field(ge=0, le=1, strict=False)]
    label_maps: LabelMapOptions
    overlays: OverlayOptions
    maps: Sequence[Literal["confidence", "entropy", "variance"]]
    video: VideoOptions
    page_pictures: NonNegativeInt
    annotation_pictures: PositiveInt

    @model_validator(mode="after")
    def _check_maps(self) -> Self:
        if "variance" in self.maps and not self.samples:
            raise ValueError("maps has variance, which needs passes with dropout: expected samples above 0, received 0")
        return self
