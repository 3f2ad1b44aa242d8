"""Tells the data sets `provenance`, `model_record` and `model_history` of which run and which models they speak."""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

from roadseg.runs.surroundings import find_commit


class ProvenanceHooks:
    """Tells the data sets `provenance`, `model_record` and `model_history` of which run and which models they speak."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remembers the project, the environment and the parameters as they were given."""
        self._project, self._environment = context.project_path, context.env or ""
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, save_version: str) -> None:
        """Binds them to the catalog of the run."""
        commit, is_dirty = find_commit(self._project)
        provenance: Any = catalog["provenance"]
        provenance.bind(
            catalog,
            run=save_version,
            environment=self._environment,
            commit=f"{commit}+" if is_dirty else commit,
            parameters=self._parameters,
        )
        for name in ("model_record", "model_history"):
            of_model: Any = catalog[name]
            of_model.bind(catalog)
