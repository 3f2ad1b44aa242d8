import pytest

from roadseg.reading.batches import choose_size


@pytest.mark.parametrize(
    ("left", "threads", "overhead", "seconds", "size"),
    [
        (1000, 2, None, 0.1, 1),  # what a batch costs is not known yet
        (1000, 2, 0.002, None, 1),  # nor what an item does
        (1000, 2, 0.002, 0.01, 4),  # 2 ms are 5 % of 40 ms, which are 4 items
        (1000, 2, 0.002, 0.1, 1),
        (10_000, 64, 0.002, 0.01, 26),  # 64 threads need a batch per 4 ms: each lasts 256 ms
        (1000, 64, 0.002, 0.01, 4),  # 64 threads want 256 more batches of 1,000 items, that all end together
        (3, 2, 0.002, 0.0, 1),
    ],
)
def test_batches_are_as_large_as_their_overhead_needs(left, threads, overhead, seconds, size):
    assert choose_size(left, threads, overhead, seconds) == size


def test_batches_of_scenes_that_wait_for_a_store_keep_all_places_busy():
    assert choose_size(10_000, 2, None, None, in_flight=16) == 128
    assert choose_size(10_000, 2, 0.002, 0.0001, in_flight=16) == 400
    assert choose_size(160, 2, 0.002, 0.0001, in_flight=16) == 20
