"""Shapes of people, animals and two-wheelers, flat and turned to the camera."""

from collections.abc import Callable

import numpy as np

from roadseg.drawing.shapes import Face, Outline, Shape, ellipse, front, rectangle, shape_of
from roadseg.drawing.textures import Colour, shaded

SWINGS = (0.0, 0.16)  # of a foot in walking, share of the height
SKINS: tuple[Colour, ...] = ((92, 60, 42), (135, 92, 66), (178, 128, 98), (220, 176, 146))
HAIR: Colour = (36, 30, 28)
TYRE: Colour = (34, 34, 36)

Part = Callable[[Outline, Colour], Face]
"""From an outline in shares of a person's height, and its colour, to a face in metres."""


def person(rng: np.random.Generator, clothes: tuple[Colour, Colour]) -> tuple[Shape, ...]:
    """Returns a walking person at both moments of the stride: legs together, legs apart."""
    upper, lower = clothes
    height = rng.uniform(1.55, 1.88) if rng.random() < 0.85 else rng.uniform(1.0, 1.4)
    skin = SKINS[rng.integers(len(SKINS))]
    has_robe, has_bag = rng.random() < 0.5, rng.random() < 0.35
    stout = rng.uniform(1.1, 1.5)

    def part(outline: Outline, colour: Colour) -> Face:
        return front([(x * height * stout, y * height) for x, y in outline], 0, colour, "person")

    robe = [part([(-0.1, 0.52), (-0.17, 0.05), (0.17, 0.05), (0.1, 0.52)], lower)]
    bag = [part(rectangle(0.1, 0.42, 0.2, 0.56), shaded(upper, 0.5))] if has_bag else []
    return tuple(
        shape_of([*(robe if has_robe else _legs(part, swing, lower)), *_upper_body(part, swing, upper, skin), *bag])
        for swing in SWINGS
    )


def _legs(part: Part, swing: float, trousers: Colour) -> list[Face]:
    hip, foot = 0.07, 0.07 + swing
    return [
        part([(-hip - 0.05, 0.5), (-foot - 0.05, 0.0), (-foot + 0.06, 0.0), (0.0, 0.5)], trousers),
        part([(0.0, 0.5), (foot - 0.06, 0.0), (foot + 0.05, 0.0), (hip + 0.05, 0.5)], shaded(trousers, 0.75)),
    ]


def _upper_body(part: Part, swing: float, shirt: Colour, skin: Colour) -> list[Face]:
    """Returns arms, trunk and head."""
    sleeve, arm = shaded(shirt, 0.8), swing / 3
    return [
        part([(-0.12, 0.8), (-0.19 - arm, 0.45), (-0.14 - arm, 0.44), (-0.08, 0.78)], sleeve),
        part([(0.12, 0.8), (0.19 - arm, 0.45), (0.14 - arm, 0.44), (0.08, 0.78)], sleeve),
        part([(-0.1, 0.48), (-0.13, 0.8), (-0.05, 0.84), (0.05, 0.84), (0.13, 0.8), (0.1, 0.48)], shirt),
        part(rectangle(-0.025, 0.82, 0.025, 0.88), skin),
        part(ellipse((0, 0.93), (0.058, 0.075), 10), HAIR),
        part(ellipse((0, 0.915), (0.048, 0.058), 8), skin),
    ]


def cow(rng: np.random.Generator) -> Shape:
    """Returns a cow (or, a sixth as often, one of about half the size) from its side."""
    coat = ((205, 195, 180), (120, 85, 60), (70, 60, 55), (165, 120, 80))[rng.integers(4)]
    size = rng.uniform(1.0, 1.3) * (0.55 if rng.random() < 0.15 else 1.0)
    way = 1 if rng.random() < 0.5 else -1

    def part(outline: Outline, factor: float) -> Face:
        return front([(way * x * size, y * size) for x, y in outline], 0, shaded(coat, factor), "animal")

    far_legs, near_legs = ([part(rectangle(x - 0.08, 0, x + 0.08, 0.75), shade) for x in places]
                           for places, shade in (((-0.55, 0.4), 0.6), ((-0.72, 0.58), 0.85)))  # fmt: skip
    body = [(-0.85, 0.7), (-0.88, 1.2), (-0.6, 1.32), (0.5, 1.3), (0.75, 1.38), (0.8, 0.85), (0.5, 0.65), (-0.4, 0.62)]
    head = [(0.68, 1.3), (0.85, 1.62), (1.02, 1.6), (1.3, 1.2), (1.18, 1.1), (0.78, 1.0)]
    tail = [(-0.86, 1.25), (-0.98, 0.6), (-0.92, 0.6), (-0.8, 1.2)]
    horn = [(0.86, 1.6), (0.84, 1.82), (0.95, 1.6)]
    patch = ellipse((-0.1, 1.02), (0.36, 0.2))
    return shape_of([*far_legs, part(tail, 0.7), part(body, 1.0), part(patch, 0.7), *near_legs, part(head, 1.08),
                     part(horn, 0.6)])  # fmt: skip


def bicycle_from_side(paint: Colour, name: str, way: int) -> list[Face]:
    """Returns a bicycle or motorcycle seen from its side, riding to the right (way 1) or to the left."""
    heavy = name == "motorcycle"
    radius, rim = (0.32, 0.15) if heavy else (0.34, 0.25)

    def part(outline: Outline, colour: Colour) -> Face:
        return front([(way * x, y) for x, y in outline], 0, colour, name)

    wheels = [
        part(ellipse((x, radius), (r, r)), colour)
        for x in (-0.6, 0.6)
        for r, colour in ((radius, TYRE), (rim, (140, 140, 142)))
    ]
    frame = [(-0.6, 0.3), (-0.2, 0.8), (0.45, 0.85), (0.62, 0.34), (0.5, 0.34), (0.32, 0.7), (0.0, 0.34)]
    engine = [(-0.75, 0.6), (-0.6, 0.8), (0.0, 0.85), (0.35, 0.98), (0.5, 0.85), (0.2, 0.3), (-0.3, 0.28), (-0.4, 0.55)]
    handle = [(0.38, 0.8), (0.28, 1.12), (0.36, 1.14), (0.48, 0.8)]
    return [*wheels, part(engine if heavy else frame, paint), part(handle, shaded(TYRE, 1.4))]


def parked_bicycle(rng: np.random.Generator, paint: Colour) -> Shape:
    """Returns a bicycle or motorcycle that stands across the pavement."""
    name = "motorcycle" if rng.random() < 0.6 else "bicycle"
    return shape_of(bicycle_from_side(paint, name, 1 if rng.random() < 0.5 else -1))


def crossing_rider(rng: np.random.Generator, paint: Colour, clothes: tuple[Colour, Colour], way: int) -> Shape:
    """Returns a rider from the side, who crosses the street to the right (way 1) or to the left."""
    name = "motorcycle" if rng.random() < 0.5 else "bicycle"
    skin = SKINS[rng.integers(len(SKINS))]
    cap = paint if rng.random() < 0.5 else HAIR

    def part(outline: Outline, colour: Colour) -> Face:
        return front([(way * x, y) for x, y in outline], 0, colour, "rider")

    return shape_of(
        [
            *bicycle_from_side(paint, name, way),
            part([(-0.3, 0.98), (0.15, 0.85), (0.02, 0.3), (0.16, 0.3), (0.34, 0.9), (-0.1, 1.1)], clothes[1]),
            part([(-0.34, 0.88), (-0.22, 1.48), (-0.04, 1.56), (0.06, 1.38), (-0.02, 0.9)], clothes[0]),
            part([(-0.12, 1.45), (0.3, 1.15), (0.36, 1.22), (0.02, 1.48)], shaded(clothes[0], 0.8)),
            part(ellipse((0.04, 1.72), (0.12, 0.15), 10), skin),
            part([(-0.1, 1.7), (-0.08, 1.86), (0.04, 1.9), (0.15, 1.84), (0.16, 1.74)], cap),
        ]
    )


def rider_in_traffic(rng: np.random.Generator, paint: Colour, clothes: tuple[Colour, Colour]) -> Shape:
    """Returns a rider with the two-wheeler, seen from the front or the back."""
    name = "motorcycle" if rng.random() < 0.65 else "bicycle"
    broad = 0.13 if name == "motorcycle" else 0.06
    upper, lower = clothes
    helmet = paint if rng.random() < 0.5 else HAIR
    skin = SKINS[rng.integers(len(SKINS))]
    return shape_of(
        [
            front(ellipse((0, 0.33), (broad * 0.8, 0.34)), 0, TYRE, name),
            front([(-broad, 0.4), (-broad * 1.5, 0.9), (broad * 1.5, 0.9), (broad, 0.4)], 0, paint, name),
            front(rectangle(-0.38, 0.98, 0.38, 1.05), 0, shaded(TYRE, 1.5), name),
            front([(-0.1, 0.95), (-0.3, 0.75), (-0.24, 0.3), (-0.12, 0.3), (-0.14, 0.7), (0, 0.85)], 0, lower, "rider"),
            front([(0.1, 0.95), (0.3, 0.75), (0.24, 0.3), (0.12, 0.3), (0.14, 0.7), (0, 0.85)], 0, lower, "rider"),
            front(
                [(-0.22, 0.8), (-0.36, 1.08), (-0.24, 1.48), (0.24, 1.48), (0.36, 1.08), (0.22, 0.8)], 0, upper, "rider"
            ),
            front(ellipse((0, 1.64), (0.13, 0.17), 10), 0, skin, "rider"),
            front(ellipse((0, 1.7), (0.145, 0.13), 10), 0, helmet, "rider"),
        ]
    )
