"""Decoded scenes in a file, for devices that train faster than a processor decodes."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import InputError

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def name_cache(host: int) -> str:
    """Returns the name of the cache file of a host, counted from 0; hosts may share the folder."""
    return f"cache{host or ''}.npy"


class PairReader(Protocol):
    """What hands out images and label maps by scene id."""

    def read_pair(self, scene: str) -> Pair:
        """Returns the image (height, width, 3) and the label map (height, width) of a scene."""
        ...


class CachedPairs:
    """Pairs that are decoded once; then they are read from a file, which the system keeps in memory if it can.

    The file takes four bytes per pixel of a scene. Each training writes it again, whatever an earlier one left in it.
    """

    def __init__(self, scenes: PairReader, ids: Sequence[str], image_size: tuple[int, int], path: Path) -> None:
        """Takes the scenes, the ids of those to keep, their (height, width), and the file.

        Raises:
            InputError: If the disk lacks the space; a file that can't grow would end the program without a message.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # a process that still has it open keeps its own
        needed, free = 4 * len(ids) * math.prod(image_size), shutil.disk_usage(path.parent).free
        if needed > free:
            raise InputError(
                f"train.cache needs {needed / 1e6:.0f} MB in '{path.parent}', but the disk has {free / 1e6:.0f} MB left"
            )
        self._scenes = scenes
        self._rows = {scene: row for row, scene in enumerate(ids)}
        self._is_kept = np.zeros(len(ids), bool)
        self._pixels = np.lib.format.open_memmap(path, "w+", np.uint8, (len(ids), *image_size, 4))

    def read_pair(self, scene: str) -> Pair:
        """Returns the image (height, width, 3) and the label map (height, width) of a scene, both uint8."""
        row = self._rows[scene]
        pixels = self._pixels[row]
        if not self._is_kept[row]:
            pixels[..., :3], pixels[..., 3] = self._scenes.read_pair(scene)
            self._is_kept[row] = True  # last: two threads may read one scene, and then write the same
        return np.array(pixels[..., :3]), np.array(pixels[..., 3])
