"""A whole poll on loopback, first byte to last alert: 1,000 feeds, 3,000 new articles, 300 of them deals. Against the
script that one would write otherwise: `reader`, trafilatura in a loop, a regular expression."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.frame import OURS, Bench, Contestant, Goal, Line, Result, ratio, timed
from tests.benchmarks.material import write_news
from tests.benchmarks.polling import write_config
from tests.benchmarks.server import serving

CHANNEL = "[[channels]]\nname = 'c'\nurl = 'console://'\nmax_per_run = 1000\n"
PLAIN, FLOW, SCRIPT = f"{OURS}, without Prefect", OURS, "script of reader, trafilatura, regex"


def plain(given: dict[str, Any]) -> dict[str, Any]:
    """The steps, called one after the other."""
    from monitor.config import load_config
    from monitor.pipeline import STEPS, Watch, open_run, watching

    _forget(given)
    alerts: list[object] = []
    config = load_config(Path(given["folder"]))
    with timed() as figures, watching(Watch(console=alerts.append)), open_run(config, everything=True) as run:
        for step in STEPS:
            step(run)
    report = run.report
    stages = {f"{name} (s)": seconds for name, seconds in report.seconds.items()}
    return {**figures, **stages, "articles": report.articles, "claims": report.claims, "alerts": len(alerts)}


def flow(given: dict[str, Any]) -> dict[str, Any]:
    """The Prefect flow on a Prefect server that is running, as scheduled runs have it. The server's start is not
    counted; a first run of another configuration has loaded what a worker has loaded."""
    os.environ.update(DO_NOT_TRACK="1", PREFECT_SERVER_ANALYTICS_ENABLED="false", PREFECT_LOGGING_LEVEL="CRITICAL",
                      PREFECT_HOME=given["home"], PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="120",
                      PREFECT_LOGGING_SERVER_LEVEL="CRITICAL")  # fmt: skip
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.poll import poll
    from monitor.pipeline import Watch, watching

    _forget(given)
    alerts: list[object] = []
    server = SubprocessASGIServer()
    server.start(timeout=120)
    try:
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            with watching(Watch(console=lambda alert: None)):
                poll(config=Path(given["small"]), everything=True)
            with watching(Watch(console=alerts.append)) as watch:
                wall = time.perf_counter()
                poll(config=Path(given["folder"]), everything=True)
                seconds = time.perf_counter() - wall
    finally:
        server.stop()
    report = watch.reports[-1]
    steps = sum(report.seconds[name] for name in ("poll", "read", "diff", "deliver"))
    return {"seconds": seconds, "steps": steps, "articles": report.articles, "alerts": len(alerts)}


def _forget(given: dict[str, Any]) -> None:
    for name in ("folder", "small"):
        shutil.rmtree(Path(given[name]) / "state", ignore_errors=True)


def script(given: dict[str, Any]) -> dict[str, float]:
    """Feeds into reader's SQLite file, pages by requests, text by trafilatura, then two patterns."""
    import re

    import requests
    import trafilatura
    from reader import make_reader

    from monitor.lexicon import load_lexicon
    from tests.benchmarks.material import watched_names

    for suffix in ("", "-wal", "-shm"):
        Path(given["file"] + suffix).unlink(missing_ok=True)
    reader = make_reader(given["file"])
    for number in range(given["feeds"]):
        reader.add_feed(f"http://127.0.0.1:{given['port']}/feed-{number}.xml")
    names = re.compile(r"\b(?:" + "|".join(map(re.escape, watched_names())) + r")\b")
    heads = sorted(load_lexicon().heads() - {"COMPANY", "MONEY", "NUMBER"})
    triggers = re.compile(r"\b(?:" + "|".join(map(re.escape, heads)) + r")\b", re.IGNORECASE)
    articles = alerts = 0
    with timed() as figures, requests.Session() as session:
        reader.update_feeds(workers=given["workers"], scheduled=False)
        for entry in reader.get_entries(read=False):
            assert entry.link is not None
            text = trafilatura.extract(session.get(entry.link, timeout=10).content) or ""
            articles += 1
            alerts += any(names.search(s) and triggers.search(s) for s in [entry.title or "", *text.split(". ")])
            reader.mark_entry_as_read(entry)
    return {**figures, "articles": articles, "alerts": alerts}


def poll(bench: Bench) -> Result:
    """All three, and what Prefect adds."""
    feeds, articles, deals = bench.size(1000, 10), bench.size(3000, 30), bench.size(300, 6)
    site = bench.folder / "site"
    site.mkdir()
    write_news(site, feeds, articles, deals)
    with serving(site) as port:
        from monitor.config import seed

        for name, count in (("ours", feeds), ("small", 1)):
            write_config(bench.folder / name, port, count, CHANNEL)
            shutil.copy(seed("watchlist.toml"), bench.folder / name / "watchlist.toml")
        given = {"folder": str(bench.folder / "ours"), "small": str(bench.folder / "small"), "port": port,
                 "home": str(bench.folder / "prefect"), "file": str(bench.folder / "reader.sqlite"), "feeds": feeds,
                 "workers": 16}  # fmt: skip
        medians = bench.duel([
            Contestant(name=FLOW, function="whole:flow", given=given),
            Contestant(name=PLAIN, function="whole:plain", given=given),
            Contestant(name=SCRIPT, function="whole:script", given=given),
        ], runs=min(bench.runs, 3))  # fmt: skip
    return _judged(medians, f"{feeds:,} feeds, {articles:,} articles, {deals} deals")


def _judged(medians: dict[str, dict[str, float]], work: str) -> Result:
    ours = medians[FLOW]
    stages = {key[:-4]: value for key, value in medians[PLAIN].items() if key.endswith(" (s)")}
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.items())
    lines = [
        Line(work=work, name=name, value=figures["seconds"], unit="s", against=ratio(figures, ours),
             more=f"{figures['articles']:.0f} articles, {figures['alerts']:.0f} alerts")
        for name, figures in medians.items()
    ]  # fmt: skip
    share, times = 1 - ours["steps"] / ours["seconds"], ratio(medians[SCRIPT], ours)
    goals = [
        Goal(what="3 times as fast as the script", got=f"{times:.1f} times", met=times >= 3),
        Goal(what="Prefect under 15% of the wall time", got=f"{share:.1%}", met=share < 0.15),
    ]
    return Result(
        title="a whole poll",
        lines=lines,
        goals=goals,
        notes=[
            f"stages, without Prefect: {told}",
            "one page in four tells of a watched company's deal in its margin, so that about a third is extracted",
        ],
    )
