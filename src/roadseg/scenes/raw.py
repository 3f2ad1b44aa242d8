"""Raw scenes: what a reader of a data set offers, whatever its layout on disk."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, PositiveInt

from roadseg.scenes.faults import Fault


class SceneOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Which scenes of a data set are used.

    Attributes:
        limit: At most so many scenes, spread over the drives, to try a data set; None uses all.
    """

    limit: PositiveInt | None


@dataclass(frozen=True)
class Scene:
    """One frame of a drive.

    Attributes:
        image: (height, width, 3) uint8, RGB; of `size`, or smaller where it was shrunk while it was decoded.
        label_map: (height, width) integer, raw ids, of a size of its own; None where the scene has no labels.
        raw_names: Name of each raw id.
        size: (height, width) in pixels of the raw image.
        faults: What is wrong with the scene, though it can be used.
        unnamed: What raw ids without a name are, where there is more to say than the id.
    """

    image: NDArray[np.uint8]
    label_map: NDArray[np.integer] | None
    raw_names: Mapping[int, str]
    size: tuple[int, int]
    faults: tuple[Fault, ...] = ()
    unnamed: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """What is known of a scene without reading it.

    Attributes:
        drive: Name of the drive; frames of one drive are almost equal and belong in one split.
        published_split: `train`, `validation` or `test` as the data set's authors split it; None if they did not.
        fingerprint: Text that changes when the scene's content does; cheap, so usually sizes and modification times.
    """

    drive: str
    published_split: str | None
    fingerprint: str


class RawScenes(Mapping[str, Scene], ABC):
    """A data set on disk: scene id -> scene, read when asked for.

    Attributes:
        records: Record of each scene, in the order of the scene ids.
        is_remote: Whether reading a scene waits for the answers of another machine.
        is_shared: Whether other processes can read the scenes.
    """

    records: Mapping[str, SceneRecord]
    is_remote: bool = False
    is_shared: bool = True

    @abstractmethod
    def read(self, scene: str, least: tuple[int, int] | None) -> Scene:
        """Returns the scene, read from disk.

        Args:
            scene: Its id.
            least: (height, width) in pixels that the image must keep where a faster decoder shrinks it; None keeps all.

        Raises:
            UnusableSceneError: If the scene can't be used.
        """

    def __getitem__(self, scene: str) -> Scene:
        """Returns the scene, read from disk, its image as large as it is."""
        return self.read(scene, None)

    def __contains__(self, scene: object) -> bool:
        """Returns whether there is such a scene, without reading it."""
        return scene in self.records

    def __iter__(self) -> Iterator[str]:
        """Iterates over the scene ids."""
        return iter(self.records)

    def __len__(self) -> int:
        """Returns the number of scenes."""
        return len(self.records)


def select_scenes(records: Mapping[str, SceneRecord], limit: int | None) -> list[str]:
    """Returns the ids of at most `limit` scenes, sorted: every published split and drive gets its turn.

    The splits take turns, so that a limit below the number of drives leaves none of them without scenes.
    Within a drive the scenes are evenly spaced, so that a small selection is not one frame and its neighbours.
    """
    if limit is None or limit >= len(records):
        return sorted(records)
    groups = defaultdict(list)
    for scene, record in sorted(records.items()):
        groups[record.published_split or "", record.drive].append(scene)
    splits = [list(members) for _, members in groupby(sorted(groups), key=itemgetter(0))]
    turns = [group for row in zip_longest(*splits) for group in row if group]
    shares = dict.fromkeys(groups, 0)
    while limit > 0:
        for group in turns:
            if limit > 0 and shares[group] < len(groups[group]):
                shares[group] += 1
                limit -= 1
    picks = (groups[group][i * len(groups[group]) // share] for group, share in shares.items() for i in range(share))
    return sorted(picks)
