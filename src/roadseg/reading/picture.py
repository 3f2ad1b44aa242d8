"""A picture to be predicted, of any kind and size."""

import posixpath
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError
from roadseg.reading.images import read_image
from roadseg.reading.source_file import SourceFile
from roadseg.scenes.faults import FaultKind, UnusableSceneError

LARGEST_PICTURE = 2**27
"""Most pixels of a picture: 11,585 x 11,585 or 400 MB decoded, of which several are in memory at once."""

LONGEST_SIDE = 65_500
"""Most pixels of its height or width: what a JPEG file can hold, as which overlays are saved."""

PIXEL_BYTES = 8
"""Most bytes of a pixel in a file, four channels of 16 bits that are not compressed; a longer file is not opened."""


@dataclass(frozen=True)
class Picture(SourceFile):
    """An image file that was found and not opened yet."""

    @property
    def drive(self) -> str:
        """The folder part of the name, empty at the top of the source."""
        return posixpath.dirname(self.name)

    def read(self) -> NDArray[np.uint8]:
        """Returns the picture, turned as its orientation tag says, as it is read for a training.

        Transparency is ignored: pixels have the colour that the file holds. Only of a TIFF they are the darker the more
        transparent they are, as OpenCV reads it.

        Returns:
            (height, width, 3) uint8, RGB.

        Raises:
            UnusableSceneError: If the file is missing, may not be read, is broken or too large, or memory does not
                hold it; its detail names the file without its folder.
        """
        size = self.count_bytes(FaultKind.IMAGE_BROKEN)
        if size > LARGEST_PICTURE * PIXEL_BYTES:
            most = LARGEST_PICTURE * PIXEL_BYTES
            detail = f"'{self.path.name}' has {size} bytes; at most {most} can be read"
            raise UnusableSceneError(FaultKind.TOO_LARGE, detail)
        try:
            return read_image(self.path, largest=LARGEST_PICTURE, longest=LONGEST_SIDE)[0]
        except UnusableSceneError as fault:
            raise UnusableSceneError(fault.fault.kind, self._drop_folder(fault.fault.detail)) from fault
        except FileError as fault:
            raise UnusableSceneError(FaultKind.IMAGE_BROKEN, self._drop_folder(str(fault))) from fault
        except MemoryError as fault:
            raise UnusableSceneError(FaultKind.TOO_LARGE, self._drop_folder(str(fault))) from fault

    def _drop_folder(self, detail: str) -> str:
        return detail.replace(f"'{self.path}'", f"'{self.path.name}'")
