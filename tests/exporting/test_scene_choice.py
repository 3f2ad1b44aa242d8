import numpy as np
import pandas as pd
import pytest

from roadseg.errors import InputError
from roadseg.exporting.scene_choice import draw_ties, read_calibration_images, read_proving_scenes
from roadseg.scenes.prepared import PreparedScene

NAMES = [f"a_{number:02}" for number in range(11)]
SPLITS = ["train"] + 7 * ["validation"] + ["test", "train", "train"]
TABLE = pd.DataFrame({"scene": NAMES, "drive": NAMES, "split": SPLITS, "usable": True, "labelled": True})


@pytest.fixture
def scenes(in_memory):
    return in_memory(
        {
            name: PreparedScene(np.full((2, 2, 3), number, np.uint8), np.zeros((2, 2), np.uint8), (2, 2))
            for number, name in enumerate(NAMES)
        }
    )


def test_scenes_to_prove_on_are_spread_over_validation(scenes):
    for count, chosen in ((3, [1, 4, 7]), (1, [1]), (99, [1, 2, 3, 4, 5, 6, 7])):
        images, label_maps = read_proving_scenes(scenes.read_pair, TABLE, count)
        assert images[:, 0, 0, 0].tolist() == chosen
        assert label_maps.shape == (len(chosen), 2, 2)
    with pytest.raises(InputError, match=r"^the split has no labelled validation scenes, on which"):
        read_proving_scenes(scenes.read_pair, TABLE[TABLE["split"] != "validation"], 3)


@pytest.mark.parametrize(("count", "chosen"), [(2, [0, 10]), (99, [0, 9, 10]), (0, [])])
def test_scenes_to_calibrate_with_are_training_scenes(scenes, count, chosen):
    images = read_calibration_images(scenes.read_pair, TABLE, count)
    assert {scene: int(image[0, 0, 0]) for scene, image in images.items()} == {f"a_{each:02}": each for each in chosen}
    assert read_calibration_images(scenes.read_pair, TABLE[TABLE["split"] != "train"], count) == {}


def test_images_of_ties_have_one_colour_each():
    images = draw_ties((3, 4))
    assert (images.shape, images.dtype) == ((2, 3, 4, 3), np.uint8)
    assert [np.unique(each.reshape(-1, 3), axis=0).tolist() for each in images] == [[[0, 0, 0]], [[90, 120, 37]]]
