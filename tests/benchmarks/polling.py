"""Polls of many feeds on loopback: all unchanged (304), and all new. Against lemon24's `reader`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.benchmarks.frame import OURS, Bench, Contestant, Goal, Line, Result, ratio, timed
from tests.benchmarks.material import write_feeds
from tests.benchmarks.server import serving

WORKERS = (4, 16)  # threads of `reader`; the best one counts


def write_config(folder: Path, port: int, feeds: int, more: str = "") -> None:
    """A configuration of so many feeds of one host, asked by sixteen at once."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "monitor.toml").write_text(
        f"first_poll = 'alert'\n[fetch]\nallow_hosts = ['127.0.0.1']\nper_host = 16\n[run]\nworkers = 2\n{more}",
        encoding="utf-8",
    )
    rows = "".join(f'[[feeds]]\nurl = "http://127.0.0.1:{port}/feed-{n}.xml"\n' for n in range(feeds))
    (folder / "feeds.toml").write_text(rows, encoding="utf-8")
    (folder / "watchlist.toml").write_text('[[companies]]\nname = "Meta"\n', encoding="utf-8")


def ours(given: dict[str, Any]) -> dict[str, float]:
    """`poll` as the pipeline does it: due feeds asked, bodies parsed in the sandbox, entries and states stored."""
    from monitor.config import load_config
    from monitor.pipeline import open_run, poll

    config = load_config(Path(given["folder"]))
    with timed() as figures, open_run(config, everything=True) as run:
        poll(run)
    report = run.report
    assert not report.problems, report.problems[:3]
    return {**figures, "feeds": report.feeds, "new": report.entries_new, "same": report.feeds_not_modified}


def theirs(given: dict[str, Any]) -> dict[str, float]:
    """`reader.update_feeds` with so many threads, into its SQLite file."""
    from reader import make_reader

    reader = make_reader(given["file"], session_timeout=(8, 10))
    if not any(True for _ in reader.get_feeds(limit=1)):
        for number in range(given["feeds"]):
            reader.add_feed(f"http://127.0.0.1:{given['port']}/feed-{number}.xml")
    with timed() as figures:
        results = list(reader.update_feeds_iter(workers=given["workers"], scheduled=False))
    failed = [result for result in results if isinstance(result.value, Exception)]
    assert not failed, failed[:3]
    new = sum(result.value.new for result in results if result.value)
    return {**figures, "feeds": len(results), "new": new}


def _contestants(bench: Bench, port: int, feeds: int, *, fresh: bool) -> list[Contestant]:
    """Everybody with tables of its own: as the first poll left them, or (`fresh`) none, by way of a wrapper."""
    function = ("polling:fresh_ours", "polling:fresh_theirs") if fresh else ("polling:ours", "polling:theirs")
    folder = bench.folder / "ours"
    write_config(folder, port, feeds)
    rest = [
        Contestant(name=f"reader, {n} thread{'s' if n > 1 else ''}", function=function[1], given={
            "file": str(bench.folder / f"reader-{n}.sqlite"), "port": port, "feeds": feeds, "workers": n})
        for n in WORKERS
    ]  # fmt: skip
    return [Contestant(name=OURS, function=function[0], given={"folder": str(folder)}), *rest]


def fresh_ours(given: dict[str, Any]) -> dict[str, float]:
    shutil.rmtree(Path(given["folder"]) / "state", ignore_errors=True)
    return ours(given)


def fresh_theirs(given: dict[str, Any]) -> dict[str, float]:
    for suffix in ("", "-wal", "-shm"):
        Path(given["file"] + suffix).unlink(missing_ok=True)
    return theirs(given)


def unchanged(bench: Bench) -> Result:
    """Every feed answers 304."""
    return _measure(bench, "poll, every feed unchanged (304)", 1, 5.0, fresh=False)


def cold(bench: Bench) -> Result:
    """Every feed is new and so are its entries."""
    return _measure(bench, "poll, every feed new", 20, 4.0, fresh=True)


def _measure(bench: Bench, title: str, entries: int, wanted: float, *, fresh: bool) -> Result:
    feeds = bench.size(2000, 40)
    site = bench.folder / "site"
    site.mkdir()
    write_feeds(site, feeds, entries)
    with serving(site) as port:
        contestants = _contestants(bench, port, feeds, fresh=fresh)
        if not fresh:
            bench.duel(contestants, runs=1)
        medians = bench.duel(contestants)
    mine = medians[OURS]
    work = f"{feeds:,} feeds" + (f" of {entries} entries" if fresh else ", nothing new")
    lines = [
        Line(work=work, name=name, value=figures["seconds"], unit="s", against=ratio(figures, mine),
             more=f"{figures['cpu']:.2f} s of processor, {figures['peak_mb']:.0f} MB")
        for name, figures in medians.items()
    ]  # fmt: skip
    best = min((f for name, f in medians.items() if name != OURS), key=lambda f: f["seconds"])
    leanest = min(f["peak_mb"] for name, f in medians.items() if name != OURS)
    times, processor = ratio(best, mine), ratio(best, mine, "cpu")
    got = f"{times:.1f} times ({processor:.1f} in processor time)"
    goals = [Goal(what=f"{wanted:g} times as fast as reader", got=got, met=times >= wanted)]
    if not fresh:
        share = mine["peak_mb"] / leanest
        goals.append(Goal(what="under half the memory of reader", got=f"{share:.2f} of it", met=share < 0.5))
    return Result(title=title, lines=lines, goals=goals)
