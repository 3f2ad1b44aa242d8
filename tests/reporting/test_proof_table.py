from copy import deepcopy

from reporting.exports import REPORT
from roadseg.reporting.proof_table import describe_proof


def test_each_program_is_described_in_a_line():
    assert describe_proof(REPORT) == [
        "keras 3.15.1: 99.9931 % of the pixels have the same class, mean IoU 0.7940, 40.0 milliseconds per image",
        "onnxruntime 1.32: 100.0000 % of the pixels have the same class, mean IoU 0.7940, 50.0 milliseconds per image",
    ]


def test_a_mean_iou_that_is_not_defined_is_a_dash():
    report = deepcopy(REPORT)
    report["keras"]["mean_iou"] = float("nan")
    assert ", mean IoU \N{EN DASH}, 40.0 " in describe_proof(report)[0]
