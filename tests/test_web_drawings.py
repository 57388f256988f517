"""What is drawn: how ties stood on which day, who finds room in the picture, and how bars are cut from days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from monitor.events import fold
from monitor.models import Claim
from monitor.store import open_store
from monitor.web.network import MOST, WIDTH, Network, network
from monitor.web.snapshot import Snapshot, take
from monitor.web.volumes import HEIGHT, Volumes, volumes
from tests.deals import SETTINGS, claim, on

BERLIN = ZoneInfo("Europe/Berlin")


def known(folder: object, *told: tuple[Claim, float]) -> Snapshot:
    """A snapshot after each claim was folded on its day."""
    store = open_store(str(folder))
    for one, day in told:
        before = store.load("events", store.latest("events"))
        store.append("claims", [one])
        store.append("events", fold(before, [one], on(day), SETTINGS))
    return take(store)


def pairs(net: Network) -> dict[tuple[str, str], str]:
    return {(tie.one, tie.other): tie.state for tie in net.ties}


def test_a_tie_stands_as_it_was_known_on_the_day(tmp_path: object) -> None:
    net = network(
        known(
            tmp_path,
            (claim("Vela, Orm", day=1), 1),
            (claim("Vela, Orm", status="announced", day=4), 4),
            (claim("Vela, Orm", status="terminated", day=9), 9),
        )
    )
    (tie,) = net.ties
    days = [on(day).date() for day in (0, 1, 3, 4, 8, 9, 20)]
    assert [tie.on(day) for day in days] == ["", "rumour", "rumour", "firm", "firm", "ended", "ended"]
    assert net.days == (on(1).date(), on(9).date())


def test_of_two_deals_the_firmer_one_counts(tmp_path: object) -> None:
    snapshot = known(
        tmp_path,
        (claim("Orm, Vela", "acquisition", day=1), 1),
        (claim("Orm, Vela", "partnership", "announced", day=300), 300),
        (claim("Orm, Vela", "partnership", "terminated", day=305), 305),
    )
    (tie,) = network(snapshot).ties
    assert [tie.on(on(day).date()) for day in (1, 301, 306)] == ["rumour", "firm", "rumour"]
    assert len(tie.events) == 2


@pytest.mark.parametrize(
    ("parties", "ties"),
    [
        ("Vela", set()),
        ("Vela, Orm", {("Orm", "Vela")}),
        ("Vela, Orm, Kes", {("Orm", "Vela"), ("Kes", "Vela"), ("Kes", "Orm")}),
        ("A, B, Vela, D, E", {("A", "Vela"), ("B", "Vela"), ("D", "Vela"), ("E", "Vela")}),  # a crowd: round its centre
    ],
)
def test_ties_of_a_deal(tmp_path: object, parties: str, ties: set[tuple[str, str]]) -> None:
    assert pairs(network(known(tmp_path, (claim(parties, watched=("Vela",)), 0)))).keys() == ties


def test_a_crowded_picture_keeps_the_watched_and_stays_within_its_frame(tmp_path: object) -> None:
    store = open_store(str(tmp_path))
    claims = [claim(f"Name{number}, Other{number % 90}", day=0) for number in range(300)]
    claims.append(claim("Vela, Orm", day=0, watched=("Vela",)))
    store.append("events", fold((), claims, on(1), SETTINGS))
    net = network(take(store))
    assert ("Orm", "Vela") in pairs(net)
    assert len(net.nodes) <= MOST
    assert net.left_out == 392 - len(net.nodes)
    assert all(0 < node.x < WIDTH and 0 < node.y < net.height for node in net.nodes)
    assert network(take(store)) == net  # the same deals give the same picture


def history(*rows: tuple[datetime, str, str]) -> pl.DataFrame:
    at, change, status = zip(*rows, strict=True)
    return pl.DataFrame({"changed_at": at, "change": change, "status": status}).with_columns(
        pl.col("changed_at").cast(pl.Datetime("us", "UTC"))
    )


@pytest.mark.parametrize(
    ("days", "period", "starts"),
    [
        ([0, 1, 3], "day", [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5)]),
        ([0, 100], "week", [date(2026, 3, 2), date(2026, 3, 9)]),
        ([0, 1000], "month", [date(2026, 3, 1), date(2026, 4, 1)]),
    ],
)
def test_periods_grow_with_the_time_told_of(days: Sequence[float], period: str, starts: list[date]) -> None:
    drawn = volumes(history(*((on(day), "new", "rumour") for day in days)), BERLIN)
    assert drawn.period == period
    assert [bar.start for bar in drawn.bars][: len(starts)] == starts
    assert sum(bar.total for bar in drawn.bars) == len(days)
    assert len(drawn.bars) < 60


def test_bars_hold_what_happened_by_the_readers_clock() -> None:
    late = datetime(2026, 3, 2, 23, 30, tzinfo=ZoneInfo("UTC"))  # the next day in Berlin
    drawn = volumes(
        history(
            (late, "new", "rumour"), (late, "new", "announced"), (late, "denied", "denied"),
            (late - timedelta(days=1), "confirmed", "announced"), (late, "updated", "rumour"),
        ),
        BERLIN,
    )  # fmt: skip
    assert [(bar.start.day, bar.counts) for bar in drawn.bars] == [
        (2, {"firm": 1}),
        (3, {"rumour": 1, "deal": 1, "ended": 1, "more": 1}),
    ]
    assert drawn.totals == {"rumour": 1, "deal": 1, "firm": 1, "ended": 1, "more": 1}
    for bar in drawn.bars:
        assert all(block.y >= 0 and block.y + block.height <= HEIGHT for block in bar.blocks)
        edges = [block.y for block in bar.blocks]
        assert edges == sorted(edges, reverse=True)


def test_nothing_makes_no_bars() -> None:
    assert volumes(history((on(0), "new", "rumour")).clear(), BERLIN) == Volumes("day")
