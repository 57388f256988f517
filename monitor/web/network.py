"""Who deals with whom: companies and the ties between them, how each tie stood on which day, and where to draw them.

Where companies stand is decided by networkx, for each group of connected companies alone; the groups are then laid out
in rows, the biggest first.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

import polars as pl

from monitor.web.snapshot import Snapshot

MOST, TIES = 64, 96  # companies and ties in one picture; more cannot be read
WIDTH = 1060.0
STATE = {
    "announced": "firm", "completed": "firm", "rumour": "rumour", "denied": "ended", "terminated": "ended",
    "expired": "ended",
}  # fmt: skip
_RANK = ("firm", "rumour", "ended", "")
_ROOM = 86.0  # between two companies


@dataclass(frozen=True, slots=True)
class Node:
    """A company in the picture."""

    name: str
    x: float
    y: float
    radius: float
    watched: bool
    deals: int


@dataclass(frozen=True, slots=True)
class Tie:
    """Two companies with at least one deal between them."""

    one: str
    other: str
    events: tuple[str, ...]  # ids of the deals, newest first
    life: tuple[tuple[date, str], ...]  # from which day on it was firm, rumour or ended
    ends: tuple[float, float, float, float] = (0, 0, 0, 0)

    def on(self, day: date) -> str:
        """How the tie stood at the end of a day; "" before it was known."""
        return next((state for since, state in reversed(self.life) if since <= day), "")

    @property
    def state(self) -> str:
        return self.life[-1][1]


@dataclass(frozen=True, slots=True)
class Network:
    """The picture."""

    nodes: tuple[Node, ...] = ()
    ties: tuple[Tie, ...] = ()
    height: float = 0.0
    left_out: int = 0  # companies that found no room
    days: tuple[date, ...] = field(default=())  # first and last day on which something changed


def network(snapshot: Snapshot, deals: pl.DataFrame | None = None) -> Network:
    """The picture of these deals, or of all."""
    deals = snapshot.deals if deals is None else deals
    deals = deals.filter(pl.col("parties").list.len() > 1)
    if not deals.height:
        return Network()
    watched = set(deals["watched"].explode(empty_as_null=True).drop_nulls().to_list())
    counts = Counter(deals["parties"].explode(empty_as_null=True).to_list())
    pairs = _pairs(deals)
    everyone = len({name for pair in pairs for name in pair})
    pairs = _chosen(pairs, watched)
    lives = _lives(snapshot, {event_id for ids in pairs.values() for event_id in ids})
    bare = [
        Tie(one, other, tuple(ids), _merged([lives[i] for i in ids if i in lives]))
        for (one, other), ids in pairs.items()
    ]
    bare = [tie for tie in bare if tie.life]
    places, height = _places(bare)
    biggest = max((counts[name] for name in places), default=1)
    nodes = [
        Node(name, x, y, 5.0 + 9.0 * math.sqrt(counts[name] / biggest), name in watched, counts[name])
        for name, (x, y) in sorted(places.items())
    ]
    ties = [Tie(t.one, t.other, t.events, t.life, (*places[t.one], *places[t.other])) for t in bare]
    days = [day for tie in ties for day, _ in tie.life]
    return Network(tuple(nodes), tuple(ties), height, everyone - len(nodes), (min(days), max(days)))


def _pairs(deals: pl.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Pairs of parties and their deals. Of a crowd, only the ties of the first watched party are told."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for event_id, parties, watched in deals.select("event_id", "parties", "watched").iter_rows():
        names = list(dict.fromkeys(parties))
        centre = next((name for name in names if name in watched), names[0])
        pairs: Iterable[tuple[str, str]] = combinations(names, 2)
        if len(names) > 4:
            pairs = ((centre, name) for name in names if name != centre)
        for one, other in pairs:
            found[min(one, other), max(one, other)].append(event_id)
    return found


def _chosen(pairs: dict[tuple[str, str], list[str]], watched: set[str]) -> dict[tuple[str, str], list[str]]:
    """The ties that find room: those of watched companies first, then the busiest."""
    order = sorted(pairs, key=lambda pair: (-len(watched.intersection(pair)), -len(pairs[pair])))
    chosen: dict[tuple[str, str], list[str]] = {}
    names: set[str] = set()
    for pair in order:
        if len(names.union(pair)) <= MOST:
            chosen[pair] = pairs[pair]
            names.update(pair)
        if len(chosen) == TIES:
            break
    return chosen


def _lives(snapshot: Snapshot, wanted: set[str]) -> dict[str, list[tuple[date, str]]]:
    """Of each deal, from which day on it stood how."""
    rows = snapshot.history.filter(pl.col("event_id").is_in(list(wanted))).sort("event_id", "version")
    found: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for event_id, at, status in rows.select("event_id", "changed_at", "status").iter_rows():
        life = found[event_id]
        if not life or life[-1][1] != STATE[status]:
            life.append((at.date(), STATE[status]))
    return found


def _merged(lives: Sequence[Sequence[tuple[date, str]]]) -> tuple[tuple[date, str], ...]:
    """The life of a tie out of those of its deals: the firmest counts."""
    found: list[tuple[date, str]] = []
    for day in sorted({day for life in lives for day, _ in life}):
        states = [next((state for since, state in reversed(life) if since <= day), "") for life in lives]
        best = min(states, key=_RANK.index)
        if not found or found[-1][1] != best:
            found.append((day, best))
    return tuple(found)


def _places(ties: Sequence[Tie]) -> tuple[dict[str, tuple[float, float]], float]:
    """Where each company stands, and how high the picture is."""
    import networkx as nx  # with numpy a third of a second, and most pages draw nothing

    graph: Any = nx.Graph()
    graph.add_edges_from((tie.one, tie.other) for tie in sorted(ties, key=lambda tie: (tie.one, tie.other)))
    groups = sorted(nx.connected_components(graph), key=lambda group: (-len(group), min(group)))
    places: dict[str, tuple[float, float]] = {}
    left = top = row = 0.0
    for group in groups:
        spots, width, height = _arranged(nx, graph.subgraph(sorted(group)))
        if left and left + width > WIDTH:
            left, top, row = 0.0, top + row, 0.0
        places |= {name: (round(left + x, 1), round(top + y, 1)) for name, (x, y) in spots.items()}
        left, row = left + width, max(row, height)
    return places, top + row


def _arranged(nx: Any, group: Any) -> tuple[dict[str, tuple[float, float]], float, float]:
    """The companies of one group in a box of their own: spots, width, height. Names want room at the sides."""
    count = len(group)
    if count == 2:
        one, other = sorted(group)
        return {one: (76, 40), other: (189, 40)}, 265, 96
    inner_width = min(WIDTH - 150, _ROOM * 1.9 * math.sqrt(count))
    inner_height = _ROOM * math.sqrt(count) * (1.0 if count > 12 else 0.8)
    spots = nx.spring_layout(group, k=2.4 / math.sqrt(count), iterations=200, seed=7)
    xs, ys = [x for x, _ in spots.values()], [y for _, y in spots.values()]

    def fit(value: float, values: list[float], room: float) -> float:
        spread = max(values) - min(values)
        return (value - min(values)) / spread * room if spread else room / 2

    return (
        {name: (75 + fit(x, xs, inner_width), 34 + fit(y, ys, inner_height)) for name, (x, y) in spots.items()},
        inner_width + 150,
        inner_height + 84,
    )
