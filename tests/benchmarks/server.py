"""A small web server for the benchmarks: files from memory, ETags, 304s, keep-alive. As fast as plain asyncio allows,
so that the clients are measured and not the server.

    python -m tests.benchmarks.server FOLDER        prints its port; ends with its standard input, or after an hour
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.frame import ROOT

KINDS = {".xml": "application/rss+xml; charset=utf-8", ".html": "text/html; charset=utf-8"}
HOST = b"127.0.0.1:PORT"  # stands for the server in the files


def answers(folder: Path, port: int) -> dict[bytes, tuple[bytes, bytes, bytes]]:
    """Per path: the ETag, the whole answer, and the answer to one who has it."""
    found = {}
    for path in sorted(folder.iterdir()):
        body = path.read_bytes().replace(HOST, f"127.0.0.1:{port}".encode())
        tag = f'"{zlib.crc32(body):08x}"'
        head = f"ETag: {tag}\r\nContent-Type: {KINDS[path.suffix]}\r\n"
        whole = f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        same = f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        found[f"/{path.name}".encode()] = tag.encode(), whole, same
    return found


class Connection(asyncio.Protocol):
    """One client; requests without bodies, one after the other."""

    def __init__(self, known: dict[bytes, tuple[bytes, bytes, bytes]]) -> None:
        self._known, self._rest = known, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while b"\r\n\r\n" in self._rest:
            head, _, self._rest = self._rest.partition(b"\r\n\r\n")
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        known = self._known.get(head.split(b" ", 2)[1])
        if known is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        tag, whole, same = known
        return same if b"if-none-match: " + tag in head.lower() else whole


async def serve(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    known: dict[bytes, tuple[bytes, bytes, bytes]] = {}
    server = await loop.create_server(lambda: Connection(known), "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    known.update(answers(folder, port))
    print(port, flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    async with asyncio.timeout(3600):
        await ended.wait()


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """The port of a server for the files of a folder, which ends with the block."""
    command = [sys.executable, "-m", "tests.benchmarks.server", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
