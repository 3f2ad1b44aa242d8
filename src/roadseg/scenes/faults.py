"""What can be wrong with a scene: if it can still be used, a fault is noted; if not, the fault says why."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """Kinds of faults; `docs/data.md` says what each means and what happens to the scene."""

    NO_ANNOTATION = "annotation missing"
    NO_OBJECTS = "no objects"
    ONLY_VOID = "only void"
    EMPTY_POLYGON = "empty polygon"
    SHORT_POLYGON = "polygon of one or two points"
    VERTEX_OUTSIDE = "vertex outside the frame"
    UNKNOWN_LABEL = "unknown label"
    OTHER_SIZE = "annotation of another size"
    IMAGE_MISSING = "image missing"
    IMAGE_BROKEN = "image broken"
    ANNOTATION_BROKEN = "annotation broken"
    TOO_LARGE = "too large"
    AMBIGUOUS = "more than one file"
    VIDEO_BROKEN = "video broken"
    NO_FRAMES = "no frames"
    WORKER_KILLED = "worker killed"


@dataclass(frozen=True)
class Fault:
    """One fault of one scene.

    Attributes:
        kind: What is wrong.
        detail: Where, or how much of it.
    """

    kind: FaultKind
    detail: str


class UnusableSceneError(Exception):
    """A scene that can't be used.

    Attributes:
        fault: Why.
    """

    def __init__(self, kind: FaultKind, detail: str) -> None:
        """Takes what is wrong with the scene."""
        super().__init__(f"{kind}: {detail}")
        self.fault = Fault(kind, detail)
