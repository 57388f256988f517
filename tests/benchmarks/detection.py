"""Detection of an article (text to claims) with 10,000 companies, against trafilatura's extraction of it."""

from __future__ import annotations

from typing import Any

from monitor.claims import Reader
from monitor.companies import catalogue
from monitor.lexicon import load_lexicon
from monitor.models import Article, Company
from monitor.pipeline.engine import read_all
from tests.benchmarks.frame import OURS, Bench, Contestant, Goal, Line, Result, timed
from tests.benchmarks.material import DEALS, FIRMS, Words, aliases, page

WATCHED = 200  # of the 10,000 companies; the others are only known by name
ONE_IN_TEN, EVERY = "one in ten passes the gate", "all pass the gate"


def stream(count: int, every: int) -> list[Article]:
    """Articles of which one in `every` tells a deal of a watched company and speaks of others at length."""
    words, watched, others = Words(9), aliases(WATCHED), list(aliases(3000))
    found = []
    for number in range(count):
        telling = number % every == 0
        title = words.headline()
        if telling:
            title = f"{words.rng.choice(watched)} and {words.rng.choice(FIRMS)} {words.rng.choice(DEALS)}"
        text = words.text(2900, [*watched, *others] if telling else others[WATCHED:])
        if telling:
            text = f"{title}, the companies said on Monday.\n{text}"
        found.append(Article(article_id=str(number), title=title, text=text))
    return found


def _reader() -> Reader:
    watched = [Company(name=name) for name in aliases(WATCHED)]
    taken = {name.lower() for name in aliases(WATCHED)}
    more = [Company(name=name) for name in aliases(15_438)[9_438:] if name.lower() not in taken]
    return Reader(load_lexicon(), watched, [*catalogue(), *more])


def detect(given: dict[str, Any]) -> dict[str, float]:
    """Gate and reading, as the pipeline does them for a batch."""
    articles = stream(given["articles"], given["every"])
    reader = _reader()
    read_all(reader, articles[:20])
    with timed() as figures:
        readings = read_all(reader, articles)
    passed = sum(reader.gate([f"{a.title}\n{a.text}" for a in articles]))
    claims = sum(len(reading.claims) for reading in readings)
    assert claims >= 0.5 * len(articles) / given["every"], claims
    return {**figures, "each": figures["cpu"] / len(articles), "passed": passed / len(articles), "claims": claims}


def extract(given: dict[str, Any]) -> dict[str, float]:
    """trafilatura on the pages of the same articles; `fast` leaves its fallbacks out."""
    import trafilatura

    articles = stream(given["articles"], given["every"])[: given["pages"]]
    pages = [page(a.title, a.text) for a in articles]
    trafilatura.extract(pages[0])
    with timed() as figures:
        for markup in pages:
            trafilatura.extract(markup, fast=given["fast"])
    return {**figures, "each": figures["cpu"] / len(pages)}


def per_article(bench: Bench) -> Result:
    """Both streams."""
    lines, goals = [], []
    for work, every, bound in ((ONE_IN_TEN, 10, 0.2), (EVERY, 1, 1.0)):
        given = {"articles": bench.size(1000, 60), "every": every, "pages": bench.size(150, 10)}
        medians = bench.duel([
            Contestant(name=OURS, function="detection:detect", given=given),
            Contestant(name="trafilatura", function="detection:extract", given={**given, "fast": False}),
            Contestant(name="trafilatura, fast", function="detection:extract", given={**given, "fast": True}),
        ])  # fmt: skip
        mine = medians[OURS]
        lines += [
            Line(work=work, name=name, value=figures["each"] * 1000, unit="ms each",
                 against=figures["each"] / mine["each"])
            for name, figures in medians.items()
        ]  # fmt: skip
        lines[-3].more = f"{mine['passed']:.0%} passed, {mine['claims']:.0f} claims"
        for name in ("trafilatura", "trafilatura, fast"):
            share = mine["each"] / medians[name]["each"]
            goals.append(Goal(what=f"{work}: at most {bound:g} of {name}", got=f"{share:.2f}", met=share <= bound))
    return Result(
        title="full detection per article, 10,000 companies", lines=lines, goals=goals,
        notes=["processor time; articles of 3 KB, on pages of 130 KB"],
    )  # fmt: skip
