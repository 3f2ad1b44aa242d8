"""Removes the checkpoint of a training, once the run is over."""

from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

if TYPE_CHECKING:
    from roadseg.segnet.model_record import ModelRecord  # brings Keras


class CheckpointHooks:
    """Removes the checkpoint of a training, once the whole run that it is part of is over."""

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Starts with nothing trained."""
        self._record: ModelRecord | None = None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Notes what the run has trained."""
        if dataset_name == "segnet_model":
            self._record = data.record

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Removes it, unless the training was interrupted."""
        if self._record is None or self._record.training.is_interrupted:
            return
        from roadseg.training.checkpoint import remove_checkpoint  # Keras is there: this run has trained

        checkpoint = catalog["training_state"].load().on_disk / self._record.state
        if checkpoint.exists():
            remove_checkpoint(checkpoint)
