import io
import logging
import sys

import pytest

from roadseg.training.progress import EpochProgress

FACTS = {
    "loss": 0.51234,
    "mean_iou": 0.6,
    "val_loss": 0.7,
    "val_mean_iou": 0.5,
    "learning_rate": 0.002,
    "images_per_second": 31.25,
    "seconds": 4.0,
}


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self):
        return True


def show_epoch(progress, last=True):
    progress.set_params({"epochs": 12})
    progress.on_epoch_begin(2)
    for batch in range(3):
        progress.on_train_batch_end(batch, {"loss": 0.25})
    progress.on_test_begin()
    if last:
        progress.on_epoch_end(2, FACTS)


def test_epoch_is_one_line_in_the_log(caplog):
    with caplog.at_level(logging.INFO, "roadseg.training.progress"), EpochProgress(images=10, batch_size=4) as progress:
        show_epoch(progress)
    assert caplog.messages == [
        "Epoch 3 of 12: loss 0.5123, mean IoU 0.6000, validation 0.7000, 0.5000; rate 0.002; 31.2 images/s; 4.0 s"
    ]


def test_without_a_terminal_nothing_else_is_written(capfd):
    with EpochProgress(images=10, batch_size=4) as progress:
        show_epoch(progress)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("last", [True, False], ids=["finished", "broken off"])
def test_terminal_shows_images_speed_time_left_and_loss_and_is_left_clean(monkeypatch, last):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with EpochProgress(images=10, batch_size=4) as progress:
        show_epoch(progress, last)
    shown = sys.stdout.getvalue()
    for words in ("Epoch 3 of 12", "10/10", "images/s", "0:00:00", "loss 0.2500", "validating"):
        assert words in shown
    assert "\x1b[?25h" in shown  # the cursor is shown again
