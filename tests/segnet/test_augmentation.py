import numpy as np
import pytest
from pydantic import ValidationError

from roadseg.segnet.augmentation import AugmentationOptions, augment_scene


def pair(size=(3, 4)):
    """Returns an image and a label map that is its green channel."""
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    return image, image[..., 1].copy()


def options(*, flip=False, zoom=1.0, colour=0.0):
    return AugmentationOptions(flip=flip, zoom=zoom, colour=colour)


def is_flipped(seed, *, flip=True, size=(3, 4)):
    image, label_map = pair(size)
    changed, changed_map = augment_scene(image, label_map, options(flip=flip), np.random.default_rng(seed))
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
        augment_scene(image, label_map, options(flip=True, zoom=2.0, colour=0.5), np.random.default_rng(seed))
    np.testing.assert_array_equal(image, pair()[0])
    np.testing.assert_array_equal(label_map, pair()[1])


def coordinates(size):
    """Returns an image whose channels are row, column and 0, and a label map that numbers blocks of 8 x 8 pixels."""
    rows, columns = np.indices(size)
    image = np.stack([rows, columns, np.zeros(size, int)], axis=-1).astype(np.uint8)
    return image, (rows // 8 * 16 + columns // 8).astype(np.uint8)


@pytest.mark.parametrize("seed", range(20))
def test_zoom_shows_the_same_window_of_image_and_label_map(seed):
    image, label_map = coordinates((64, 96))
    changed, changed_map = augment_scene(image, label_map, options(zoom=2.0), np.random.default_rng(seed))
    assert (changed.shape, changed_map.shape) == (image.shape, label_map.shape)
    row, column = changed[..., 0].astype(int), changed[..., 1].astype(int)
    # Interpolated coordinates may be one off near the border of a block of 8; elsewhere they name the block.
    inside = (row % 8 > 0) & (row % 8 < 7) & (column % 8 > 0) & (column % 8 < 7)
    np.testing.assert_array_equal(changed_map[inside], (row // 8 * 16 + column // 8)[inside])
    shown = [np.ptp(each) + 1 for each in (row, column)]
    assert 31 <= shown[0] <= 64
    assert shown[1] == pytest.approx(1.5 * shown[0], abs=2)


def test_zoom_reaches_all_of_the_scene_and_all_magnifications():
    image, label_map = coordinates((64, 96))
    windows = [
        augment_scene(image, label_map, options(zoom=2.0), np.random.default_rng(seed))[0][..., 0]
        for seed in range(200)
    ]
    heights = [np.ptp(window) + 1 for window in windows]
    assert (min(window.min() for window in windows), max(window.max() for window in windows)) == (0, 63)
    assert min(heights) < 35
    assert max(heights) > 60


def test_zoom_of_a_scene_of_one_pixel_is_that_pixel():
    image, label_map = np.full((1, 1, 3), 9, np.uint8), np.full((1, 1), 255, np.uint8)
    changed, changed_map = augment_scene(image, label_map, options(zoom=4.0), np.random.default_rng(0))
    assert (changed.ravel().tolist(), changed_map.tolist()) == ([9, 9, 9], [[255]])


def test_zoom_keeps_void_and_makes_up_no_class():
    label_map = np.where(np.arange(64)[:, None] < 32, 255, 3).astype(np.uint8).repeat(64, axis=1)
    for seed in range(50):
        image = np.zeros((64, 64, 3), np.uint8)
        _, changed_map = augment_scene(image, label_map, options(zoom=3.0), np.random.default_rng(seed))
        assert set(np.unique(changed_map)) <= {3, 255}


def test_colour_multiplies_each_channel_by_its_own_factor_within_the_limit():
    image, label_map = np.full((2, 2, 3), 100, np.uint8), np.ones((2, 2), np.uint8)
    seen = []
    for seed in range(300):
        changed, changed_map = augment_scene(image, label_map, options(colour=0.2), np.random.default_rng(seed))
        assert (changed == changed[0, 0]).all()
        np.testing.assert_array_equal(changed_map, label_map)
        seen.append(changed[0, 0].tolist())
    assert np.min(seen, axis=0).tolist() == pytest.approx([80, 80, 80], abs=1)
    assert np.max(seen, axis=0).tolist() == pytest.approx([120, 120, 120], abs=1)
    assert abs(np.corrcoef(np.transpose(seen))[0, 1]) < 0.2


def test_bright_pixels_stay_white():
    image, label_map = np.full((1, 1, 3), 250, np.uint8), np.zeros((1, 1), np.uint8)
    reached = [
        augment_scene(image, label_map, options(colour=0.5), np.random.default_rng(seed))[0].max() for seed in range(20)
    ]
    assert max(reached) == 255


@pytest.mark.parametrize(
    "wrong",
    [{"flip": "yes"}, {"flip": 1}, {"crop": True}, {"zoom": 0.9}, {"zoom": "2"}, {"colour": 1.0}, {"colour": -0.1}],
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ValidationError):
        AugmentationOptions(**options().model_dump() | wrong)


def test_options_have_no_defaults():
    with pytest.raises(ValidationError):
        AugmentationOptions()
