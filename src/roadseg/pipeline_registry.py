"""The pipelines that `kedro run` knows."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Returns prepare, train and evaluate, each under its name, and all three as the default.

    Raises:
        ValueError: If Keras can't start, which training and scoring need.
    """
    try:
        pipelines = find_pipelines(raise_errors=True)
    except ImportError as fault:  # Kedro's message is the traceback of what it was raised from
        raise fault.__cause__ or fault from None
    pipelines["__default__"] = sum(pipelines.values(), Pipeline([]))
    return pipelines
