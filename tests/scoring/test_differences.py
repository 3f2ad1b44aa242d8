from roadseg.scoring.differences import compare_values


def test_only_what_differs_is_named():
    first = {"train": {"loss": {"kind": "focal", "gamma": 2.0}, "epochs": 3}, "seed": 1}
    second = {"train": {"loss": {"kind": "focal", "gamma": 1.0}, "epochs": 3}, "seed": 2}
    assert compare_values(first, second) == {"train.loss.gamma": (2.0, 1.0), "seed": (1, 2)}


def test_equal_mappings_differ_in_nothing():
    assert compare_values({"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}) == {}


def test_what_one_lacks_is_a_difference():
    assert compare_values({"a": 1}, {"b": {"c": None}}) == {"a": (1, "-"), "b.c": ("-", None)}
