import numpy as np
import pytest
from pydantic import ValidationError

from roadseg.segnet.augmentation import AugmentationOptions, augment_scene


def pair(size=(3, 4)):
    """Returns an image and a label map that is its green channel."""
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    return image, image[..., 1].copy()


def is_flipped(seed, *, flip=True, size=(3, 4)):
    image, label_map = pair(size)
    changed, changed_map = augment_scene(image, label_map, AugmentationOptions(flip=flip), np.random.default_rng(seed))
    np.testing.assert_array_equal(changed_map, changed[..., 1])
    mirrored = np.array_equal(changed, np.flip(image, axis=1))
    assert mirrored or np.array_equal(changed, image)
    return mirrored


def test_label_map_moves_with_the_image_and_half_of_the_scenes_are_mirrored():
    # 1000 draws of one half: 500, standard deviation 15.8
    assert 420 < sum(is_flipped(seed) for seed in range(1000)) < 580


def test_without_flip_nothing_changes():
    assert not any(is_flipped(seed, flip=False) for seed in range(50))


def test_change_repeats_by_seed():
    assert [is_flipped(seed) for seed in range(20)] == [is_flipped(seed) for seed in range(20)]


def test_odd_width_keeps_its_middle_column():
    assert any(is_flipped(seed, size=(2, 5)) for seed in range(20))


def test_scene_itself_is_left_as_it_was():
    image, label_map = pair()
    for seed in range(20):
        augment_scene(image, label_map, AugmentationOptions(flip=True), np.random.default_rng(seed))
    np.testing.assert_array_equal(image, pair()[0])
    np.testing.assert_array_equal(label_map, pair()[1])


@pytest.mark.parametrize("options", [{"flip": "yes"}, {"flip": 1}, {}, {"flip": True, "crop": True}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValidationError):
        AugmentationOptions(**options)
