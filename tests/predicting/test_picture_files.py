"""Files of pictures of which it is known what the network says."""

import cv2
import numpy as np

from predicting.pictures import picture_files
from roadseg.segnet.segmentation import Segmentation


def test_grey_values_of_maps_are_shares_of_the_largest_value(tmp_path):
    # Of three classes. First pixel: the mean is 1/3 each, so the confidence is 1/3, and the entropy the largest, log 3;
    # of three sure draws, one per class, the variance of each class is (4/9 + 1/9 + 1/9) / 3 = 2/9, the largest.
    # Second pixel: the mean is 1/2, 1/2, 0, and so the entropy log 2; of two sure draws the variances are 1/4, 1/4, 0,
    # their mean is 1/6, which is 3/4 of 2/9.
    # Third pixel: all draws are sure of one class.
    mean = np.array([[[1 / 3, 1 / 3, 1 / 3], [1 / 2, 1 / 2, 1e-30], [1, 1e-30, 1e-30]]], np.float32)
    variance = np.array([[2 / 9, 1 / 6, 0]], np.float32)
    files = picture_files(tmp_path, samples=6, maps=["confidence", "entropy", "variance"])
    found = Segmentation(np.log(mean), (1, 3), variance=variance)
    files.write("a/b", np.zeros((1, 3, 3), np.uint8), found)
    expected = {"confidence": [85, 128, 255], "entropy": [255, round(255 * np.log(2) / np.log(3)), 0]}
    for name, values in (expected | {"variance": [255, 191, 0]}).items():
        read = cv2.imread(str(tmp_path / f"{name}_maps/a/b.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(read, [values], err_msg=name)
