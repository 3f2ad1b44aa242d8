import logging
import sys

import cv2
import keras
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.training.tensorboard import TensorBoardLog, can_write_tensorboard

CLASSES = (SegmentationClass(name="dark", colour=(1, 2, 3)), SegmentationClass(name="light", colour=(250, 240, 230)))


def test_scalars_graph_and_examples_are_written(tmp_path):
    images = np.zeros((2, 4, 6, 3), np.uint8)
    images[1] = 200
    label_maps = np.zeros((2, 4, 6), np.uint8)
    network = keras.Sequential([keras.Input((4, 6, 3)), keras.layers.Conv2D(2, 1, kernel_initializer="ones")])
    network.layers[0].bias.assign([1.0, 0.0])  # always the first class
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    log = TensorBoardLog(tmp_path, images, label_maps, Palette(CLASSES), devices=3)
    network.fit(images, label_maps, validation_data=(images, label_maps), epochs=2, verbose=0, callbacks=[log])

    written = {}
    for part in ("train", "validation"):
        written[part] = EventAccumulator(str(tmp_path / part), size_guidance={"tensors": 0})
        written[part].Reload()
    assert {"epoch_loss", "epoch_learning_rate"} <= set(written["train"].Tags()["tensors"])
    assert written["train"].SummaryMetadata("keras").plugin_data.plugin_name == "graph_keras_model"
    examples = written["validation"].Tensors("examples")
    assert [each.step for each in examples] == [0, 1]
    width, height, *pictures = examples[0].tensor_proto.string_val
    assert (int(width), int(height), len(pictures)) == (6, 12, 2)
    picture = cv2.imdecode(np.frombuffer(pictures[1], np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(picture[:4], images[1])
    np.testing.assert_array_equal(picture[4:], np.broadcast_to((1, 2, 3), (8, 6, 3)))


def test_without_tensorflow_it_is_left_out_and_says_so(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # importing it fails
    with caplog.at_level(logging.INFO, "roadseg.training.tensorboard"):
        assert not can_write_tensorboard()
    assert caplog.messages == ["TensorFlow is not installed: this training is not shown in TensorBoard"]
