"""Surfaces of drawn streets: asphalt, slabs, grass, facades, foliage and panels, as small seeded pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Colour = tuple[float, float, float]

TILE_PIXELS = 256
TILE_METRES = 12.8
PANEL_PIXELS_PER_METRE = 12


def asphalt(rng: np.random.Generator, colour: Colour) -> Pixels:
    """Returns a tile of worn asphalt: (256, 256, 3) uint8 RGB, 12.8 m wide, with mended patches and cracks."""
    relief = 0.10 * fractal_noise(rng, TILE_PIXELS) + 0.05 * grain(rng, (TILE_PIXELS, TILE_PIXELS))
    for _ in range(rng.integers(2, 6)):
        top, left = rng.integers(0, TILE_PIXELS - 70, 2)
        height, width = rng.integers(20, 70, 2)
        relief[top : top + height, left : left + width] += rng.uniform(-0.18, 0.10)
    for _ in range(rng.integers(2, 7)):
        crack = np.cumsum(rng.integers(-7, 8, (14, 2)), axis=0) + rng.integers(0, TILE_PIXELS, 2)
        cv2.polylines(relief, [crack.astype(np.int32)], isClosed=False, color=-0.25, thickness=1)
    return tinted(colour, relief)


def slabs(rng: np.random.Generator, colour: Colour) -> Pixels:
    """Returns a tile of paving: (256, 256, 3) uint8 RGB, 12.8 m wide, slabs of 0.4 to 1.6 m with dark joints."""
    pitch_down, pitch_across = rng.choice((8, 16, 32), 2)
    blocks = rng.uniform(-0.12, 0.12, (TILE_PIXELS // pitch_down, TILE_PIXELS // pitch_across)).astype(np.float32)
    relief = np.repeat(np.repeat(blocks, pitch_down, axis=0), pitch_across, axis=1)
    relief += 0.05 * fractal_noise(rng, TILE_PIXELS)
    relief[:: int(pitch_down)] -= 0.3
    relief[:, :: int(pitch_across)] -= 0.3
    return tinted(colour, relief)


def rough_ground(rng: np.random.Generator, colour: Colour, other: Colour) -> Pixels:
    """Returns a tile of grass or soil: (256, 256, 3) uint8 RGB, 12.8 m wide, tufts of two colours."""
    mixture = np.clip(0.5 + 1.2 * fractal_noise(rng, TILE_PIXELS), 0, 1)[..., None]
    relief = 0.22 * grain(rng, (TILE_PIXELS, TILE_PIXELS))[..., None]
    return to_bytes(
        (mixture * np.array(colour, np.float32) + (1 - mixture) * np.array(other, np.float32)) * (1 + relief)
    )


def kerb_stones(rng: np.random.Generator, colour: Colour, stripe: Colour) -> Pixels:
    """Returns a tile of kerb: (256, 256, 3) uint8 RGB, 12.8 m wide, stones of 0.8 m painted in turn."""
    tile = tinted(colour, 0.06 * grain(rng, (TILE_PIXELS, TILE_PIXELS)))
    striped = np.arange(TILE_PIXELS) // 16 % 2 == 0
    tile[striped] = tinted(stripe, 0.06 * grain(rng, (int(striped.sum()), TILE_PIXELS)))
    return tile


def facade(rng: np.random.Generator, colour: Colour, glass: Colour, *, length: float, height: float) -> Pixels:
    """Returns the front of a house, length x height metres, 12 pixels a metre, uint8 RGB: storeys, windows, shops."""
    rows, columns = int(height * PANEL_PIXELS_PER_METRE), int(length * PANEL_PIXELS_PER_METRE)
    picture = masonry(rng, colour, rows, columns)
    storey = int(rng.uniform(2.8, 3.6) * PANEL_PIXELS_PER_METRE)
    pitch = int(rng.uniform(2.0, 3.6) * PANEL_PIXELS_PER_METRE)
    window_height, window_width = int(storey * rng.uniform(0.4, 0.65)), int(pitch * rng.uniform(0.35, 0.75))
    frame = shaded(colour, rng.choice((0.6, 1.3)))
    for bottom in range(rows - storey, storey // 2, -storey):
        picture[bottom : bottom + 2] = shaded(colour, 0.75)
        for left in range(pitch // 4, columns - window_width, pitch):
            top = bottom - int(0.8 * storey)
            pane = shaded(glass, rng.uniform(0.6, 1.35))
            cv2.rectangle(picture, (left, top), (left + window_width, top + window_height), frame, -1)
            cv2.rectangle(picture, (left + 2, top + 2), (left + window_width - 2, top + window_height - 2), pane, -1)
    draw_shops(rng, picture, colour, rows - storey)
    return picture


def draw_shops(rng: np.random.Generator, picture: Pixels, colour: Colour, top: int) -> None:
    """Draws doors, dark shop openings and awnings in shades of the house below row `top` into a facade."""
    rows, columns = picture.shape[:2]
    left = 4
    while left < columns - 20:
        width = int(rng.uniform(1.8, 4.0) * PANEL_PIXELS_PER_METRE)
        awning, opening = (
            shaded(colour, rng.choice((0.6, 0.75, 1.25, 1.4))),
            shaded((70, 62, 58), rng.uniform(0.5, 1.9)),
        )
        cv2.rectangle(picture, (left, top + 10), (left + width, rows), opening, -1)
        cv2.rectangle(picture, (left - 2, top + 4), (left + width + 2, top + 13), awning, -1)
        left += width + int(rng.uniform(0.5, 2.5) * PANEL_PIXELS_PER_METRE)


def masonry(rng: np.random.Generator, colour: Colour, rows: int, columns: int) -> Pixels:
    """Returns plaster or brickwork, (rows, columns, 3) uint8 RGB, with stains that run down."""
    stains = cv2.resize(rng.random((3, 24), dtype=np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    relief = 0.05 * grain(rng, (rows, columns)) + 0.22 * (stains - 0.5)
    if rng.random() < 0.45:
        relief[::5] -= 0.16
        for course in range(0, rows, 5):
            relief[course : course + 5, (course % 10) :: 10] -= 0.12
    return tinted(colour, relief)


def garden_wall(rng: np.random.Generator, colour: Colour, *, length: float, height: float) -> Pixels:
    """Returns a wall of panels painted in turn, with a coping, length x height metres, 12 pixels a metre, uint8 RGB."""
    picture = masonry(rng, colour, int(height * PANEL_PIXELS_PER_METRE), int(length * PANEL_PIXELS_PER_METRE))
    panel = int(rng.uniform(1.0, 1.6) * PANEL_PIXELS_PER_METRE)
    for left in range(0, picture.shape[1], 2 * panel):
        picture[:, left : left + panel] = to_bytes(picture[:, left : left + panel] * np.float32(2.1))
    picture[:5] = shaded(colour, 1.3)
    picture[-5:] = shaded(colour, 0.6)
    return picture


def railing(rng: np.random.Generator, colour: Colour, *, length: float, height: float) -> Pixels:
    """Returns a fence, length x height metres, 12 pixels a metre, uint8 RGB: bright boards before a dark ground."""
    rows, columns = int(height * PANEL_PIXELS_PER_METRE), int(length * PANEL_PIXELS_PER_METRE)
    picture = tinted((48, 50, 44), 0.25 * grain(rng, (rows, columns)))
    spacing = int(rng.integers(8, 13))
    for start in range(spacing // 2):
        picture[:, start::spacing] = shaded(colour, 2.1)
    picture[[1, 2, 3, -6, -5, -4]] = shaded(colour, 2.1)
    return picture


def poster(rng: np.random.Generator, *, length: float, height: float) -> Pixels:
    """Returns an advertisement, length x height metres, 12 pixels a metre, uint8 RGB: frame, blob and lines."""
    rows, columns = int(height * PANEL_PIXELS_PER_METRE), int(length * PANEL_PIXELS_PER_METRE)
    back, ink, blob = (tuple(rng.uniform(20, 250, 3).tolist()) for _ in range(3))
    picture = tinted(back, 0.04 * grain(rng, (rows, columns)))
    centre = (int(columns * rng.uniform(0.2, 0.8)), int(rows * rng.uniform(0.3, 0.7)))
    cv2.circle(picture, centre, int(rows * rng.uniform(0.2, 0.4)), blob, -1)
    for top in range(rows // 5, rows - rows // 6, max(rows // 5, 4)):
        cv2.line(picture, (columns // 8, top), (int(columns * rng.uniform(0.4, 0.9)), top), ink, max(rows // 14, 1))
    cv2.rectangle(picture, (0, 0), (columns - 1, rows - 1), (235, 235, 230) if rng.random() < 0.5 else (40, 40, 45), 2)
    return picture


def foliage(rng: np.random.Generator, colour: Colour, *, pixels: int) -> Pixels:
    """Returns a tree crown, (pixels, pixels, 4) uint8 RGBA: leafy blobs, lit from above, clear outside."""
    alpha = np.zeros((pixels, pixels), np.uint8)
    relief = np.zeros((pixels, pixels), np.float32)
    for _ in range(22):
        angle, distance, radius = rng.uniform(0, 2 * np.pi), 0.30 * np.sqrt(rng.random()), rng.uniform(0.10, 0.20)
        x, y = (int(pixels * (0.5 + distance * turn)) for turn in (np.cos(angle), np.sin(angle)))
        cv2.circle(alpha, (x, y), int(radius * pixels), 255, -1)
        cv2.circle(relief, (x, y), int(radius * pixels), rng.uniform(-0.25, 0.2) - 0.5 * (y / pixels - 0.5), -1)
    leaves = cv2.resize(grain(rng, (pixels // 2, pixels // 2)), (pixels, pixels), interpolation=cv2.INTER_LINEAR)
    rim = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), pixels / 24) + 50 * leaves
    return np.dstack([tinted(colour, relief + 0.38 * leaves), np.where(rim > 120, 255, 0).astype(np.uint8)])


def fractal_noise(rng: np.random.Generator, pixels: int) -> NDArray[np.float32]:
    """Returns tileable noise at four scales, (pixels, pixels) float32, about -1..1; pixels is a multiple of 64."""
    total = np.zeros((pixels, pixels), np.float32)
    for cells, weight in ((4, 0.4), (8, 0.3), (16, 0.2), (64, 0.2)):
        scale = pixels // cells
        padded = np.pad(rng.random((cells, cells), dtype=np.float32) * 2 - 1, 2, mode="wrap")
        enlarged = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        total += weight * enlarged[2 * scale : 2 * scale + pixels, 2 * scale : 2 * scale + pixels]
    return total


def grain(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Returns independent noise, float32, -1..1."""
    return rng.random(shape, dtype=np.float32) * 2 - 1


def tinted(colour: Colour, relief: NDArray[np.float32]) -> Pixels:
    """Returns a relief (height, width), 0 = plain, as brightness steps of one colour, (height, width, 3) uint8."""
    return to_bytes(np.array(colour, np.float32) * (1 + relief[..., None]))


def shaded(colour: Colour, factor: float) -> tuple[int, int, int]:
    """Returns the colour made darker or brighter, whole numbers 0..255."""
    red, green, blue = (min(int(channel * factor), 255) for channel in colour)
    return red, green, blue


def to_bytes(picture: NDArray[np.float32]) -> Pixels:
    """Returns float brightness, 0..255 and beyond, as uint8."""
    clipped: Pixels = np.clip(picture, 0, 255).astype(np.uint8)
    return clipped
