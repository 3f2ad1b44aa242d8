"""Label space files: YAML on disk to a checked `LabelSpace`."""

from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from pydantic import ValidationError

from roadseg.errors import InputError, describe_validation
from roadseg.reading.yaml_file import read_mapping
from roadseg.scenes.labels import LabelSpace

SHIPPED = Path(str(files("roadseg") / "label_spaces"))


class LabelSpaceDataset(AbstractDataset[NoReturn, LabelSpace]):
    """One YAML file: the classes with name, colour and the raw classes that become them, and the raw classes of void.

    Examples:
        ```yaml
        label_space:
          type: roadseg.datasets.label_space.LabelSpaceDataset
          name: seven_classes                      # shipped with the package; or a file of your own:
          # filepath: conf/base/my_classes.yml
        ```
    """

    def __init__(
        self, *, name: str | None = None, filepath: str | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Takes the name of a shipped label space, or the path of one.

        Raises:
            DatasetError: If both or neither are given.
        """
        if (name is None) == (filepath is None):
            raise DatasetError("a label space needs either the 'name' of a shipped one or the 'filepath' of your own")
        self._filepath = Path(filepath) if filepath else SHIPPED / f"{name}.yml"
        self.metadata = metadata

    def load(self) -> LabelSpace:
        """Returns the label space.

        Raises:
            DatasetError: If the file is missing, is not YAML, or is not a valid label space.
        """
        try:
            content = self._filepath.read_bytes()
        except FileNotFoundError as fault:
            shipped = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.yml")))
            raise DatasetError(f"there is no label space file '{self._filepath}'; shipped ones: {shipped}") from fault
        name = f"label space file '{self._filepath}'"
        try:
            return LabelSpace.model_validate(read_mapping(content, name))
        except ValidationError as fault:
            raise DatasetError(f"{name} is not valid: {describe_validation(fault)}") from fault
        except InputError as fault:
            raise DatasetError(str(fault)) from fault

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: label spaces are written by people."""
        raise DatasetError("a label space is read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    def _exists(self) -> bool:
        return self._filepath.is_file()
