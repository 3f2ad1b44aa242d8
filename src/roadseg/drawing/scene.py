"""Procedural street scenes with exact labels, so that everything runs without a download."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, Strict

from roadseg.drawing.canvas import Air, Camera, Canvas
from roadseg.drawing.shapes import RAW_IDS, RAW_NAMES, Facing
from roadseg.drawing.street import BLOCK_METRES, Street, street_of
from roadseg.drawing.textures import TILE_METRES, TILE_PIXELS, Pixels, fractal_noise, grain
from roadseg.drawing.things import Placed, placed_in
from roadseg.errors import InputError
from roadseg.scenes.raw import Scene

DRAWING_VERSION = 10
RAW_CLASSES: Mapping[int, str] = dict(enumerate(RAW_NAMES))

# From the middle of the road outwards; the third are the kerb stones, which belong to the pavement.
ZONES = ("road", "parking", "sidewalk", "sidewalk", "non-drivable fallback")
ZONE_IDS = np.array([RAW_IDS[name] for name in ZONES], np.uint8)
SHADOW_METRES = 45.0
ZONES_FROM_LEFT = np.array([4, 3, 2, 1, 0, 1, 2, 3, 4], np.uint8)

FloatPicture = NDArray[np.float32]


class DrawingOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How many scenes are drawn, how large, and from which seed.

    Attributes:
        size: (height, width) in pixels, at least 32 x 64.
        drives: number of drives; each has its own town, weather and camera.
        frames_per_drive: number of frames that are filmed one after another in each drive.
        seed: of all random numbers.
    """

    size: Annotated[tuple[Annotated[int, Field(ge=32)], Annotated[int, Field(ge=64)]], Strict(strict=False)]
    drives: Annotated[int, Field(ge=1)]
    frames_per_drive: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]


def draw_scene(options: DrawingOptions, drive: int, frame: int) -> Scene:
    """Returns a street scene with its raw label map, the same for the same options, drive and frame.

    Args:
        options: size and seed of the drawing.
        drive: 0..drives - 1.
        frame: 0..frames_per_drive - 1.

    Raises:
        InputError: if the drive or the frame is outside the options' range.
    """
    if not (0 <= drive < options.drives and 0 <= frame < options.frames_per_drive):
        expected = f"a drive below {options.drives} and a frame below {options.frames_per_drive}"
        raise InputError(f"no such drawn scene: expected {expected}, received drive {drive}, frame {frame}")
    street = street_of(options.seed, drive)
    canvas = Canvas(camera_of(street, options.size, frame), air_of(street))
    placed = placed_in(street, frame)
    paint_sky(canvas, street, frame)
    paint_ground(canvas, street, frame)
    cast_shadows(canvas, street, placed)
    for item in placed:
        canvas.paint(item.shape, item.lateral, item.ahead)
    paint_bonnet(canvas, street)
    label_map = np.ascontiguousarray(canvas.layers[..., 3])
    return Scene(expose(canvas, street, frame), label_map, RAW_CLASSES, size=label_map.shape)


def camera_of(street: Street, size: tuple[int, int], frame: int) -> Camera:
    """Returns the camera of a frame; it nods and sways a little as it drives along."""
    height, width = size
    travelled = street.travelled(frame)
    return Camera(
        size=size,
        focal=street.focal_share * width,
        horizon=height * (street.horizon_share + 0.006 * math.sin(travelled / 3.1)),
        altitude=street.altitude,
        lateral=street.camera_lateral + 0.3 * math.sin(travelled / 19.0),
        curvature=street.curvature * math.cos(travelled / street.curve_metres),
    )


def air_of(street: Street) -> Air:
    """Returns how the drive's light falls on faces: the side away from the sun is darker."""
    light = street.light
    contrast = light.shadow if light.sun[0] > 0 else -light.shadow  # shadows to the right: the sun is on the left
    shades = np.ones(len(Facing), np.float32)
    shades[[Facing.LEFT, Facing.RIGHT]] = 0.92 + 0.5 * contrast, 0.92 - 0.5 * contrast
    shades[[Facing.FRONT, Facing.TOP]] = 0.95 - 0.3 * light.shadow, 1.08
    shades[Facing.GLOW] = 1.15 / light.exposure
    return Air(shades, np.array(light.sky_low, np.float32), light.haze_distance)


def paint_sky(canvas: Canvas, street: Street, frame: int) -> None:
    """Paints sky and clouds above the horizon, and far trees and houses along the horizon."""
    light, camera = street.light, canvas.camera
    rows = int(camera.horizon) + 1
    rise = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None] ** 1.5
    clouds = _clouds(street, (rows, camera.size[1]))[..., None] * np.float32(light.clouds)
    picture = (1 - rise) * np.array(light.sky_top, np.float32) + rise * np.array(light.sky_low, np.float32)
    canvas.layers[:rows, :, :3] = np.clip(picture + 34 * clouds * (1 - 0.6 * rise), 0, 255)
    canvas.layers[:rows, :, 3] = RAW_IDS["sky"]
    rng = street.random(4)
    for name, colour, low, high in (("building", (120, 118, 120), 4, 15), ("vegetation", (72, 92, 60), 3, 8)):
        _paint_skyline(canvas, rng, name, np.array(colour, np.float32), (low, high))


@lru_cache(maxsize=8)
def _clouds(street: Street, size: tuple[int, int]) -> FloatPicture:
    """Returns cloud brightness, (height, width) float32, about -1..1."""
    noise = fractal_noise(street.random(5), 256)
    return np.asarray(cv2.resize(noise[40:168], (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _paint_skyline(
    canvas: Canvas, rng: np.random.Generator, name: str, colour: NDArray[np.float32], heights: tuple[float, float]
) -> None:
    """Paints a hazy silhouette 150 metres away; it turns with the road."""
    camera, clearness = canvas.camera, canvas.air.clearness(150)
    metres = np.arange(-240, 241, 12 if name == "building" else 6, dtype=np.float32)
    tops = rng.uniform(*heights, len(metres)).astype(np.float32)
    lateral, up = np.repeat(metres, 2)[1:], np.repeat(tops, 2)[:-1]
    outline = np.stack([lateral, up, np.full_like(up, 150)], axis=1)
    corners = np.concatenate([camera.project(outline), [[9000, camera.horizon + 3], [-9000, camera.horizon + 3]]])
    shade = (clearness * colour + (1 - clearness) * canvas.air.haze_colour).tolist()
    cv2.fillPoly(canvas.layers, [np.rint(corners).astype(np.int32)], (*shade, RAW_IDS[name]))


def paint_ground(canvas: Canvas, street: Street, frame: int) -> None:
    """Paints road, parking lanes, kerbs, pavements, verges and lane marks below the horizon."""
    first, ahead, lateral = canvas.camera.ground()
    position = ahead + np.float32(street.travelled(frame))
    zones = ground_zones(street, position, lateral)
    colour = _ground_colour(street, zones, position, lateral, ahead)
    marks = lane_marks(street, zones, position, lateral)
    colour[marks] = colour[marks] * 0.25 + np.float32(0.75 * 215)
    clearness = np.exp(-ahead / street.light.haze_distance)[..., None]
    canvas.layers[first:, :, :3] = np.clip(clearness * colour + (1 - clearness) * canvas.air.haze_colour, 0, 255)
    canvas.layers[first:, :, 3] = ZONE_IDS[zones]


def ground_zones(street: Street, position: FloatPicture, lateral: FloatPicture) -> NDArray[np.uint8]:
    """Returns the index in `ZONES` of each ground pixel, (rows, width), from (rows, 1) and (rows, width) metres."""
    edges = street.edges(position[:, 0])
    from_left = np.zeros(lateral.shape, np.uint8)
    for column in range(edges.shape[1]):
        from_left += lateral > edges[:, column : column + 1]
    zones = ZONES_FROM_LEFT[from_left]
    block = np.floor_divide(position[:, 0], BLOCK_METRES).astype(int)
    inside = (position[:, 0] % BLOCK_METRES > 2.5) & (position[:, 0] % BLOCK_METRES < 10.5)
    zones[street.is_junction(block) & inside] = 0
    return zones


def _ground_colour(
    street: Street, zones: NDArray[np.uint8], position: FloatPicture, lateral: FloatPicture, ahead: FloatPicture
) -> FloatPicture:
    """Returns the colour of each ground pixel, (rows, width, 3) float32, plainer with distance."""
    tiles = np.concatenate(street.tiles)
    scale = np.float32(TILE_PIXELS / TILE_METRES)
    across = lateral * scale  # remap wraps it
    along = (position * scale) % (TILE_PIXELS - 1) + zones * np.float32(TILE_PIXELS)
    sampled = cv2.remap(tiles, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP).astype(np.float32)
    plain = street.tile_means[zones]
    detail = np.minimum(14 / ahead, 1)[..., None]
    colour: FloatPicture = plain + detail * (sampled - plain)
    return colour


def lane_marks(
    street: Street, zones: NDArray[np.uint8], position: FloatPicture, lateral: FloatPicture
) -> NDArray[np.bool_]:
    """Returns where the road is painted white: a dashed middle line, edge lines and zebra crossings."""
    half = street.edges(position[:, 0])[:, 4:5]
    dashed = (np.abs(lateral) < 0.09) & (position % 6 < 3)
    lines = np.abs(np.abs(lateral) - (half - 0.35)) < 0.07
    next_block = np.floor_divide(position, BLOCK_METRES).astype(int) + 1
    before = (position % BLOCK_METRES > BLOCK_METRES - 3) & street.is_junction(next_block)
    zebra = before & (lateral % 1.1 < 0.55) & (np.abs(lateral) < half - 0.3)
    painted = zebra | ((dashed | lines) & ~before) if street.lane_paint else zebra
    on_road: NDArray[np.bool_] = (zones == 0) & painted
    return on_road


def cast_shadows(canvas: Canvas, street: Street, placed: list[Placed]) -> None:
    """Darkens the ground where things stand and where they keep off the sun."""
    light, camera = street.light, canvas.camera
    first = max(int(camera.horizon) + 1, 0)
    shade: NDArray[np.uint8] = np.zeros(camera.size, np.uint8)
    for item in (item for item in placed if item.ahead < SHADOW_METRES):
        left, right, near, far = item.shape.footprint
        base = np.array([(left, 0, near), (left, 0, far + 0.3), (right, 0, far + 0.3), (right, 0, near)], np.float32)
        reach = np.array([light.sun[0], 0, light.sun[1]], np.float32) * min(item.shape.height, 9)
        corners = np.concatenate([base, base + reach]) + np.array([item.lateral, 0, item.ahead], np.float32)
        hull = cv2.convexHull(np.clip(camera.project(corners), -9000, 9000))
        cv2.fillPoly(shade, [np.rint(hull).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(shade[first:], (0, 0), 1.2).astype(np.float32)[..., None] / 255
    ground = canvas.layers[first:, :, :3]
    ground[...] = ground * (1 - (0.12 + light.shadow) * soft)


def paint_bonnet(canvas: Canvas, street: Street) -> None:
    """Paints the bonnet of the filming car along the lower edge, in drives that show it."""
    if not street.bonnet:
        return
    height, width = canvas.camera.size
    across = np.linspace(-1, 1, 25)
    columns, rows = width / 2 * (1 + across), height * (0.94 + 0.06 * across**2)
    outline = np.stack([np.append(columns, [width, 0]), np.append(rows, [height, height])], axis=1)
    cv2.fillPoly(canvas.layers, [np.rint(outline).astype(np.int32)], (*street.paints[0], RAW_IDS["ego vehicle"]))


def expose(canvas: Canvas, street: Street, frame: int) -> Pixels:
    """Returns the photograph of a canvas, (height, width, 3) uint8 RGB: mirrors of rain, exposure, vignette, noise."""
    light = street.light
    picture = canvas.layers[..., :3].astype(np.float32)
    if light.wetness:
        picture = mirrored(picture, canvas, light.wetness)
    soft = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.55), np.float32)
    picture = soft * _vignette(canvas.camera.size) * (light.cast * np.float32(light.exposure))
    noise = _sensor_noise(canvas.camera.size)
    shift = np.random.default_rng([*street.entropy, 6, frame]).integers(0, 64, 2)
    height, width = canvas.camera.size
    picture += np.float32(light.noise) * noise[shift[0] : shift[0] + height, shift[1] : shift[1] + width]
    exposed: Pixels = np.clip(picture, 0, 255).astype(np.uint8)
    return exposed


def mirrored(picture: FloatPicture, canvas: Canvas, wetness: float) -> FloatPicture:
    """Returns the picture with a wet road that mirrors what stands above the horizon."""
    height = picture.shape[0]
    first = int(canvas.camera.horizon) + 1
    rows = np.clip(2 * first - np.arange(first, height), 0, height - 1)
    mirror = cv2.GaussianBlur(picture[rows], (5, 9), 0)
    wet = np.isin(canvas.layers[first:, :, 3], (RAW_IDS["road"], RAW_IDS["parking"]))[..., None] * np.float32(wetness)
    picture[first:] = (1 - wet) * picture[first:] + wet * mirror
    return picture


@lru_cache(maxsize=4)
def _vignette(size: tuple[int, int]) -> FloatPicture:
    """Returns brightness factors, (height, width, 1) float32, 1 in the middle and 0.82 in the corners."""
    down, across = (np.linspace(-1, 1, length, dtype=np.float32) for length in size)
    return (1 - 0.09 * (down[:, None] ** 2 + across**2))[..., None]


@lru_cache(maxsize=4)
def _sensor_noise(size: tuple[int, int]) -> FloatPicture:
    """Returns noise of standard deviation 1, 64 pixels larger than a scene each way, for three colours."""
    rng = np.random.default_rng(0)
    planes = [grain(rng, (size[0] + 64, size[1] + 64)) for _ in range(3)]
    return np.dstack(planes) * np.float32(np.sqrt(3))
