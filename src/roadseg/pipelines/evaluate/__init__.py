"""The evaluate pipeline."""

from roadseg.pipelines.evaluate.pipeline import create_pipeline

__all__ = ["create_pipeline"]
