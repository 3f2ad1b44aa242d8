"""Settings that Kedro reads."""

import os

import fsspec.config

from roadseg.configuration import ConfigurationLoader
from roadseg.datasets.catalog import RunCatalog
from roadseg.hooks.checkpoint import CheckpointHooks
from roadseg.hooks.continuation import ContinuationHooks
from roadseg.hooks.export import ExportHooks
from roadseg.hooks.hosts import HostHooks
from roadseg.hooks.parameters import ParameterHooks
from roadseg.hooks.provenance import ProvenanceHooks
from roadseg.hooks.report import ReportHooks
from roadseg.hooks.tensorboard import TensorBoardHooks
from roadseg.hooks.termination import TerminationHooks
from roadseg.hooks.versions import VersionHooks
from roadseg.session import RoadSegSession

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up messages would hide the run's own

for protocol in ("s3", "gs", "abfs"):  # other runs write into these stores, so a listing is soon out of date
    fsspec.config.conf.setdefault(protocol, {}).setdefault("use_listings_cache", False)

HOOKS = (
    ParameterHooks(),
    ProvenanceHooks(),
    VersionHooks(),
    ContinuationHooks(),
    ExportHooks(),
    TerminationHooks(),
    CheckpointHooks(),
    TensorBoardHooks(),
    ReportHooks(),
    HostHooks(),
)
SESSION_CLASS = RoadSegSession
DATA_CATALOG_CLASS = RunCatalog
CONFIG_LOADER_CLASS = ConfigurationLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},  # an environment changes single values; catalog entries stay whole
    "config_patterns": {"globals": ["globals*"]},  # Kedro would ignore globals.yaml without a message
}
