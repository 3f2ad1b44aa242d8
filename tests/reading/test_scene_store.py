"""The files of prepared scenes."""

import numpy as np
import pytest
from PIL import Image

from reading.noise import Work, assert_equal_scenes
from roadseg.errors import FileError
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles


@pytest.fixture
def work():
    return Work()


def saved(folder, plan):
    return carry_out(plan, SceneStore(WholeFiles.reached_by("file"), f"{folder}/store"))


@pytest.mark.parametrize("size", [(1, 1), (15, 7), (1, 30)])
def test_any_size_comes_back(tmp_path, work, size):
    assert_equal_scenes(saved(tmp_path, work.plan(size=size)), work, size=size)


def test_stored_files_are_png_for_other_programs(tmp_path, work):
    saved(tmp_path, work.plan(["a_00"]))
    expected = work.scene("a_00")
    image, label_map = (Image.open(next(tmp_path.glob(f"store/*.{kind}.png"))) for kind in ("image", "labels"))
    np.testing.assert_array_equal(np.asarray(image), expected.image)
    assert label_map.mode == "L"
    np.testing.assert_array_equal(np.asarray(label_map), expected.label_map)


@pytest.mark.parametrize("kind", ["image", "labels"])
def test_missing_file_is_named(tmp_path, work, kind):
    loaded = saved(tmp_path, work.plan())
    path = tmp_path / "store" / f"a_04-0006008.{kind}.png"
    path.unlink()
    with pytest.raises(FileError, match=rf"'{path}' is missing, though a manifest names it: prepare again"):
        loaded["a_04"]
    assert loaded["a_05"]


@pytest.mark.parametrize("kind", ["image", "labels"])
@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_cut_off_file_is_named_with_its_size(tmp_path, work, kind, share):
    loaded = saved(tmp_path, work.plan())
    path = tmp_path / "store" / f"a_04-0006008.{kind}.png"
    size = int(path.stat().st_size * share)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FileError, match=rf"'{path}' is broken \({size} bytes\): remove it and prepare again"):
        loaded["a_04"]
