"""Parsers under attack, in the sandbox: everything ends in time as a result or a named failure, neighbours are served.

pytest -m slow tests/test_hostile.py -s                         attacks, 3,000 damaged feeds, 600 damaged pages
MUTATIONS=30000 pytest -m slow tests/test_hostile.py -s         the full count (pages: a tenth)
FEEDPARSER_SDIST=feedparser-6.0.14.tar.gz pytest -m slow ...    feedparser's own 2,248 test files, from its sdist
"""

from __future__ import annotations

import os
import random
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import HTML_WORDS, XML_WORDS, html_attacks, mutate, xml_attacks

from monitor.errors import ExtractError, FeedError, SandboxError
from monitor.extract import Extracted, extract, extract_many
from monitor.feeds import ParsedFeed, parse_feed, parse_many
from monitor.sandbox import Sandbox

DATA = Path(__file__).parent / "data"
FEEDS = [path.read_bytes() for path in sorted((DATA / "feeds").iterdir())]
PAGES = [path.read_bytes() for path in sorted((DATA / "extract").iterdir())]
COUNT = int(os.environ.get("MUTATIONS", "3000"))
Parse = Callable[[Iterable[tuple[bytes, str, str]], Any], Iterator[object]]

READERS: dict[str, tuple[Parse, bytes, str, type[Exception], type[object]]] = {
    "xml": (parse_many, FEEDS[-1], "application/xml", FeedError, ParsedFeed),
    "html": (extract_many, (DATA / "extract" / "article.html").read_bytes(), "text/html", ExtractError, Extracted),
}


def kind_of(result: object) -> str:
    return (
        f"{type(result).__name__} {result.kind}"
        if isinstance(result, FeedError | ExtractError | SandboxError)
        else "ok"
    )


def test_there_are_enough_attacks() -> None:
    assert len(xml_attacks()) >= 36
    assert len(html_attacks()) >= 31


@pytest.mark.slow
@pytest.mark.parametrize("language", ["xml", "html"])
def test_attacks_are_contained_and_neighbours_served(language: str) -> None:
    """Each attack alone on its worker with a good body before and after it."""
    parse, good, content_type, ours, right = READERS[language]
    attacks = xml_attacks() if language == "xml" else html_attacks()
    slowest, kinds, start = {}, Counter[str](), time.monotonic()
    with Sandbox(2, timeout=10) as sandbox:
        list(parse([(good, content_type, "https://a.test/")], sandbox))
        for name, body in attacks.items():
            begun = time.monotonic()
            bodies = [(one, content_type, "https://a.test/") for one in (good, body, good)]
            before, attacked, after = parse(bodies, sandbox)
            slowest[name] = time.monotonic() - begun
            assert isinstance(before, right), name
            assert before == after, name
            assert isinstance(attacked, ours | right | SandboxError), name
            kinds[kind_of(attacked)] += 1
            if not isinstance(attacked, SandboxError):
                assert "root:" not in repr(attacked)
    worst = sorted(slowest.items(), key=lambda pair: -pair[1])[:5]
    print(f"{len(attacks)} {language} attacks in {time.monotonic() - start:.0f} s: {dict(kinds)}; slowest {worst}")
    assert max(slowest.values()) < 12  # ten seconds, and the time to notice and to start another worker


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "count"), [("xml", COUNT), ("html", max(COUNT // 10, 600))], ids=["feeds", "pages"]
)
def test_damaged_bodies(language: str, count: int) -> None:
    parse, _, content_type, ours, right = READERS[language]
    sources, words = (FEEDS, XML_WORDS) if language == "xml" else (PAGES, HTML_WORDS)
    rng, kinds, start = random.Random(20261122), Counter[str](), time.monotonic()
    types = [content_type, "", f"{content_type}; charset=undefined", f"{content_type}; charset=utf-16", "text/plain"]
    bodies = ((mutate(rng, rng.choice(sources), words), rng.choice(types), "https://a.test/x") for _ in range(count))
    with Sandbox(2, timeout=10) as sandbox:
        for result in parse(bodies, sandbox):
            assert isinstance(result, ours | right | SandboxError)
            assert not isinstance(result, SandboxError), result
            kinds[kind_of(result)] += 1
    print(f"{count} damaged {language} bodies in {time.monotonic() - start:.0f} s: {dict(kinds)}")
    assert kinds["ok"] > count / 10


@pytest.mark.parametrize("language", ["xml", "html"])
def test_a_few_damaged_bodies_every_time(language: str) -> None:
    _, _, content_type, ours, _ = READERS[language]
    sources, words = (FEEDS, XML_WORDS) if language == "xml" else (PAGES, HTML_WORDS)
    read = parse_feed if language == "xml" else extract
    rng = random.Random(7)
    for _ in range(200):
        body = mutate(rng, rng.choice(sources), words)
        try:
            read(body, content_type, "https://a.test/x")
        except ours:
            continue


@pytest.mark.slow
def test_feedparsers_own_files() -> None:
    """`pip download --no-deps --no-binary feedparser feedparser` brings the source distribution."""
    sdist = os.environ.get("FEEDPARSER_SDIST")
    if not sdist:
        pytest.skip("FEEDPARSER_SDIST names no source distribution of feedparser")
    with tarfile.open(sdist) as archive:
        members = [one for one in archive.getmembers() if one.isfile() and "/tests/" in one.name]
        files = [(one.name, archive.extractfile(one).read()) for one in members if not one.name.endswith(".py")]  # type: ignore[union-attr]
    kinds, start = Counter[str](), time.monotonic()
    with Sandbox(2) as sandbox:
        bodies = [(body, "application/xml", f"https://a.test/{name}") for name, body in files]
        for result in parse_many(bodies, sandbox):
            assert isinstance(result, ParsedFeed | FeedError), result
            assert isinstance(result, FeedError) or result.entries or result.problem
            kinds[
                kind_of(result) if isinstance(result, FeedError) or result.entries else "no entries, and says so"
            ] += 1
    took = time.monotonic() - start
    print(f"{len(files)} files of feedparser's own in {took:.1f} s: {dict(kinds)}")
    assert len(files) > 2200
    assert took < 30
