"""A street: what all frames of one drive have in common, its ground plan, its colours and its light."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from roadseg.drawing import textures
from roadseg.drawing.light import light_of
from roadseg.drawing.textures import Colour, Pixels

BLOCK_METRES = 12.0
KERB_METRES = 0.45

PAINTS: tuple[Colour, ...] = (  # of vehicles
    (226, 226, 226), (160, 164, 170), (48, 48, 54), (176, 44, 40), (40, 76, 150), (80, 132, 190), (46, 104, 96),
    (104, 72, 124),
)  # fmt: skip
FACADES: tuple[Colour, ...] = (  # of houses
    (198, 190, 176), (178, 148, 122), (168, 104, 84), (206, 172, 122), (150, 146, 144), (214, 172, 150),
    (176, 168, 128), (146, 120, 104),
)  # fmt: skip
BARRIERS: tuple[Colour, ...] = (  # of walls and fences
    (58, 98, 108), (46, 86, 96), (70, 112, 110), (44, 76, 104),
)  # fmt: skip
GROUNDS: tuple[Colour, ...] = ((84, 84, 88), (98, 98, 102), (112, 110, 108), (106, 100, 94))
PAVINGS: tuple[Colour, ...] = ((178, 168, 152), (172, 140, 122), (186, 176, 152), (164, 120, 98), (146, 134, 118))
DYES: tuple[Colour, ...] = (  # of clothes
    (222, 60, 56), (232, 124, 38), (236, 192, 52), (206, 62, 130), (186, 84, 160), (238, 214, 186),
)  # fmt: skip
GREENS: tuple[Colour, ...] = ((74, 102, 52), (92, 112, 62), (58, 84, 54), (112, 118, 66), (84, 96, 74))


class Street:
    """A street that one drive follows, endless in length, made from the seed and the drive's number.

    Attributes:
        light: light and weather.
        hand: side of the road to keep to, 1 = right, -1 = left.
        road_half: metres from the middle of the road to its edge.
        parking: metres of parking lane, left and right; 0 = none.
        sidewalk: metres of pavement, left and right.
        altitude: of the camera, metres.
        horizon_share: row of the horizon, share of the height.
        focal_share: focal length, share of the width.
        camera_lateral: metres of the camera to the right of the road's middle.
        curvature: strongest bend of the road, 1 / metre.
        curve_metres: metres over which the bend changes.
        metres_a_frame: speed of the camera.
        junction_period: blocks from one junction to the next.
        junction_phase: number of the first block with a junction.
        frontage_weights: how often each of `things.FRONTAGES` lines the street.
        storeys: of a usual house.
        crowd: people expected on each side of a block.
        lush: 0 = few trees, 1 = many.
        bonnet: whether the filming car's bonnet is in the picture.
        lane_paint: whether the road has lane marks.
        paints: RGB colours of vehicles.
        facades: RGB colours of houses.
        barriers: RGB colours of walls and fences.
        glass: RGB colour of panes.
        crowns: pictures of tree crowns.
        tiles: pictures of the ground, in the order of `drawing.ZONES`.
        tile_means: their mean colours, (zones, 3) float32.
    """

    def __init__(self, seed: int, drive: int) -> None:
        """Chooses what the whole drive has in common."""
        self.entropy = (seed, drive)
        rng = self.random(0)
        self.light = light_of(rng)
        self.hand = 1 if rng.random() < 0.5 else -1
        self.road_half = rng.uniform(2.7, 4.2)
        self.parking = tuple(rng.choice((0.0, 0.0, 2.3), 2).tolist())
        self.sidewalk = tuple(rng.uniform(3.0, 6.0, 2).tolist())
        self.altitude = rng.uniform(1.5, 2.5)
        self.horizon_share = rng.uniform(0.4, 0.5)
        self.focal_share = rng.uniform(0.58, 0.78)
        self.camera_lateral = self.hand * self.road_half * rng.uniform(0.2, 0.8)
        self.curvature, self.curve_metres = rng.uniform(-0.016, 0.016), rng.uniform(40, 120)
        self.metres_a_frame = rng.uniform(4.0, 8.0)
        self.junction_period, self.junction_phase = rng.integers(4, 8), rng.integers(0, 4)
        self.frontage_weights = rng.dirichlet((3.0, 1.2, 1.2, 0.7, 0.5))
        self.storeys = rng.uniform(1.5, 5.0)
        self.crowd = rng.uniform(3.0, 5.0)
        self.lush = rng.uniform(0.2, 0.9)
        self.bonnet = rng.random() < 0.4
        self.lane_paint = rng.random() < 0.75
        self.paints, self.facades, self.barriers = (_worn(rng, colours) for colours in (PAINTS, FACADES, BARRIERS))
        self.glass: Colour = textures.shaded(
            ((62, 74, 86), (96, 116, 136), (48, 50, 54))[rng.integers(3)], rng.uniform(0.8, 1.2)
        )
        self.crowns = tuple(textures.foliage(rng, GREENS[rng.integers(len(GREENS))], pixels=128) for _ in range(4))
        self.tiles = self._ground_tiles(rng)
        self.tile_means = np.array([tile.mean(axis=(0, 1)) for tile in self.tiles], np.float32)

    def random(self, *key: int) -> np.random.Generator:
        """Returns the random numbers of one part of the street, the same every time."""
        return np.random.default_rng([*self.entropy, *key])

    def paint(self, rng: np.random.Generator) -> Colour:
        """Returns the colour of a vehicle."""
        return _pick(rng, self.paints)

    def facade(self, rng: np.random.Generator) -> Colour:
        """Returns the colour of a house."""
        return _pick(rng, self.facades)

    def barrier(self, rng: np.random.Generator) -> Colour:
        """Returns the colour of a wall or a fence."""
        return _pick(rng, self.barriers)

    def travelled(self, frame: int) -> float:
        """Returns the metres from the start of the drive to the camera."""
        return float(self.metres_a_frame * frame)

    def is_junction(self, block: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns whether a side street meets the street in each block."""
        met: NDArray[np.bool_] = block % self.junction_period == self.junction_phase
        return met

    def edges(self, positions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns where the ground changes at positions (n,) along the street: (n, 8) metres right of the middle.

        From the left: outer edge of the pavement, kerb, parking, road, parking, kerb, pavement's outer edge.
        """
        half = self.road_half + 0.25 * np.sin(positions / 17.0)
        (left_bay, right_bay), (left_walk, right_walk) = self.parking, self.sidewalk
        kerb = KERB_METRES
        steps = [-left_bay - kerb - left_walk, -left_bay - kerb, -left_bay, 0.0]
        left = [-half + step for step in steps]
        right = [half + step for step in (0.0, right_bay, right_bay + kerb, right_bay + kerb + right_walk)]
        stacked: NDArray[np.float32] = np.stack([*left, *right], axis=1).astype(np.float32)
        return stacked

    def edge(self, side: int, position: float) -> tuple[float, float, float]:
        """Returns middle of the parking lane, outer side of the kerb and outer edge of the pavement on one side."""
        edges = self.edges(np.array([position], np.float32))[0]
        road, bay, kerb, outer = edges[4:] if side > 0 else edges[3::-1]
        return float(road + bay) / 2, float(kerb), float(outer)

    def clothes(self, rng: np.random.Generator) -> tuple[Colour, Colour]:
        """Returns the colours of upper and lower clothes."""
        return _pick(rng, DYES), _pick(rng, DYES)

    def _ground_tiles(self, rng: np.random.Generator) -> tuple[Pixels, ...]:
        """Returns pictures of road, parking lane, kerb, pavement and the ground beyond."""
        road, walk = GROUNDS[rng.integers(len(GROUNDS))], PAVINGS[rng.integers(len(PAVINGS))]
        soil, grass = PAVINGS[rng.integers(len(PAVINGS))], GREENS[rng.integers(len(GREENS))]
        stripe = ((206, 180, 60), (200, 198, 192), (120, 118, 114))[rng.integers(3)]
        return (
            textures.asphalt(rng, road),
            textures.asphalt(rng, textures.shaded(road, rng.uniform(0.8, 1.2))),
            textures.kerb_stones(rng, (70, 70, 72), stripe),
            textures.slabs(rng, walk),
            textures.rough_ground(rng, soil, grass if rng.random() < 0.2 else textures.shaded(soil, 0.8)),
        )


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    """Returns one of the colours, a little lighter or darker."""
    return textures.shaded(colours[rng.integers(len(colours))], rng.uniform(0.85, 1.15))


def _worn(rng: np.random.Generator, colours: tuple[Colour, ...]) -> tuple[Colour, ...]:
    """Returns most of the colours, as they look in one town."""
    kept = rng.permutation(len(colours))[: max(3, len(colours) - 2)]
    return tuple(textures.shaded(colours[index], rng.uniform(0.85, 1.1)) for index in kept)


@lru_cache(maxsize=8)
def street_of(seed: int, drive: int) -> Street:
    """Returns the street of a drive."""
    return Street(seed, drive)
