"""Receivers of alerts on loopback: an HTTP server that answers as told, and a mail server. Real sockets, no mocks."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass(frozen=True, slots=True)
class Seen:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `lost`: the request was taken, and the connection closed without a word."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    drip_seconds: float = 0  # between the bytes of the body


Answer = Callable[[Seen], Reply]


@dataclass
class Receiver:
    """What came in, and how to answer."""

    port: int
    seen: list[Seen] = field(default_factory=list)
    answer: Answer = field(default=lambda seen: Reply())

    def url(self, form: str) -> str:
        """An apprise address of this receiver; `form` is one with {} for host and port."""
        return form.format(f"127.0.0.1:{self.port}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(self.path, dict(self.headers.items()), body)
        self.receiver.seen.append(seen)
        reply = self.receiver.answer(seen)
        self.close_connection = True
        if reply.lost:
            return
        self.send_response(reply.status)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            if not reply.drip_seconds:
                self.wfile.write(reply.body)
            for byte in reply.body if reply.drip_seconds else b"":
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(reply.drip_seconds)
        except OSError:
            pass

    do_PUT = do_POST
    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def webhook() -> Iterator[Receiver]:
    """A web server that takes every request."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_address[1])
    handler.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """A mail server's mail, and what it says to each recipient."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    verdict: str = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.verdict.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.verdict

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}/?from=monitor@example.org&to=desk@example.org&mode=insecure"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A real SMTP server."""
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
