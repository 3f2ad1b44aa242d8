import os
import platform

import pytest

from roadseg import machine as module
from roadseg.machine import describe_machine, name_processor


@pytest.fixture(autouse=True)
def asked_again():
    describe_machine.cache_clear()
    yield
    describe_machine.cache_clear()


def test_the_machine_says_what_it_is(monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Z80 at 4 MHz: fast\n\nmodel name\t: 6502\n")
    monkeypatch.setattr(module, "CPU_INFO", tmp_path / "cpuinfo")
    machine = describe_machine()
    assert machine.processor == "Z80 at 4 MHz: fast"
    assert machine.platform.startswith(platform.system())
    assert machine.system == f"{platform.system()} {platform.machine()}"
    assert 1 <= machine.cores <= os.cpu_count()
    assert machine.memory > 2**28
    assert machine.python == platform.python_version()


def test_a_processor_that_no_file_names_is_its_architecture(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "CPU_INFO", tmp_path / "cpuinfo")
    assert name_processor() == platform.machine()


def test_gpus_are_those_that_their_driver_lists(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho H100\necho A100\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert describe_machine().gpus == ("H100", "A100")


def test_without_a_driver_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_machine().gpus == ()
