"""Shapes of cars, trucks, buses and autorickshaws, boxes with windows, wheels and lamps."""

import numpy as np

from roadseg.drawing import textures
from roadseg.drawing.shapes import (
    Face,
    Facing,
    Outline,
    Shape,
    box,
    ellipse,
    front,
    rectangle,
    roof,
    shape_of,
    side,
)
from roadseg.drawing.textures import Colour, shaded

TYRE: Colour = (30, 30, 32)
SIDES = ((Facing.LEFT, -1), (Facing.RIGHT, 1))


def car(rng: np.random.Generator, paint: Colour, glass: Colour, *, oncoming: bool) -> Shape:
    """Returns a car whose near end is the foot point: its back, or its front when it comes towards the camera."""
    length, half, height = rng.uniform(3.6, 4.7), rng.uniform(0.8, 0.93), rng.uniform(1.4, 1.75)
    waist, narrow = 0.58 * height, half - 0.06
    near, far = (0.25 * length, 0.92 * length) if oncoming else (0.06 * length, 0.7 * length)
    slope = 0.16 * length
    cabin: Outline = [(near, waist), (near + slope, height), (far - slope, height), (far, waist)]
    pane: Outline = [(near + 0.35, waist), (near + slope + 0.1, height - 0.1), (far - slope - 0.1, height - 0.1),
                     (far - 0.35, waist)]  # fmt: skip
    body: Outline = [(0, 0.3), (0, waist), (length, waist * 0.95), (length, 0.3)]
    faces = [front(rectangle(x - 0.13, 0, x + 0.13, 0.45), 0.1, TYRE, "car") for x in (-half + 0.15, half - 0.15)]
    for facing, hand in SIDES:
        faces += [
            side(body, hand * half, paint, "car", facing),
            *wheels("car", facing, hand * half, (0.2 * length, 0.8 * length), 0.33),
            side(cabin, hand * narrow, shaded(paint, 0.95), "car", facing),
            side(pane, hand * narrow, glass, "car", facing),
        ]
    faces += [
        roof(rectangle(-half, 0, half, length), waist, paint, "car"),
        roof(rectangle(-narrow, near + slope, narrow, far - slope), height, paint, "car"),
        slanted(narrow, narrow, (waist, near), (height, near + slope), paint),
        slanted(narrow - 0.1, narrow - 0.12, (waist + 0.06, near), (height - 0.08, near + slope), glass),
        front(rectangle(-half, 0.3, half, waist), 0, shaded(paint, 0.95), "car"),
        front(rectangle(-half, 0.22, half, 0.4), 0, shaded(paint, 0.45), "car"),
        front(rectangle(-0.3, 0.42, 0.3, 0.58), 0, (60, 60, 62) if oncoming else (220, 215, 190), "car"),
        *lamps("car", half - 0.18, waist - 0.18, oncoming=oncoming),
    ]
    return shape_of(faces)


def slanted(
    low_half: float, high_half: float, low: tuple[float, float], high: tuple[float, float], colour: Colour
) -> Face:
    """Returns a windscreen between two (up, ahead) edges."""
    flat = front(
        [(-low_half, low[0]), (-high_half, high[0]), (high_half, high[0]), (low_half, low[0])], 0, colour, "car"
    )
    corners = flat.corners.copy()
    corners[:, 2] = np.where(corners[:, 1] > (low[0] + high[0]) / 2, high[1], low[1])
    return flat._replace(corners=corners)


def wheels(name: str, facing: Facing, lateral: float, places: tuple[float, ...], radius: float) -> list[Face]:
    """Returns tyres and hubs on one side of a vehicle at those metres from its near end."""
    return [
        side(ellipse((place, radius), (size, size)), lateral, colour, name, facing)
        for place in places
        for size, colour in ((radius, TYRE), (0.5 * radius, (135, 135, 138)))
    ]


def lamps(name: str, lateral: float, up: float, *, oncoming: bool) -> list[Face]:
    """Returns a pair of lamps: white towards the camera, red when the vehicle drives ahead."""
    colour: Colour = (250, 245, 215) if oncoming else (205, 40, 35)
    return [
        front(rectangle(x - 0.16, up - 0.09, x + 0.16, up + 0.09), 0, colour, name, Facing.GLOW)
        for x in (-lateral, lateral)
    ]


def autorickshaw(rng: np.random.Generator, paint: Colour, hood: Colour, *, oncoming: bool) -> Shape:
    """Returns a three-wheeler with a soft hood and open sides."""
    half, length, height = 0.68, 2.6, rng.uniform(1.65, 1.8)
    name = "autorickshaw"
    hull: Outline = [(-half, 0.25), (-half, 1.0), (half, 1.0), (half, 0.25)]
    dome: Outline = rectangle(-half, 0.95, half, height)
    faces = [
        front(rectangle(x - 0.08, 0, x + 0.08, 0.4), 0, TYRE, name) for x in ([0.0] if oncoming else [-0.55, 0.55])
    ]
    for facing, hand in SIDES:
        faces += [
            side(
                [(0, 0.3), (0, height), (2.2, height), (length, 0.9), (length, 0.3)],
                hand * half,
                hood,
                name,
                facing,
            ),
            side(rectangle(0.7, 0.75, 2.0, 1.45), hand * half, (48, 44, 42), name, facing),
            side(rectangle(0, 0.25, length, 0.75), hand * half, paint, name, facing),
            *wheels(name, facing, hand * half, (0.45,), 0.24),
        ]
    pane: Outline = rectangle(-0.5, 1.0, 0.5, 1.5) if oncoming else rectangle(-0.28, 1.15, 0.28, 1.42)
    faces += [
        roof(rectangle(-half, 0, half, 2.2), height, hood, name),
        front(dome, 0, hood, name),
        front(pane, 0, (92, 104, 112), name),
        front(hull, 0, paint, name),
        *lamps(name, 0.48, 0.8, oncoming=oncoming),
    ]
    return shape_of(faces)


def truck(rng: np.random.Generator, paint: Colour, cargo: Colour, *, oncoming: bool) -> Shape:
    """Returns a truck with a high load: the painted tailgate, or the cab when it comes towards the camera."""
    half, length, height = 1.15, rng.uniform(5.5, 8.0), rng.uniform(2.5, 3.3)
    name = "truck"
    faces = [front(rectangle(x - 0.22, 0, x + 0.22, 0.9), 0.1, TYRE, name) for x in (-half + 0.25, half - 0.25)]
    split = 1.9 if oncoming else length - 1.9
    load, cab = ((split, length), (0.0, split)) if oncoming else ((0.0, split), (split, length))
    boxes = [box((-half, half), (0.75, height), load, cargo, name), box((-half, half), (0.5, 2.4), cab, paint, name)]
    for faces_of_box in boxes if oncoming else boxes[::-1]:
        faces += faces_of_box
    for facing, hand in SIDES:
        faces += wheels(name, facing, hand * half, (0.16 * length, 0.8 * length), 0.48)
    faces += _cab_front(half, paint) if oncoming else _tailgate(half, height, paint, cargo)
    return shape_of([*faces, *lamps(name, half - 0.2, 0.75, oncoming=oncoming)])


def _cab_front(half: float, paint: Colour) -> list[Face]:
    """Returns windscreen and grille of a truck."""
    return [
        front(rectangle(-half + 0.12, 1.45, half - 0.12, 2.2), 0, (78, 92, 104), "truck"),
        front(rectangle(-half + 0.35, 0.7, half - 0.35, 1.15), 0, shaded(paint, 0.55), "truck"),
    ]


def _tailgate(half: float, height: float, paint: Colour, cargo: Colour) -> list[Face]:
    """Returns the boards and the painted panel on the back of a truck."""
    boards = [
        front(rectangle(x - 0.05, 1.2, x + 0.05, height), 0, shaded(cargo, 0.72), "truck")
        for x in np.linspace(-half + 0.1, half - 0.1, 5).tolist()
    ]
    return [*boards, front(rectangle(-half, 0.75, half, 1.25), 0, paint, "truck")]


def bus(rng: np.random.Generator, paint: Colour, band: Colour, *, oncoming: bool) -> Shape:
    """Returns a bus: a long box with a row of windows."""
    half, length, height = 1.25, rng.uniform(8, 11), rng.uniform(2.8, 3.2)
    name = "bus"
    faces = [front(rectangle(x - 0.2, 0, x + 0.2, 0.7), 0.1, TYRE, name) for x in (-half + 0.3, half - 0.3)]
    faces += box((-half, half), (0.35, height), (0, length), paint, name)
    for facing, hand in SIDES:
        faces.append(side(rectangle(0, 1.0, length, 1.3), hand * half, band, name, facing))
        faces += [
            side(rectangle(start, 1.5, start + 1.0, height - 0.45), hand * half, (66, 78, 88), name, facing)
            for start in np.arange(0.4, length - 1.2, 1.25).tolist()
        ]
        faces += wheels(name, facing, hand * half, (0.2 * length, 0.75 * length), 0.45)
    low = 1.25 if oncoming else 1.7
    faces += [
        front(rectangle(-half + 0.12, low, half - 0.12, height - 0.5), 0, (72, 86, 98), name),
        front(rectangle(-half, 0.9, half, 1.15), 0, band, name),
        front(rectangle(-0.7, height - 0.38, 0.7, height - 0.12), 0, (225, 170, 60), name, Facing.GLOW),
        *lamps(name, half - 0.25, 0.65, oncoming=oncoming),
    ]
    return shape_of(faces)


def cargo_colour(rng: np.random.Generator) -> Colour:
    """Returns the colour of a load: wood, canvas or paint."""
    return textures.shaded(
        ((134, 96, 62), (112, 116, 96), (150, 144, 132), (72, 92, 140))[rng.integers(4)], rng.uniform(0.8, 1.2)
    )
