"""Every fault ends within its limit plus one second, as the failure that it is, and all at once in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.faults import Fault, faulty_servers

TESTS = Path(__file__).parent
SHORT = {"connect_seconds": 0.8, "read_seconds": 1.0, "total_seconds": 2.0}
LONG = {"connect_seconds": 8.0, "read_seconds": 10.0, "total_seconds": 20.0}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Fault]]:
    with faulty_servers(tmp_path_factory.mktemp("tls")) as (found, _):
        yield found


def fetch_in_process(
    urls: list[str], settings: dict[str, Any], kind: str = "feed", env: dict[str, str] | None = None
) -> dict[str, Any]:
    job = json.dumps({"urls": urls, "settings": settings, "kind": kind})
    done = subprocess.run(
        [sys.executable, "-m", "servers.run_faults"],
        input=job, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PATH": "/usr/bin:/bin", **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def check(faults: list[Fault], settings: dict[str, Any]) -> None:
    told = fetch_in_process([fault.url for fault in faults], settings)
    wrong = []
    limit = settings["total_seconds"] + 1
    for result in told["results"]:
        fault = faults[result["index"]]
        if result["kind"] not in fault.kinds or result["seconds"] > limit:
            wrong.append((fault.name, fault.kinds, result))
    assert not wrong, "\n".join(map(str, wrong))
    assert len(told["results"]) == len(faults)
    print(f"{len(faults)} faults at once: {told['seconds']:.1f} s, {told['before_mb']} -> {told['peak_mb']} MB")
    assert told["peak_mb"] < 150


def test_faults_end_in_time_and_by_name(faults: list[Fault]) -> None:
    check(faults, SHORT)


@pytest.mark.slow
def test_faults_under_the_shipped_limits(faults: list[Fault]) -> None:
    check(faults, LONG)


def test_there_are_enough_faults(faults: list[Fault]) -> None:
    assert sum(1 for fault in faults if fault.kinds != ("ok",)) >= 60
    assert len({fault.name for fault in faults}) == len(faults)
