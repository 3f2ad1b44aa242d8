import numpy as np

from roadseg.segnet.backend import count_values


def test_values_are_counted():
    assert np.array(count_values(np.array([3, 0, 3, 1, 3], "int32"), 5)).tolist() == [1, 1, 0, 3, 0]
