"""Whether a run can write and prove the files that it is asked to export."""

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline


class ExportHooks:
    """Refuses before any work an export for which a package, a backend or a version is missing."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Checks the options of an export; first, before MLflow begins a run.

        Raises:
            RoadSegError: If a file can't be written or proved with them.
        """
        if "exported_model" in pipeline.all_outputs():
            from roadseg.exporting.requirements import check_requirements  # brings Keras, for which only exports wait

            check_requirements(catalog.load("params:export"))
