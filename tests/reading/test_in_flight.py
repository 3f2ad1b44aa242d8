"""One function for many items, several at the same time."""

import threading

import pytest

from roadseg.reading.in_flight import map_in_flight


def test_as_many_as_asked_for_are_computed_at_the_same_time_and_come_in_order():
    together = threading.Barrier(3, timeout=30)  # it opens only if three are there at once

    def double(item):
        together.wait()
        return 2 * item

    assert list(map_in_flight(double, iter(range(9)), 3)) == list(range(0, 18, 2))


def test_few_items_are_drawn_in_advance():
    drawn = []
    results = map_in_flight(str, (drawn.append(item) or item for item in range(100)), 2)
    assert next(results) == "0"
    assert len(drawn) <= 5
    results.close()


def test_an_error_comes_when_its_item_is_due_and_ends_the_rest():
    done = []

    def refuse_two(item):
        if item == 2:
            raise ValueError(item)
        done.append(item)
        return item

    results = map_in_flight(refuse_two, range(1000), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="2"):
        next(results)
    assert len(done) < 10
