import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from roadseg.training.augmentation import AugmentationOptions, augment_scene

VOID = 255
SMALL_SIZES = [(1, 1), (2, 3), (1, 7), (5, 1), (37, 53), (64, 96)]


def options(**changes):
    return AugmentationOptions(**{"flip": False, "scale": (1, 1), "saturation": 0, "gamma": 1} | changes)


EVERYTHING = options(flip=True, scale=(0.25, 4), saturation=0.5, gamma=2)


def noise(size=(3, 4)):
    """Returns an image and a label map that is its green channel."""
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    return image, image[..., 1].copy()


def augment(image, label_map, seed, **changes):
    return augment_scene(image, label_map, options(**changes), np.random.default_rng(seed))


def is_flipped(seed, size=(3, 4)):
    image, label_map = noise(size)
    changed, changed_map = augment(image, label_map, seed, flip=True)
    np.testing.assert_array_equal(changed_map, changed[..., 1])
    mirrored = np.array_equal(changed, np.flip(image, axis=1))
    assert mirrored or np.array_equal(changed, image)
    return mirrored


def test_label_map_moves_with_the_image_and_half_of_the_scenes_are_mirrored():
    # 1000 draws of one half: 500, standard deviation 15.8
    assert 420 < sum(is_flipped(seed) for seed in range(1000)) < 580


def test_odd_width_keeps_its_middle_column():
    assert any(is_flipped(seed, (2, 5)) for seed in range(20))


def test_without_changes_the_scene_stays_as_it_is():
    image, label_map = noise()
    for seed in range(20):
        changed, changed_map = augment(image, label_map, seed)
        np.testing.assert_array_equal(changed, image)
        np.testing.assert_array_equal(changed_map, label_map)


def test_changes_repeat_by_seed_and_differ_between_seeds():
    image, label_map = noise((24, 32))
    first, second = (
        [augment_scene(image, label_map, EVERYTHING, np.random.default_rng(seed)) for seed in range(20)]
        for _ in range(2)
    )
    for (changed, changed_map), (again, map_again) in zip(first, second, strict=True):
        np.testing.assert_array_equal(changed, again)
        np.testing.assert_array_equal(changed_map, map_again)
    assert len({changed.tobytes() for changed, _ in first}) == 20


@pytest.mark.parametrize("size", SMALL_SIZES)
def test_scene_itself_is_left_as_it_was_and_keeps_its_size(size):
    image, label_map = noise(size)
    image.flags.writeable = label_map.flags.writeable = False
    for seed in range(40):
        changed, changed_map = augment_scene(image, label_map, EVERYTHING, np.random.default_rng(seed))
        assert (changed.shape, changed_map.shape) == (image.shape, label_map.shape)
        assert (changed.dtype, changed_map.dtype) == (np.uint8, np.uint8)
    np.testing.assert_array_equal(image, noise(size)[0])
    np.testing.assert_array_equal(label_map, noise(size)[1])


STEP = 4
PRIMES = (47, 61)  # rows and columns, so that at most one centre of a new pixel lies between two old ones


def coordinates(size):
    """Returns an image whose channels are STEP times row, column and row, a label map of rows and one of columns."""
    rows, columns = np.indices(size).astype(np.uint8)
    return STEP * np.stack([rows, columns, rows], axis=-1), rows, columns


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("flip", [False, True])
def test_enlarged_image_and_label_map_show_the_same_window(seed, flip):
    image, *maps = coordinates(PRIMES)
    shown = []
    for axis, label_map in enumerate(maps):
        changed, changed_map = augment(image, label_map, seed, flip=flip, scale=(1, 4))
        shift = changed[..., axis] / STEP - changed_map
        # half a pixel to the nearest centre, and OpenCV's rounding of the image
        assert np.abs(shift).max() <= 0.5 + 0.75 / STEP
        assert abs(shift.mean()) < 0.08
        assert VOID not in changed_map
        shown.append(np.ptp(changed_map).item() + 1)
    # 1 / 4 to all of 47 rows, and as much of 61 columns, each rounded
    assert 12 <= shown[0] <= 47
    assert shown[1] == pytest.approx(61 / 47 * shown[0], abs=1.2)


def test_enlarged_pixels_are_bilinear_between_centres():
    image = np.repeat(np.array([[0, 0, 80, 80]], np.uint8)[..., None], 3, axis=-1)
    seen = set()
    for seed in range(200):
        changed, changed_map = augment(image, np.array([[0, 0, 1, 1]], np.uint8), seed, scale=(1, 2))
        seen.add((*changed[0, :, 0].tolist(), *changed_map[0].tolist()))
    # Windows of 4, 3 and 2 pixels. From the first centre, those of 4 cells over 3 pixels lie at -0.125, 0.625, 1.375
    # and 2.125; of 4 cells over 2 pixels, at -0.25, 0.25, 0.75 and 1.25.
    assert seen == {
        (0, 0, 80, 80, 0, 0, 1, 1),
        (0, 0, 30, 80, 0, 0, 0, 1),
        (0, 50, 80, 80, 0, 1, 1, 1),
        (0, 0, 0, 0, 0, 0, 0, 0),
        (0, 20, 60, 80, 0, 0, 1, 1),
        (80, 80, 80, 80, 1, 1, 1, 1),
    }


def test_enlarging_keeps_void_and_makes_up_no_class():
    label_map = np.where(np.arange(64)[:, None] < 32, VOID, 3).astype(np.uint8).repeat(64, axis=1)
    for seed in range(50):
        _, changed_map = augment(np.zeros((64, 64, 3), np.uint8), label_map, seed, scale=(1, 3))
        assert set(np.unique(changed_map)) <= {3, VOID}


def find_box(label_map):
    """Returns top, left, rows and columns of the pixels that are not void; they fill a rectangle."""
    rows, columns = np.nonzero(label_map != VOID)
    box = (rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1)
    assert len(rows) == box[2] * box[3]
    return tuple(int(each) for each in box)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("flip", [False, True])
def test_shrunk_image_and_label_map_stand_in_the_same_place(seed, flip):
    image, *maps = coordinates(PRIMES)
    for axis, label_map in enumerate(maps):
        changed, changed_map = augment(image, label_map, seed, flip=flip, scale=(0.25, 1))
        top, left, *new = find_box(changed_map)
        box = np.s_[top : top + new[0], left : left + new[1]]
        # centres of the new pixels, counted in pixels of the scene, from their edge
        centres = (np.arange(new[axis]) + 0.5) * label_map.shape[axis] / new[axis]
        if flip and axis == 1 and changed_map[box][0, 0] > changed_map[box][0, -1]:
            centres = centres[::-1]
        expected = np.expand_dims(centres, 1 - axis)
        np.testing.assert_array_equal(*np.broadcast_arrays(changed_map[box], np.floor(expected)))
        # The mean of an area's coordinates is its middle to 1 / 8 pixel, as it may cut pixels at both ends.
        assert np.abs(changed[box][..., axis] / STEP - (expected - 0.5)).max() <= 0.51 / STEP + 1 / 8


def test_shrunk_pixels_are_means_of_areas():
    # A quarter of 8 pixels: 2 means of 4. Between centres lie 0 and 0.
    image = np.repeat(np.array([[0, 0, 0, 200, 80, 0, 0, 0]], np.uint8)[..., None], 3, axis=-1)
    quarters = []
    for seed in range(60):
        changed, changed_map = augment(image, np.zeros((1, 8), np.uint8), seed, scale=(0.25, 1))
        _, left, _, columns = find_box(changed_map)
        if columns == 2:
            quarters.append(changed[0, left : left + 2, 0].tolist())
    assert {tuple(each) for each in quarters} == {(50, 20)}


@pytest.mark.parametrize("size", SMALL_SIZES)
def test_around_a_shrunk_scene_the_image_is_mirrored_and_the_label_map_void(size):
    image, label_map = noise(size)
    boxes = []
    for seed in range(100):
        changed, changed_map = augment(image, label_map, seed, scale=(0.25, 1))
        top, left, rows, columns = find_box(changed_map)
        around = ((top, size[0] - rows - top), (left, size[1] - columns - left))
        box = changed[top : top + rows, left : left + columns]
        np.testing.assert_array_equal(changed, np.pad(box, (*around, (0, 0)), mode="reflect"))
        boxes.append((rows, columns))
    assert (np.min(boxes, axis=0) <= np.ceil(np.multiply(0.3, size))).all()
    assert (np.max(boxes, axis=0) >= np.multiply(0.93, size)).all()


def test_void_of_the_scene_stays_void_when_it_shrinks():
    label_map = np.full((9, 9), VOID, np.uint8)
    for seed in range(20):
        assert (augment(np.zeros((9, 9, 3), np.uint8), label_map, seed, scale=(0.25, 1))[1] == VOID).all()


def test_scene_of_one_pixel_is_that_pixel_at_any_scale():
    image, label_map = np.full((1, 1, 3), 9, np.uint8), np.full((1, 1), 5, np.uint8)
    for seed in range(20):
        changed, changed_map = augment(image, label_map, seed, scale=(0.25, 4))
        assert (changed.ravel().tolist(), changed_map.tolist()) == ([9, 9, 9], [[5]])


@pytest.mark.parametrize(("axis", "side"), [(0, 48), (1, 64)])
def test_windows_lie_anywhere_in_the_scene(axis, side):
    image, *maps = coordinates((48, 64))
    shown = [augment(image, maps[axis], seed, scale=(1, 2))[1] for seed in range(200)]
    small = [(each.min(), each.max()) for each in shown if np.ptp(each) < 0.6 * side]
    assert min(first for first, _ in small) <= 2
    assert max(last for _, last in small) >= side - 3


@pytest.mark.parametrize(("axis", "side"), [(0, 48), (1, 64)])
def test_shrunk_scene_is_laid_anywhere(axis, side):
    image, label_map = noise((48, 64))
    boxes = [find_box(augment(image, label_map, seed, scale=(0.25, 1))[1]) for seed in range(200)]
    small = [(box[axis], box[axis] + box[2 + axis]) for box in boxes if box[2 + axis] < 0.6 * side]
    assert min(start for start, _ in small) <= 2
    assert max(end for _, end in small) >= side - 2


def test_all_ratios_of_size_come_alike():
    # From 1 / 4 to 4 are four doublings: a quarter of 1000 draws lies in each, standard deviation 13.7.
    image, rows, _ = coordinates((63, 2))
    factors = []
    for seed in range(1000):
        _, changed_map = augment(image, rows, seed, scale=(0.25, 4))
        void = (changed_map == VOID).all(axis=1).sum()
        factors.append(1 - void / 63 if void else 63 / (np.ptp(changed_map) + 1))
    for least in (0.25, 0.5, 1, 2):
        assert 190 < sum(least <= factor < 2 * least for factor in factors) < 310


def nearest_parameter(changed, expect, candidates):
    """Returns the candidate whose expected pixels lie nearest, and by how much the worst pixel is off."""
    errors = [np.abs(expect(each) - changed).max() for each in candidates]
    return candidates[np.argmin(errors)], min(errors)


def test_saturation_stretches_and_shrinks_the_distance_from_grey():
    image, label_map = noise((12, 16))
    image[0, :3] = [[0, 0, 0], [255, 255, 255], [255, 0, 0]]
    luma = image @ [0.299, 0.587, 0.114]  # ITU-R BT.601
    grey = luma[..., None]
    factors = []
    for seed in range(100):
        changed, changed_map = augment(image, label_map, seed, saturation=0.5)
        np.testing.assert_array_equal(changed_map, label_map)
        factor, error = nearest_parameter(
            changed, lambda factor: np.clip(grey + factor * (image - grey), 0, 255), np.linspace(0.5, 1.5, 501)
        )
        assert error <= 1
        factors.append(factor)
    # 100 draws of 0.5..1.5: mean 1, standard deviation 0.03
    assert 0.5 <= min(factors) < 0.55
    assert 1.45 < max(factors) <= 1.5
    assert np.mean(factors) == pytest.approx(1, abs=0.12)


def test_saturation_by_hand():
    # Grey of (200, 100, 50) is 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2, so the distances are 75.8, -24.2, -74.2.
    image, label_map = np.full((1, 1, 3), (200, 100, 50), np.uint8), np.zeros((1, 1), np.uint8)
    seen = [augment(image, label_map, seed, saturation=0.99)[0][0, 0].tolist() for seed in range(300)]
    # From almost grey to almost twice the distances, which give 275.8, 75.8 and -24.2.
    assert np.min(seen, axis=0).tolist() == pytest.approx([125, 76, 0], abs=2)
    assert np.max(seen, axis=0).tolist() == pytest.approx([255, 124, 124], abs=2)


def test_gamma_raises_each_colour_to_a_power_of_its_own():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image, label_map = np.stack([levels, levels.T, np.flip(levels)], axis=-1), levels
    powers = []
    for seed in range(100):
        changed, changed_map = augment(image, label_map, seed, gamma=2)
        np.testing.assert_array_equal(changed_map, label_map)
        for channel in range(3):
            before, after = image[..., channel], changed[..., channel]
            power, error = nearest_parameter(
                after, lambda power, before=before: 255 * (before / 255) ** power, np.geomspace(0.5, 2, 201)
            )
            assert error <= 1
            powers.append(power)
    # All ratios come alike: half of 300 powers lie below 1, standard deviation 8.7, and a quarter below the root of
    # 1 / 2, standard deviation 7.5.
    assert 0.5 <= min(powers) < 0.52
    assert 1.9 < max(powers) <= 2
    assert 110 < sum(power < 1 for power in powers) < 190
    assert 40 < sum(power < 0.7071 for power in powers) < 110
    assert np.abs(np.corrcoef(np.reshape(powers, (100, 3)).T) - np.eye(3)).max() < 0.4


def test_gamma_by_hand():
    # 64 / 255 = 0.251: its root is 0.501, its square 0.063.
    image, label_map = np.full((1, 1, 3), 64, np.uint8), np.zeros((1, 1), np.uint8)
    seen = [augment(image, label_map, seed, gamma=2)[0].ravel().tolist() for seed in range(300)]
    assert np.min(seen, axis=0).tolist() == pytest.approx([16, 16, 16], abs=1)
    assert np.max(seen, axis=0).tolist() == pytest.approx([128, 128, 128], abs=2)


def test_black_and_white_stay_under_gamma():
    image = np.repeat(np.array([[0, 255]], np.uint8)[..., None], 3, axis=-1)
    for seed in range(20):
        np.testing.assert_array_equal(augment(image, np.zeros((1, 2), np.uint8), seed, gamma=4)[0], image)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flip", "yes"),
        ("flip", 1),
        ("zoom", 2.0),
        ("scale", 1.0),
        ("scale", [0.5]),
        ("scale", [0.5, 1.0, 2.0]),
        ("scale", [0.24, 1.0]),
        ("scale", [1.1, 2.0]),
        ("scale", [0.5, 0.9]),
        ("scale", [1.0, 4.1]),
        ("scale", [2.0, 0.5]),
        ("scale", ["0.5", 2.0]),
        ("scale", [float("nan"), 2.0]),
        ("saturation", 1.0),
        ("saturation", -0.1),
        ("saturation", "0.5"),
        ("saturation", float("nan")),
        ("gamma", 0.9),
        ("gamma", 4.1),
        ("gamma", float("nan")),
        ("gamma", [1.0, 2.0]),
    ],
)
def test_impossible_options_are_refused_by_name(field, value):
    with pytest.raises(ValidationError) as refused:
        options(**{field: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {field}


@pytest.mark.parametrize("scale", [[0.25, 4.0], [1.0, 1.0], [1, 1], [0.5, 1]])
def test_options_are_read_from_yaml_and_from_their_own_record(scale):
    given = AugmentationOptions.model_validate(
        yaml.safe_load(f"{{flip: true, scale: {scale}, saturation: 0.3, gamma: 1.5}}")
    )
    assert given == options(flip=True, scale=tuple(scale), saturation=0.3, gamma=1.5)
    record = given.model_dump(mode="json")
    assert record == {"flip": True, "scale": scale, "saturation": 0.3, "gamma": 1.5}
    assert AugmentationOptions.model_validate(record) == given


@pytest.mark.parametrize("field", ["flip", "scale", "saturation", "gamma"])
def test_options_have_no_defaults(field):
    given = {name: value for name, value in options().model_dump().items() if name != field}
    with pytest.raises(ValidationError, match=field):
        AugmentationOptions(**given)
