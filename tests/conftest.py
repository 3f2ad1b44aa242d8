"""What several test files share."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from roadseg.scenes.prepared import PreparedScene, PreparedScenes

draw_camvid = runpy.run_path(str(Path(__file__).parent / "data" / "camvid.py"))["draw_camvid"]
COLOURS = ((128, 64, 18), (0, 0, 230), (70, 130, 180))


@pytest.fixture
def camvid_folder(tmp_path: Path) -> Path:
    """A tiny CamVid: three drives, `train` and `val`, PNG and JPEG images, every raw id in every label map."""
    folder = tmp_path / "camvid"
    draw_camvid(folder)
    return folder


@pytest.fixture
def in_memory() -> Callable[[Mapping[str, PreparedScene]], PreparedScenes]:
    """Makes `PreparedScenes` of three classes from scenes at hand; a scene's drive is its id up to the underscore."""
    return keep_in_memory


def keep_in_memory(scenes: Mapping[str, PreparedScene]) -> PreparedScenes:
    rows = [
        {
            "scene": scene,
            "drive": scene.split("_")[0],
            "published_split": None,
            "height": each.raw_size[0],
            "width": each.raw_size[1],
            "pixels": None
            if each.label_map is None
            else np.bincount(each.label_map.ravel(), minlength=256)[:3].tolist(),
            "image": f"{scene}.image.png",
            "label_map": None if each.label_map is None else f"{scene}.labels.png",
        }
        for scene, each in scenes.items()
    ]
    classes = [{"name": f"class {index}", "colour": colour} for index, colour in enumerate(COLOURS)]
    image_size = next(iter(scenes.values())).image.shape[:2]
    manifest = {"classes": classes, "image_size": list(image_size), "scenes": rows}
    return PreparedScenes(manifest, lambda row: scenes[row["scene"]])
