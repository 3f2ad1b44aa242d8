"""What an export report says of Keras and of each runtime, as a table and as lines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from roadseg.reporting.numbers import UNDEFINED, write_score
from roadseg.scoring.differences import flatten_values

WRITERS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "version": ("version", str),
    "equal_pixels": ("pixels of the same class", lambda share: f"{100 * share:.4f} %"),
    "equal_tied_pixels": ("in images of one colour", lambda share: f"{100 * share:.4f} %"),
    "mean_iou": ("mean IoU", write_score),
    "mean_iou_difference": ("difference", lambda difference: f"{difference:+.6f}"),
    "milliseconds": ("ms per image", lambda milliseconds: f"{milliseconds:.1f}"),
}
"""Entry of a program in a report -> heading, and how its value is written; others are written as they are."""


@dataclass(frozen=True)
class ProofTable:
    """What was found in each program.

    Attributes:
        columns: Headings of all cells but the first, which is the name of the program.
        rows: Name of each program -> its cells.
    """

    columns: list[str]
    rows: dict[str, list[str]]


def tabulate_proof(report: Mapping[str, Any]) -> ProofTable:
    """Returns what was found in Keras and in each runtime, with its time as a multiple of that of Keras.

    Args:
        report: As the catalog's `export_report` holds it.
    """
    keras = {"Keras": flatten_values(report["keras"])}
    programs = keras | {name: flatten_values(found) for name, found in report["runtimes"].items()}
    programs |= {f"{name}, not quantised": flatten_values(found) for name, found in report["unquantized"].items()}
    entries = list(dict.fromkeys(entry for found in programs.values() for entry in found))
    columns = [WRITERS[each][0] if each in WRITERS else each.replace("_", " ") for each in entries]
    rows = {name: [_write(entry, found.get(entry)) for entry in entries] for name, found in programs.items()}
    unit = report["keras"]["milliseconds"]
    for name, found in programs.items():
        rows[name].append(f"{found['milliseconds'] / unit:.2f}")
    return ProofTable([*columns, "times Keras"], rows)


def describe_proof(report: Mapping[str, Any]) -> list[str]:
    """Returns a line for Keras and one per runtime: pixels of the same class, mean IoU and time.

    Args:
        report: As the catalog's `export_report` holds it.
    """
    return [
        f"{name} {found['version']}: {_write('equal_pixels', found['equal_pixels'])} of the pixels have the same "
        f"class, mean IoU {_write('mean_iou', found['mean_iou'])}, "
        f"{_write('milliseconds', found['milliseconds'])} milliseconds per image"
        for name, found in {"keras": report["keras"], **report["runtimes"]}.items()
    ]


def describe_calibration(report: Mapping[str, Any]) -> str | None:
    """Returns the sentence that says how the file in int8 was quantised; None if none is.

    Args:
        report: As the catalog's `export_report` holds it; those of older programs lack it.
    """
    for file in report["files"].values():
        if found := file.get("calibration"):
            count = len(found["scenes"])
            scenes = f"{count} training scene{'s' if count != 1 else ''}"
            ends = "; its first and its last convolution are in float32" if found["float_ends"] else ""
            return f"The file in int8 was calibrated with {scenes}, by the method {found['method']}{ends}."
    return None


def _write(entry: str, value: Any) -> str:
    if value is None:
        return UNDEFINED
    return WRITERS[entry][1](value) if entry in WRITERS else str(value)
