"""Every fault ends within its limit plus one second, as the failure that it is, and all at once in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from servers import LoopbackServer, answer, endless
from servers.faults import FEED, Fault, faulty_servers

TESTS = Path(__file__).parent
SHORT = {"connect_seconds": 1.0, "read_seconds": 1.5, "total_seconds": 3.0}
LONG = {"connect_seconds": 8.0, "read_seconds": 10.0, "total_seconds": 20.0}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Fault]]:
    with faulty_servers(tmp_path_factory.mktemp("tls")) as (found, _):
        yield found


def fetch_in_process(
    urls: list[str],
    settings: dict[str, Any],
    kind: str = "feed",
    env: dict[str, str] | None = None,
    allow: Sequence[str] = ("127.0.0.1",),
) -> dict[str, Any]:
    job = json.dumps({"urls": urls, "settings": settings, "kind": kind, "allow": list(allow)})
    done = subprocess.run(
        [sys.executable, "-m", "servers.run_faults"],
        input=job, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PATH": "/usr/bin:/bin", **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def check(faults: list[Fault], settings: dict[str, Any], late: int) -> None:
    """At most `late` faults may end by the clock and not by their own name: a short clock on a busy machine."""
    told = fetch_in_process([fault.url for fault in faults], settings)
    wrong, slow = [], []
    for result in told["results"]:
        fault = faults[result["index"]]
        assert result["seconds"] < settings["total_seconds"] + 1, (fault.name, result)
        if result["kind"] not in fault.kinds:
            (slow if result["kind"].endswith("_timeout") else wrong).append((fault.name, fault.kinds, result))
    assert not wrong, "\n".join(map(str, wrong))
    assert len(slow) <= late, "\n".join(map(str, slow))
    assert len(told["results"]) == len(faults)
    print(f"{len(faults)} faults at once: {told['seconds']:.1f} s, {told['before_mb']} -> {told['peak_mb']} MB")
    assert told["peak_mb"] < 150


def test_faults_end_in_time_and_by_name(faults: list[Fault]) -> None:
    check(faults, SHORT, late=5)


@pytest.mark.slow
def test_faults_under_the_shipped_limits(faults: list[Fault]) -> None:
    check(faults, LONG, late=0)


def test_there_are_enough_faults(faults: list[Fault]) -> None:
    assert sum(1 for fault in faults if fault.kinds != ("ok",)) >= 60
    assert len({fault.name for fault in faults}) == len(faults)


@pytest.mark.slow
def test_a_thousand_feeds_of_which_five_in_a_hundred_are_tarpits_and_as_many_have_stalled_names() -> None:
    """The good ones are through in 5 s, all in 30 s, under the shipped limits."""
    with LoopbackServer(address="0.0.0.0") as server:
        server.on("/good", answer(FEED))
        server.on("/tarpit", endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.5))
        urls = []
        for place in range(1000):
            host = f"127.1.{place // 250}.{place % 250 + 1}"
            name = "stalled.test" if place % 20 == 1 else ""
            path = "/tarpit" if place % 20 == 0 else "/good"
            urls.append(f"http://{place}.{name}/" if name else server.url(path, host))
        told = fetch_in_process(urls, LONG, allow=["127.0.0.0/8"])
    good = [one["seconds"] for one in told["results"] if one["index"] % 20 > 1]
    kinds = {one["kind"] for one in told["results"] if one["index"] % 20 <= 1}
    assert all(one["kind"] == "ok" for one in told["results"] if one["index"] % 20 > 1)
    assert kinds <= {"total_timeout", "connect_timeout", "host_down"}
    print(f"1,000 feeds, 50 tarpits, 50 stalled names: {told['seconds']:.1f} s, the good ones in {max(good):.1f} s")
    assert max(good) < 5
    assert told["seconds"] < 30
