"""Pictures of two pixels and two or three classes, whose distances can be seen."""

import numpy as np
import pandas as pd

from roadseg.scoring.annotation_order import order_for_annotation

A, B, HALF = (2, 0), (0, 2), (1, 1)
"""Layouts: distances are 1 between A and B, and 1/2 to the third one."""


def order(*pictures, count=10):
    """Orders pictures of (name, drive, entropy, layout)."""
    names, drives, entropies, layouts = zip(*pictures, strict=True)
    table = pd.DataFrame({"picture": names, "drive": drives, "entropy": entropies})
    return order_for_annotation(table, np.array(layouts, np.int16), count)


def test_entropy_times_distance_to_the_nearest_one_decides():
    # After p, A has distance 0, B 1 and HALF 1/2: 0, 0.25 and 0.3; after s, B has 1/2 and A still 0.
    found = order(("p", "1", 1.0, A), ("q", "1", 0.9, A), ("r", "1", 0.25, B), ("s", "1", 0.6, HALF))
    assert found["picture"].tolist() == ["p", "s", "r", "q"]
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["distance"].tolist() == [1.0, 0.5, 0.5, 0.0]
    assert found["score"].tolist() == [1.0, 0.3, 0.125, 0.0]
    assert list(found) == ["rank", "round", "picture", "drive", "entropy", "distance", "score"]


def test_a_round_takes_one_picture_of_each_drive():
    # p is chosen first, so drive 1 waits until drive 2 and no drive have given one, though r scores more than both.
    found = order(
        ("p", "1", 1.0, A), ("r", "1", 0.9, B), ("s", "2", 0.5, HALF), ("t", "2", 0.1, A), ("u", np.nan, 0.2, HALF)
    )
    assert found["picture"].tolist() == ["p", "s", "u", "r", "t"]
    assert found["round"].tolist() == [1, 1, 1, 2, 2]


def test_pictures_of_one_kind_are_ordered_by_entropy_then_by_place():
    found = order(("p", "1", 0.5, A), ("q", "1", 0.7, A), ("r", "1", 0.5, A), ("s", "1", 0.6, A))
    assert found["picture"].tolist() == ["q", "s", "p", "r"]


def test_so_many_are_chosen_as_asked_for():
    pictures = [("p", "1", 0.5, A), ("q", "1", 0.7, B)]
    assert order(*pictures, count=1)["picture"].tolist() == ["q"]
    assert order(pictures[0])["picture"].tolist() == ["p"]


def test_a_network_that_is_sure_of_all_gives_an_order_too():
    assert order(("p", "1", 0.0, A), ("q", "1", 0.0, B))["picture"].tolist() == ["p", "q"]


def test_it_is_what_a_plain_search_finds():
    random = np.random.default_rng(3)
    layouts = random.multinomial(64, np.full(12, 1 / 12), 40).astype(np.int16)
    entropies, drives = random.random(40), random.integers(0, 7, 40)
    chosen, used = [], set()
    while len(chosen) < 40:
        left = [place for place in range(40) if place not in chosen and drives[place] not in used]
        if not left:
            used = set()
            continue

        def score(place):
            gaps = [np.abs(layouts[place].astype(float) - layouts[other]).sum() / 128 for other in chosen]
            return entropies[place] * min(gaps, default=1)

        chosen.append(max(left, key=score))
        used.add(drives[chosen[-1]])
    found = order(*zip(map(str, range(40)), map(str, drives), entropies, layouts, strict=True), count=40)
    assert found["picture"].tolist() == [str(each) for each in chosen]
