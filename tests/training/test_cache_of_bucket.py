"""A training that reads its scenes from a bucket."""

import pytest

from reading.noise import IDS, Work
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles
from roadseg.training.cache import CachedPairs
from roadseg.training.feeding import SceneBatches

pytestmark = pytest.mark.scale


@pytest.fixture
def prepared(s3):
    store = SceneStore(WholeFiles.reached_by("s3", s3.credentials, s3.fs_args), f"{s3.make_bucket()}/store")
    made = carry_out(Work().plan(), store, in_flight=4)
    s3.recover()
    return made


def read_epoch(batches):
    for index in range(len(batches)):
        assert batches[index]
    batches.on_epoch_end()


def test_the_second_epoch_of_a_cached_training_reads_no_byte_from_the_bucket(s3, prepared, tmp_path):
    cached = CachedPairs(prepared, IDS, prepared.image_size, tmp_path / "cache.npy")
    with SceneBatches(cached, IDS, 4, in_flight=4) as batches:
        read_epoch(batches)
        assert s3.count_requests() == {"GET": 2 * len(IDS)}  # image and label map of each scene
        read_epoch(batches)
        assert s3.count_requests() == {}


def test_scenes_of_a_bucket_are_read_ahead_together(s3, prepared):
    assert prepared.is_remote
    s3.answer_late(0.3)
    with SceneBatches(prepared, IDS, 2, in_flight=8) as batches:
        read_epoch(batches)
    assert s3.take_peak() > 2 * 2  # more than one batch: each scene is two requests
