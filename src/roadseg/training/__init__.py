"""How a SegNet learns.

Importing it registers the layers and everything else that a compiled model may contain.
"""

import roadseg.segnet  # noqa: F401 - starts Keras
from roadseg.training import losses, metric, optimizer, schedule

__all__ = ["losses", "metric", "optimizer", "schedule"]
