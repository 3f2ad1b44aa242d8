"""The prepare pipeline."""

from roadseg.pipelines.prepare.pipeline import create_pipeline

__all__ = ["create_pipeline"]
