"""Settings that Kedro reads."""

import os

from roadseg.datasets.catalog import RunCatalog
from roadseg.hooks import (
    ParameterHooks,
    ProvenanceHooks,
    ReportHooks,
    TrainingStateHooks,
    VersionHooks,
)
from roadseg.session import RoadSegSession

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up messages drown the run's own

HOOKS = (
    ParameterHooks(),
    ProvenanceHooks(),
    VersionHooks(),
    TrainingStateHooks(),
    ReportHooks(),
)
SESSION_CLASS = RoadSegSession
DATA_CATALOG_CLASS = RunCatalog
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},  # an environment changes single values; catalog entries stay whole
}
