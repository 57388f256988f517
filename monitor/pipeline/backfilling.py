"""Old articles, read in the order in which they appeared, as if they had been polled then.

What is kept is marked as baseline: it is history, so it raises no alert. A dry run keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from monitor.claims import Reader
from monitor.events import Book, FoldSettings, fold_into, wanted_keys
from monitor.models import Article, Claim, Event
from monitor.pipeline.documents import Read, detect
from monitor.pipeline.run import batches
from monitor.store import Store, View

BATCH = 500  # articles per commit
Find = Callable[[Sequence[int]], Iterable[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one article changed."""

    given: Any  # the caller's id of the article
    event: Event


class Deals:
    """The newest versions of deals: those of the tables, each asked for once, and over them those made since."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._asked: set[int] = set()
        self._book = Book()

    def fold(self, claims: Sequence[Claim], at: datetime, settings: FoldSettings) -> list[Event]:
        """The versions that one article's claims make, told at its own time; they are known from then on."""
        if fresh := [key for key in wanted_keys(claims) if key not in self._asked]:
            self._asked.update(fresh)
            self._book.add(self._find(fresh))
        return fold_into(self._book, claims, at, settings)


def in_order(documents: Iterable[tuple[Any, Article]], now: datetime) -> list[tuple[Any, Article]]:
    """By time of publication; those of one moment as they came; those without a time last."""
    return sorted(documents, key=lambda d: d[1].published or now)


def dry_run(
    reader: Reader, documents: Iterable[tuple[Any, Article]], find: Find, settings: FoldSettings, now: datetime
) -> Iterator[Change]:
    """The changes that a backfill would make, over the deals that `find` knows."""
    deals = Deals(find)
    for one in detect(reader, documents):
        yield from _changes(one.given, deals.fold(one.claims, one.article.published or now, settings))


def kept(
    reader: Reader, documents: Iterable[tuple[Any, Article]], store: Store, settings: FoldSettings, now: datetime
) -> Iterator[Change]:
    """The same, kept: claims, then articles, then events. Texts whose claims are known change nothing again."""
    for batch in batches(documents, BATCH):
        read = [_as_history(one, now) for one in detect(reader, batch)]
        claims = {c.claim_key: c for one in read for c in one.claims}
        seen = store.seen("claims", list(claims))
        if fresh := [c for key, c in claims.items() if key not in seen]:
            store.append("claims", fresh)
        store.append("articles", [one.article for one in read])
        made: list[Change] = []
        if claims:
            store.commit("events", partial(_decide, read, made, settings, now))
        yield from made


def _as_history(one: Read, now: datetime) -> Read:
    article = replace(one.article, read_at=now, baseline=True)
    if one.reading is None:
        return replace(one, article=article)
    claims = tuple(replace(c, read_at=now, baseline=True) for c in one.reading.claims)
    return replace(one, article=article, reading=replace(one.reading, claims=claims))


def _decide(read: Sequence[Read], made: list[Change], settings: FoldSettings, now: datetime, view: View) -> list[Event]:
    """All versions that a batch makes, each article at its own time; again from the start after a lost race."""
    made.clear()
    deals = Deals(lambda keys: view.find(keys))
    versions: list[Event] = []
    for one in read:
        new = deals.fold(one.claims, one.article.published or now, settings)
        versions += new
        made += _changes(one.given, new)
    return versions


def _changes(given: Any, made: Iterable[Event]) -> list[Change]:
    return [Change(given=given, event=e) for e in made if e.change]
