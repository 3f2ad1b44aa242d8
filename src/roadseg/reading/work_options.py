"""Where and how work on many scenes or pictures is done."""

from pydantic import BaseModel, PositiveInt


class WorkOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Who does the work.

    Attributes:
        in_flight: Scenes that are read and written at the same time where a store on another machine has them.
    """

    in_flight: PositiveInt
