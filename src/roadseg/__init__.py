"""RoadSeg: annotated driving scenes in, a trained and honestly measured SegNet out."""

__version__ = "0.1.0"
