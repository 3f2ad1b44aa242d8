import logging

import keras
import pytest
from pydantic import ValidationError

from roadseg.segnet import device
from roadseg.segnet.backend import find_gpus
from roadseg.segnet.device import DeviceOptions, choose_placement, choose_policy

H200, A100, T4 = (9, 0), (8, 0), (7, 5)
"""Compute capabilities."""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Sets the compute capabilities of the GPUs and the features of the processor."""

    def set_up(gpus=(), features="fpu avx2 avx512_bf16"):
        monkeypatch.setattr(device, "find_gpus", lambda: list(gpus))
        monkeypatch.setattr(device, "CPU_FEATURES", tmp_path / "cpuinfo")
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {features}\n")

    return set_up


def choose(device="auto", precision="auto", devices=1, jit_compile="auto"):
    return choose_placement(DeviceOptions(device=device, devices=devices, precision=precision, jit_compile=jit_compile))


def test_gpu_that_no_backend_sees_is_refused(machine):
    machine()
    words = rf"train.device is 'gpu', but the {keras.backend.backend()} backend sees no GPU; .*'cpu' or 'auto'"
    with pytest.raises(ValueError, match=words):
        choose("gpu")


@pytest.mark.parametrize(
    ("asked", "gpus", "chosen"),
    [
        ("auto", 0, "cpu:0"),
        ("auto", 1, "gpu:0"),
        ("auto", 4, "gpu:0"),
        ("cpu", 0, "cpu:0"),
        ("cpu", 1, "cpu:0"),
        ("gpu", 1, "gpu:0"),
    ],
)
def test_device_is_the_one_asked_for_and_auto_takes_a_gpu(machine, asked, gpus, chosen):
    machine(gpus=[H200] * gpus)
    assert choose(asked).devices == (chosen,)


@pytest.mark.parametrize(
    ("features", "asked", "policy"),
    [
        ("avx2 amx_bf16 amx_tile", "auto", "mixed_bfloat16"),
        ("vendor_id : GenuineIntel, flags : avx2 avx512_bf16", "auto", "float32"),
        ("vendor_id : AuthenticAMD, flags : avx2 avx512_bf16", "auto", "mixed_bfloat16"),
        ("vendor_id : AuthenticAMD, flags : avx2 avx512f", "auto", "float32"),
        ("avx2 amx_bf16", "float32", "float32"),
        ("avx2", "bfloat16", "mixed_bfloat16"),
    ],
)
def test_processor_that_is_quick_at_it_takes_bfloat16(machine, features, asked, policy):
    machine(features=features)
    placement = choose("cpu", asked)
    assert (placement.devices, placement.policy) == (("cpu:0",), policy)


@pytest.mark.parametrize(("backend", "policy"), [("jax", "float32"), ("torch", "mixed_bfloat16")])
def test_processor_with_matrix_units_takes_bfloat16_where_the_backend_uses_them(machine, monkeypatch, backend, policy):
    machine(features="amx_bf16")
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert choose("cpu").policy == policy


@pytest.mark.parametrize(
    ("gpus", "policy"),
    [([H200], "mixed_bfloat16"), ([A100], "mixed_bfloat16"), ([T4], "float32")],
)
def test_gpu_takes_bfloat16_from_compute_capability_8_on(machine, gpus, policy):
    machine(gpus=gpus, features="amx_bf16")
    assert choose().policy == policy
    assert choose(precision="float32").policy == "float32"


def test_only_gpus_that_compute_decide_on_bfloat16(machine):
    machine(gpus=[H200, T4])
    assert choose().policy == "mixed_bfloat16"
    assert choose(devices=2).policy == "float32"


def test_system_that_tells_no_features_takes_float32(machine, monkeypatch, tmp_path):
    machine()
    monkeypatch.setattr(device, "CPU_FEATURES", tmp_path / "none")
    assert choose().policy == "float32"


@pytest.mark.parametrize(
    ("backend", "gpus", "devices", "asked", "compiled"),
    [
        ("tensorflow", 0, 1, "auto", False),
        ("tensorflow", 1, 1, "auto", True),
        ("tensorflow", 2, 2, "auto", False),
        ("tensorflow", 0, 1, True, True),
        ("tensorflow", 1, 1, False, False),
        ("jax", 0, 1, "auto", True),
        ("jax", 2, 2, "auto", True),
        ("jax", 0, 1, False, False),
        ("torch", 1, 1, "auto", False),
    ],
)
def test_xla_compiles_the_step_where_that_is_fastest(machine, monkeypatch, backend, gpus, devices, asked, compiled):
    machine(gpus=[H200] * gpus)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert choose(devices=devices, jit_compile=asked).jit_compile is compiled


def test_several_gpus_share_a_batch(machine):
    machine(gpus=[H200] * 3)
    assert choose(devices=2).devices == ("gpu:0", "gpu:1")
    with pytest.raises(ValueError, match=r"train.devices is 4, but the tensorflow backend sees 3 of kind 'gpu'"):
        choose(devices=4)
    with pytest.raises(ValueError, match=r"train.jit_compile is true and train.devices is more than 1"):
        choose(devices=2, jit_compile=True)


def test_pytorch_shares_no_batch(machine, monkeypatch):
    machine(gpus=[H200] * 2)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match=r"train.devices is 2: Keras trains on one device with PyTorch"):
        choose(devices=2)


def test_more_processors_than_there_are_is_refused(machine):
    machine()
    with pytest.raises(ValueError, match=r"train.devices is 2, but the tensorflow backend sees 1 of kind 'cpu'"):
        choose(devices=2)


def test_chosen_policy_is_known_to_keras(machine):
    machine(features="amx_bf16")
    assert keras.DTypePolicy(choose().policy).compute_dtype == "bfloat16"


def test_choice_stands_in_the_log(machine, caplog):
    machine(features="amx_bf16")
    with caplog.at_level(logging.INFO, "roadseg.segnet.device"):
        choose()
    assert f"Backend {keras.backend.backend()}, cpu:0, precision bfloat16, without XLA" in caplog.text


def test_backend_tells_how_many_gpus_it_sees():
    assert len(find_gpus()) == len(keras.distribution.list_devices("gpu"))
    assert choose("cpu").devices == ("cpu:0",)


@pytest.mark.parametrize(
    "options",
    [{"device": "tpu"}, {"precision": "float16"}, {"device": None}, {"devices": 0}, {"jit_compile": "yes"}],
)
def test_unknown_device_precision_or_compilation_is_refused(options):
    with pytest.raises(ValidationError):
        DeviceOptions(**({"device": "auto", "devices": 1, "precision": "auto", "jit_compile": "auto"} | options))


@pytest.mark.parametrize(
    ("trained_in", "features", "gpus", "device", "precision", "policy"),
    [
        ("mixed_bfloat16", "amx_bf16", [], "auto", "auto", None),
        ("mixed_bfloat16", "avx2", [], "auto", "auto", "float32"),
        ("mixed_bfloat16", "avx2", [H200, T4], "auto", "auto", None),
        ("mixed_bfloat16", "avx2", [H200], "cpu", "auto", "float32"),
        ("mixed_bfloat16", "amx_bf16", [T4], "gpu", "auto", "float32"),
        ("float32", "amx_bf16", [], "auto", "auto", None),
        ("float32", "avx2", [], "auto", "auto", None),
        ("float32", "avx2", [], "auto", "bfloat16", "mixed_bfloat16"),
        ("mixed_bfloat16", "amx_bf16", [], "auto", "float32", "float32"),
    ],
)
def test_policy_to_predict_with(machine, trained_in, features, gpus, device, precision, policy):
    machine(gpus=gpus, features=features)
    images = keras.Input((2, 2, 3))
    network = keras.Model(images, keras.layers.Conv2D(2, 1, dtype=trained_in)(images))
    assert choose_policy(network, device, precision) == policy
