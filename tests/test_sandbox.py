"""Workers contain what parsers do, and the neighbours do not notice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxed import double, misbehave, pid, unpicklable

from monitor.errors import SandboxError
from monitor.sandbox import Sandbox

BAD = {
    "hang": "timeout", "spin": "timeout", "hang in C": "timeout", "eat": "memory", "eat slowly": "memory",
    "die": "died", "kill": "died", "crash": "died", "raise": "raised", "recurse": "raised", "exit": "died",
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(2, timeout=1, memory_mb=256, preload=()) as sandbox:
        yield sandbox


def test_results_in_order(sandbox: Sandbox) -> None:
    assert list(sandbox.map(double, range(500))) == [2 * number for number in range(500)]


def test_each_fault_is_named_and_neighbours_are_served(sandbox: Sandbox) -> None:
    items = [item for bad in BAD for item in (f"before {bad}", bad, f"after {bad}")]
    start = time.monotonic()
    for item, result in zip(items, sandbox.map(misbehave, items), strict=True):
        if item in BAD:
            assert isinstance(result, SandboxError), item
            # touching memory is slow on a busy machine: then the clock wins
            assert result.kind == BAD[item] or (item == "eat slowly" and result.kind == "timeout"), item
        else:
            assert result == item
    assert time.monotonic() - start < 8


def test_messages(sandbox: Sandbox) -> None:
    hang, kill, error = sandbox.map(misbehave, ["hang", "kill", "raise"])
    assert str(hang) == "took longer than 1 s and was stopped"
    assert str(kill) == "the worker died (SIGKILL)"
    assert str(error) == "KeyError: 'oops'"


def test_a_frozen_worker_is_stopped_from_outside() -> None:
    with Sandbox(1, timeout=0.5, preload=()) as sandbox:
        results: list[object] = []
        thread = threading.Thread(target=lambda: results.extend(sandbox.map(misbehave, ["freeze"])), daemon=True)
        thread.start()
        thread.join(10)
        assert [result.kind for result in results if isinstance(result, SandboxError)] == ["timeout"]


def test_an_answer_that_cannot_be_sent_is_the_items_failure(sandbox: Sandbox) -> None:
    results = list(sandbox.map(unpicklable, [1, 2]))
    assert [result.kind for result in results if isinstance(result, SandboxError)] == ["raised", "raised"]


def test_output_of_workers_does_not_mix_with_ours(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    assert list(sandbox.map(misbehave, ["print"])) == ["print"]
    assert capfd.readouterr().out == ""


def test_no_worker_for_no_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a worker was started"))
    with Sandbox(2) as sandbox:
        assert list(sandbox.map(double, [])) == []


def test_workers_are_kept_for_the_next_map(sandbox: Sandbox) -> None:
    first = set(sandbox.map(pid, range(8)))
    assert first & set(sandbox.map(pid, range(8)))
    assert os.getpid() not in first


def test_both_workers_work(sandbox: Sandbox) -> None:
    assert len(set(sandbox.map(pid, range(20)))) == 2


def test_results_come_while_later_ones_are_under_way(sandbox: Sandbox) -> None:
    start = time.monotonic()
    results = sandbox.map(misbehave, ["fine", "hang"])
    assert next(results) == "fine"
    assert time.monotonic() - start < 0.8
    assert isinstance(next(results), SandboxError)


def test_items_are_taken_as_needed(sandbox: Sandbox) -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(10_000):
            taken.append(number)
            yield number

    results = sandbox.map(double, items())
    next(results)
    assert len(taken) < 10
    results.close()  # type: ignore[attr-defined]


def test_leaving_early_kills_what_is_under_way(sandbox: Sandbox) -> None:
    results = sandbox.map(misbehave, ["fine", "hang", "hang"])
    next(results)
    start = time.monotonic()
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 0.5
    assert list(sandbox.map(double, [1])) == [2]


@pytest.mark.slow
def test_a_worker_stops_itself_when_nobody_looks(sandbox: Sandbox) -> None:
    """While the caller waits for its next item from elsewhere, a hung worker must not burn on."""

    def items() -> Iterator[str]:
        yield "spin"
        time.sleep(8)
        yield "fine"

    late, fine = sandbox.map(misbehave, items())
    assert isinstance(late, SandboxError)
    assert (late.kind, fine) == ("timeout", "fine")


def test_two_maps_at_once(sandbox: Sandbox) -> None:
    one, other = sandbox.map(double, range(50)), sandbox.map(double, range(50))
    assert [a == b for a, b in zip(one, other, strict=True)] == [True] * 50


def test_threads_may_share_it(sandbox: Sandbox) -> None:
    totals: list[int] = []
    threads = [threading.Thread(target=lambda: totals.append(sum(sandbox.map(double, range(100))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [9900] * 4


def test_closed_sandbox_says_so() -> None:
    sandbox = Sandbox(1, preload=())
    sandbox.close()
    with pytest.raises(SandboxError, match="closed"):
        list(sandbox.map(double, [1]))


SCRIPT = """
import multiprocessing, os, sys, time
open(sys.argv[1], "a").write("main\\n")  # without a guard: a worker that imported it would write again
from monitor.sandbox import Sandbox
from sandboxed import double
def work():
    with Sandbox(1, preload=()) as sandbox:
        print(list(sandbox.map(double, [1, 2])))
if len(sys.argv) > 2:
    process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    process.start(); process.join(); sys.exit(process.exitcode)
work()
"""


@pytest.mark.parametrize("daemon", [[], ["below a daemonic process, as under Dask"]])
def test_the_callers_main_is_not_imported_again(tmp_path: Path, daemon: list[str]) -> None:
    script, log = tmp_path / "script.py", tmp_path / "log"
    script.write_text(SCRIPT)
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, str(script), str(log), *daemon],
        capture_output=True, text=True, timeout=30, check=False, env={"PYTHONPATH": f"{here}:{here.parent}"},
    )  # fmt: skip
    assert done.stdout == "[2, 4]\n", done.stderr
    assert log.read_text() == "main\n"


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\nfrom monitor.sandbox import Sandbox\nfrom sandboxed import pid\n"
        "s = Sandbox(1, preload=())\nprint(next(s.map(pid, [1])), flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True, text=True, timeout=30, check=False, env={"PYTHONPATH": f"{here}:{here.parent}"},
    )  # fmt: skip
    worker = int(done.stdout)
    deadline = time.monotonic() + 3
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(worker)


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
