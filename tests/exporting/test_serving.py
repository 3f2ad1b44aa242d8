"""The server of docs/deploy.md."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import requests

from exporting.networks import OPTIONS, model_of
from roadseg.exporting.onnx_model import convert_to_onnx
from segnet.small_networks import small_segnet

DOCS = Path(__file__).parents[2] / "docs/deploy.md"
SIZE = (35, 50)


@pytest.fixture
def address(tmp_path):
    """The address of the server, which runs as long as a test."""
    (tmp_path / "segnet.onnx").write_bytes(
        convert_to_onnx(model_of(small_segnet(SIZE, "segnet_basic")), OPTIONS.onnx).SerializeToString()
    )
    (program,) = re.findall('```python title="serve.py"\n(.*?)```', DOCS.read_text("utf-8"), re.DOTALL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "serve.py").write_text(program.replace("8000", str(port)))
    with subprocess.Popen([sys.executable, "serve.py"], cwd=tmp_path, start_new_session=True) as server:
        try:
            yield wait_for(f"http://127.0.0.1:{port}", server)
        finally:
            with suppress(ProcessLookupError):  # it could not start
                os.killpg(server.pid, signal.SIGTERM)


def wait_for(address, server):
    """Returns an address when a server answers there."""
    for _ in range(300):
        assert server.poll() is None
        try:
            if requests.get(f"{address}/health", timeout=5).ok:
                return address
        except requests.ConnectionError:
            pass
        time.sleep(0.2)
    raise TimeoutError(address)


@pytest.mark.scale
def test_a_file_in_onnx_is_served(address, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (70, 100, 3), np.uint8)
    given = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    answer = requests.post(f"{address}/predict", files={"image": given}, timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    found = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    small = cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_AREA)
    (expected, _) = onnxruntime.InferenceSession(tmp_path / "segnet.onnx").run(None, {"images": small[None]})
    np.testing.assert_array_equal(found, expected[0])
    assert len(np.unique(found)) > 1
    refused = requests.post(f"{address}/predict", files={"image": b"no image"}, timeout=60)
    assert (refused.status_code, refused.json()) == (400, {"detail": "expected an image"})
