import logging

import keras
import pytest
from pydantic import ValidationError

from roadseg.segnet import device
from roadseg.segnet.device import DeviceOptions, choose_device


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Sets the number of GPUs and the features of the processor."""

    def set_up(gpus=0, features="fpu avx2 avx512_bf16"):
        monkeypatch.setattr(device, "_visible_gpus", lambda: gpus)
        monkeypatch.setattr(device, "CPU_FEATURES", tmp_path / "cpuinfo")
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {features}\n")

    return set_up


def choose(device="auto", precision="auto"):
    return choose_device(DeviceOptions(device=device, precision=precision))


def test_gpu_that_no_backend_sees_is_refused(machine):
    machine(gpus=0)
    words = rf"train.device is 'gpu' and the {keras.backend.backend()} backend sees none; .*'cpu' or 'auto'"
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
    machine(gpus=gpus)
    assert choose(asked)[0] == chosen


@pytest.mark.parametrize(
    ("features", "asked", "policy"),
    [
        ("avx2 amx_bf16 amx_tile", "auto", "mixed_bfloat16"),
        ("avx2 avx512_bf16", "auto", "float32"),
        ("avx2 amx_bf16", "float32", "float32"),
        ("avx2", "bfloat16", "mixed_bfloat16"),
    ],
)
def test_processor_with_matrix_units_takes_bfloat16(machine, features, asked, policy):
    machine(features=features)
    assert choose("cpu", asked) == ("cpu:0", policy)


def test_gpu_takes_bfloat16_whatever_the_processor(machine):
    machine(gpus=1)
    assert choose() == ("gpu:0", "mixed_bfloat16")
    assert choose(precision="float32") == ("gpu:0", "float32")


def test_system_that_tells_no_features_takes_float32(machine, monkeypatch, tmp_path):
    machine()
    monkeypatch.setattr(device, "CPU_FEATURES", tmp_path / "none")
    assert choose() == ("cpu:0", "float32")


def test_chosen_policy_is_known_to_keras(machine):
    machine(features="amx_bf16")
    assert keras.DTypePolicy(choose()[1]).compute_dtype == "bfloat16"


def test_choice_stands_in_the_log(machine, caplog):
    machine(features="amx_bf16")
    with caplog.at_level(logging.INFO, "roadseg.segnet.device"):
        choose()
    assert f"Backend {keras.backend.backend()}, device cpu:0, precision bfloat16" in caplog.text


def test_backend_tells_how_many_gpus_it_sees():
    assert device._visible_gpus() >= 0
    assert choose("cpu")[0] == "cpu:0"


@pytest.mark.parametrize("options", [{"device": "tpu"}, {"precision": "float16"}, {"device": None}])
def test_unknown_device_or_precision_is_refused(options):
    with pytest.raises(ValidationError):
        DeviceOptions(**({"device": "auto", "precision": "auto"} | options))
