import pytest

from predicting.pictures import predict_options


def test_a_variance_map_without_samples_is_refused():
    with pytest.raises(ValueError, match=r"maps has variance, .*: expected samples above 0, received 0"):
        predict_options(maps=["variance"])
    assert predict_options(maps=["variance"], samples=2).maps == ["variance"]
