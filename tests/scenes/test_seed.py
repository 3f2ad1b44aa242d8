import numpy as np
import pytest
from pydantic import ValidationError

from roadseg.scenes.seed import Seed


@pytest.mark.parametrize("number", [0, 1, 4294967295])
def test_seed_is_what_numpy_takes(number: int) -> None:
    np.random.seed(number)  # noqa: NPY002 - which keras.utils.set_random_seed seeds too
    assert Seed.model_validate(number).root == number


@pytest.mark.parametrize("number", [-1, 4294967296])
def test_no_seed_is_what_numpy_refuses(number: int) -> None:
    with pytest.raises(ValueError, match="must be between"):
        np.random.seed(number)  # noqa: NPY002
    with pytest.raises(ValidationError, match="Input should be"):
        Seed.model_validate(number)


@pytest.mark.parametrize("value", ["abc", "7", 1.5, 1.0, True, None, [1], {"root": 1}])
def test_seed_is_a_whole_number(value: object) -> None:
    with pytest.raises(ValidationError, match="Input should be a valid integer"):
        Seed.model_validate(value)


def test_seed_is_written_as_its_number() -> None:
    assert str(Seed(7)) == "7"
