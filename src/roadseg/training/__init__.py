"""How a SegNet learns.

Importing it registers, beside the layers, all that a compiled model may hold.
"""

import roadseg.segnet  # noqa: F401 - starts Keras
from roadseg.training import losses, metric, optimizer, schedule

__all__ = ["losses", "metric", "optimizer", "schedule"]
