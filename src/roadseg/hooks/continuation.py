"""Which training a run continues: chosen at its start, by `train.continue_from`."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from roadseg.errors import InputError
from roadseg.runs.listing import LATEST, choose_id


class ContinuationHooks:
    """Tells the data set `continued_training` which one it is, and refuses before any work what can't be continued."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Looks for the model that `train.continue_from` names; first, before MLflow begins a run.

        Raises:
            InputError: If there is none, or its training can't be continued with the parameters of this run.
        """
        if "continued_training" not in pipeline.inputs():
            return
        continued: Any = catalog["continued_training"]
        options = catalog.load("params:train")
        if options.continue_from is None:
            continued.tell(None)
            return
        models: Any = catalog["segnet_model"]
        training = models.read_training(choose_version(models, options.continue_from))
        is_trial = catalog.load("params:scenes").limit is not None
        network_options, seed = catalog.load("params:network"), catalog.load("params:seed")
        training.check(options.shortened() if is_trial else options, network_options, seed.root)
        continued.tell(training)


def choose_version(models: Any, name: str) -> str:
    """Returns the version of the model that a name means.

    Args:
        models: The versioned data set of the models.
        name: Its id, the start of it that no other has, or `latest`.

    Raises:
        InputError: If there is no such model, or more than one.
    """
    versions = models.list_versions(full_path=False)
    if name == LATEST:
        versions = [each for each in versions if not models.read_record(each).training.is_interrupted]
        name = versions[0] if versions else name
    if not versions:
        raise InputError(f"train.continue_from: there is no model to continue in '{models.path_of(None)}'")
    try:
        return choose_id(versions, name, "model")
    except InputError as fault:
        raise InputError(f"train.continue_from: {fault}") from fault
