"""What the demo's world holds, and when: `world.toml` and `articles/*.toml` as records. Knows no HTTP and no HTML."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from monitor.errors import ConfigError

T = TypeVar("T")
_DAY = re.compile(r"\{(weekday|date)([+-]\d+)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """Who publishes."""

    id: str
    name: str
    layout: str  # name of a file in layouts/, without .html
    sections: tuple[str, ...] = ()  # of its navigation


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec:
    """One feed of the site."""

    path: str
    title: str
    format: str  # rss, rdf, atom, json
    outlet: str = ""  # whose articles it carries; "" = those that `carries` names
    carries: tuple[str, ...] = ()  # ids of articles: an aggregator's
    validators: str = "both"  # what answers carry: etag, modified, both
    charset: str = "utf-8"  # of the bytes; the header says utf-8 all the same
    full_text: bool = False  # whole articles in the feed
    broken: str = ""  # "missing": 404; "html": a web page


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A later version of an article: same address, other headline and guid."""

    morning: int
    title: str
    added: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One article as its outlet publishes it."""

    id: str
    outlet: str
    morning: int  # on which it is there first
    hours_before: float  # that morning
    title: str
    summary: str
    body: str  # paragraphs, an empty line between two
    byline: str = ""
    quiet: str = ""  # why no alert may come of it; "" = it may
    undated: bool = False
    guid: str = ""  # in place of one of its own
    page: str = ""  # missing, consent, empty
    revised: Revision | None = None

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return tuple(" ".join(p.split()) for p in self.body.split("\n\n") if p.strip())

    def on(self, morning: int) -> Piece:
        """The article as it stands on a morning."""
        if self.revised is None or morning < self.revised.morning:
            return self
        return replace(
            self,
            title=self.revised.title,
            body=f"{self.body}\n\n{self.revised.added}",
            guid=f"{self.guid or self.id}-rev{self.revised.morning}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One alert that must come, on which morning."""

    morning: int
    change: str
    parties: tuple[str, ...]
    deal_type: tuple[str, ...]  # all that count as right
    status: str
    sourcing: tuple[str, ...]  # all that count as right
    origin: str  # "" = the outlet itself
    articles: tuple[str, ...]  # ids of those that may stand behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The whole world."""

    folder: Path
    mornings: tuple[datetime, ...]
    outlets: tuple[Outlet, ...]
    feeds: tuple[FeedSpec, ...]
    expected: tuple[Expected, ...]
    articles: tuple[Piece, ...]  # oldest first

    def outlet(self, id: str) -> Outlet:
        return next(o for o in self.outlets if o.id == id)

    def published(self, piece: Piece) -> datetime:
        return self.mornings[piece.morning - 1] - timedelta(hours=piece.hours_before)

    def carried(self, feed: FeedSpec, morning: int) -> tuple[Piece, ...]:
        """What a feed lists on a morning, newest first, each as it stands then."""
        pieces = [
            piece.on(morning)
            for piece in self.articles
            if piece.morning <= morning and (piece.id in feed.carries if feed.carries else piece.outlet == feed.outlet)
        ]
        return tuple(sorted(pieces, key=lambda p: (self.published(p), p.id), reverse=True))


def load_script(folder: Path, mornings: tuple[datetime, ...] | None = None) -> Script:
    """The world in `folder` (`seeds/world`). Raises ConfigError for a file that is wrong."""
    raw = _read(folder / "world.toml")
    mornings = mornings or tuple(raw["mornings"])
    articles = [_dated(_piece(path), mornings) for path in sorted((folder / "articles").glob("*.toml"))]
    return Script(
        folder=folder,
        mornings=mornings,
        outlets=tuple(_record(Outlet, row, folder / "world.toml") for row in raw["outlets"]),
        feeds=tuple(_record(FeedSpec, row, folder / "world.toml") for row in raw["feeds"]),
        expected=tuple(_record(Expected, row, folder / "world.toml") for row in raw["expected"]),
        articles=tuple(articles),
    )


def _piece(path: Path) -> Piece:
    raw = _read(path)
    if "revised" in raw:
        raw["revised"] = _record(Revision, raw["revised"], path)
    return _record(Piece, {"id": path.stem, **raw}, path)


def _dated(piece: Piece, mornings: tuple[datetime, ...]) -> Piece:
    """The article with the names of its days filled in."""
    published = mornings[piece.morning - 1] - timedelta(hours=piece.hours_before)

    def day(found: re.Match[str]) -> str:
        when = published + timedelta(days=int(found[2] or 0))
        return f"{when:%A}" if found[1] == "weekday" else f"{when:%b} {when.day}"

    def fill(text: str) -> str:
        return _DAY.sub(day, text)

    later = piece.revised and replace(piece.revised, title=fill(piece.revised.title), added=fill(piece.revised.added))
    return replace(piece, title=fill(piece.title), summary=fill(piece.summary), body=fill(piece.body), revised=later)


def recent_mornings(now: datetime, count: int = 3) -> tuple[datetime, ...]:
    """The last mornings, 06:00 in the time zone of `now`, up to `now`; oldest first."""
    last = now.replace(hour=6, minute=0, second=0, microsecond=0)
    if last > now:
        last -= timedelta(days=1)
    return tuple(last - timedelta(days=back) for back in reversed(range(count)))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(str(path), "", "there is no such file", "name the folder `seeds/world`") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), "", f"this is not TOML: {error}", "correct it") from None


def _record(kind: type[T], row: dict[str, Any], path: Path) -> T:
    """A record from a table of the file; lists become tuples."""
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
    except TypeError as error:
        raise ConfigError(str(path), str(row.get("id") or row.get("path") or ""), str(error), "correct it") from None
