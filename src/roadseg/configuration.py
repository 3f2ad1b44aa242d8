"""The configuration that a run reads, from a folder, an archive or a server."""

import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import settings
from omegaconf import OmegaConf
from omegaconf.errors import ConfigTypeError, OmegaConfBaseException

from roadseg.errors import InputError
from roadseg.reading.yaml_file import describe_yaml_fault, list_keys

ARCHIVES = ("tar", "zip")
ARCHIVE_FAULTS = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError)
"""What reading a damaged archive raises, beside `OSError`."""

RESOLVING = re.compile(r"^\w+ raised while resolving interpolation: ")
"""What OmegaConf puts before the fault of a `${...}`."""


AZURE = re.compile(r"^az://")
"""Another name of `abfs://`; of paths that begin with it, Kedro loses the container."""


class File(NamedTuple):
    """A configuration file.

    Attributes:
        name: For messages.
        keys: At its top.
        text: All of it.
        is_base: Whether it belongs to the base configuration, not to an environment.
    """

    name: str
    keys: list[str]
    text: str
    is_base: bool


class ConfigurationLoader(OmegaConfigLoader):
    """Kedro's own loader, which also notes what files contain and ask for, and names broken ones.

    Attributes:
        files: Kind of configuration, such as `parameters` -> path -> file that was read.
        taken: Names of the parameters of the command line that files ask for by `${runtime_params:...}`.
    """

    def __init__(self, conf_source: str | Path, *arguments: Any, **options: Any) -> None:
        """Takes what `OmegaConfigLoader` takes.

        Raises:
            InputError: If the configuration is an archive that can't be read, or no installed package reads its place.
        """
        self.files: dict[str, dict[str, File]] = {}
        self.taken: set[str] = set()
        try:
            super().__init__(conf_source, *arguments, **options)
        except ARCHIVE_FAULTS as fault:
            raise InputError(f"'{conf_source}' is not a readable archive: {fault}") from fault

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Returns the configuration of one kind, as Kedro does.

        A path in the catalog that begins with the name of the project's configuration folder, such as
        `conf/mine/classes.yml`, is a file of this configuration, wherever it is, if there is such a file.

        Raises:
            InputError: If a file of this kind is not YAML, or a value in it can't be resolved.
        """
        try:
            content: dict[str, Any] = super().__getitem__(key)
        except OmegaConfBaseException as fault:
            raise InputError(self._describe(key, fault)) from fault
        located: dict[str, Any] = self._locate(content) if key == "catalog" else content
        return located

    def list_unread(self) -> dict[str, str]:
        """Returns parameters that only an environment has, and to which no `${...}` refers: name -> name of the file.

        Those that begin with an underscore are only for the file itself.
        """
        files = self.files["parameters"].values()
        known = {key for file in files if file.is_base for key in file.keys} | self.taken
        used = " ".join(file.text for file in files)
        return {
            key: file.name
            for file in files
            for key in file.keys
            if key not in known and not key.startswith("_") and not re.search(rf"\$\{{\s*{re.escape(key)}\b", used)
        }

    @staticmethod
    def _initialise_filesystem_and_protocol(conf_source: str) -> tuple[Any, str]:
        try:
            found: tuple[Any, str] = OmegaConfigLoader._initialise_filesystem_and_protocol(conf_source)
        except (ImportError, ValueError) as fault:  # of fsspec
            raise InputError(f"settings can't be read from '{conf_source}': {fault}") from fault
        return found

    def _read_dir_configs(self, conf_path: str, patterns: list[str], key: str, *others: Any) -> dict[Path, Any]:
        files = self.files.setdefault(key, {})
        is_base = conf_path == self._get_conf_env_path(self.base_env)
        for path in self._find_files(conf_path, patterns):
            if path not in files:
                name = f"'{path}' in '{self.conf_source}'" if self._protocol in ARCHIVES else f"'{path}'"
                content = self._fs.cat_file(path)
                files[path] = File(name, list_keys(content, name), content.decode("utf-8"), is_base)
        try:
            configurations: dict[Path, Any] = super()._read_dir_configs(conf_path, patterns, key, *others)
        except (yaml.YAMLError, ValueError):
            for file in files.values():
                _check_values(file)
            raise
        return configurations

    def _get_runtime_value(self, variable: str, *default: Any) -> Any:
        self.taken.add(str(variable))
        return super()._get_runtime_value(variable, *default)

    def _find_files(self, folder: str, patterns: list[str]) -> Iterator[str]:
        if not self._fs.isdir(folder):  # which Kedro says
            return
        for pattern in patterns:
            for path in self._fs.glob(f"{folder}/{pattern}"):
                if not self._is_hidden(path) and self._is_valid_config_path(Path(path)):
                    yield path

    def _describe(self, key: str, fault: OmegaConfBaseException) -> str:
        reason = RESOLVING.sub("", str(fault).partition("\n")[0])
        if isinstance(fault, ConfigTypeError):
            return (
                f"{key}: one setting is given as a list and as single values ({reason}); "
                f"give the whole list, such as --params 'prepare.image_size=[128,256]'"
            )
        setting = fault.full_key or getattr(fault.__context__, "full_key", None) or ""
        top = re.split(r"[.\[]", setting)[0]
        files = [file.name for file in self.files[key].values() if top in file.keys]
        return f"{' or '.join(files) or key}, {setting}: {reason}"

    def _locate(self, value: Any) -> Any:
        """Returns a value of the catalog, with paths of files of this configuration, copied where it is no folder."""
        if isinstance(value, dict):
            return {name: self._locate(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._locate(each) for each in value]
        if not isinstance(value, str) or not value.startswith(f"{settings.CONF_SOURCE}/"):
            return AZURE.sub("abfs://", value) if isinstance(value, str) else value
        place = f"{self._get_conf_env_path('').rstrip('/')}{value.removeprefix(settings.CONF_SOURCE)}"
        if not self._fs.isfile(place):
            return value
        if self._protocol == "file":
            return place
        copy = Path(_make_folder(str(self.conf_source)).name) / Path(str(self.conf_source)).name / place.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        self._fs.get_file(place, str(copy))
        return str(copy)


def _check_values(file: File) -> None:
    """Refuses YAML that is not a value, such as `!!python/name:os.name`; Kedro does not say in which file."""
    try:
        OmegaConf.create(file.text)
    except yaml.YAMLError as fault:
        raise InputError(f"{file.name}, {describe_yaml_fault(fault, file.text)}") from fault
    except ValueError as fault:
        reason = str(fault).partition("\n")[0]
        raise InputError(f"{file.name}: {reason}") from fault


@cache
def _make_folder(conf_source: str) -> TemporaryDirectory[str]:
    """Returns a folder for copies of files of a configuration, which goes when this process ends."""
    return TemporaryDirectory(prefix="roadseg-")
