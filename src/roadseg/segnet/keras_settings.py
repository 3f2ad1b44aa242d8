"""Keras with the backend that its settings name, and with the number format and the order of axes of these networks."""

import json
import os
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from roadseg.errors import InputError

BACKENDS = ("tensorflow", "jax", "torch")

VARIABLE = "KERAS_BACKEND"
"""Environment variable; it overrides Keras' file of settings."""


def start_keras() -> None:
    """Imports Keras.

    The other settings in `keras.json` would change the network, so they are set as it needs them.

    Raises:
        InputError: If the settings name no backend that can train, one that can't be imported, or can't be read.
    """
    settings = _find_settings()
    name, source = _find_backend(settings)
    if name not in BACKENDS:
        close = get_close_matches(str(name), BACKENDS, 1) or BACKENDS
        raise InputError(f"{source} names the unknown backend '{name}'; did you mean {' or '.join(close)}?")
    try:
        import keras  # before TensorFlow, which only asserts that the settings are right
    except ImportError as fault:
        others = [each for each in BACKENDS if each != name and find_spec(each)]
        hint = f", or set {VARIABLE} to {' or '.join(others)}" if others else ""
        raise InputError(
            f"{source} names the backend '{name}', with which Keras can't start ({fault}): "
            f"install what is missing{hint}"
        ) from fault
    except ValueError as fault:
        raise InputError(f"Keras can't start with the settings in '{settings}': {fault}") from fault
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)


def _find_settings() -> Path:
    """Returns the path of Keras' file of settings, as Keras finds it; the file may not exist."""
    home = Path("~").expanduser()
    default = (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"  # noqa: S108 - Keras' own choice
    return Path(os.environ.get("KERAS_HOME", default)).expanduser() / "keras.json"


def _find_backend(settings: Path) -> tuple[object, str]:
    """Returns the name of the backend, and what names it.

    Raises:
        InputError: If the file is not a JSON object; Keras would ignore all of it.
    """
    content = settings.read_bytes() if settings.exists() else b""
    try:
        values = json.loads(content.decode("utf-8")) if content else {}
    except ValueError as fault:
        raise InputError(f"'{settings}' is not valid JSON: {fault}; correct or remove it") from fault
    if not isinstance(values, dict):
        raise InputError(f'\'{settings}\': expected an object such as {{"backend": "jax"}}, found {values!r}')
    if name := os.environ.get(VARIABLE):
        return name, VARIABLE
    return values.get("backend", BACKENDS[0]), f"'{settings}'"
