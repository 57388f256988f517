"""The demo's world, polled by the real steps (fetch, sandbox, tables; no Prefect): what comes of it, and what must not.

Which alerts are right is tested in test_stories.py for text alone; here it is asked after pages, feeds and tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from monitor.config import load_config
from monitor.models import Alert, Event
from monitor.pipeline import STEPS, Run, RunReport, Watch, open_run, watching
from monitor.world import World, serve_world
from tests.test_stories import KNOWN_FAILURES, Wanted, differences

FOLDER = Path(__file__).parent.parent / "seeds" / "world"
MORNINGS = (1, 2, 3)


@dataclass(slots=True)
class Polled:
    """The world after three mornings, each polled twice."""

    world: World
    run: Run | None = None
    reports: dict[tuple[int, str], RunReport] = field(default_factory=dict)  # (morning, "first" or "again")
    alerts: list[Alert] = field(default_factory=list)
    hits: dict[tuple[int, str], int] = field(default_factory=dict)  # bodies sent

    def rows(self, table: str) -> list[dict[str, Any]]:
        assert self.run is not None
        return list(self.run.store.latest(table).collect().to_dicts())


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Polled]:
    with serve_world(FOLDER) as world:
        done = Polled(world=world)
        config = load_config(world.write_config(tmp_path_factory.mktemp("world")))
        for world.morning in MORNINGS:
            for turn in ("first", "again"):
                before = len(world.hits)
                with (
                    watching(Watch(console=done.alerts.append)),
                    open_run(config, now=world.now, everything=True) as run,
                ):
                    for step in STEPS:
                        step(run)
                done.run, done.reports[world.morning, turn] = run, run.report
                done.hits[world.morning, turn] = sum(h.status == 200 for h in world.hits[before:])
        yield done


def test_the_alerts_are_those_that_the_world_names(polled: Polled, request: pytest.FixtureRequest) -> None:
    if "world" in KNOWN_FAILURES:
        request.applymarker(pytest.mark.xfail(reason=KNOWN_FAILURES["world"], strict=False))
    wrong: list[str] = []
    for morning in MORNINGS:
        wanted = [
            Wanted(
                parties=frozenset(e.parties),
                change=(e.change,),
                deal_type=e.deal_type,
                status=(e.status,),
                origin=e.origin,
            )
            for e in polled.world.script.expected
            if e.morning == morning
        ]
        events: list[Event] = [e for e in polled.reports[morning, "first"].events if e.change]
        wrong += [f"morning {morning}: {line}" for line in differences(wanted, events)]
    assert not wrong


def test_every_change_is_alerted_once(polled: Polled) -> None:
    changes = [(e.event_id, e.version) for r in polled.reports.values() for e in r.events if e.change]
    alerted = [(e.event_id, e.version) for alert in polled.alerts for e in alert.events]
    assert sorted(changes) == sorted(alerted)
    assert len(set(alerted)) == len(alerted) >= 10


def test_polling_again_reads_no_body_and_tells_nothing(polled: Polled) -> None:
    for morning in MORNINGS:
        again = polled.reports[morning, "again"]
        assert (again.articles, len(again.events), again.sent) == (0, 0, 0)
        assert polled.hits[morning, "again"] <= 1  # the address that leads to a web page, asked again
    assert polled.world.read_twice() in ([], ["/oldharbour/feed"])


def test_what_is_broken_is_told_for_what_it_is(polled: Polled) -> None:
    kinds = {p.where.removeprefix(polled.world.url): p.kind for r in polled.reports.values() for p in r.problems}
    assert kinds["/quietquarter/rss.xml"] == "not_found"
    assert kinds["/oldharbour/feed"] == "not_a_feed"
    states = {row["title"]: row["state"] for row in polled.rows("articles")}
    titles = {piece.id: piece.title for piece in polled.world.script.articles}
    assert states[titles["quiet-brightmere-results"]] == "consent"
    assert states[titles["solvaine-ledgerwick-copperbyte"]] in ("missing", "summary")
    full = [title for title, state in states.items() if state == "full"]
    assert len(full) >= len(titles) - 3


def test_each_article_is_stored_once_under_its_outlet(polled: Polled) -> None:
    """Also those that the aggregator carries under a tracking link, and the one whose headline and guid changed."""
    rows = polled.rows("articles")
    assert len(rows) == len(polled.world.script.articles)
    names = {outlet.name for outlet in polled.world.script.outlets}
    assert {row["outlet"] for row in rows if row["state"] == "full"} == names


def test_mislabelled_bytes_undated_entries_and_shared_guids_lose_nothing(polled: Polled) -> None:
    titles = {row["title"] for row in polled.rows("entries")}
    by_id = {piece.id: piece.title for piece in polled.world.script.articles}
    assert by_id["brightmere-helianthe"] in titles
    assert by_id["quorvane-series-d"] in titles
    assert {by_id["orrinta-nordvinder-venture"], by_id["quiet-coverage-rules"]} <= titles
