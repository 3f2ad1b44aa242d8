"""Pictures and videos to be predicted, which need no annotations."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

from roadseg.reading.picture import Picture
from roadseg.reading.picture_source import list_pictures
from roadseg.reading.stored_path import StoredPath
from roadseg.reading.video import Video
from roadseg.reading.whole_file import WholeFiles


class PicturesDataset(AbstractDataset[NoReturn, list[Picture | Video]]):
    """A picture or video, all of a folder at any depth, or those that fit a path with `*`; see `list_pictures`.

    Examples:
        ```yaml
        pictures:
          type: roadseg.datasets.pictures.PicturesDataset
          filepath: ${runtime_params:source, null}
        ```
    """

    def __init__(
        self,
        *,
        filepath: str | None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Takes the path of the source, null if it is given when the pictures are loaded, and what reaches a store.

        Raises:
            DatasetError: If the path is no text.
        """
        if not isinstance(filepath, str | None):
            raise DatasetError(f"the source of pictures must be text, received {filepath!r}: write it as ./NAME")
        self._filepath, self._store, self.metadata = filepath, (credentials, fs_args), metadata

    def load(self) -> list[Picture | Video]:
        """Returns the pictures and videos, sorted by name, none of them opened.

        Raises:
            DatasetError: If no source is given.
            FileError: If it does not exist, or there is no picture or video in it.
        """
        if self._filepath is None:
            raise DatasetError("no source of pictures is given: add --params source=PATH, a picture or a folder")
        protocol, path = get_protocol_and_path(self._filepath)
        if protocol == "file":
            return list_pictures(path)
        return list_pictures(StoredPath(WholeFiles.reached_by(protocol, *self._store), path))

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: pictures are read only."""
        raise DatasetError("pictures are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

    def _exists(self) -> bool:
        return self._filepath is not None
