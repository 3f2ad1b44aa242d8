"""The seed: one number; with it, everything random in a run can be repeated."""

from typing import Annotated

from pydantic import Field, RootModel


class Seed(RootModel[Annotated[int, Field(ge=0, lt=2**32)]], frozen=True, strict=True):
    """The seed of the split, the weights, the order of the scenes and their augmentation, and of the intervals.

    Attributes:
        root: From 0, below 2 to the power of 32: NumPy, which Keras seeds too, takes no other.
    """

    def __str__(self) -> str:
        """Returns the number alone, as it is written in YAML."""
        return str(self.root)
