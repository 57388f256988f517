"""A crash, an error or a power cut at every single side effect: what was acknowledged is there, once, and work goes on.

The disk is real; the calls that change it are counted, and one of them goes wrong. In a power cut what was not synced
is gone: bytes written but not fsynced, and names made in a folder that was not fsynced. Four bugs are put in on
purpose; each must be caught.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from store_world import entry, event, event_id, feed, files

from monitor.errors import StoreError
from monitor.store import Decision, Store, compaction, open_store, places


class Crash(BaseException):
    """The process is gone: nothing that would run after this on a real machine has an effect any more."""


class Disk:
    """Counts the calls that change the disk under a folder, and lets call number `at` go wrong."""

    CALLS = ("write", "fsync", "link", "unlink", "replace", "mkdir")

    def __init__(self, root: Path, at: int, mode: str) -> None:
        self.root, self.at, self.mode = root, at, mode
        self.count, self.dead = 0, False
        self.unsynced: set[str] = set()  # files whose bytes are not safe
        self.fresh: dict[str, str] = {}  # names whose folder is not synced yet: name -> folder
        self.names: dict[int, str] = {}  # open handles
        self.real = {name: getattr(os, name) for name in (*self.CALLS, "open", "close")}

    @contextmanager
    def watching(self) -> Iterator[None]:
        for name in self.CALLS:
            setattr(os, name, self._wrapped(name))
        os.open = self._open  # type: ignore[assignment]
        try:
            yield
        finally:
            for name, real in self.real.items():
                setattr(os, name, real)

    def _open(self, path: Any, *rest: Any, **more: Any) -> int:
        if self.dead:
            raise Crash
        handle: int = self.real["open"](path, *rest, **more)
        self.names[handle] = os.fspath(path)
        return handle

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real = self.real[name]

        def call(*args: Any, **more: Any) -> Any:
            where = self.names.get(args[0], "") if isinstance(args[0], int) else os.fspath(args[0])
            if not where.startswith(str(self.root.parent)):
                return real(*args, **more)
            if self.dead:
                raise Crash
            self.count += 1
            if self.count == self.at or (self.mode == "full" and self.count > self.at > 0 and name == "write"):
                self._fail(name, args)
            done = real(*args, **more)
            self._note(name, where, args)
            return done

        return call

    def _fail(self, name: str, args: Any) -> None:
        if self.mode in ("exit", "power"):
            if name == "write":  # half of it got through
                self.real["write"](args[0], bytes(args[1])[: len(args[1]) // 2])
            self.dead = True
            raise Crash
        if self.mode == "error":
            raise OSError(errno.EIO, "Input/output error")
        if self.mode == "full" and name in ("write", "link", "mkdir"):
            raise OSError(errno.ENOSPC, "No space left on device")

    def _note(self, name: str, where: str, args: Any) -> None:
        if name == "write":
            self.unsynced.add(where)
        elif name == "fsync":
            self.unsynced.discard(where)
            self.fresh = {path: folder for path, folder in self.fresh.items() if folder != where}
        elif name == "link":
            target = os.fspath(args[1])
            self.fresh[target] = os.path.dirname(target)  # noqa: PTH120
            if where in self.unsynced:
                self.unsynced.add(target)
        elif name == "mkdir":
            self.fresh[where] = os.path.dirname(where)  # noqa: PTH120

    def cut_power(self) -> None:
        """What a machine finds after the cut, at worst."""
        for path in sorted(self.fresh, reverse=True):
            if Path(path).is_dir():
                shutil.rmtree(path)
            else:
                Path(path).unlink(missing_ok=True)
        for path in self.unsynced:
            if Path(path).exists():
                os.truncate(path, 0)


STEPS = 7


def work(store: Store, done: list[int]) -> None:
    """A day's work. Each step asks what is not done yet, so that running it again finishes it."""

    def events(numbers: range, cursor: int) -> None:
        def decide(view: Any) -> Decision:
            known = view.seen([event_id(number) for number in numbers])
            return Decision([event(number) for number in numbers if event_id(number) not in known], cursor)

        store.commit("events", decide)

    def entries() -> None:
        wanted = [entry(number) for number in range(3)]
        known = store.seen("entries", [item.entry_key for item in wanted])
        store.append("entries", [item for item in wanted if item.entry_key not in known])

    steps = [
        entries,
        lambda: store.append("feeds", [feed(1)]),
        lambda: events(range(3), 10),
        lambda: events(range(2, 5), 20),
        lambda: store.compact("events", everything=True, grace=-1),
        lambda: events(range(4, 7), 30),
        lambda: store.compact("events", everything=True, grace=-1),
    ]
    assert len(steps) == STEPS
    for number, step in enumerate(steps):
        step()
        done.append(number)


def verify(root: Path, done: list[int]) -> None:
    """What must hold after any crash in `work`, and once it has been run again."""
    store = open_store(str(root))
    entries = store.scan("entries").collect()["entry_key"].to_list()
    assert sorted(entries) in ([], sorted(entry(number).entry_key for number in range(3)))
    assert entries or 0 not in done
    assert store.scan("feeds").collect().height or 1 not in done
    ids = store.scan("events").collect()["event_id"].to_list()
    reach = max((end for step, end in ((2, 3), (3, 5), (5, 7)) if step in done), default=0)
    assert ids == [event_id(number) for number in range(len(ids))]
    assert len(ids) in (0, 3, 5, 7)
    assert len(ids) >= reach
    assert store.cursor("events") == {0: None, 3: 10, 5: 20, 7: 30}[len(ids)]
    assert store.doctor(mend=False) == ()
    work(store, [])
    assert store.scan("events").collect()["event_id"].to_list() == [event_id(number) for number in range(7)]
    assert store.scan("entries").collect().height == 3
    compaction.sweep(store.log("events"), grace=-1)
    assert [name[:4] for name in files(root) if name.endswith(".parquet")] == ["base"]
    assert not [name for name in files(root) if name.startswith(".tmp")]


def count_effects() -> int:
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder) / "state", -1, "none")
        with disk.watching():
            work(open_store(str(disk.root)), [])
        return disk.count


def run_with_fault(mode: str, at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder) / "state", at, mode)
        done: list[int] = []
        with disk.watching():
            try:
                work(open_store(str(disk.root)), done)
            except Crash:
                assert mode in ("exit", "power")
            except StoreError as error:
                assert mode in ("error", "full")
                assert str(disk.root) in str(error)
        if mode == "power" and disk.dead:
            disk.cut_power()
        verify(disk.root, done)


def enumerate_faults(mode: str, every: int = 1) -> int:
    """Run with a fault at each effect in turn (or each so-manieth); how many there were."""
    total = count_effects()
    for at in range(total, 0, -every):  # backwards: most of the bugs show late
        try:
            run_with_fault(mode, at)
        except AssertionError as error:
            raise AssertionError(f"{mode} at effect {at} of {total}: {error}") from error
    return total


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["exit", "error", "full", "power"])
def test_nothing_is_lost_or_doubled_by_a_fault_at_any_effect(mode: str) -> None:
    assert enumerate_faults(mode) > 40


@pytest.mark.parametrize("mode", ["exit", "power"])
def test_nothing_is_lost_or_doubled_by_a_fault_at_some_effects(mode: str) -> None:
    enumerate_faults(mode, every=7)


# bugs put in on purpose


def without_fsync_of_the_file(patch: pytest.MonkeyPatch) -> None:
    def write(path: Path, content: bytes) -> None:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.write(handle, content)
        os.close(handle)

    patch.setattr(places, "_write", write)


def without_fsync_of_the_folder(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(places, "_sync", lambda path: None)


def straight_to_the_target(patch: pytest.MonkeyPatch) -> None:
    real = places.Folder.create

    def create(self: places.Folder, name: str, content: bytes | Path) -> None:
        if isinstance(content, Path):
            real(self, name, content)
        else:
            self.scratch()
            places._write(self.root / name, content)
            places._sync(self.root)

    patch.setattr(places.Folder, "create", create)


def old_files_deleted_before_the_new_one_is_there(patch: pytest.MonkeyPatch) -> None:
    def publish(log: Any, part: Any, rows: Any, note: Any) -> None:
        frame = rows.collect()
        for old in log.view().parts:
            log.place.delete(old.name)
        real(log, part, frame.lazy(), note)

    real = compaction.publish
    patch.setattr(compaction, "publish", publish)


@pytest.mark.parametrize(
    ("bug", "mode"),
    [
        (without_fsync_of_the_file, "power"),
        (without_fsync_of_the_folder, "power"),
        (straight_to_the_target, "exit"),
        (old_files_deleted_before_the_new_one_is_there, "exit"),
    ],
)
def test_a_bug_put_in_on_purpose_is_caught(
    bug: Callable[[pytest.MonkeyPatch], None], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises((AssertionError, StoreError)):
        bug(patch)
        enumerate_faults(mode)
