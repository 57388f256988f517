"""The faults: each a path on a loopback server and what `fetch` has to make of it. 60 ways for a server to be bad."""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import LoopbackServer, answer, endless, head, raw, redirect, reset, stall
from servers.certificates import server_context

FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title></channel></rss>' + b" " * 2000
CHUNKED = head(headers={"Transfer-Encoding": "chunked"})
MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A URL and the kinds of failure that are right for it; `ok` for what only looks bad."""

    name: str
    url: str
    kinds: tuple[str, ...]


def bomb(gigabytes: int, wbits: int = 31) -> bytes:
    """A stream of zeros that unpacks to so many GB: one flushed megabyte of deflate, repeated."""
    z = zlib.compressobj(9, zlib.DEFLATED, wbits)
    start = z.compress(bytes(MB)) + z.flush(zlib.Z_FULL_FLUSH)
    block = z.compress(bytes(MB)) + z.flush(zlib.Z_FULL_FLUSH)
    return start + block * (gigabytes * 1024)


def packed(data: bytes, encoding: str, **more: str) -> object:
    return answer(data, headers={"Content-Encoding": encoding, **more})


def _raw_deflate(data: bytes) -> bytes:
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


def _blackhole() -> tuple[socket.socket, list[socket.socket]]:
    """A port whose queue is full: a connection is never accepted nor refused."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fill = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        fill.append(client)
    return listener, fill


def _wire(server: LoopbackServer) -> dict[str, tuple[object, tuple[str, ...]]]:
    """Path -> (handler, kinds) for one plain server."""
    gz = gzip.compress(FEED)
    slow = (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")
    big = {"Content-Length": str(10 << 30)}
    return {
        "tarpit": (stall(), ("read_timeout",)),
        "drip_headers": (endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"x", 0.05), ("total_timeout",)),
        "drip_body": (endless(slow[0], slow[1], 0.05), ("total_timeout",)),
        "stall_in_body": (raw(slow[0] + b"x" * 50, close=False), ("read_timeout",)),
        "endless_chunks": (endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), ("too_big",)),
        "endless_body": (endless(head(), b"x" * 65536), ("too_big",)),
        "endless_headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000), ("protocol",)),
        "endless_header": (endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"x" * 65536), ("protocol",)),
        "endless_status": (endless(b"HTTP/1.1 200 ", b"x" * 65536), ("protocol",)),
        "endless_continue": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), ("total_timeout", "protocol")),
        "endless_extension": (endless(CHUNKED + b"5;a=", b"x" * 65536), ("total_timeout", "truncated", "protocol")),
        "endless_trailers": (endless(CHUNKED + b"0\r\n", b"X-A: b\r\n" * 100), ("truncated", "protocol")),
        "many_headers": (raw(head(headers={f"X-{i}": "v" for i in range(5000)}) + FEED), ("protocol",)),
        "gzip_bomb_1": (packed(bomb(1), "gzip"), ("too_big",)),
        "gzip_bomb_10": (packed(bomb(10)[: 7 * MB], "gzip"), ("too_big",)),
        "gzip_bomb_announced": (packed(bomb(10), "gzip"), ("too_big",)),
        "deflate_bomb": (packed(bomb(1, 15), "deflate"), ("too_big",)),
        "raw_deflate_bomb": (packed(bomb(1, -15), "deflate"), ("too_big",)),
        "double_gzip_bomb": (packed(gzip.compress(bomb(1)), "gzip, gzip"), ("too_big",)),
        "gzip_in_gzip_file": (packed(gzip.compress(bomb(1)), "gzip"), ("too_big",)),
        "gzip_file_bomb": (answer(bomb(1)), ("too_big",)),
        "triple_gzip": (packed(gz, "gzip, gzip, gzip"), ("bad_encoding",)),
        "brotli": (packed(b"\x8b\x02\x80abc\x03", "br"), ("bad_encoding",)),
        "unknown_encoding": (packed(FEED, "sdch"), ("bad_encoding",)),
        "not_gzip": (packed(FEED, "gzip"), ("bad_encoding",)),
        "not_deflate": (packed(b"<" * 500, "deflate"), ("bad_encoding",)),
        "gzip_cut": (packed(gz[: len(gz) // 2], "gzip"), ("truncated",)),
        "gzip_without_crc": (packed(gz[:-8], "gzip"), ("truncated",)),
        "gzip_wrong_crc": (packed(gz[:-8] + bytes(8), "gzip"), ("bad_encoding",)),
        "deflate_cut": (packed(zlib.compress(FEED)[:20], "deflate"), ("truncated",)),
        "gzip_members": (packed(gz + gzip.compress(b"more"), "gzip"), ("ok",)),
        "gzip_padded": (packed(gz + bytes(512), "gzip"), ("ok",)),
        "gzip_then_rubbish": (packed(gz + b"rubbish", "gzip"), ("ok",)),
        "gzip_empty": (packed(b"", "gzip"), ("ok",)),
        "gzip_fine": (packed(gz, "gzip"), ("ok",)),
        "double_gzip_fine": (packed(gzip.compress(gz), "gzip, gzip"), ("ok",)),
        "deflate_fine": (packed(zlib.compress(FEED), "deflate"), ("ok",)),
        "raw_deflate_fine": (packed(_raw_deflate(FEED), "deflate"), ("ok",)),
        "length_too_long": (raw(head(headers={"Content-Length": "5000"}) + FEED[:100]), ("truncated",)),
        "chunks_cut": (raw(CHUNKED + b"1000\r\n" + b"x" * 100), ("truncated",)),
        "chunks_without_end": (raw(CHUNKED + b"5\r\nhello\r\n"), ("truncated",)),
        "bad_chunk_size": (raw(CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"), ("protocol", "truncated")),
        "announces_10_gb": (raw(head(headers=big), close=False), ("too_big",)),
        "negative_length": (raw(head(headers={"Content-Length": "-5"}) + FEED), ("protocol",)),
        "two_lengths": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello"), ("protocol",)),
        "length_and_chunks": (
            raw(head(headers={"Content-Length": "5", "Transfer-Encoding": "chunked"}) + b"5\r\nhello\r\n0\r\n\r\n"),
            ("protocol", "ok"),
        ),
        "nul_in_header": (raw(b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n"), ("protocol", "ok")),
        "not_http": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), ("protocol",)),
        "http_0_9": (raw(FEED), ("protocol",)),
        "binary": (raw(bytes(range(256)) * 10), ("protocol",)),
        "speaks_tls": (raw(b"\x15\x03\x03\x00\x02\x02\x28" * 3), ("protocol",)),
        "closes_at_once": (raw(), ("connect",)),
        "resets": (reset(), ("connect",)),
        "status_999": (answer(status="999 Denied"), ("bad_status",)),
        "status_204": (answer(status="204 No Content"), ("bad_status",)),
        "status_206": (answer(FEED, status="206 Partial Content"), ("bad_status",)),
        "unasked_304": (answer(status="304 Not Modified"), ("bad_status",)),
        "status_500": (answer(b"x" * 100000, status="500 Oops"), ("server_error",)),
        "status_410": (answer(status="410 Gone"), ("gone",)),
        "status_403": (answer(status="403 Forbidden"), ("refused",)),
        "loop_self": (redirect("/loop_self"), ("redirect_loop",)),
        "loop_two": (redirect("/loop_back"), ("redirect_loop",)),
        "loop_endless": (redirect("/hop?x"), ("redirect_loop",)),
        "no_location": (answer(status="302 Found"), ("bad_redirect",)),
        "bad_location": (redirect("http://[::1"), ("bad_redirect", "bad_url")),
        "to_ftp": (redirect("ftp://127.0.0.1/x"), ("bad_url",)),
        "to_file": (redirect("file:///etc/passwd"), ("bad_redirect", "bad_url")),
        "to_metadata": (redirect("http://169.254.169.254/latest/"), ("forbidden_address",)),
    }  # fmt: skip


@contextmanager
def faulty_servers(folder: Path) -> Iterator[tuple[list[Fault], list[LoopbackServer]]]:
    """The servers with all their faults. Each fault has a server of its own, so that manners per host do not mix."""
    with ExitStack() as stack:
        servers = []
        faults = []

        def add(name: str, url: str, *kinds: str) -> None:
            faults.append(Fault(name=name, url=url, kinds=kinds))

        def serve(**options: object) -> LoopbackServer:
            server = stack.enter_context(LoopbackServer(**options))  # type: ignore[arg-type]
            servers.append(server)
            return server

        server = serve()
        for name, (handler, kinds) in _wire(server).items():
            add(name, server.on(f"/{name}", handler), *kinds)  # type: ignore[arg-type]
        server.on("/loop_back", redirect("/loop_two"))

        async def hop(hit: object, writer: object) -> bool:
            place = hit.path + "x"  # type: ignore[attr-defined]
            return await redirect(place)(hit, writer)  # type: ignore[arg-type]

        server.on("/hop", hop)
        for name, host, days in (
            ("self_signed", "127.0.0.1", 30),
            ("expired", "127.0.0.1", -1),
            ("other", "a.test", 30),
        ):
            tls = serve(tls=server_context(folder, host=host, days=days), default=answer(FEED))
            add(f"tls_{name}", tls.url("/"), "tls")
        add("tls_on_plain_port", server.url("/tarpit").replace("http:", "https:"), "tls", "connect", "connect_timeout")
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        stack.callback(listener.close)
        add("tls_never_answers", f"https://127.0.0.1:{listener.getsockname()[1]}/", "connect_timeout")
        hole, fill = _blackhole()
        stack.callback(lambda: [one.close() for one in (hole, *fill)])
        add("blackhole", f"http://127.0.0.1:{hole.getsockname()[1]}/", "connect_timeout")
        closed = socket.socket()
        closed.bind(("127.0.0.1", 0))
        stack.callback(closed.close)
        add("refused", f"http://127.0.0.1:{closed.getsockname()[1]}/", "connect")
        add("no_such_name", "http://nowhere.test/", "dns")
        add("stalled_name", "http://stalled.test/", "connect_timeout")
        add("long_label", f"http://{'a' * 70}.test/", "dns", "bad_url")
        yield faults, servers


def lookup(host: str, port: int, family: int) -> list[tuple[int, str]]:
    """A resolver for tests: one name never answers, the others do not exist."""
    if host.endswith("stalled.test"):
        time.sleep(60)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
