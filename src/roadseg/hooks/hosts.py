"""Brings the hosts of a training together before it begins."""

import json
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline.node import Node

from roadseg.meeting import Meeting

TRAINING = "training"
"""Name of what host 0 tells the others then: its run, and the versions that it reads."""


class HostHooks:
    """Brings all hosts of a training together before it begins."""

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog, run_id: str) -> None:
        """Host 0 tells the others with which versions it begins; all wait until each has loaded them."""
        if (meeting := Meeting.current) is None or node.short_name != "train_segnet":
            return
        if meeting.hosts.is_first:
            meeting.say(TRAINING, json.dumps({"run": run_id, "versions": _list_versions(node, catalog)}))
        meeting.gather("loaded", "")
        meeting.watch()


def _list_versions(node: Node, catalog: DataCatalog) -> dict[str, str | None]:
    """Returns the version that each versioned input of a node has."""
    datasets: dict[str, Any] = {name: catalog[name] for name in node.inputs}
    return {
        name: dataset.resolve_load_version()
        for name, dataset in datasets.items()
        if isinstance(dataset, AbstractVersionedDataset) and dataset._version is not None
    }
