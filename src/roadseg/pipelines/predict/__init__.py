"""The predict pipeline."""

from roadseg.pipelines.predict.pipeline import create_pipeline

__all__ = ["create_pipeline"]
