"""Which program runs in a process: two that differ may prepare or predict the same scene differently."""

from collections.abc import Callable

from roadseg.errors import RoadSegError


def make_description() -> Callable[[], str | None]:
    """Returns a function that says which program runs where it is called; None where it is not installed.

    Two packages are named with it, which decide on the bytes of prepared scenes.

    It is a function in a function, so that it is sent by its code: another process can call it without this file.
    """

    def describe() -> str | None:
        import hashlib
        from importlib.metadata import version
        from pathlib import Path

        try:
            import roadseg
        except ImportError:
            return None
        known: dict[str, str] = vars(roadseg)
        if "__program__" not in known:  # what is imported stays, even if the files change afterwards
            folder = Path(roadseg.__file__).parent
            digest = hashlib.sha256()
            for path in sorted(folder.rglob("*")):
                if path.suffix in {".py", ".yml"}:
                    digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
            packages = [f"{name} {version(name)}" for name in ("numpy", "opencv-python-headless")]
            code = ", ".join([f"code {digest.hexdigest()[:12]}", *packages])
            known["__program__"] = f"roadseg {roadseg.__version__} ({code})"
        return known["__program__"]

    return describe


DESCRIBE = make_description()
"""Says which program runs in this process."""


def check_program(who: str, program: str | None, expected: str) -> None:
    """Refuses a process that runs another program.

    Args:
        who: The process, for the message.
        program: What it runs; None if this project is not installed there.
        expected: What it must run.

    Raises:
        RoadSegError: If the two differ.
    """
    if program != expected:
        raise RoadSegError(
            f"{who} has {program or 'no roadseg installed'}, this run has {expected}: install the same there, and "
            "start it again"
        )
