"""Where and how work on many scenes or pictures is done."""

import re
from typing import Annotated

from pydantic import BaseModel, Field, PositiveInt, field_validator

LOCAL = "local"
ADDRESS = re.compile(r"(tcp|tls)://[^\s/]+:\d+")


class WorkOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Who does the work.

    Attributes:
        in_flight: Scenes that are read and written at the same time where a store on another machine has them; on a
            cluster, by each thread of it.
        cluster: None are processes of this machine; `local` is a Dask cluster of this machine; else the address of the
            scheduler of a Dask cluster.
        wait_for_workers: Seconds after which a cluster without workers is given up, above 0.
    """

    in_flight: PositiveInt
    cluster: str | None
    wait_for_workers: Annotated[float, Field(gt=0, strict=False)]

    def choose_in_flight(self, is_remote: bool) -> int:
        """Returns how many scenes to read at the same time, from a store on another machine or from the disk."""
        return self.in_flight if is_remote else 1

    @field_validator("cluster")
    @classmethod
    def _check_cluster(cls, cluster: str | None) -> str | None:
        if cluster is None or cluster == LOCAL or ADDRESS.fullmatch(cluster):
            return cluster
        raise ValueError("expected null, local, or the address of a scheduler as tcp://HOST:PORT")
