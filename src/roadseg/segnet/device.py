"""Where the network computes and how: devices, floating point type, and whether XLA compiles the whole step."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
from pydantic import BaseModel, PositiveInt

from roadseg.errors import InputError
from roadseg.segnet.backend import (
    TRAITS,
    Capability,
    count_cpus,
    find_gpus,
    find_host,
    name_backend,
    name_devices,
    sharing_batches,
)

logger = logging.getLogger(__name__)

CPU_FEATURES = Path("/proc/cpuinfo")

Device = Literal["auto", "cpu", "gpu"]

Precision = Literal["auto", "float32", "bfloat16"]

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
"""Keras' dtype policy for each precision."""

FIRST_WITH_BFLOAT16: Capability = (8, 0)


class DeviceOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """What to compute on, and how.

    Attributes:
        device: `auto` takes a GPU where one is visible.
        devices: How many devices of that kind share each batch; where several hosts do, on each of them.
        precision: `auto` takes bfloat16 where the hardware makes it faster, else float32.
        jit_compile: Whether XLA, with PyTorch torch.compile, compiles the whole step; `auto` lets XLA do so on JAX and
            on one GPU with TensorFlow.
    """

    device: Device
    devices: PositiveInt
    precision: Precision
    jit_compile: Literal["auto"] | bool


@dataclass(frozen=True)
class Placement:
    """Where and how a network computes.

    Attributes:
        devices: Keras' names of the devices that share each batch, such as `gpu:0`; of several hosts, host by host.
        policy: Name of a Keras dtype policy.
        jit_compile: Whether the whole step is compiled.
        host: Number of this host among those that train together, from 0.
        hosts: How many these are.
    """

    devices: tuple[str, ...]
    policy: str
    jit_compile: bool
    host: int = 0
    hosts: int = 1


def choose_placement(options: DeviceOptions) -> Placement:
    """Returns where and how to compute on this machine, and says so in the log.

    Raises:
        InputError: If the backend sees no GPU or too few devices, or if several devices are asked for on PyTorch, or on
            TensorFlow with XLA.
    """
    backend = name_backend()
    traits = TRAITS[backend]
    gpus = [] if options.device == "cpu" else find_gpus()
    if options.device == "gpu" and not gpus:
        raise InputError(
            f"train.device is 'gpu', but the {backend} backend sees no GPU; install a driver and the backend's "
            f"GPU build (of TensorFlow: the gpu extra), or set train.device to 'cpu' or 'auto'"
        )
    kind, visible = ("gpu", len(gpus)) if gpus else ("cpu", count_cpus())
    if options.devices > visible:
        raise InputError(
            f"train.devices is {options.devices}, but the {backend} backend sees {visible} of kind '{kind}'"
        )
    host, hosts = find_host()
    devices = name_devices(kind, options.devices)
    if len(devices) > 1 and not traits.shares_batches:
        raise InputError(f"train.devices is {options.devices}: Keras trains on one device with PyTorch; set it to 1")
    can_compile = len(devices) == 1 or traits.shares_compiled
    if options.jit_compile is True and not can_compile:
        raise InputError("train.jit_compile is true and train.devices is more than 1: TensorFlow can't do both")
    is_fastest = can_compile and kind in traits.compiles_best_on
    jit_compile = is_fastest if options.jit_compile == "auto" else options.jit_compile
    precision = _fastest_precision(gpus[: options.devices]) if options.precision == "auto" else options.precision
    use = f"{'compiled by' if jit_compile else 'without'} {traits.compiler}"
    logger.info("Backend %s, %s, precision %s, %s", backend, ", ".join(devices), precision, use)
    return Placement(devices, POLICIES[precision], jit_compile, host, hosts)


@contextmanager
def placed_on(placement: Placement) -> Iterator[None]:
    """Lets the networks that are made and trained within compute on the devices."""
    if len(placement.devices) == 1:
        # For PyTorch 'cpu:0' is another device than 'cpu', and then it trains nothing.
        with keras.device(placement.devices[0].replace("cpu:0", "cpu")):
            yield
    else:
        with sharing_batches(placement.devices):
            yield


def predicting_on(device: Device) -> AbstractContextManager[None]:
    """Lets a network that is made or predicts within compute on one device of a kind; `auto` leaves it to Keras.

    Raises:
        InputError: If a GPU is asked for and the backend sees none.
    """
    if device == "auto":
        return nullcontext()
    if device == "gpu" and not find_gpus():
        raise InputError(
            f"device is 'gpu', but the {name_backend()} backend sees no GPU; install a driver and the backend's GPU "
            f"build (of TensorFlow: the gpu extra), or choose 'cpu' or 'auto'"
        )
    context: AbstractContextManager[None] = keras.device("gpu:0" if device == "gpu" else "cpu")
    return context


def choose_policy(network: keras.Model, device: Device, precision: Precision) -> str | None:
    """Returns the dtype policy for a network to predict with, None for that of each of its layers.

    Args:
        network: As it was trained.
        device: What it predicts on, as in `predicting_on`.
        precision: `auto` takes what the network was trained in, but float32 instead of bfloat16 where bfloat16 is not
            faster, as for training.
    """
    if precision != "auto":
        return POLICIES[precision]
    gpus = [] if device == "cpu" else find_gpus()
    is_rough = any(layer.compute_dtype == "bfloat16" for layer in network.layers)
    is_slow = _fastest_precision(gpus[:1]) == "float32"
    return POLICIES["float32"] if is_rough and is_slow else None


def _fastest_precision(gpus: list[Capability]) -> Literal["float32", "bfloat16"]:
    if gpus:
        return "bfloat16" if min(gpus) >= FIRST_WITH_BFLOAT16 else "float32"
    features = CPU_FEATURES.read_text("utf-8") if CPU_FEATURES.exists() else ""
    # AMX has matrix units for it, and AMD's AVX-512 multiplies it at full rate; on Intel's without AMX it is slower
    # than float32. XLA's convolutions, JAX's only ones, use neither.
    is_quick = "amx_bf16" in features or ("AuthenticAMD" in features and "avx512_bf16" in features)
    return "bfloat16" if is_quick and TRAITS[name_backend()].has_quick_bfloat16 else "float32"
