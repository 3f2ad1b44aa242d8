"""The page of an exported model: its files, what they did in their runtimes beside Keras, and where it comes from."""

from collections.abc import Mapping
from typing import Any

from roadseg.reporting.page import render_page
from roadseg.reporting.proof_table import describe_calibration, tabulate_proof
from roadseg.scoring.differences import flatten_values
from roadseg.segnet.model_record import ModelRecord

SHOWN = {"keras", "runtimes", "unquantized", "files"}
"""Entries of a report that have a section of their own."""


def write_export_page(report: Mapping[str, Any], record: ModelRecord, origin: Mapping[str, Any]) -> str:
    """Returns the page, which needs no other file.

    Args:
        report: As the catalog's `export_report` holds it.
        record: Of the model.
        origin: `run`, `data_set`, `environment`, `commit`, `versions`, `parameters`, `packages` and `machine` of the
            export.
    """
    return render_page(
        "export.html.jinja",
        report=report,
        record=record.model_dump(mode="json"),
        origin=origin,
        proof=tabulate_proof(report),
        calibrated=describe_calibration(report),
        facts=flatten_values({name: found for name, found in report.items() if name not in SHOWN}),
        parameters=flatten_values(origin["parameters"]["export"]),
    )
