"""Deals told over several articles: what each article must change, read by the real detector and the real fold.

The stories are `data/stories/*.toml` (their format stands in the first) and the demo's world. A story that fails today
is listed in KNOWN_FAILURES with its cause; it must be taken off the list when it passes.

    python tests/test_stories.py [WORDS OF A NAME]   prints what each article gave
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monitor.claims import Reader
from monitor.companies import catalogue
from monitor.events import FoldSettings, fold
from monitor.lexicon import load_lexicon
from monitor.models import DEAL_TYPES, Article, Claim, Company, Event
from monitor.world import load_script

STORIES = Path(__file__).parent / "data" / "stories"
WORLD = Path(__file__).parent.parent / "seeds" / "world"
KNOWN_FAILURES: dict[str, str] = {}

Read = Callable[[Article], Sequence[Claim]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One change that an article must bring."""

    parties: frozenset[str]
    change: tuple[str, ...]  # all that count as right
    deal_type: tuple[str, ...]
    status: tuple[str, ...]
    origin: str = ""

    def fits(self, event: Event) -> bool:
        return (
            event.change in self.change
            and event.deal_type in self.deal_type
            and event.status in self.status
            and len(event.parties) == len(self.parties)
            and all(any(same_party(p, q) for q in event.parties) for p in self.parties)
            and (not self.origin or self.origin in event.origins)
        )

    def __str__(self) -> str:
        return f"{'|'.join(self.change)} {'|'.join(self.deal_type)} {'|'.join(self.status)} {sorted(self.parties)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One article, and what it must change."""

    article: Article
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    name: str
    about: str
    watch: tuple[Company, ...]
    items: tuple[Item, ...]


def same_party(one: str, other: str) -> bool:
    """A name, or a longer form of it: "Kestrin", "Kestrin Robotics"."""
    a, b = sorted((one.casefold().split(), other.casefold().split()), key=len)
    return b[: len(a)] == a


def _many(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def load_story(path: Path) -> Story:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(raw) == {"about", "watch", "items"}, path.name
    items = tuple(_item(path, number, row) for number, row in enumerate(raw["items"]))
    watch = tuple(Company(**{k: v if k == "name" else tuple(v) for k, v in row.items()}) for row in raw["watch"])
    return Story(name=path.stem, about=raw["about"], watch=watch, items=items)


def _item(path: Path, number: int, row: dict[str, Any]) -> Item:
    assert set(row) == {"published", "outlet", "title", "text", "expect"}, (path.name, number)
    paragraphs = [" ".join(p.split()) for p in row["text"].split("\n\n")]
    wanted = tuple(
        Wanted(
            parties=frozenset(e["parties"]),
            change=_many(e["change"]),
            deal_type=_many(e["deal_type"]),
            status=_many(e["status"]),
            origin=e.get("origin", ""),
        )
        for e in row["expect"]
    )
    article = Article(
        article_id=f"{path.stem}-{number + 1}",
        title=row["title"],
        text="\n".join(p for p in paragraphs if p),
        outlet=row["outlet"],
        url=f"https://news.example/{path.stem}/{number + 1}",
        published=row["published"],
        read_at=row["published"],
    )
    return Item(article=article, wanted=wanted)


def load_world() -> Story:
    """The demo's world as one story: each morning's articles, oldest first, the alerts wanted at the morning's last."""
    script = load_script(WORLD)
    raw = tomllib.loads((WORLD / "watchlist.toml").read_text(encoding="utf-8"))["companies"]
    items: list[Item] = []
    for number, morning in enumerate(script.mornings, 1):
        pieces = sorted((p for p in script.articles if p.morning == number), key=script.published)
        for piece in pieces:
            body = (piece.summary,) if piece.page else piece.paragraphs
            article = Article(
                article_id=piece.id,
                title=piece.title,
                text="\n".join(body),
                outlet=script.outlet(piece.outlet).name,
                url=f"https://news.example/{piece.id}",
                published=None if piece.undated else script.published(piece),
                read_at=morning,
            )
            items.append(Item(article=article, wanted=()))
        wanted = tuple(
            Wanted(
                parties=frozenset(e.parties), change=(e.change,), deal_type=e.deal_type, status=(e.status,),
                origin=e.origin,
            )
            for e in script.expected
            if e.morning == number
        )  # fmt: skip
        items[-1] = replace(items[-1], wanted=wanted)
    watch = tuple(Company(**{k: v if k == "name" else tuple(v) for k, v in row.items()}) for row in raw)
    return Story(name="world", about="three mornings of the demo", watch=watch, items=tuple(items))


@cache
def stories() -> dict[str, Story]:
    loaded = [load_story(path) for path in sorted(STORIES.glob("*.toml"))]
    return {story.name: story for story in loaded}


def reader(story: Story) -> Read:
    """The detector as `poll` builds it, for the story's watchlist."""
    real = Reader(load_lexicon(), story.watch, catalogue())
    return lambda article: real.read(article).claims


def play(story: Story, read: Read) -> list[tuple[Item, list[Claim], list[Event]]]:
    """Each article with its claims and the changes that they made, in the order of arrival."""
    known: dict[str, Event] = {}
    told = []
    now = datetime(2000, 1, 1, tzinfo=UTC)
    for item in story.items:
        now = max(now, item.article.read_at or now)
        claims = list(read(item.article))
        made = fold(list(known.values()), claims, now, FoldSettings())
        known.update({event.event_id: event for event in made})
        told.append((item, claims, [event for event in made if event.change]))
    return told


def differences(wanted: Iterable[Wanted], got: Iterable[Event]) -> list[str]:
    """What is missing and what is too much; each change answers one wish."""
    open_, missing = list(got), []
    for wish in wanted:
        match = next((event for event in open_ if wish.fits(event)), None)
        if match is None:
            missing.append(f"missing: {wish}")
        else:
            open_.remove(match)
    return missing + [f"too much: {_shown(event)}" for event in open_]


def failures(told: Sequence[tuple[Item, list[Claim], list[Event]]], *, at_once: bool = False) -> list[str]:
    """All differences of a story. `at_once`: the changes of several articles answer the wishes of the last of them."""
    found, waiting = [], []
    for item, _, events in told:
        waiting += events
        if at_once and not item.wanted:
            continue
        found += [f"{item.article.article_id}: {line}" for line in differences(item.wanted, waiting)]
        waiting = []
    return found


def _shown(event: Event) -> str:
    return f"{event.change} {event.deal_type} {event.status} {list(event.parties)} ({event.what or event.title})"


def _marked(name: str) -> Any:
    why = KNOWN_FAILURES.get(name)
    return pytest.param(name, marks=pytest.mark.xfail(reason=why, strict=True)) if why else name


@pytest.mark.parametrize("name", [_marked(name) for name in stories()])
def test_each_article_brings_the_changes_that_it_must(name: str) -> None:
    story = stories()[name]
    assert not failures(play(story, reader(story))), story.about


@pytest.mark.parametrize("name", [_marked("world")])
def test_the_demos_world_brings_its_alerts(name: str) -> None:
    story = load_world()
    assert story.name == name
    assert not failures(play(story, reader(story)), at_once=True)


SOURCES = Path(__file__).parents[2] / "shared" / "seeds"
DEALS = ("partnership", "licensing")


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the three source articles are not beside this checkout")
@pytest.mark.parametrize("name", [_marked("sources")])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 1, 0)])
def test_the_three_source_articles_give_three_changes_in_any_order(order: tuple[int, ...], name: str) -> None:
    """Only Meta is watched; the two reports on The Information's story are one origin, whichever comes first."""
    story = _sources(order)
    assert story.name == name
    told = play(story, reader(story))
    changes = {
        frozenset(event.parties): (event.change, event.status, event.sourcing, event.origins)
        for _, _, events in told
        for event in events
    }
    assert sum(len(events) for _, _, events in told) == 3
    assert all(event.deal_type in DEALS for _, _, events in told for event in events)
    report = ("new", "rumour", "named_report", ("The Information",))
    assert changes[frozenset({"Meta", "Google"})] == changes[frozenset({"Meta", "OpenAI"})] == report
    assert changes[frozenset({"Meta", "Midjourney"})][:3] == ("new", "announced", "party_statement")


def _sources(order: Sequence[int]) -> Story:
    """The articles as they lie there: the first line is the headline, or the start of the text."""
    files = sorted(SOURCES.glob("*.txt"))
    meta = Company(
        name="Meta",
        aliases=("Meta Platforms", "Facebook"),
        products=("Llama", "WhatsApp", "Instagram", "Meta AI", "Meta Superintelligence Labs"),
        tickers=("META",),
    )
    items = []
    for place, number in enumerate(order):
        published = datetime(2025, 9, 1 + place, tzinfo=UTC)
        article = Article(
            article_id=files[number].stem,
            title="",
            text=files[number].read_text(encoding="utf-8"),
            outlet=f"Outlet {number}",
            published=published,
            read_at=published,
        )
        items.append(Item(article=article, wanted=()))
    return Story(name="sources", about="the seeds table", watch=(meta,), items=tuple(items))


# --- the harness itself ----------------------------------------------------------------------------------------------


def test_the_stories_are_well_formed_and_many() -> None:
    assert len(stories()) >= 25
    for story in stories().values():
        assert 2 <= len(story.items) <= 6, story.name
        text = " ".join(f"{i.article.title} {i.article.text}" for i in story.items)
        assert any(w.name in text for w in story.watch), story.name
        for item in story.items:
            for wanted in item.wanted:
                assert set(wanted.deal_type) <= set(DEAL_TYPES), story.name
                own = f"{item.article.title} {item.article.text} {' '.join(w.name for w in story.watch)}"
                assert all(p in own for p in wanted.parties), (story.name, wanted.parties)
    assert set(KNOWN_FAILURES) <= {*stories(), "world", "sources"}


def test_what_is_missing_and_what_is_too_much_is_seen() -> None:
    story = stories()["01-rumour-then-confirmed"]
    assert failures(play(story, lambda article: [])) == [
        "01-rumour-then-confirmed-1: missing: new supply_contract rumour ['Cendrix', 'Velmora']",
        "01-rumour-then-confirmed-3: missing: confirmed supply_contract announced ['Cendrix', 'Velmora']",
    ]
    claim = Claim(claim_key=1, article_id="x", parties=("Velmora", "Acme"), deal_type="partnership", status="announced")
    lines = failures(play(story, lambda article: [replace(claim, claim_key=hash(article.article_id))]))
    assert any("too much: new partnership announced ['Velmora', 'Acme']" in line for line in lines)


def test_the_right_claims_pass() -> None:
    story = stories()["02-rumour-denied"]

    def perfect(article: Article) -> list[Claim]:
        status = {"1": "rumour", "3": "denied"}.get(article.article_id[-1])
        if status is None:
            return []
        claim = Claim(
            claim_key=int(article.article_id[-1]),
            article_id=article.article_id,
            deal_type="acquisition",
            status="rumour",
            parties=("Draymont", "Kestrin Robotics"),
            published=article.published,
            sourcing="unnamed_sources",
        )
        return [replace(claim, status=status)]

    assert failures(play(story, perfect)) == []


def _main(words: Sequence[str]) -> None:
    chosen = [*stories().values(), load_world()]
    for story in chosen:
        if words and not any(word in story.name for word in words):
            continue
        told = play(story, reader(story))
        wrong = failures(told, at_once=story.name == "world")
        print(f"\n=== {story.name}: {'FAILS' if wrong else 'good'} ({story.about})")
        for item, claims, events in told if wrong or words else ():
            print(f"  {item.article.article_id}: {item.article.title}")
            for claim in claims:
                print(f"      claim  {claim.deal_type} {claim.status} {claim.parties} {claim.sourcing} {claim.origin}")
            for event in events:
                print(f"      change {_shown(event)}")
        for line in wrong:
            print(f"  !! {line}")


if __name__ == "__main__":
    _main(sys.argv[1:])
