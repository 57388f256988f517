"""The deals at hand while claims are folded: found by what a claim shares with them, not by going through them all.

A company may have thousands of deals. Those that a claim may be about stand on few shelves: deals that share two
parties with it, deals of which one party is known, deals of one party and about the same sum. Which of them it is about
is for `identity` to say: a shelf too many costs time, a shelf too few would tell one deal twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product

from monitor.events.names import tokens
from monitor.events.values import amount
from monitor.models import Claim, Event

Shelf = tuple[str, ...] | tuple[str, int]  # a party; two; one and `_ALONE`; one and the drawer of the sum
_ALONE = ""  # beside a token: deals that name no other party


class Book:
    """The newest version of each deal, and the versions made since `taken` was last asked."""

    def __init__(self, known: Iterable[Event] = ()) -> None:
        self.folded: set[int] = set()  # claims that the deals have taken in
        self._events: dict[str, Event] = {}
        self._shelves: dict[Shelf, dict[str, None]] = {}
        self._made: list[Event] = []
        self._open: dict[str, int] = {}  # deal -> place in `made` of its newest version, if that is a sighting
        self.add(known)

    def add(self, known: Iterable[Event]) -> None:
        """Takes in deals as the tables know them. Where the book knows a newer version, that one stays."""
        for event in known:
            self.folded.update(event.folded)
            before = self._events.get(event.event_id)
            if before is None or event.version > before.version:
                self._keep(event)

    def near(self, claim: Claim) -> list[Event]:
        """Every deal that the claim may be about, and few others."""
        shelves = (self._shelves.get(shelf, {}) for shelf in _asked(claim))
        return [self._events[event_id] for event_id in dict.fromkeys(i for shelf in shelves for i in shelf)]

    def put(self, event: Event) -> None:
        """Takes a new version, merging it into the one before if both are sightings of this batch."""
        place = self._open.get(event.event_id)
        self.folded.update(event.claim_keys)
        if place is not None and event.change is None:
            before = self._made[place]
            event = self._made[place] = _joined(before, event)
        else:
            self._made.append(event)
            self._open.pop(event.event_id, None)
            if event.change is None:
                self._open[event.event_id] = len(self._made) - 1
        self._keep(event)

    def taken(self) -> list[Event]:
        """The versions made since this was last asked, in order."""
        made, self._made, self._open = self._made, [], {}
        return made

    def _keep(self, event: Event) -> None:
        before = self._events.get(event.event_id)
        self._events[event.event_id] = event
        if before is not None and (before.parties, before.value) == (event.parties, event.value):
            return
        for shelf in _kept_on(before) if before is not None else ():
            self._shelves[shelf].pop(event.event_id, None)
        for shelf in _kept_on(event):
            self._shelves.setdefault(shelf, {})[event.event_id] = None


def _joined(before: Event, event: Event) -> Event:
    return replace(event, version=before.version, claim_keys=before.claim_keys + event.claim_keys)


def _kept_on(event: Event) -> Iterator[Shelf]:
    """The shelves of a deal."""
    yield from ((token,) for name in event.parties for token in tokens(name))
    yield from _both(event.parties)
    if len(event.parties) == 1:
        yield from ((token, _ALONE) for token in tokens(event.parties[0]))
    if sum_ := amount(event.value):
        yield from ((token, sum_.drawer) for name in event.parties for token in tokens(name))


def _asked(claim: Claim) -> Iterator[Shelf]:
    """The shelves where the deals stand that a claim may be about.

    One party in common is enough only if either side names no other, or if the sums are alike as well.
    """
    every = [token for name in claim.parties for token in tokens(name)]
    if len(claim.parties) == 1:
        yield from ((token,) for token in every)
        return
    yield from _both(claim.parties)
    yield from ((token, _ALONE) for token in every)
    if sum_ := amount(claim.value):
        yield from ((token, sum_.drawer + beside) for token in every for beside in (-1, 0, 1))


def _both(parties: Sequence[str]) -> Iterator[Shelf]:
    """Each two parties, by each of their tokens, in the order of the alphabet."""
    for one, other in combinations(parties, 2):
        yield from ((min(pair), max(pair)) for pair in product(tokens(one), tokens(other)))
