import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread, Timer
from threading import enumerate as enumerate_threads

import keras
import numpy as np
import pytest

from roadseg.scenes.prepared import PreparedScene
from roadseg.training.augmentation import AugmentationOptions
from roadseg.training.feeding import SceneBatches, Shuffle

SIZE = (2, 4)
IDS = [f"a_{number:02}" for number in range(10)]


@pytest.fixture
def scenes(in_memory):
    """Ten scenes; the red channel counts them, the label map is the green channel, which no flip leaves alone."""

    def scene(number):
        image = np.random.default_rng(number).integers(0, 255, (*SIZE, 3), np.uint8)
        image[..., 0] = number
        return PreparedScene(image, image[..., 1].copy(), SIZE)

    return in_memory({scene_id: scene(number) for number, scene_id in enumerate(IDS)})


class ReadScenes:
    """Scenes, and which of them were read."""

    def __init__(self, scenes):
        self._scenes, self.read = scenes, set()

    def read_pair(self, scene):
        self.read.add(scene)
        return self._scenes.read_pair(scene)


def shuffle(seed=7, *, flip=False):
    return Shuffle(seed=seed, augmentation=AugmentationOptions(flip=flip, scale=(1.0, 1.0), saturation=0.0, gamma=1.0))


def numbers(batches):
    """Returns the numbers of the scenes of an epoch, in the order in which they are served."""
    return [int(image[0, 0, 0]) for index in range(len(batches)) for image in batches[index][0]]


def epochs(batches, count):
    orders = []
    for _ in range(count):
        orders.append(numbers(batches))
        batches.on_epoch_end()
    return orders


def whole_epoch(batches):
    images, label_maps = zip(*(batches[index] for index in range(len(batches))), strict=True)
    return np.concatenate(images), np.concatenate(label_maps)


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(1, [1] * 10), (3, [3, 3, 3, 1]), (5, [5, 5]), (10, [10]), (16, [10])]
)
def test_last_batch_holds_the_remainder(scenes, batch_size, sizes):
    batches = SceneBatches(scenes, IDS, batch_size)
    assert len(batches) == len(sizes)
    assert [len(batches[index][0]) for index in range(len(batches))] == sizes
    assert numbers(batches) == list(range(10))


@pytest.mark.parametrize(("devices", "size"), [(1, 1), (2, 2), (3, 3), (4, 4)])
def test_last_batch_is_filled_up_with_void_until_the_devices_can_share_it(scenes, devices, size):
    batches = SceneBatches(scenes, IDS, 3, shared_by=devices)
    images, label_maps = batches[3]
    assert images.shape == (size, *SIZE, 3)
    np.testing.assert_array_equal(images, [scenes[IDS[9]].image] * size)
    np.testing.assert_array_equal(label_maps, [scenes[IDS[9]].label_map, *[np.full(SIZE, 255)] * (size - 1)])


@pytest.mark.parametrize("parts", [2, 4])
def test_parts_of_a_batch_are_the_batch_and_each_reads_its_own_scenes(scenes, parts):
    whole = SceneBatches(scenes, IDS, 4, shared_by=4, shuffle=shuffle())
    read = [ReadScenes(scenes) for _ in range(parts)]
    shared = [
        SceneBatches(each, IDS, 4, shared_by=4, part=(number, parts), shuffle=shuffle())
        for number, each in enumerate(read)
    ]
    for index in range(len(whole)):
        for ours, all_of_it in zip(zip(*(each[index] for each in shared), strict=True), whole[index], strict=True):
            np.testing.assert_array_equal(np.concatenate(ours), all_of_it)
            assert {len(each) for each in ours} == {4 // parts}
    # Ten scenes and two copies of the last one, of which each part reads at most one.
    assert sorted(set().union(*(each.read for each in read))) == sorted(IDS)
    assert all(len(each.read) <= 12 // parts for each in read)


def test_batch_is_images_and_label_maps_of_8_bits(scenes):
    images, label_maps = SceneBatches(scenes, IDS[4:], 3)[1]
    assert (images.shape, images.dtype) == ((3, *SIZE, 3), np.uint8)
    assert (label_maps.shape, label_maps.dtype) == ((3, *SIZE), np.uint8)
    for image, label_map, scene in zip(images, label_maps, IDS[7:], strict=True):
        np.testing.assert_array_equal(image, scenes[scene].image)
        np.testing.assert_array_equal(label_map, scenes[scene].label_map)


def test_order_of_the_ids_is_kept_without_shuffling_in_every_epoch(scenes):
    assert epochs(SceneBatches(scenes, [IDS[5], IDS[1], IDS[3]], 2), 3) == [[5, 1, 3]] * 3


@pytest.mark.parametrize("batch_size", [1, 3, 10, 16])
def test_each_scene_stands_once_in_each_shuffled_epoch(scenes, batch_size):
    orders = epochs(SceneBatches(scenes, IDS, batch_size, shuffle=shuffle()), 3)
    assert [sorted(order) for order in orders] == [list(range(10))] * 3


def test_order_differs_between_epochs_and_seeds_and_repeats_by_seed(scenes):
    orders = epochs(SceneBatches(scenes, IDS, 3, shuffle=shuffle()), 4)
    assert len({tuple(order) for order in [*orders, list(range(10))]}) == 5
    assert epochs(SceneBatches(scenes, IDS, 3, shuffle=shuffle()), 4) == orders
    assert epochs(SceneBatches(scenes, IDS, 3, shuffle=shuffle(8)), 4) != orders


def test_order_does_not_depend_on_the_batch_size(scenes):
    assert numbers(SceneBatches(scenes, IDS, 3, shuffle=shuffle())) == numbers(
        SceneBatches(scenes, IDS, 4, shuffle=shuffle())
    )


def test_label_map_moves_with_its_image(scenes):
    batches = SceneBatches(scenes, IDS, 3, shuffle=shuffle(flip=True))
    flipped = 0
    for _ in range(20):
        images, label_maps = whole_epoch(batches)
        np.testing.assert_array_equal(label_maps, images[..., 1])
        for image in images:
            original = scenes[IDS[image[0, 0, 0]]].image
            mirrored = np.array_equal(image, original[:, ::-1])
            assert mirrored or np.array_equal(image, original)
            flipped += mirrored
        batches.on_epoch_end()
    assert 60 < flipped < 140  # 200 draws of one half: standard deviation 7


def test_same_scene_is_changed_differently_in_other_epochs(scenes):
    batches = SceneBatches(scenes, IDS[:1], 1, shuffle=shuffle(flip=True))
    seen = set()
    for _ in range(20):
        seen.add(batches[0][0].tobytes())
        batches.on_epoch_end()
    assert len(seen) == 2


def test_threads_change_neither_order_nor_augmentation(scenes):
    batches = SceneBatches(scenes, IDS * 10, 3, shuffle=shuffle(flip=True))
    expected = [batches[index] for index in range(len(batches))]
    assert len(expected) == 34  # of 100 scenes, 3 each
    with ThreadPoolExecutor(8) as pool:
        for index, batch in enumerate(pool.map(batches.__getitem__, reversed(range(len(batches))))):
            for array, again in zip(batch, expected[-1 - index], strict=True):
                np.testing.assert_array_equal(array, again)


class Recorder(keras.Model):
    """Learns nothing, notes what it is fed."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def train_step(self, data):
        self.seen.append([int(image[0, 0, 0]) for image in np.asarray(data[0])])
        return {"loss": 0.0}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="train_step differs between backends")
def test_fit_is_fed_epoch_after_epoch_in_order(scenes):
    recorder = Recorder()
    recorder.compile(run_eagerly=True)
    recorder.fit(SceneBatches(scenes, IDS, 4, shuffle=shuffle()), epochs=3, shuffle=False, verbose=0)
    # Keras ends an epoch before the first one, to find the shapes of a batch.
    expected = epochs(SceneBatches(scenes, IDS, 4, shuffle=shuffle()), 4)[1:]
    assert recorder.seen == [part for order in expected for part in (order[:4], order[4:8], order[8:])]


def test_predict_is_fed_in_order(scenes):
    images = keras.Input((*SIZE, 3))
    network = keras.Model(images, keras.layers.Rescaling(1.0)(images))
    expected = np.stack([scenes[scene].image for scene in IDS])
    np.testing.assert_array_equal(network.predict(SceneBatches(scenes, IDS, 3), verbose=0), expected)


def test_threads_end_with_the_batches_and_what_is_not_begun_is_not_read(scenes):
    is_free, read = Event(), []

    class Waiting:
        def read_pair(self, scene):
            read.append(scene)
            is_free.wait(10)
            return scenes.read_pair(scene)

    def readers():
        return {each for each in enumerate_threads() if each.name.startswith("scene_reader")} - of_others

    of_others = set()
    of_others = readers()

    with SceneBatches(Waiting(), IDS, 1) as batches:
        asked = Thread(target=batches.__getitem__, args=(0,))
        asked.start()
        while len(read) < 2:
            time.sleep(0.01)
        assert len(readers()) == 2
        Timer(0.2, is_free.set).start()
    asked.join()
    assert not readers()
    assert sorted(read) == IDS[:2]


def test_scene_without_labels_is_named(in_memory):
    scenes = in_memory({"a_00": PreparedScene(np.zeros((*SIZE, 3), np.uint8), None, SIZE)})
    with pytest.raises(ValueError, match="scene 'a_00' has no labels"):
        SceneBatches(scenes, ["a_00"], 1)[0]


def test_scenes_of_several_batches_are_read_at_the_same_time_and_served_as_without(scenes):
    together = Barrier(6, timeout=30)  # it opens only if six are there at once, of batches of two

    class Waiting:
        def read_pair(self, scene):
            together.wait()
            return scenes.read_pair(scene)

    ids = [*IDS, *IDS[:2]]
    with SceneBatches(Waiting(), ids, 2, shuffle=shuffle(flip=True), in_flight=6) as batches:
        served = whole_epoch(batches)
    assert not [thread.name for thread in enumerate_threads() if thread.name.startswith("waits_for_scene")]
    expected = whole_epoch(SceneBatches(scenes, ids, 2, shuffle=shuffle(flip=True)))
    for one, other in zip(served, expected, strict=True):
        np.testing.assert_array_equal(one, other)
