"""UTF-8 for names of files, their content and printed text, whatever the locale is."""

import io
import os
import sys

from roadseg.runs.surroundings import name_program

PROGRAMS = ("kedro", "roadseg")


def use_utf8() -> None:
    """Starts a command again in Python's UTF-8 mode where the locale has another encoding, such as with `LC_ALL=C`.

    Otherwise, files with other letters in their names could be neither found nor made; Python decides this when it
    starts. Within another program, such as a notebook, nothing is started again. Letters that a terminal does not have
    are printed as numbers.
    """
    if name_program() in PROGRAMS and sys.getfilesystemencoding() != "utf-8":
        sys.stdout.flush()
        sys.stderr.flush()
        command = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execve(sys.executable, command, {**os.environ, "PYTHONUTF8": "1"})  # noqa: S606 - this very command
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
