import os
import platform
import shutil
import subprocess
import sys

import numpy as np
import pytest

from roadseg.machine import describe_machine
from roadseg.runs.surroundings import describe_command, describe_place, find_commit, list_packages


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_the_commit_is_that_of_git_and_a_change_makes_it_dirty(checkout):
    head = git(checkout, "rev-parse", "HEAD")
    assert find_commit(checkout) == (head, False)
    (checkout / "file").write_text("b")
    assert find_commit(checkout) == (head, True)


def test_a_file_that_git_does_not_know_makes_it_dirty(checkout):
    (checkout / "other").write_text("b")
    assert find_commit(checkout)[1] is True


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert find_commit(tmp_path) == (None, None)


def test_before_the_first_commit_there_is_none(checkout):
    git(checkout, "update-ref", "-d", "HEAD")
    assert find_commit(checkout) == (None, None)


def test_without_git_there_is_no_commit(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert find_commit(checkout) == (None, None)


def test_packages_have_their_versions():
    packages = list_packages()
    assert packages["numpy"] == np.__version__
    assert packages["python"] == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["/usr/bin/kedro", "run", "--params", "a=1"], "kedro run --params a=1"),
        (["/lib/roadseg/__main__.py", "--env", "idd"], "roadseg --env idd"),
        (["python -m kedro", "run"], "kedro run"),  # as Kedro writes it
        (["kedro", "run", "--params", "split.drive='0016E5'"], """kedro run --params 'split.drive='"'"'0016E5'"'"''"""),
    ],
)
def test_the_command_can_be_typed_again(monkeypatch, argv, command):
    monkeypatch.setattr(sys, "argv", argv)
    assert describe_command() == command


def test_the_place_is_this_process_on_this_machine():
    place = describe_place()
    assert (place.host, place.process) == (platform.node(), os.getpid())
    assert (place.cores, place.memory) == (describe_machine().cores, describe_machine().memory)
