"""How a trained SegNet gets to other runtimes."""

import roadseg.segnet  # noqa: F401 - starts Keras
