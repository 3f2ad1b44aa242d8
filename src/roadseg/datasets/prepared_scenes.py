"""Prepared scenes on disk: small versioned manifests over one write-once store of PNG files."""

import base64
from collections.abc import Collection
from datetime import datetime
from typing import Any

from kedro.io import DatasetError
from kedro_datasets._typing import ImagePreview

from roadseg.datasets.versioned_file import VersionedFileDataset
from roadseg.errors import InputError
from roadseg.reading.manifest_text import read_manifest, write_manifest
from roadseg.reading.scene_store import SceneStore, encode_png, name_scene
from roadseg.reporting.contact_sheet import draw_contact_sheet
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScenes


class PreparedScenesDataset(VersionedFileDataset[PreparedScenes, PreparedScenes]):
    """Saves and loads `PreparedScenes`, which read a scene when asked for.

    A version is its manifest: one row per scene with the names of its two PNG files. These are in `store` beside the
    manifest, where the preparation has put them, named after the scene and its digest. So existing scenes are not
    prepared again, an interrupted run loses nothing, and older versions stay readable.

    Examples:
        ```yaml
        prepared_scenes:
          type: roadseg.datasets.prepared_scenes.PreparedScenesDataset
          filepath: data/03_primary/drawn/prepared_scenes/manifest.json
          versioned: true
        ```
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the path of the manifest, and what every `VersionedFileDataset` takes."""
        super().__init__(filepath=filepath, **arguments)
        self._store = SceneStore(self._fs, str(self._filepath.parent / "store"))

    def load(self) -> PreparedScenes:
        """Returns the scenes of a version.

        Raises:
            InputError: If the manifest is broken.
        """
        manifest = self._read_manifest(str(self._get_load_path()))
        return PreparedScenes(manifest, self._store.read, is_remote=self._store.is_remote)

    def save(self, data: PreparedScenes) -> None:
        """Writes the manifest.

        Raises:
            DatasetError: If the scenes are in another store.
        """
        path = str(self._get_save_path())
        row = next((each for each in data.rows if each["usable"]), data.rows[0])
        first = f"{self._store.folder}/{row['facts']}"
        if not self._fs.exists(first):
            raise DatasetError(f"'{first}' is missing: scene_store in the catalog must be in '{self._store.folder}'")
        with self._fs.open(path, "wb") as file:
            file.writelines(write_manifest(data.manifest))

    def preview(self, scenes: int = 12, columns: int = 3, width: int = 320) -> ImagePreview:
        """Returns a contact sheet of evenly spaced scenes for Kedro-Viz."""
        prepared = self.load()
        ids = list(prepared)
        count = min(scenes, len(ids))
        chosen = [prepared[ids[i * len(ids) // count]] for i in range(count)]
        sheet = draw_contact_sheet(chosen, Palette(prepared.classes), columns=columns, width=width)
        return ImagePreview(base64.b64encode(encode_png(sheet[..., ::-1])).decode())

    def read_names(self, version: str) -> set[str]:
        """Returns the names in the store of the scenes of a version.

        Raises:
            InputError: If the manifest is broken.
        """
        manifest = self._read_manifest(str(self._get_versioned_path(version)))
        return {name_scene(row["facts"]) for row in manifest["scenes"]}

    def prune_store(self, named: Collection[str], before: datetime) -> tuple[int, int]:
        """Removes scenes from the store, as `SceneStore.prune` does."""
        return self._store.prune(named, before)

    def _read_manifest(self, path: str) -> dict[str, Any]:
        try:
            return read_manifest(self._fs.cat_file(path))
        except InputError as fault:
            raise InputError(f"manifest '{path}' is broken ({fault})") from fault
