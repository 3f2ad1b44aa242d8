"""What int8 costs: `python tests/benchmarks/quantization.py DATA NAME`, such as `... data camvid`.

Takes the newest model, prepared scenes and split of a data set. The file in ONNX predicts all labelled validation
scenes in float32, then quantised in each way. Prints the IoU of each class in float32, what each way adds to it, and
how many pixels keep their class.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from kedro.io import Version

from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.exporting.onnx_model import OnnxOptions, convert_to_onnx
from roadseg.exporting.quantization import QuantizationOptions, quantize_onnx
from roadseg.exporting.scene_choice import read_calibration_images
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.splits import group_by_split
from roadseg.scoring.metrics import class_iou, count_classes, count_confusion
from roadseg.segnet.trained import load_model

WAYS = [
    QuantizationOptions(method=method, float_ends=float_ends)
    for float_ends in (True, False)
    for method in ("minmax", "percentile", "entropy")
]


def find_newest(path: Path) -> Path:
    """Returns the file of the newest version."""
    return max(path.glob(f"*/{path.name}"))


def predict(model: Any, scenes: PreparedScenes, ids: list[str]) -> np.ndarray:
    """Returns the label maps: (scenes, height, width) uint8."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["label_map"], {"images": scenes[scene].image[None]})[0] for scene in ids])


def score(label_maps: np.ndarray, scenes: PreparedScenes, ids: list[str]) -> np.ndarray:
    """Returns the IoU of each class, and the mean as the last."""
    truth = np.stack([scenes[scene].label_map for scene in ids])
    found = class_iou(count_classes(count_confusion(truth, label_maps, len(scenes.classes))))
    return np.append(found, np.nanmean(found))


def main() -> None:
    """Prints a row per class."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder with 03_primary and 06_models")
    parser.add_argument("name", help="the data set, such as camvid")
    parser.add_argument("--calibration", type=int, default=32, help="training scenes to calibrate with")
    given = parser.parse_args()
    primary, models = given.data / "03_primary" / given.name, given.data / "06_models" / given.name
    split_table = pd.read_csv(find_newest(primary / "split_table.csv"))
    manifest = str(primary / "prepared_scenes/manifest.json")
    scenes = PreparedScenesDataset(filepath=manifest, version=Version(None, None)).load()
    model = load_model(find_newest(models / "segnet.keras"))
    converted = convert_to_onnx(model, OnnxOptions(outputs="classes", opset=17, ir_version=None, image_size=None))
    images = read_calibration_images(scenes.read_pair, split_table, given.calibration)
    ids = group_by_split(split_table)["validation"]
    reference = predict(converted, scenes, ids)
    expected = score(reference, scenes, ids)
    columns = {"float32": [*expected, 1]}
    for way in WAYS:
        started = time.process_time()
        quantized = quantize_onnx(converted, images, way)
        name = way.method + (", float ends" if way.float_ends else "")
        label_maps = predict(quantized, scenes, ids)
        columns[name] = [*(score(label_maps, scenes, ids) - expected), (label_maps == reference).mean()]
        print(f"{name}: {time.process_time() - started:.0f} s", flush=True)
    table = pd.DataFrame(columns, index=[*(each.name for each in scenes.classes), "mean", "pixels of the same class"])
    print(f"{len(ids)} validation scenes, calibrated with {len(images)}")
    print(table.round(4).to_string())


if __name__ == "__main__":
    main()
