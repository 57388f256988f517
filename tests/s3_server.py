"""An S3 API on loopback for the tests: moto's, with puts one at a time, and faults on request. Run or import.

moto looks whether an object exists and stores it in two steps; the lock here makes a conditional put what it is on real
storage. `faults` holds, per kind, how many of the next puts go wrong: `conflict` answers 409 before anything is stored,
`lost` stores and answers 500, `down` answers 503.

    python tests/s3_server.py      prints the endpoint and serves until its standard input ends
"""

from __future__ import annotations

import logging
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import MotoRequestHandler
from werkzeug.serving import make_server

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}  # fmt: skip
BUCKET = "tables"


class Gate:
    """Middleware: one put at a time, and the faults."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.lock = threading.Lock()
        self.faults: Counter[str] = Counter()
        self.puts = 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if environ["REQUEST_METHOD"] != "PUT" or "HTTP_IF_NONE_MATCH" not in environ:
            return self.application(environ, start)
        with self.lock:
            self.puts += 1
            if self._next("conflict"):
                return _answer(start, "409 Conflict", "ConditionalRequestConflict")
            if self._next("down"):
                return _answer(start, "503 Service Unavailable", "SlowDown")
            if self._next("lost"):
                list(self.application(environ, lambda *_: None))
                return _answer(start, "500 Internal Server Error", "InternalError")
            return list(self.application(environ, start))

    def _next(self, kind: str) -> bool:
        if not self.faults[kind]:
            return False
        self.faults[kind] -= 1
        return True


def _answer(start: Callable[..., Any], status: str, code: str) -> list[bytes]:
    body = f"<Error><Code>{code}</Code><Message>as asked</Message></Error>".encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def serving() -> Iterator[tuple[str, Gate]]:
    """The endpoint, and the gate in front of it. The bucket is there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")):
        pass
    try:
        yield endpoint, gate
    finally:
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    with serving() as (url, _):
        print(url, flush=True)
        sys.stdin.read()
