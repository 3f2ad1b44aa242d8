"""Light and weather of a drive: sun, sky, haze, rain, exposure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadseg.drawing.textures import Colour, shaded


@dataclass(frozen=True)
class Light:
    """Light and weather of a drive.

    Attributes:
        sun: metres right and ahead that a shadow reaches, for each metre of height.
        shadow: share of the light that a shadow takes, 0..1.
        exposure: factor of all brightness.
        cast: factor of red, green, blue, (3,) float32.
        sky_top: RGB overhead.
        sky_low: RGB at the horizon, which is the haze as well.
        clouds: 0 = clear, 1 = broken.
        haze_distance: metres after which 63 % of a colour is haze.
        wetness: share of the road's brightness that mirrors what stands behind it, 0..1.
        noise: of the sensor, standard deviation in grey levels.
    """

    sun: tuple[float, float]
    shadow: float
    exposure: float
    cast: NDArray[np.float32]
    sky_top: Colour
    sky_low: Colour
    clouds: float
    haze_distance: float
    wetness: float
    noise: float


SKIES: tuple[tuple[Colour, Colour, float], ...] = (  # overhead, at the horizon, shadow
    ((96, 148, 214), (196, 214, 232), 0.42),
    ((122, 160, 200), (214, 216, 214), 0.36),
    ((168, 172, 178), (196, 198, 200), 0.10),
    ((150, 156, 166), (182, 184, 188), 0.06),
    ((108, 112, 146), (232, 178, 132), 0.30),
    ((196, 190, 176), (214, 202, 182), 0.20),
)


def light_of(rng: np.random.Generator) -> Light:
    """Returns a drive's light: clear, hazy, overcast, rain or dusk."""
    sky_top, sky_low, shadow = SKIES[rng.integers(len(SKIES))]
    side = 1 if rng.random() < 0.5 else -1
    return Light(
        sun=(side * rng.uniform(0.25, 0.9), rng.uniform(-0.4, 0.5)),
        shadow=shadow * rng.uniform(0.8, 1.2),
        exposure=rng.uniform(0.88, 1.12),
        cast=np.exp(rng.uniform(-0.4, 0.4, 3)).astype(np.float32),
        sky_top=shaded(sky_top, rng.uniform(0.85, 1.1)),
        sky_low=shaded(sky_low, rng.uniform(0.85, 1.1)),
        clouds=rng.uniform(0.1, 1.0),
        haze_distance=rng.uniform(110, 320),
        wetness=rng.uniform(0.1, 0.3) if shadow < 0.15 and rng.random() < 0.6 else 0.0,
        noise=rng.uniform(2.0, 4.0),
    )
