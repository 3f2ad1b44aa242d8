"""The train pipeline."""

from roadseg.pipelines.train.pipeline import create_pipeline

__all__ = ["create_pipeline"]
