"""Data sets that are folders of images and annotations, paired by the names of their files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path
from pydantic import NonNegativeInt, TypeAdapter, ValidationError

from roadseg.errors import InputError
from roadseg.reading.annotated_objects import Labels
from roadseg.reading.colour_list import list_colours
from roadseg.reading.folder_scenes import FolderScenes
from roadseg.reading.layout import Form, Layout
from roadseg.reading.name_pattern import NamePattern
from roadseg.reading.stored_path import RawPath, StoredPath
from roadseg.reading.whole_file import WholeFiles
from roadseg.scenes.colours import Colours

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What data sets call their splits -> what this project calls them."""

Split = Literal["train", "validation", "test"]
SPLIT_NAMES = TypeAdapter(dict[str, Split])
SPLIT_LISTS = TypeAdapter(dict[str, str | list[str]])
RAW_NAMES = TypeAdapter(dict[NonNegativeInt, str])

WHERE = (
    "give another folder as `filepath` of raw_scenes in the catalog, or with --params raw_folder=PATH if the catalog "
    "reads raw_folder"
)
"""Advice if the folder of a data set is missing."""


class SceneFoldersDataset(AbstractDataset[NoReturn, FolderScenes]):
    """Folders of images and label maps or polygon files, paired by name; the data set of a user's own.

    In a pattern `{split}`, `{drive}` and `{frame}` mean text without a slash, as short as possible, `*` any
    such text, `**` any number of folders, and `.*` at the end the ending of an image; see `NamePattern`. An
    annotation belongs to the image with the same fields. Without `{drive}` each scene is a drive of its own; without
    `{split}` and `split_lists` there is no published split.

    Examples:
        ```yaml
        raw_scenes:
          type: roadseg.datasets.scene_folders.SceneFoldersDataset
          filepath: data/01_raw/mine
          images: images/{split}/{drive}/{frame}.*
          annotations: labels/{split}/{drive}/{frame}.png    # ids, or colours: raw_colours; or .json: objects, see form
          raw_names: {0: road, 1: sidewalk, 255: unlabeled}
        ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        images: str | Sequence[str],
        annotations: str | Sequence[str],
        ignored: str | Sequence[str] = (),
        form: Form = "cityscapes",
        raw_names: Mapping[int, str] | None = None,
        raw_colours: str | Mapping[str, Sequence[int]] | Sequence[Any] | None = None,
        labels: Labels | None = None,
        splits: Mapping[str, str] | None = None,
        split_lists: Mapping[str, str | list[str]] | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Takes the folder and the layout of the data set in it, as `Layout` describes it.

        The folder may be in any store that fsspec reaches with the credentials and `fs_args`, such as `s3://bucket/idd`.
        The form of `.json` annotations is `cityscapes` (IDD's too), `labelme` or `coco`. Colours are name -> [red,
        green, blue], a list of `{name, colour}` or rows [name, r, g, b], or the name of a file that lists them.

        Raises:
            DatasetError: If a pattern, a raw id or a split is not valid, or an annotation has a field that the images
                lack.
        """
        self._filepath, self.metadata = _find_folder(filepath, credentials, fs_args), metadata
        if form not in get_args(Form):
            raise DatasetError(f"form of a data set must be one of {', '.join(get_args(Form))}, received '{form}'")
        shared = [each for each in _listed(annotations) if form == "coco" and each.lower().endswith(".json")]
        with _refusing():
            splits = SPLIT_NAMES.validate_python(SPLITS if splits is None else splits)
            lists = SPLIT_LISTS.validate_python(split_lists or {})
            self._layout = Layout(
                images=[NamePattern(each, splits) for each in _listed(images)],
                annotations=[NamePattern(each, splits) for each in _listed(annotations) if each not in shared],
                shared=[NamePattern(each, splits, frameless=True) for each in shared],
                ignored=[NamePattern(each, splits, frameless=bool(shared)) for each in _listed(ignored)],
                form=form,
                raw_names=RAW_NAMES.validate_python(raw_names or {}),
                raw_colours=_list_colours(raw_colours),
                labels=labels,
                splits=_fold_case(splits),
                split_lists={name: _listed(files) for name, files in lists.items()},
            )

    def load(self) -> FolderScenes:
        """Returns the scenes, neither listed nor read yet."""
        return FolderScenes(self._filepath, self._layout, WHERE)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: raw data are read only."""
        raise DatasetError("raw scenes are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    def _exists(self) -> bool:
        return self._filepath.is_dir()


def _find_folder(filepath: str, credentials: dict[str, Any] | None, fs_args: dict[str, Any] | None) -> RawPath:
    protocol, path = get_protocol_and_path(filepath)
    if protocol == "file":
        return Path(path)
    return StoredPath(
        WholeFiles.reached_by(protocol, credentials, {"use_listings_cache": False, **(fs_args or {})}), path
    )


def _listed(patterns: str | Sequence[str]) -> Sequence[str]:
    return [patterns] if isinstance(patterns, str) else patterns


def _list_colours(colours: str | Mapping[str, Sequence[int]] | Sequence[Any] | None) -> Colours | str | None:
    return colours if colours is None or isinstance(colours, str) else list_colours(colours)


def _fold_case(splits: Mapping[str, Split]) -> dict[str, Split]:
    folded = {name.casefold(): split for name, split in splits.items()}
    if len(folded) < len(splits):
        raise InputError(f"names of splits must differ by more than capital letters, received {', '.join(splits)}")
    return folded


@contextmanager
def _refusing() -> Iterator[None]:
    """Raises a DatasetError for what is not valid."""
    try:
        yield
    except ValidationError as fault:
        wrong = "; ".join(
            f"{each['loc'][0]}: {each['msg'][0].lower()}{each['msg'][1:]}, received {each['input']!r}"
            for each in fault.errors()
        )
        raise DatasetError(f"raw_names, splits or split_lists of a data set are not valid: {wrong}") from fault
    except InputError as fault:
        raise DatasetError(str(fault)) from fault
