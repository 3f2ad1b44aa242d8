"""A progress bar over work that is given back step by step."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Step = TypeVar("Step")


def show_progress(steps: Iterable[Step], total: int | None, unit: str) -> Iterator[Step]:
    """Yields the steps of some work, and shows on standard error how many are done.

    Args:
        steps: The work.
        total: Number of steps; None where it is not known.
        unit: What a step is, in the plural.
    """
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, speed="")
        for step in steps:
            yield step
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, speed=f"{speed:.0f} {unit}/s" if speed else "")
