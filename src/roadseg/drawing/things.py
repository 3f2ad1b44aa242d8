"""What stands and moves along a street, block by block, and where each thing is in a frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from roadseg.drawing import people, shapes, textures, vehicles
from roadseg.drawing.shapes import Shape
from roadseg.drawing.street import BLOCK_METRES, Street
from roadseg.drawing.textures import Colour

SIGHT_METRES = {"frontages": 110.0, "furniture": 40.0, "figures": 14.0}  # nothing farther is drawn
TALL_METRES = 4.0  # lower frontages are seen no farther than furniture
TRAFFIC_METRES = 30.0
NEAREST_METRES = 2.5
BEHIND = 0.5  # sorts what stands behind a frontage just beyond that frontage
SIDES = (-1, 1)
FRONTAGES = ("building", "wall", "fence", "hedge", "open")
BARK: Colour = (86, 70, 56)


class Placed(NamedTuple):
    """A shape in one frame: metres right of the road's middle, metres ahead, and the depth it is painted at."""

    shape: Shape
    lateral: float
    ahead: float
    depth: float


@dataclass(frozen=True, eq=False)
class Thing:
    """Something along the street: its shapes (one a stride), its place and its motion a frame.

    Attributes:
        shapes: what it looks like, one after another.
        lateral: metres right of the road's middle.
        position: metres along the street.
        depth: metres along the street that decide what it hides.
        pace: metres per frame along the street.
        crossing: metres per frame across the street.
    """

    shapes: tuple[Shape, ...]
    lateral: float
    position: float
    depth: float
    pace: float = 0.0
    crossing: float = 0.0

    def at(self, frame: int, travelled: float) -> Placed:
        """Returns where it is in a frame, once the camera has travelled so many metres."""
        moved = self.pace * frame
        lateral = self.lateral + swing(self.crossing * frame, 4.0)
        shape = self.shapes[frame % len(self.shapes)]
        return Placed(shape, lateral, self.position + moved - travelled, self.depth + moved - travelled)


def placed_in(street: Street, frame: int) -> list[Placed]:
    """Returns all that stands or moves in sight of a frame, far to near."""
    travelled = street.travelled(frame)
    first = int((travelled - 14) // BLOCK_METRES)
    standing = [
        thing.at(frame, travelled)
        for kind, sight in SIGHT_METRES.items()
        for block in range(first, int((travelled + sight) // BLOCK_METRES) + 1)
        for thing in block_things(street, block, kind)
    ]
    everything = [*standing, *(_driving(item, frame) for item in fleet(street))]
    return sorted(filter(is_in_sight, everything), key=lambda item: -item.depth)


def is_in_sight(item: Placed) -> bool:
    """Returns whether something is before the camera and not too small to make out.

    A car may begin nearer than a person, as its far end is still in the picture; a tall frontage counts by its far end.
    """
    long_enough = item.depth + min(item.shape.footprint[3], NEAREST_METRES - 1) > NEAREST_METRES
    is_tall_frontage = item.depth > item.ahead and item.shape.height > TALL_METRES
    extent = max(item.shape.height, item.shape.footprint[3] - item.shape.footprint[2])
    return long_enough and (is_tall_frontage or item.ahead < min(2 + 4 * extent, SIGHT_METRES["furniture"]))


def swing(moved: float, reach: float) -> float:
    """Returns where a walk of so many metres ends that goes to and fro between -reach and reach, from 0.

    >>> swing(5.0, 4.0)
    3.0
    """
    return reach - abs((moved + reach) % (4 * reach) - 2 * reach)


@lru_cache(maxsize=256)
def block_things(street: Street, block: int, kind: str) -> tuple[Thing, ...]:
    """Returns what stands in one block of the street, of one kind of `SIGHT_METRES`."""
    lots = {"frontages": (_frontage,), "furniture": (_furniture, _parked), "figures": (_walkers,)}
    junctions = {"frontages": (), "furniture": (_corner_post,), "figures": (_crossers,)}
    lay_outs = (junctions if street.is_junction(np.array(block)) else lots)[kind]
    key = list(SIGHT_METRES).index(kind)
    things: list[Thing] = []
    for side in SIDES:
        rng = street.random(3, key, block + 1000, side + 1)
        for lay_out in lay_outs:
            things += lay_out(street, rng, block * BLOCK_METRES, side)
    return tuple(things)


@lru_cache(maxsize=8)
def fleet(street: Street) -> tuple[Thing, ...]:
    """Returns the traffic; positions and pace are counted from the camera: ahead in the own lane, or oncoming."""
    rng = street.random(1)
    things = []
    for number in range(rng.integers(5, 8)):
        oncoming = number % 2 == 0
        lane = -street.hand if oncoming else street.hand
        pace = -rng.uniform(1.5, 3.0) if oncoming else rng.uniform(-0.5, 0.5)
        lateral, ahead = lane * street.road_half * rng.uniform(0.25, 0.75), rng.uniform(3, TRAFFIC_METRES)
        things.append(Thing((_vehicle(street, rng, oncoming=oncoming),), lateral, ahead, ahead, pace=pace))
    return tuple(things)


def _driving(thing: Thing, frame: int) -> Placed:
    """Returns where a vehicle of the fleet is; whoever leaves the stretch in sight returns at its other end."""
    ahead = (thing.position + thing.pace * frame) % TRAFFIC_METRES + 4.5
    return Placed(thing.shapes[0], thing.lateral, ahead, ahead)


def _vehicle(street: Street, rng: np.random.Generator, *, oncoming: bool) -> Shape:
    """Returns something that drives."""
    paint, other = street.paint(rng), street.paint(rng)
    draw = rng.random()
    if draw < 0.45:
        return vehicles.car(rng, paint, street.glass, oncoming=oncoming)
    if draw < 0.6:
        return vehicles.autorickshaw(rng, paint, other, oncoming=oncoming)
    if draw < 0.72:
        return vehicles.truck(rng, paint, vehicles.cargo_colour(rng), oncoming=oncoming)
    if draw < 0.92:
        return vehicles.bus(rng, paint, other, oncoming=oncoming)
    return people.rider_in_traffic(rng, paint, street.clothes(rng))


def _corner_post(street: Street, rng: np.random.Generator, start: float, side: int) -> Iterator[Thing]:
    """Yields the traffic light or the sign of a junction."""
    _, kerb, _ = street.edge(side, start)
    post = shapes.traffic_light(rng) if rng.random() < 0.7 else shapes.traffic_sign(rng, *sign_colours(rng))
    yield Thing((post,), kerb + 0.4 * side, start - 0.5, start - 0.5)


def _crossers(street: Street, rng: np.random.Generator, start: float, side: int) -> Iterator[Thing]:
    """Yields people and riders who cross at a junction."""
    for _ in range(rng.integers(1, 3)):
        position, lateral = start + rng.uniform(0.5, 3), side * rng.uniform(0.5, street.road_half + 2)
        strides = people.person(rng, street.clothes(rng))
        yield Thing(strides, lateral, position, position, crossing=-side * rng.uniform(0.2, 0.5))
    if rng.random() < 0.25:
        rider = people.crossing_rider(rng, street.paint(rng), street.clothes(rng), 1)
        yield Thing((rider,), side * rng.uniform(3, 7), start + 7, start + 7)


def _frontage(street: Street, rng: np.random.Generator, start: float, side: int) -> Iterator[Thing]:
    """Yields the house, wall, fence, hedge or gap at the outer edge of the pavement and what lies behind."""
    kind = FRONTAGES[rng.choice(len(FRONTAGES), p=street.frontage_weights)]
    _, _, outer = street.edge(side, start)
    line, end = outer + 0.6 * side, start + BLOCK_METRES
    length = BLOCK_METRES
    if kind == "building":
        yield _house(street, rng, line, start, side)
        return
    if kind == "wall":
        yield Thing((shapes.wall(rng, street.barrier(rng), side, length=length),), line, start, end)
    if kind == "fence":
        yield Thing((shapes.fence(rng, street.barrier(rng), side, length=length),), line, start, end)
    if kind == "hedge":
        for step in range(6):
            position = start + 2 * step + rng.uniform(0, 1)
            yield Thing((shapes.bush(rng, street.crowns[step % 4]),), line + side * 0.8, position, position)
    if rng.random() < 0.6:
        yield _house(street, rng, line + side * rng.uniform(5, 9), start, side)
    for _ in range(rng.integers(0, 1 + int(4 * street.lush))):
        position, lateral = start + rng.uniform(0, length), line + side * rng.uniform(2.0, 5)
        shape = shapes.tree(rng, street.crowns[rng.integers(4)], BARK)
        yield Thing((shape,), lateral, position, end + BEHIND * (position - start) / length)


def _house(street: Street, rng: np.random.Generator, lateral: float, start: float, side: int) -> Thing:
    """Returns a house with its front at `lateral`."""
    length = BLOCK_METRES - (rng.uniform(0.5, 3.0) if rng.random() < 0.4 else 0.0)
    height = 3.2 * max(1.3, street.storeys * rng.uniform(0.5, 1.6))
    shape = shapes.building(rng, street.facade(rng), street.glass, side, length=length, height=height)
    return Thing((shape,), lateral, start, start + BLOCK_METRES + 2 * BEHIND)


def _furniture(street: Street, rng: np.random.Generator, start: float, side: int) -> Iterator[Thing]:
    """Yields advertising columns, street trees, signs and billboards along the kerb."""
    _, kerb, outer = street.edge(side, start)
    row = kerb + 0.5 * side
    column = shapes.advertising_column(rng, textures.shaded((112, 114, 116), rng.uniform(0.6, 1.5)))
    spots = start + BLOCK_METRES * (np.array([0.08, 0.3, 0.55, 0.8]) + rng.uniform(0, 0.12, 4))
    if rng.random() < 0.35:
        yield Thing((column,), row, spots[0], spots[0])
    if rng.random() < street.lush:
        yield Thing((shapes.tree(rng, street.crowns[rng.integers(4)], BARK),), row + 0.3 * side, spots[1], spots[1])
    if rng.random() < 0.35:
        yield Thing((shapes.traffic_sign(rng, *sign_colours(rng)),), row, spots[2], spots[2])
    if rng.random() < 0.4:
        yield Thing((shapes.billboard(rng),), outer - 0.5 * side, spots[3], spots[3])


def sign_colours(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Returns plate and rim of a traffic sign."""
    pairs: tuple[tuple[Colour, Colour], ...] = (
        ((235, 235, 232), (190, 42, 40)), ((40, 84, 168), (225, 228, 230)), ((226, 188, 58), (40, 40, 42)),
        ((44, 118, 78), (225, 228, 225)),
    )  # fmt: skip
    return pairs[rng.integers(len(pairs))]


def _parked(street: Street, rng: np.random.Generator, start: float, side: int) -> Iterator[Thing]:
    """Yields parked vehicles where there is a parking lane, and two-wheelers on the pavement."""
    bay, kerb, _ = street.edge(side, start)
    facing = side != street.hand
    for slot in (0.5, 6.2):
        if street.parking[(side + 1) // 2] and rng.random() < 0.6:
            position = start + slot
            paint = street.paint(rng)
            shape = (
                vehicles.car(rng, paint, street.glass, oncoming=facing)
                if rng.random() < 0.75
                else vehicles.autorickshaw(rng, paint, street.paint(rng), oncoming=facing)
            )
            yield Thing((shape,), bay, position, position)
    if rng.random() < 0.08:
        position = start + rng.uniform(1, 11)
        yield Thing(
            (people.parked_bicycle(rng, street.paint(rng)),), kerb + side * rng.uniform(0.8, 1.4), position, position
        )


def _walkers(street: Street, rng: np.random.Generator, start: float, side: int) -> Iterator[Thing]:
    """Yields people on the pavement, now and then one on the road, and animals."""
    _, kerb, outer = street.edge(side, start)
    for _ in range(rng.poisson(street.crowd)):
        position = start + rng.uniform(0, BLOCK_METRES)
        lateral = rng.uniform(min(kerb, outer), max(kerb, outer))
        if rng.random() < 0.3:
            lateral = side * (street.road_half - rng.uniform(0, 1.5))
        strides = people.person(rng, street.clothes(rng))
        yield Thing(strides, lateral, position, position, pace=rng.uniform(-0.4, 0.4))
    if rng.random() < 0.5:
        position, lateral = start + rng.uniform(0, BLOCK_METRES), side * (street.road_half + rng.uniform(-2.0, 1.0))
        yield Thing((people.cow(rng),), lateral, position, position)
