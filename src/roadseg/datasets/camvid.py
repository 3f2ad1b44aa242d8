"""CamVid in the folders of the SegNet tutorial."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from roadseg.datasets.images import file_fingerprint, read_image, read_label_map
from roadseg.scenes.raw import RawScenes, Scene, SceneRecord

FOLDERS = {"train": "train", "val": "validation", "test": "test"}
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
CLASS_NAMES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign or symbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
    "unlabelled",
)


class CamVidScenes(RawScenes):
    """The scenes of one folder; a frame's name up to the underscore is its drive."""

    def __init__(self, folder: Path) -> None:
        """Lists the frames in `folder`; reads none of them."""
        self.raw_names = dict(enumerate(CLASS_NAMES))
        self._files: dict[str, tuple[Path, Path | None]] = {}
        self.records: dict[str, SceneRecord] = {}
        for name, split in FOLDERS.items():
            for image in sorted(folder.glob(f"{name}/*")):
                if image.suffix.lower() in IMAGE_SUFFIXES:
                    self._add(image, split)

    def __getitem__(self, scene: str) -> Scene:
        """Returns the scene, read from disk."""
        image, annotation = self._files[scene]
        return Scene(read_image(image), read_label_map(annotation) if annotation else None)

    def _add(self, image: Path, split: str) -> None:
        folder = image.parent.with_name(f"{image.parent.name}annot")
        annotation = folder / f"{image.stem}.png" if folder.is_dir() else None
        if annotation and not annotation.is_file():
            raise DatasetError(f"image '{image}' has no annotation: expected '{annotation}'")
        if image.stem in self._files:
            raise DatasetError(f"frame '{image.stem}' stands twice: '{self._files[image.stem][0]}' and '{image}'")
        files = (image, annotation) if annotation else (image,)
        self._files[image.stem] = image, annotation
        self.records[image.stem] = SceneRecord(image.stem.split("_")[0], split, file_fingerprint(*files))


class CamVidDataset(AbstractDataset[NoReturn, CamVidScenes]):
    """CamVid as in the SegNet tutorial, 11 classes and void (Brostow, Fauqueur, Cipolla, 2009; arXiv 1511.00561).

    The folder holds `train`, `val` and `test` with the images (PNG or JPEG), and `trainannot`, `valannot` and
    `testannot` with 8-bit PNG label ids of the same names. A split that is missing is left out.

    Example:
        raw_scenes:
          type: roadseg.datasets.camvid.CamVidDataset
          filepath: data/01_raw/camvid
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Takes the folder that holds `train`, `trainannot` and so on."""
        self._filepath, self.metadata = Path(filepath), metadata

    def load(self) -> CamVidScenes:
        """Returns the scenes, not yet read.

        Raises:
            DatasetError: If the folder is missing or holds no images, or an image has no annotation.
        """
        if not self._filepath.is_dir():
            raise DatasetError(
                f"there is no folder '{self._filepath}': link or copy the data set there, "
                f"or give --params raw_folder=PATH"
            )
        scenes = CamVidScenes(self._filepath)
        if not scenes:
            raise DatasetError(
                f"no images in '{self._filepath}': expected {', '.join(IMAGE_SUFFIXES)} files "
                f"in one or more of {', '.join(FOLDERS)}"
            )
        return scenes

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: raw data are read only."""
        raise DatasetError("raw scenes are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    def _exists(self) -> bool:
        return self._filepath.is_dir()
