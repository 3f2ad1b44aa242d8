"""A camera above the ground and the canvas behind it: shapes in metres become pixels and labels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.drawing.shapes import Shape

NEAREST = 0.7  # metres; what is nearer or behind is pressed onto this plane, outside the picture
SUBPIXEL_BITS = 4
FARTHEST_PIXEL = 9000  # OpenCV's fixed point numbers overflow far outside the picture


@dataclass(frozen=True)
class Camera:
    """A level pinhole camera over a curved street.

    Attributes:
        size: (height, width) of the picture in pixels.
        focal: focal length in pixels.
        horizon: row of the horizon in pixels.
        altitude: height above the ground in metres.
        lateral: metres to the right of the middle of the road.
        curvature: of the road, 1 / metre, positive to the right.
    """

    size: tuple[int, int]
    focal: float
    horizon: float
    altitude: float
    lateral: float
    curvature: float

    def project(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns (column, row) of points (..., 3): metres right of the road's middle, up, and ahead."""
        ahead = np.maximum(points[..., 2], NEAREST)
        sideways = points[..., 0] - self.lateral + self.bend(ahead)
        columns = self.size[1] / 2 + self.focal * sideways / ahead
        rows = self.horizon + self.focal * (self.altitude - points[..., 1]) / ahead
        return np.stack([columns, rows], axis=-1).astype(np.float32)

    def bend(self, ahead: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns how far to the right, in metres, the road has turned at that distance."""
        turned: NDArray[np.float32] = 0.5 * self.curvature * ahead**2
        return turned

    def ground(self) -> tuple[int, NDArray[np.float32], NDArray[np.float32]]:
        """Returns the first row below the horizon, (rows, 1) metres ahead and (rows, width) metres to the right."""
        height, width = self.size
        first = int(np.floor(self.horizon)) + 1
        below = np.arange(first, height, dtype=np.float32)[:, None] - self.horizon
        ahead = np.float32(self.focal * self.altitude) / np.maximum(below, 0.5)
        columns = np.arange(width, dtype=np.float32) - width / 2
        lateral = columns * (ahead / self.focal) + self.lateral - self.bend(ahead)
        return first, ahead.astype(np.float32), lateral.astype(np.float32)


@dataclass(frozen=True)
class Air:
    """How light falls on faces and fades with distance.

    Attributes:
        shades: brightness of a face by `Facing`, (5,) float32.
        haze_colour: RGB, 0..255, (3,) float32.
        haze_distance: metres after which 63 % of a colour is haze.
    """

    shades: NDArray[np.float32]
    haze_colour: NDArray[np.float32]
    haze_distance: float

    def clearness(self, ahead: float) -> float:
        """Returns the share of an object's own colour that reaches the camera, 0..1."""
        return float(np.exp(-max(ahead, 0.0) / self.haze_distance))


class Canvas:
    """Pixels and labels that are painted over from far to near.

    Attributes:
        layers: (height, width, 4) uint8: red, green, blue, raw class id, so that one fill paints picture and label.
    """

    def __init__(self, camera: Camera, air: Air) -> None:
        """Starts with an empty canvas: all zero."""
        self.camera = camera
        self.air = air
        self.layers: NDArray[np.uint8] = np.zeros((*camera.size, 4), np.uint8)

    def paint(self, shape: Shape, lateral: float, ahead: float) -> None:
        """Paints a shape that stands at `lateral` metres right of the road's middle, `ahead` metres away."""
        corners = self.camera.project(shape.points + np.array([lateral, 0, ahead], np.float32))
        fixed = _fixed_point(corners)
        colours = self._seen(shape.colours * self.air.shades[shape.facings][:, None], ahead).tolist()
        for index, (first, last) in enumerate(shape.spans):
            if cv2.contourArea(corners[first:last], oriented=True) <= 0:
                continue
            texture = shape.textures[index]
            if texture is None:
                colour = (*colours[index], shape.class_ids[index])
                cv2.fillPoly(self.layers, [fixed[first:last]], colour, cv2.LINE_8, SUBPIXEL_BITS)
            else:
                shade = self.air.shades[shape.facings[index]]
                self._paste(texture, corners[first:last], shape.class_ids[index], shade=shade, ahead=ahead)

    def _seen(self, colours: NDArray[np.float32], ahead: float) -> NDArray[np.float32]:
        """Returns lit colours (..., 3) as they look through that many metres of air, 0..255."""
        clearness = np.float32(self.air.clearness(ahead))
        seen: NDArray[np.float32] = clearness * np.minimum(colours, 255) + (1 - clearness) * self.air.haze_colour
        return seen

    def _paste(
        self, texture: NDArray[np.uint8], face: NDArray[np.float32], class_id: int, *, shade: np.float32, ahead: float
    ) -> None:
        """Paints a picture (height, width, 4) uint8 RGBA over four corners; where it is clear, all stays as it was."""
        height, width = self.camera.size
        left, top = np.maximum(np.floor(face.min(axis=0)), 0).astype(int).tolist()
        right, bottom = np.minimum(np.ceil(face.max(axis=0)) + 1, (width, height)).astype(int).tolist()
        if right <= left or bottom <= top:
            return
        texture = _coarsened(texture, float(np.ptp(face[:, 1])))
        rows, columns = texture.shape[:2]
        tones = np.repeat(np.arange(256, dtype=np.float32)[:, None], 4, axis=1)
        tones[:, :3] = self._seen(tones[:, :3] * shade, ahead)
        lit = cv2.LUT(texture, tones.astype(np.uint8)[None])
        source = np.array([(0, rows), (0, 0), (columns, 0), (columns, rows)], np.float32)
        transform = cv2.getPerspectiveTransform(source, face - np.array([left, top], np.float32))
        patch = cv2.warpPerspective(
            lit, transform, (right - left, bottom - top), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        seen = patch[..., 3] // 128
        outline = np.zeros_like(seen)
        cv2.fillPoly(outline, [_fixed_point(face - np.array([left, top], np.float32))], 1, cv2.LINE_8, SUBPIXEL_BITS)
        patch[..., 3] = class_id
        cv2.copyTo(patch, seen * outline, self.layers[top:bottom, left:right])


def _fixed_point(corners: NDArray[np.float32]) -> NDArray[np.int32]:
    """Returns (column, row) in the fixed point numbers that OpenCV fills polygons with."""
    limited = np.minimum(np.maximum(corners, -FARTHEST_PIXEL), FARTHEST_PIXEL)
    fixed: NDArray[np.int32] = np.rint(limited * 2**SUBPIXEL_BITS).astype(np.int32)
    return fixed


def _coarsened(texture: NDArray[np.uint8], wanted_rows: float) -> NDArray[np.uint8]:
    """Returns the texture halved until it is less than twice as high as wanted, so that it does not flicker."""
    while texture.shape[0] > 2 * max(wanted_rows, 4) and min(texture.shape[:2]) > 8:
        texture = np.asarray(cv2.pyrDown(texture), np.uint8)
    return texture
