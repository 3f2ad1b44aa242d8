"""The export pipeline."""

from roadseg.pipelines.export.pipeline import create_pipeline

__all__ = ["create_pipeline"]
