"""A server that speaks S3, moto's, in a process of its own: it counts requests, answers late, and fails as it is told.

Run as a program it serves until its standard input ends, so it never outlives the process that started it.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import fsspec

CONTROL = "/control/"
"""Below this path are no buckets: `requests` returns what was asked for, `peak` how much of it at the same time, and
`settings` takes what is to happen."""

SETTINGS: Mapping[str, Any] = {"delay": 0.0, "faults": 0, "fault": 503, "kinds": None}
"""Seconds before an answer, how many of the next requests fail, with which HTTP status (0: the connection breaks), and
which kinds of requests may (None: all)."""

ALWAYS = 10**9


@dataclass(frozen=True)
class Request:
    """One request that the server got.

    Attributes:
        kind: `GET`, `HEAD`, `PUT`, `DELETE` of an object, `LIST`, `COPY`, `PART` of an upload, `BEGIN` and `COMPLETE`
            an upload, `ABORT` it, `DELETE_MANY`, `BUCKET` for the rest.
        key: Bucket and key, with a slash between them.
    """

    kind: str
    key: str


class S3Server:
    """The server, as tests see it.

    Attributes:
        endpoint: Its URL.
        credentials: What a catalog entry has as `credentials`.
        fs_args: What a catalog entry has as `fs_args`.
    """

    credentials: Mapping[str, str] = {"key": "testing", "secret": "testing"}

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.fs_args = {"client_kwargs": {"endpoint_url": endpoint, "region_name": "eu-central-1"}}

    @property
    def fs(self) -> Any:
        """A file system that knows nothing of what was listed before."""
        return fsspec.filesystem("s3", use_listings_cache=False, **self.credentials, **self.fs_args)

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which any program finds the server, without credentials and arguments in its catalog."""
        return {
            "AWS_ACCESS_KEY_ID": self.credentials["key"],
            "AWS_SECRET_ACCESS_KEY": self.credentials["secret"],
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": "eu-central-1",
        }

    def make_bucket(self) -> str:
        """Returns the URL of a bucket that nobody used before, such as `s3://bucket-0123abcd`."""
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        self.fs.mkdir(name)
        return f"s3://{name}"

    def answer_late(self, seconds: float) -> None:
        """Lets each answer take so much longer."""
        self._set(delay=seconds)

    def fail(self, times: int = ALWAYS, status: int = 503, kinds: Sequence[str] | None = None) -> None:
        """Lets the next requests fail, with an HTTP status; with 0 their connections break without an answer."""
        self._set(faults=times, fault=status, kinds=kinds and list(kinds))

    def recover(self) -> None:
        """Answers well and at once, and forgets what was asked for."""
        self._set(**SETTINGS)
        self.take_requests()
        self.take_peak()

    def take_peak(self) -> int:
        """Returns how many requests at most waited at the same time for late answers since this was last asked."""
        return int(self._ask("peak"))

    def take_requests(self) -> list[Request]:
        """Returns the requests since this was last asked, in order."""
        return [Request(*each) for each in self._ask("requests")]

    def count_requests(self, part: str = "") -> Counter[str]:
        """Returns the number of requests of each kind since this was last asked, of keys that contain a text."""
        return Counter(each.kind for each in self.take_requests() if part in each.key)

    def _set(self, **settings: Any) -> None:
        self._ask("settings", json.dumps(settings).encode())

    def _ask(self, what: str, content: bytes | None = None) -> Any:
        with urllib.request.urlopen(f"{self.endpoint}{CONTROL}{what}", content, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def run_server() -> Iterator[S3Server]:
    """Starts a server on a free port; it ends with the block."""
    started = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"},
    )
    with started as process:
        try:
            port = int(process.stdout.readline())  # type: ignore[union-attr]
            yield S3Server(f"http://127.0.0.1:{port}")
        finally:
            process.kill()


class Watched:
    """A WSGI application that notes the requests to another one, delays them and lets them fail."""

    def __init__(self, application: Any) -> None:
        self._application, self._lock = application, threading.Lock()
        self._settings, self._requests = dict(SETTINGS), list[tuple[str, str]]()
        self._waiting, self._peak = 0, 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(CONTROL):
            return self._obey(path.removeprefix(CONTROL), environ, start_response)
        kind = name_kind(environ)
        with self._lock:
            self._requests.append((kind, path.strip("/")))
            fails = self._settings["faults"] > 0 and kind in (self._settings["kinds"] or [kind])
            self._settings["faults"] -= fails
            delay, fault = self._settings["delay"], self._settings["fault"]
            self._waiting += 1
            self._peak = max(self._peak, self._waiting)
        time.sleep(delay)
        with self._lock:
            self._waiting -= 1
        if not fails:
            return self._application(environ, start_response)
        if fault == 0:
            environ["werkzeug.socket"].shutdown(2)
            raise ConnectionAbortedError
        start_response(f"{fault} Told so", [("Content-Length", "0")])
        return []

    def _obey(self, what: str, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            answer: Any = []
            if what == "requests":
                answer, self._requests = self._requests, []
            elif what == "peak":
                answer, self._peak = self._peak, 0
            else:
                self._settings |= json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]


def name_kind(environ: Mapping[str, Any]) -> str:
    """Returns the kind of a request, see `Request`."""
    method, query = environ["REQUEST_METHOD"], parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if "/" not in environ["PATH_INFO"].strip("/"):
        if method == "POST" and "delete" in query:
            return "DELETE_MANY"
        is_list = method == "GET" and ("list-type" in query or not query)
        return "LIST" if is_list else "BUCKET"
    if "uploads" in query:
        return "BEGIN"
    if "uploadId" in query:
        return {"PUT": "PART", "POST": "COMPLETE", "DELETE": "ABORT"}.get(method, method)
    return "COPY" if "HTTP_X_AMZ_COPY_SOURCE" in environ else str(method)


def serve() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    MotoRequestHandler.protocol_version = "HTTP/1.1"  # connections stay open, as those of S3 do
    application = Watched(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    print(server.port, flush=True)  # noqa: T201
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    serve()
