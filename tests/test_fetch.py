"""The client's manners, against real servers on loopback."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from servers import Hit, LoopbackServer, answer, conditional, in_turn, raw, redirect, stall
from servers.certificates import server_context
from servers.faults import FEED
from test_fetch_faults import fetch_in_process

from monitor.errors import FetchError
from monitor.fetch import FetchSettings, Request, Response, fetch, fetch_all, fetch_iter, fresh_for
from monitor.fetch.client import Result

SETTINGS = FetchSettings(
    allow_hosts=("127.0.0.0/8",), connect_seconds=1, read_seconds=1, total_seconds=2, patience_seconds=0.3
)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="module")
def everywhere() -> Iterator[LoopbackServer]:
    """Every 127.x.y.z is a host of its own here."""
    with LoopbackServer(address="0.0.0.0") as server:
        yield server


def good(result: Result) -> Response:
    assert isinstance(result, Response), result
    return result


def bad(result: Result) -> FetchError:
    assert isinstance(result, FetchError), result
    return result


def get(url: str, **options: str) -> Result:
    return fetch([Request(url=url, **options)], SETTINGS)[0]  # type: ignore[arg-type]


def test_validators_go_back_byte_for_byte(server: LoopbackServer) -> None:
    etag, modified = 'W/"a-ümlaut ,weird"'.encode().decode("latin-1"), "sometime last Tuesday"
    url = server.on("/feed", conditional(FEED, etag=etag, modified=modified))
    first = good(get(url))
    # the server wrote `ETag`; any spelling finds it
    assert first.headers["etag"] == first.headers["ETAG"]
    second = good(get(url, etag=first.headers["etag"], last_modified=first.headers["last-modified"]))
    assert (second.status, second.not_modified, second.body) == (304, True, b"")
    assert server.hits[1].headers["if-modified-since"] == modified
    assert server.hits[1].headers["if-none-match"] == server.hits[1].headers["if-none-match"].strip()


def test_what_the_server_is_told(server: LoopbackServer) -> None:
    url = server.on("/feed", answer(FEED))
    get(url)
    headers = server.hits[0].headers
    assert headers["accept-encoding"] == "gzip, deflate"
    assert headers["user-agent"].startswith("deal-monitor/")
    assert "rss" in headers["accept"]
    assert not {"cookie", "referer", "authorization", "if-none-match"} & set(headers)


def test_cookies_are_not_kept(server: LoopbackServer) -> None:
    url = server.on("/feed", answer(FEED, headers={"Set-Cookie": "id=1"}))
    fetch([Request(url=url), Request(url=url), Request(url=url)], SETTINGS)
    assert all("cookie" not in hit.headers for hit in server.hits)


def test_proxies_of_the_environment_are_ignored(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert good(get(server.on("/feed", answer(FEED)))).body == FEED


def test_password_in_the_url_is_used_and_not_shown(server: LoopbackServer) -> None:
    server.on("/ok", answer(FEED))
    base = server.url("").replace("http://", "http://me:s3cret@")
    good(get(f"{base}/ok"))
    assert server.hits[0].headers["authorization"].startswith("Basic ")
    error = bad(get(f"{base}/missing"))
    assert "s3cret" not in f"{error} {error.url} {error.what}"
    error = bad(get("http://me:s3cret@127.0.0.1:1/"))
    assert "s3cret" not in f"{error} {error.url} {error.what}"


@pytest.mark.parametrize(
    ("codes", "kept"),
    [(["301 x"], True), (["308 x"], True), (["301 x", "308 x"], True), (["302 x"], False), (["307 x"], False),
     (["301 x", "302 x"], False), (["302 x", "301 x"], False), (["303 x"], False), ([], False)],
)  # fmt: skip
def test_a_move_is_permanent_only_if_every_hop_is(server: LoopbackServer, codes: list[str], kept: bool) -> None:
    for place, code in enumerate(codes):
        server.on(f"/{place}", redirect(f"/{place + 1}", code))
    final = server.on(f"/{len(codes)}", answer(FEED))
    result = good(get(server.url("/0")))
    assert result.final_url == final
    assert result.permanent_to == (final if kept else "")


def test_permanent_move_is_seen_on_a_304_too(server: LoopbackServer) -> None:
    server.on("/old", redirect("/new", "301 Moved"))
    final = server.on("/new", conditional(FEED, etag='"1"'))
    result = good(get(server.url("/old"), etag='"1"'))
    assert (result.not_modified, result.permanent_to) == (True, final)


def test_total_time_counts_over_the_whole_chain(server: LoopbackServer) -> None:
    for hop in range(5):
        server.on(f"/{hop}", raw(b"HTTP/1.1 302 F\r\n", f"Location: /{hop + 1}\r\n\r\n".encode(), pause=0.25))
    server.on("/5", answer(FEED))
    start = time.monotonic()
    [result] = fetch([Request(url=server.url("/0"))], replace(SETTINGS, total_seconds=1))
    assert bad(result).kind == "total_timeout"
    assert time.monotonic() - start < 1.5


def test_https_is_never_left(tmp_path: Path) -> None:
    context = server_context(tmp_path)
    certificate = next(tmp_path.glob("*.pem"))
    with LoopbackServer(tls=context) as tls, LoopbackServer() as plain:
        urls = [
            tls.on("/fine", answer(FEED)),
            tls.on("/down", redirect(plain.on("/x", answer(FEED)))),
            plain.on("/up", redirect(tls.url("/fine"))),
            plain.on("/up-down", redirect(tls.url("/down"))),
        ]
        told = fetch_in_process(urls, {}, env={"SSL_CERT_FILE": str(certificate)})
    kinds = {result["index"]: result["kind"] for result in told["results"]}
    assert kinds == {0: "ok", 1: "downgrade", 2: "ok", 3: "downgrade"}
    assert plain.count("/x") == 0


def test_pages_have_a_smaller_limit_than_feeds(server: LoopbackServer) -> None:
    url = server.on("/big", answer(gzip.compress(bytes(6 << 20)), headers={"Content-Encoding": "gzip"}))
    assert len(good(get(url)).body) == 6 << 20
    assert bad(get(url, kind="page")).kind == "too_big"


def test_gzip_file_of_a_sitemap_is_unpacked_but_not_for_pages(server: LoopbackServer) -> None:
    url = server.on("/sitemap.xml.gz", answer(gzip.compress(FEED)))
    assert good(get(url)).body == FEED
    assert good(get(url, kind="page")).body != FEED


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (" 7 ", 7),
        ("99999999", 7 * 86400),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds(server: LoopbackServer, header: str, seconds: float | None) -> None:
    error = bad(get(server.on("/busy", answer(status="429 Slow down", headers={"Retry-After": header}))))
    assert (error.kind, error.status, error.retry_after) == ("rate_limited", 429, seconds)


def test_retry_after_as_a_date_goes_by_the_servers_clock(server: LoopbackServer) -> None:
    then = datetime(2031, 5, 4, 12, tzinfo=UTC)
    headers = {
        "Date": format_datetime(then, usegmt=True),
        "Retry-After": format_datetime(then + timedelta(minutes=9), usegmt=True),
    }
    error = bad(get(server.on("/busy", answer(status="503 Down", headers=headers))))
    assert (error.kind, error.retry_after) == ("unavailable", 540)


@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
def test_a_host_that_wants_peace_gets_it(server: LoopbackServer, status: str) -> None:
    busy = server.on("/busy", answer(status=status, headers={"Retry-After": "600"}))
    requests = [Request(url=busy)] + [Request(url=server.url(f"/{place}")) for place in range(20)]
    results = fetch(requests, SETTINGS)
    kinds = [bad(result).kind for result in results]
    assert kinds.count("host_paused") >= 18  # those already on their way could not be called back
    assert {bad(r).retry_after for r in results if bad(r).kind == "host_paused"} == {600}
    assert len(server.hits) <= 2


def test_a_dead_host_is_not_asked_for_every_url(everywhere: LoopbackServer) -> None:
    everywhere.on("/tarpit", stall())
    everywhere.on("/good", answer(FEED))
    requests = [Request(url=everywhere.url(f"/tarpit?{place}", "127.0.4.1")) for place in range(12)]
    requests.append(Request(url=everywhere.url("/good", "127.0.4.2")))
    start = time.monotonic()
    *slow, other = fetch(requests, replace(SETTINGS, read_seconds=0.4))
    assert time.monotonic() - start < 3
    kinds = [bad(result).kind for result in slow]
    assert kinds.count("host_down") >= 8
    assert kinds.count("read_timeout") >= SETTINGS.host_failures
    assert isinstance(other, Response)


def test_failures_that_are_the_pages_own_do_not_count_against_the_host(server: LoopbackServer) -> None:
    urls = [server.url(f"/missing/{place}") for place in range(10)]
    assert {bad(result).kind for result in fetch([Request(url=url) for url in urls], SETTINGS)} == {"not_found"}


def test_never_more_than_two_at_once_on_one_host(everywhere: LoopbackServer) -> None:
    running, most = dict[str, int](), dict[str, int]()

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        host = hit.headers["host"]
        running[host] = running.get(host, 0) + 1
        most[host] = max(most.get(host, 0), running[host])
        await asyncio.sleep(0.02)
        running[host] -= 1
        return await answer(FEED)(hit, writer)

    everywhere.on("/count", handler)
    hosts = ["127.0.5.1", "127.0.5.2", "127.0.5.3"]
    results = fetch([Request(url=everywhere.url("/count", host)) for host in hosts * 12], SETTINGS)
    assert all(isinstance(result, Response) for result in results)
    assert set(most.values()) == {2}


def test_redirect_targets_count_against_their_host_too(everywhere: LoopbackServer) -> None:
    running = most = 0

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return await answer(FEED)(hit, writer)

    everywhere.on("/target", handler)
    everywhere.on("/go", redirect(everywhere.url("/target", "127.0.6.200")))
    results = fetch([Request(url=everywhere.url("/go", f"127.0.6.{place}")) for place in range(1, 30)], SETTINGS)
    assert all(isinstance(result, Response) for result in results)
    assert most == 2


def test_tarpits_do_not_hold_up_the_others(everywhere: LoopbackServer) -> None:
    """Three times as many tarpits as places: the good ones are through before the first tarpit is given up."""
    everywhere.on("/tarpit", stall())
    everywhere.on("/good", answer(FEED))
    settings = FetchSettings(
        allow_hosts=("127.0.0.0/8",), concurrency=10, read_seconds=2, total_seconds=2, patience_seconds=0.1
    )
    tarpits = [Request(url=everywhere.url("/tarpit", f"127.0.7.{place}")) for place in range(1, 31)]
    goods = [Request(url=everywhere.url("/good", f"127.0.8.{place}")) for place in range(1, 101)]
    start = time.monotonic()
    done = {}
    for index, result in fetch_iter(tarpits + goods, settings):
        done[index] = time.monotonic() - start
        assert isinstance(result, Response) == (index >= 30)
    assert max(done[index] for index in range(30, 130)) < 1.5
    assert max(done.values()) < 3.5


def test_results_come_as_they_are_ready(everywhere: LoopbackServer) -> None:
    everywhere.on("/slow", raw(b"", b"HTTP/1.1 200 OK\r\n\r\nslow", pause=0.3))
    everywhere.on("/fast", answer(b"fast"))
    requests = [Request(url=everywhere.url("/slow", "127.0.9.1")), Request(url=everywhere.url("/fast", "127.0.9.2"))]
    assert [index for index, _ in fetch_iter(requests, SETTINGS)] == [1, 0]
    assert [good(result).body for result in fetch(requests, SETTINGS)] == [b"slow", b"fast"]


def test_a_slow_consumer_slows_fetching_down(everywhere: LoopbackServer) -> None:
    everywhere.on("/page", answer(b"x" * 1000))
    settings = FetchSettings(allow_hosts=("127.0.0.0/8",), concurrency=3, stock_bytes=20_000)
    requests = [Request(url=everywhere.url("/page", f"127.0.10.{place}")) for place in range(1, 101)]
    everywhere.hits.clear()
    results = fetch_iter(requests, settings)
    next(results)
    time.sleep(0.5)
    assert everywhere.count("/page") < 20
    assert len(list(results)) == 99


def test_many_long_bodies_do_not_fill_the_memory(everywhere: LoopbackServer) -> None:
    """Each is under the limit; all at once they would be 400 MB."""
    body = gzip.compress(bytes(8 << 20))
    everywhere.on("/long", answer(body, headers={"Content-Encoding": "gzip"}))
    urls = [everywhere.url("/long", f"127.0.13.{place}") for place in range(1, 51)]
    told = fetch_in_process(urls, {}, allow=["127.0.0.0/8"])
    assert {one["kind"] for one in told["results"]} == {"ok"}
    assert told["peak_mb"] < 300


def test_waiting_for_the_consumer_is_not_held_against_the_server(everywhere: LoopbackServer) -> None:
    everywhere.on("/long", answer(bytes(2 << 20)))
    settings = FetchSettings(allow_hosts=("127.0.0.0/8",), total_seconds=1, stock_bytes=1000, large_at_once=1)
    requests = [Request(url=everywhere.url("/long", f"127.0.15.{place}")) for place in range(1, 9)]
    for _, result in fetch_iter(requests, settings):
        assert isinstance(result, Response)
        time.sleep(0.3)


def test_a_slow_host_gets_its_share_of_a_run_and_no_more(everywhere: LoopbackServer) -> None:
    everywhere.on("/slow", raw(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", pause=0.1))
    settings = FetchSettings(allow_hosts=("127.0.0.0/8",), host_seconds=0.6)
    requests = [Request(url=everywhere.url(f"/slow?{place}", "127.0.14.1")) for place in range(60)]
    start = time.monotonic()
    results = fetch(requests, settings)
    assert time.monotonic() - start < 3
    assert {bad(result).kind for result in results if isinstance(result, FetchError)} == {"host_paused"}
    assert sum(isinstance(result, Response) for result in results) >= 2


def test_stopping_early_leaves_nothing_running(everywhere: LoopbackServer) -> None:
    everywhere.on("/good", answer(FEED))
    everywhere.on("/tarpit", stall())
    requests = [Request(url=everywhere.url("/good", "127.0.11.1"))]
    requests += [Request(url=everywhere.url("/tarpit", f"127.0.11.{place}")) for place in range(2, 9)]
    start = time.monotonic()
    results = fetch_iter(requests, FetchSettings(allow_hosts=("127.0.0.0/8",)))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 2


def test_an_iterator_left_open_does_not_hold_up_the_exit(everywhere: LoopbackServer) -> None:
    everywhere.on("/good", answer(FEED))
    urls = [everywhere.url("/good", f"127.0.12.{place}") for place in range(1, 30)]
    script = (
        "import sys\nfrom monitor.fetch import *\n"
        "settings = FetchSettings(allow_hosts=('127.0.0.0/8',), concurrency=1)\n"
        "sys.kept = fetch_iter([Request(url=url) for url in sys.argv[1:]], settings)\nnext(sys.kept)\n"
    )
    subprocess.run([sys.executable, "-c", script, *urls], timeout=10, check=True, cwd=Path(__file__).parent.parent)


def test_works_within_a_running_event_loop(server: LoopbackServer) -> None:
    url = server.on("/feed", answer(FEED))

    async def main() -> tuple[int, int]:
        direct = [result async for _, result in fetch_all([Request(url=url)], SETTINGS)]
        through_thread = fetch([Request(url=url)], SETTINGS)
        return len(direct), len(through_thread)

    assert asyncio.run(main()) == (1, 1)


def test_nothing_to_fetch_starts_nothing() -> None:
    assert fetch([], SETTINGS) == []


def test_a_kept_connection_that_the_server_closed_is_no_failure(server: LoopbackServer) -> None:
    """A server may close an idle connection just when it is used again; the request is then sent on a new one."""
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    url = server.on("/feed", in_turn(raw(body), raw(body), raw(body)))
    results = fetch([Request(url=url)] * 6, SETTINGS)
    assert all(isinstance(result, Response) for result in results)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0), ({"cache-control": "max-age=600"}, 600), ({"cache-control": "public, Max-Age = 60"}, 60),
        ({"cache-control": "max-age=600", "age": "500"}, 100), ({"cache-control": "max-age=600", "age": "900"}, 0),
        ({"cache-control": "no-cache, max-age=600"}, 0), ({"cache-control": "no-store"}, 0),
        ({"cache-control": 'max-age="30"'}, 30), ({"cache-control": "max-age=x"}, 0), ({"cache-control": "private"}, 0),
        ({"expires": "Sun, 22 Nov 2026 11:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 3600),
        ({"expires": "Sun, 22 Nov 2026 09:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0),
        ({"expires": "0", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0),
        ({"expires": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0),
        ({"cache-control": "max-age=5", "expires": "Sun, 22 Nov 2026 11:00:00 GMT",
          "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 5),
    ],
)  # fmt: skip
def test_how_long_an_answer_stays_good(headers: dict[str, str], seconds: float) -> None:
    from multidict import CIMultiDict

    assert fresh_for(CIMultiDict(headers)) == seconds
