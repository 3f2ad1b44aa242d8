"""Which versions are kept when old ones are removed: the newest, and all that a kept version was made from."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog
from pydantic import ValidationError

from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.datasets.provenance import Provenance
from roadseg.datasets.versioned_folder import VersionedFolderDataset
from roadseg.errors import InputError
from roadseg.reading.whole_file import is_object_store

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=1)
"""Files in a store that were written within this time are kept, also unfinished ones: a run may still need them."""

Versions = Mapping[str, Sequence[str]]
"""Name of a data set -> its versions, newest first."""


def _named_by_scores(dataset: Any, version: str) -> Mapping[str, str]:
    content = dataset._fs.cat_file(str(dataset._get_versioned_path(version)))
    return Provenance.model_validate_json(content).versions


def _named_by_model(dataset: Any, version: str) -> dict[str, str]:
    return {name: each.version for name, each in dataset.read_record(version).learnt_from.items()}


NAMED_BY: dict[str, Callable[[Any, str], Mapping[str, str]]] = {
    "scores": _named_by_scores,
    "segnet_model": _named_by_model,
}
"""Data sets whose versions name versions of others, each before those that it names."""


def prune_versions(catalog: DataCatalog, keep: int) -> None:
    """Removes old versions of each versioned data set, then the prepared scenes in the stores that none names any more.

    Unfinished files of killed runs are removed too.

    All that is kept is read before anything is removed. What names a version is removed before that version, and
    manifests before the files that they name: so after a kill nothing names missing files, and the next pruning goes
    on.

    Args:
        catalog: The data sets.
        keep: How many of the newest versions of each stay, at least 1; what these were made from stays as well.

    Raises:
        InputError: If a version that stays does not say what it was made from, or a model can't be read.
    """
    datasets: dict[str, Any] = {
        name: each
        for name in catalog
        if isinstance(each := catalog[name], AbstractVersionedDataset) and each._version is not None
    }
    stores = {name: each for name, each in datasets.items() if isinstance(each, PreparedScenesDataset)}
    there = {name: each.list_versions(full_path=False) for name, each in datasets.items()}
    kept = choose_kept(datasets, there, keep)
    _read_manifests(stores, kept)  # a broken one stops here, before anything is removed
    gone = {name: [version for version in versions if version not in kept[name]] for name, versions in there.items()}
    for name in sorted(datasets, key=lambda name: [*NAMED_BY, name].index(name)):
        for version in gone[name]:
            _remove_version(datasets[name], version)
        _remove_half_written(datasets[name], datetime.now(UTC) - KEPT_FOR)
    named = _read_manifests(stores, {name: each.list_versions(full_path=False) for name, each in stores.items()})
    swept = {name: each.prune_store(named, datetime.now(UTC) - KEPT_FOR) for name, each in stores.items()}
    for name in datasets:
        logger.info("%s: %s", name, _describe(len(gone[name]), len(there[name]), *swept.get(name, (0, 0))))


def choose_kept(datasets: Mapping[str, Any], there: Versions, keep: int) -> dict[str, set[str]]:
    """Returns the versions of each data set that stay.

    Args:
        datasets: The versioned data sets.
        there: Their versions.
        keep: How many of the newest stay; a version that one of these names, directly or not, stays as well.

    Raises:
        InputError: If a version that stays does not say what it was made from, or a model can't be read.
    """
    kept = {name: set(versions[:keep]) for name, versions in there.items()}
    unread = [(name, version) for name, versions in kept.items() for version in versions]
    while unread:
        for name, version in _read_named(datasets, *unread.pop()).items():
            if version in there.get(name, ()) and version not in kept[name]:
                kept[name].add(version)
                unread.append((name, version))
    return kept


def _read_named(datasets: Mapping[str, Any], name: str, version: str) -> Mapping[str, str]:
    if name not in NAMED_BY:
        return {}
    try:
        return NAMED_BY[name](datasets[name], version)
    except ValidationError as fault:
        path = datasets[name]._get_versioned_path(version)
        raise InputError(f"'{path}' is kept, but does not name the versions it was made from") from fault


def _read_manifests(stores: Mapping[str, PreparedScenesDataset], versions: Mapping[str, Iterable[str]]) -> set[str]:
    return {scene for name, each in stores.items() for version in versions[name] for scene in each.read_names(version)}


def _remove_version(dataset: Any, version: str) -> None:
    if isinstance(dataset, VersionedFolderDataset):
        dataset.discount(version)
    dataset._fs.rm(str(dataset._filepath / version), recursive=True)


def _remove_half_written(dataset: Any, before: datetime) -> None:
    if isinstance(dataset, VersionedFolderDataset):
        dataset.remove_half_written(before)
    if is_object_store(dataset._fs):
        return  # a file there is never half written
    for path in dataset._fs.glob(f"{dataset._filepath}/*/*.part"):
        if dataset._fs.modified(path) < before:
            dataset._fs.rm_file(path)
            if not dataset._fs.ls(dataset._fs._parent(path)):
                dataset._fs.rmdir(dataset._fs._parent(path))


def _describe(gone: int, there: int, files: int, size: int) -> str:
    parts = [f"{gone} of {there} versions removed"] if gone else []
    parts += [f"{files} files of the store removed, {size / 1e6:.1f} MB"] if files else []
    return ", ".join(parts) or "nothing to remove"
