"""The report of an export, as the catalog holds it."""

KERAS = {
    "version": "3.15.1",
    "equal_pixels": 0.999931,
    "equal_tied_pixels": 1.0,
    "mean_iou": 0.794,
    "mean_iou_difference": 0.0,
    "milliseconds": 40.0,
}

ONNXRUNTIME = {
    "version": "1.32",
    "equal_pixels": 1.0,
    "equal_tied_pixels": 1.0,
    "mean_iou": 0.794,
    "mean_iou_difference": -0.0000031,
    "milliseconds": 50.0,
}

REPORT = {
    "scenes": 32,
    "pixels": 11520,
    "keras": KERAS,
    "runtimes": {"onnxruntime": ONNXRUNTIME},
    "unquantized": {},
    "files": {
        "onnx": {
            "size": 1234567,
            "inputs": {"images": "uint8 (batch, 15, 24, 3)"},
            "outputs": {"label_map": "uint8 (batch, 15, 24)", "confidence": "float32 (batch, 15, 24)"},
            "operators": {"Conv": 26, "Relu": 13},
            "versions": {"opset": 17, "ir_version": 8},
        }
    },
}


def quantised(scenes, float_ends):
    """Returns the report of a file in int8."""
    calibration = {"scenes": scenes, "method": "percentile", "float_ends": float_ends}
    files = {"onnx": REPORT["files"]["onnx"] | {"calibration": calibration}}
    return REPORT | {"unquantized": REPORT["runtimes"], "files": files}
