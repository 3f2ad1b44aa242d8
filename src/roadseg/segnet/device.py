"""Where the network runs and how precisely: the device, the backend and the floating point type."""

import logging
from pathlib import Path
from typing import Literal

import keras
from pydantic import BaseModel

logger = logging.getLogger(__name__)

CPU_FEATURES = Path("/proc/cpuinfo")


class DeviceOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """What to compute on.

    Attributes:
        device: `auto` takes a GPU where one is visible.
        precision: `auto` takes bfloat16 where matrix units make it faster, else float32.
    """

    device: Literal["auto", "cpu", "gpu"]
    precision: Literal["auto", "float32", "bfloat16"]


def choose_device(options: DeviceOptions) -> tuple[str, str]:
    """Returns the name of the device and of the Keras dtype policy, and says so in the log.

    Raises:
        ValueError: If a GPU is asked for and none is visible to the backend.
    """
    gpus = _visible_gpus()
    if options.device == "gpu" and not gpus:
        raise ValueError(
            f"train.device is 'gpu' and the {keras.backend.backend()} backend sees none; "
            f"install the gpu extra and a driver, or set train.device to 'cpu' or 'auto'"
        )
    device = "gpu:0" if gpus and options.device != "cpu" else "cpu:0"
    precision = _fastest_precision(device) if options.precision == "auto" else options.precision
    logger.info("Backend %s, device %s, precision %s", keras.backend.backend(), device, precision)
    return device, "mixed_bfloat16" if precision == "bfloat16" else "float32"


def _visible_gpus() -> int:
    if keras.backend.backend() == "torch":  # which keras.distribution does not know
        import torch

        return int(torch.cuda.device_count())
    return len(keras.distribution.list_devices("gpu"))


def _fastest_precision(device: str) -> str:
    # On a CPU without AMX, bfloat16 is slower than float32.
    if device.startswith("gpu"):
        return "bfloat16"
    features = CPU_FEATURES.read_text() if CPU_FEATURES.exists() else ""
    return "bfloat16" if "amx_bf16" in features else "float32"
