"""Moves TensorBoard's log of a training to the store of the results."""

import shutil
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog


class TensorBoardHooks:
    """Moves TensorBoard's log of a run that has trained, which is written on the local disk, to `tensorboard_store`."""

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Moves it, unless the store is on the local disk."""
        _move(run_params["run_id"], catalog)

    @hook_impl
    def on_pipeline_error(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Moves what there is of it."""
        _move(run_params["run_id"], catalog)


def _move(run: str, catalog: DataCatalog) -> None:
    folder, store = (catalog[name].load() for name in ("tensorboard_folder", "tensorboard_store"))
    log = folder.on_disk / run
    if not store.is_local and log.exists():
        (store / run).take(log)
        shutil.rmtree(log)
