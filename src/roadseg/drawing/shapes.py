"""Shapes of street furniture and buildings, made of flat faces in metres, and the classes they carry."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.drawing import textures
from roadseg.drawing.textures import Colour, Pixels

Outline = list[tuple[float, float]]

POST_PAINT: Colour = (206, 176, 60)

RAW_NAMES = (
    "road", "parking", "sidewalk", "non-drivable fallback", "person", "rider", "animal", "motorcycle", "bicycle",
    "autorickshaw", "car", "truck", "bus", "wall", "fence", "billboard", "traffic sign", "traffic light",
    "pole", "building", "vegetation", "sky", "ego vehicle",
)  # fmt: skip
RAW_IDS = {name: raw_id for raw_id, name in enumerate(RAW_NAMES)}


class Facing(IntEnum):
    """Where a face looks, which decides how bright it is; `GLOW` shines by itself."""

    FRONT = 0
    LEFT = 1
    RIGHT = 2
    TOP = 3
    GLOW = 4


class Face(NamedTuple):
    """A flat piece of a shape; its corners (n, 3) run clockwise for whoever looks at its visible side."""

    corners: NDArray[np.float32]
    colour: Colour
    name: str
    facing: Facing
    texture: Pixels | None = None


@dataclass(frozen=True, eq=False)
class Shape:
    """Faces in painting order, stacked for speed, around a foot point at (0, 0, 0).

    Attributes:
        points: (n, 3) float32, metres right, up and ahead of the foot point.
        spans: first and last row of `points` of each face.
        colours: (faces, 3) float32 RGB, 0..255.
        class_ids: raw class id of each face.
        facings: (faces,) `Facing` of each face.
        textures: RGBA picture of each face, None where it is plain.
        footprint: left, right, near and far end on the ground, metres.
        height: metres.
    """

    points: NDArray[np.float32]
    spans: tuple[tuple[int, int], ...]
    colours: NDArray[np.float32]
    class_ids: tuple[int, ...]
    facings: NDArray[np.int64]
    textures: tuple[Pixels | None, ...]
    footprint: tuple[float, float, float, float]
    height: float


def shape_of(faces: Iterable[Face]) -> Shape:
    """Returns the faces as one shape, in the order in which they are painted."""
    faces = tuple(faces)
    ends = np.cumsum([len(face.corners) for face in faces]).tolist()
    points = np.concatenate([face.corners for face in faces])
    low, high = points.min(axis=0), points.max(axis=0)
    return Shape(
        points=points,
        spans=tuple(zip([0, *ends[:-1]], ends, strict=True)),
        colours=np.array([face.colour for face in faces], np.float32),
        class_ids=tuple(RAW_IDS[face.name] for face in faces),
        facings=np.array([face.facing for face in faces]),
        textures=tuple(face.texture for face in faces),
        footprint=(float(low[0]), float(high[0]), float(low[2]), float(high[2])),
        height=float(high[1]),
    )


def front(outline: Outline, ahead: float, colour: Colour, name: str, facing: Facing = Facing.FRONT) -> Face:
    """Returns a face towards the camera; outline in metres (right, up)."""
    across, up = np.array(outline, np.float32).T
    return _face(across, -up, (across, up, np.full_like(up, ahead)), colour, name, facing)


def side(outline: Outline, lateral: float, colour: Colour, name: str, facing: Facing) -> Face:
    """Returns a face along the street; outline in metres (ahead, up), facing left or right."""
    along, up = np.array(outline, np.float32).T
    seen = along if facing is Facing.RIGHT else -along
    return _face(seen, -up, (np.full_like(up, lateral), up, along), colour, name, facing)


def roof(outline: Outline, up: float, colour: Colour, name: str) -> Face:
    """Returns a level face seen from above; outline in metres (right, ahead)."""
    across, along = np.array(outline, np.float32).T
    return _face(across, -along, (across, np.full_like(across, up), along), colour, name, Facing.TOP)


def _face(
    seen_right: NDArray[np.float32],
    seen_down: NDArray[np.float32],
    corners: tuple[NDArray[np.float32], ...],
    colour: Colour,
    name: str,
    facing: Facing,
) -> Face:
    """Returns the face with its corners put clockwise for the eye that sees it."""
    stacked = np.stack(corners, axis=1)
    clockwise = cv2.contourArea(np.stack([seen_right, seen_down], axis=1), oriented=True) > 0
    return Face(stacked if clockwise else stacked[::-1], colour, name, facing)


def rectangle(left: float, low: float, right: float, high: float) -> Outline:
    """Returns the outline of an upright rectangle, beginning at its lower left corner, clockwise."""
    return [(left, low), (left, high), (right, high), (right, low)]


def ellipse(centre: tuple[float, float], radii: tuple[float, float], corners: int = 12) -> Outline:
    """Returns the outline of an ellipse as a polygon."""
    angles = np.arange(corners) * (2 * np.pi / corners)
    across, up = centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles)
    return list(zip(across.tolist(), up.tolist(), strict=True))


def box(
    across: tuple[float, float], up: tuple[float, float], along: tuple[float, float], colour: Colour, name: str
) -> list[Face]:
    """Returns the four visible faces of a box: left, right, top, front."""
    return [
        side(rectangle(along[0], up[0], along[1], up[1]), across[0], colour, name, Facing.LEFT),
        side(rectangle(along[0], up[0], along[1], up[1]), across[1], colour, name, Facing.RIGHT),
        roof(rectangle(across[0], along[0], across[1], along[1]), up[1], colour, name),
        front(rectangle(across[0], up[0], across[1], up[1]), along[0], colour, name),
    ]


def textured_front(outline: Outline, ahead: float, texture: Pixels, name: str) -> Face:
    """Returns a picture towards the camera; outline from `rectangle`."""
    return front(outline, ahead, (0, 0, 0), name)._replace(texture=_opaque(texture))


def frontage(texture: Pixels, name: str, hand: int, *, length: float, height: float) -> Face:
    """Returns a picture along the street: on the right (hand 1) it looks left, on the left (hand -1) right."""
    facing = Facing.LEFT if hand > 0 else Facing.RIGHT
    near, far = (0.0, 0.0), (length, length)
    first, last = (far, near) if hand > 0 else (near, far)
    corners = [(0.0, 0.0, first[0]), (0.0, height, first[0]), (0.0, height, last[0]), (0.0, 0.0, last[0])]
    return Face(np.array(corners, np.float32), (0, 0, 0), name, facing, _opaque(texture))


def _opaque(texture: Pixels) -> Pixels:
    """Returns the picture with a full opacity layer where it has none."""
    if texture.shape[2] == 4:
        return texture
    return np.dstack([texture, np.full(texture.shape[:2], 255, np.uint8)])


def building(
    rng: np.random.Generator, colour: Colour, glass: Colour, hand: int, *, length: float, height: float
) -> Shape:
    """Returns a house whose near corner towards the street is the foot point."""
    depth = float(rng.uniform(8, 14))
    street = textures.facade(rng, colour, glass, length=length, height=height)
    gable = textures.facade(rng, colour, glass, length=depth, height=height)
    outline = rectangle(min(0, hand * depth), 0, max(0, hand * depth), height)
    return shape_of(
        [
            frontage(street, "building", hand, length=length, height=height),
            textured_front(outline, 0, gable, "building"),
        ]
    )


def wall(rng: np.random.Generator, colour: Colour, hand: int, *, length: float) -> Shape:
    """Returns a garden wall along the street."""
    height = float(rng.uniform(2.0, 3.0))
    picture = textures.garden_wall(rng, colour, length=length, height=height)
    end = front(rectangle(min(0, hand * 0.4), 0, max(0, hand * 0.4), height), 0, colour, "wall")
    return shape_of([frontage(picture, "wall", hand, length=length, height=height), end])


def fence(rng: np.random.Generator, colour: Colour, hand: int, *, length: float) -> Shape:
    """Returns a see-through fence along the street."""
    height = float(rng.uniform(1.8, 2.6))
    picture = textures.railing(rng, colour, length=length, height=height)
    return shape_of([frontage(picture, "fence", hand, length=length, height=height)])


def tree(rng: np.random.Generator, crown: Pixels, bark: Colour) -> Shape:
    """Returns a tree: a trunk and a leafy crown that may hang over the road."""
    bottom, width = rng.uniform(1.6, 3.0), rng.uniform(3.0, 6.0)
    top = bottom + width * rng.uniform(0.7, 1.2)
    trunk = [(-0.2, 0.0), (-0.13, bottom + 1), (0.13, bottom + 1), (0.2, 0.0)]
    return shape_of(
        [
            front(trunk, 0, bark, "vegetation"),
            textured_front(rectangle(-width / 2, bottom, width / 2, top), 0, crown, "vegetation"),
        ]
    )


def bush(rng: np.random.Generator, crown: Pixels) -> Shape:
    """Returns a low bush that stands on the ground."""
    width, height = rng.uniform(1.2, 3.5), rng.uniform(0.9, 2.2)
    return shape_of([textured_front(rectangle(-width / 2, -0.2, width / 2, height), 0, crown, "vegetation")])


def advertising_column(rng: np.random.Generator, colour: Colour) -> Shape:
    """Returns a round column pasted with posters, under a cap."""
    half, height = float(rng.uniform(0.55, 0.8)), float(rng.uniform(2.8, 3.8))
    picture = textures.poster(rng, length=2 * half, height=height)
    return shape_of(
        [
            textured_front(rectangle(-half, 0, half, height), 0, picture, "billboard"),
            front(rectangle(-half - 0.1, 0, half + 0.1, 0.35), 0, colour, "billboard"),
            front(rectangle(-half - 0.15, height, half + 0.15, height + 0.3), 0, colour, "billboard"),
        ]
    )


def traffic_sign(rng: np.random.Generator, plate: Colour, rim: Colour) -> Shape:
    """Returns a sign on its post: a disc, a triangle, a diamond or a board."""
    up, radius, corners = rng.uniform(2.1, 2.7), rng.uniform(0.75, 1.05), int(rng.choice((3, 4, 12)))
    turn = np.pi / 2 + np.arange(corners) * 2 * np.pi / corners
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    outer, inner = ([(float(x), float(up + y)) for x, y in unit * size] for size in (radius, 0.7 * radius))
    return shape_of(
        [
            front(rectangle(-0.25, 0, 0.25, up), 0, POST_PAINT, "pole"),
            front(outer, 0, rim, "traffic sign"),
            front(inner, 0, plate, "traffic sign"),
            front(rectangle(-0.2, up - 0.06, 0.2, up + 0.08), 0, (40, 40, 42), "traffic sign"),
        ]
    )


def traffic_light(rng: np.random.Generator) -> Shape:
    """Returns a traffic light on its pole, one of three lamps lit."""
    lit = int(rng.integers(3))
    off: Colour = (45, 45, 45)
    lamps = [front(ellipse((0, up), (0.14, 0.14)), 0, off, "traffic light") for up in (3.47, 3.15, 2.83)]
    colours: tuple[Colour, ...] = ((240, 50, 40), (250, 180, 40), (60, 220, 120))
    lamps[lit] = lamps[lit]._replace(colour=colours[lit], facing=Facing.GLOW)
    return shape_of(
        [
            front(rectangle(-0.25, 0, 0.25, 2.6), 0, POST_PAINT, "pole"),
            front(rectangle(-0.5, 2.45, 0.5, 3.85), 0, (35, 36, 38), "traffic light"),
            *lamps,
        ]
    )


def billboard(rng: np.random.Generator) -> Shape:
    """Returns a large advertisement on two poles."""
    width, low = float(rng.uniform(2.4, 4.5)), float(rng.uniform(1.6, 3.2))
    height = float(width * rng.uniform(0.45, 0.75))
    legs = [front(rectangle(x - 0.2, 0, x + 0.2, low), 0, POST_PAINT, "pole") for x in (-width / 3, width / 3)]
    picture = textures.poster(rng, length=width, height=height)
    return shape_of(
        [*legs, textured_front(rectangle(-width / 2, low, width / 2, low + height), 0, picture, "billboard")]
    )
