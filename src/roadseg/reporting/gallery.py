"""Scenes to look at: chosen from best to worst, and their pictures, small enough for a page to hold many."""

from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from roadseg.reporting.page import embed_picture
from roadseg.scenes.labels import VOID
from roadseg.scenes.palette import Palette
from roadseg.scoring.prediction import Prediction

WIDTH = 480
"""Pixels of the widest picture."""

QUALITY = 75
"""Of the images, 1..100; label maps and errors lose nothing."""

RIGHT, WRONG, UNKNOWN = range(3)
"""Ids of an error map."""


@dataclass(frozen=True)
class ScenePictures:
    """A scene as pictures that stand in a page: `data:` addresses.

    Attributes:
        scene: Id of the scene.
        size: (height, width) of each picture, in pixels.
        image: WebP.
        truth: PNG in the colours of the classes and of void.
        prediction: PNG in the colours of the classes.
        errors: PNG to be laid over the image: wrong pixels and void in their colours, all others transparent.
    """

    scene: str
    size: tuple[int, int]
    image: str
    truth: str
    prediction: str
    errors: str


def choose_gallery(scene_scores: pd.DataFrame, count: int) -> pd.DataFrame:
    """Returns the rows of so many scenes of each split, from the best to the worst by mean IoU, at even ranks.

    Args:
        scene_scores: As `tabulate_scenes` returns it. Scenes without a mean IoU, void throughout, are left out.
        count: Scenes per split, all of them where it has fewer.

    Returns:
        The rows with the columns `rank`, 1 for the best, and `ranked`, the number of scenes that have a rank.
    """
    chosen = [scene_scores.head(0).assign(rank=0, ranked=0)]
    for _, rows in scene_scores.dropna(subset="mean_iou").groupby("split", sort=False):
        ordered = rows.sort_values(["mean_iou", "scene"], ascending=[False, True], ignore_index=True)
        places = np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int)
        chosen.append(ordered.iloc[places].assign(rank=places + 1, ranked=len(ordered)))
    return pd.concat(chosen, ignore_index=True)


def picture_scene(prediction: Prediction, image: NDArray[np.uint8], palette: Palette) -> ScenePictures:
    """Returns image, truth, prediction and errors of a scene as pictures at most `WIDTH` pixels wide.

    Args:
        prediction: Of the scene.
        image: (height, width, 3) uint8, RGB.
        palette: Of the classes of the label maps.
    """
    height, width = prediction.truth.shape
    size = (max(1, round(height * WIDTH / width)), WIDTH) if width > WIDTH else (height, width)
    truth, label_map = (_shrink(each, size) for each in (prediction.truth, prediction.label_map))
    errors = np.select([truth == VOID, truth != label_map], [UNKNOWN, WRONG], RIGHT).astype(np.uint8)
    colours = [each.colour for each in palette.classes]
    return ScenePictures(
        prediction.scene,
        size,
        _encode_image(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)),
        _encode_ids(np.where(truth == VOID, len(colours), truth), [*colours, palette.void]),
        _encode_ids(label_map, colours),
        _encode_ids(errors, [(255, 255, 255), palette.wrong, palette.void], transparency=RIGHT),
    )


def _shrink(ids: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return cv2.resize(ids, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8)


def _encode_image(image: NDArray[np.uint8]) -> str:
    encoded = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1]
    return embed_picture(encoded.tobytes(), "webp")


def _encode_ids(ids: NDArray[np.integer], colours: list[tuple[int, int, int]], **options: int) -> str:
    """Returns ids 0..len(colours)-1 as a PNG of as few bits per pixel as its palette allows."""
    picture = Image.fromarray(ids.astype(np.uint8))
    picture.putpalette([channel for colour in colours for channel in colour])
    file = BytesIO()
    picture.save(file, "PNG", optimize=True, **options)
    return embed_picture(file.getvalue(), "png")
