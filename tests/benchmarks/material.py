"""Made-up feeds, pages and companies of the size and shape of real ones. The same for everybody, and in every run.

Words come from the list of common words that the product itself ships, drawn as often as in real text (Zipf).
"""

from __future__ import annotations

import random
import zlib
from bisect import bisect_left
from functools import cache
from html import escape
from itertools import accumulate, islice
from pathlib import Path

from monitor.companies import catalogue
from monitor.config import load_watchlist, seed
from monitor.lexicon import RULES

FIRMS = ("Kestrel Works", "Juniper Foods", "Halden Optics", "Marlow Robotics", "Tessaly Stores", "Orrin Power")
FURNITURES = 16
DEALS = ("sign a licensing deal", "sign a supply contract", "announce a partnership")
HEADLINE, SENTENCE = (7, 12), (9, 24)  # words
# Two words in five of running text are of these.
LITTLE = """the of and to a in that is was for on with as it by at from are be this have or an were which had their
has its they but not will would can one all more said he she we his her been who about up out when than into so if no
could them there some what over other after also first new two only most may these such time any years people""".split()


class Words:
    """Text of common words, a few of them very common."""

    def __init__(self, seed_number: int = 7) -> None:
        self.rng = random.Random(seed_number)
        apart = {word.lower() for name in watched_names(1000) for word in name.split()} | set(LITTLE)
        rest = [word for word in _common() if word not in apart]
        random.Random(1).shuffle(rest)
        self._words = [*LITTLE, *rest]
        self._sums = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))

    def some(self, bounds: tuple[int, int]) -> str:
        top = self._sums[-1]
        count = self.rng.randint(*bounds)
        return " ".join(self._words[bisect_left(self._sums, self.rng.random() * top)] for _ in range(count))

    def headline(self) -> str:
        return self.some(HEADLINE).capitalize()

    def text(self, size: int = 3000, names: list[str] | None = None, share: float = 0.15) -> str:
        """Paragraphs of `size` characters in all; `share` of the sentences name one of `names`."""
        out: list[str] = []
        while sum(map(len, out)) < size:
            sentence = self.some(SENTENCE).capitalize()
            if names and self.rng.random() < share:
                sentence += f" with {self.rng.choice(names)} {self.some((2, 5))}"
            out.append(sentence + ".")
        return "\n".join(" ".join(out[at : at + 3]) for at in range(0, len(out), 3))


@cache
def _common() -> tuple[str, ...]:
    words = (RULES / "words.txt").read_text(encoding="utf-8").split()
    return tuple(sorted({word for word in words if word.isalpha() and len(word) < 13}))


@cache
def watched_names(count: int = 60) -> list[str]:
    return [company.name for company in load_watchlist(seed("watchlist.toml"))][:count]


@cache
def aliases(count: int) -> tuple[str, ...]:
    """So many names of companies: those of the catalogue first, then made-up ones of the same build."""
    known = dict.fromkeys(
        name for company in catalogue() for name in (company.name, *company.aliases, *company.products) if len(name) > 2
    )
    names = list(known)
    random.Random(2).shuffle(names)
    return tuple(islice((*names, *_made_up(known, count)), count))


def _made_up(known: dict[str, None], count: int) -> list[str]:
    rng = random.Random(3)
    starts = "Kes Mar Tor Bel Hal Vin Ost Quil Dra Sel Nor Fen Gal Pry Cor Zel".split()
    middles = "a e i o u an en or ar el il um ex ov is ad".split()
    ends = "tra vex lin dor mont berg ford wick son ton tec ria na".split()
    trades = "Capital Foods Robotics Energy Systems Pharma Bank Motors Networks Media Labs Group Partners Steel".split()
    common = [word.capitalize() for word in _common() if 3 < len(word) < 9]
    made: dict[str, None] = {}
    while len(made) < count:
        first = rng.choice(common) if rng.random() < 0.3 else "".join(map(rng.choice, (starts, middles, middles, ends)))
        kind = rng.random()
        name = first if kind < 0.25 and first not in common else f"{first} {rng.choice(trades)}"
        name += f" {rng.choice(trades)}" if kind > 0.85 else ""
        if name not in known and name.capitalize() not in common:
            made[name] = None
    return list(made)


@cache
def furniture(number: int) -> tuple[str, str, str]:
    """What stands on a news page before, beside and behind the article: menus, teasers, comments, scripts, styles.

    On one page in four a teaser tells a deal of a watched company: such a page passes a first look, whatever its text.
    """
    words = Words(11 + number)
    told = f"{words.rng.choice(watched_names())} to {words.rng.choice(DEALS)}" if number % 4 == 0 else ""
    menu = "".join(
        f'<li class="nav-item nav-item--{n % 9}"><a class="nav-link" href="/section/{n}/latest" data-track="nav:{n}">'
        f"<span>{words.some((1, 2)).title()}</span></a></li>"
        for n in range(140)
    )
    headlines = [told if told and n == 40 else words.headline() for n in range(90)]
    teasers = "".join(
        f'<div class="card card--river" data-id="{n}"><div class="card__inner"><a href="/news/{n}/story.html"><picture>'
        f'<img loading="lazy" src="/i/{n}.jpg" alt=""></picture><h3>{headlines[n]}</h3></a><p class="dek">'
        f'{words.some((12, 22)).capitalize()}.</p><div class="card__foot"><span class="kicker">{words.some((1, 2))}'
        '</span><time datetime="2026-11-22">2 h ago</time></div></div></div>'
        for n in range(90)
    )
    comments = "".join(
        f'<div class="comment" id="c{n}"><b class="who">{words.some((1, 2))}</b><p>{words.some((10, 40))}</p></div>'
        for n in range(30)
    )
    style = "<style>" + ".card--river{display:grid;gap:8px;padding:4px}" * 400 + "</style>"
    state = ",".join(f'"k{n}":"{words.some((3, 6))}"' for n in range(700))
    before = (
        f'<header class="site"><nav><ul class="nav">{menu}</ul></nav></header><div class="layout"><div class="rail">'
        f'<div class="promo">{teasers[:12000]}</div></div>'
    )
    after = (
        f'<div class="river">{teasers}</div><section id="comments">{comments}</section></div><footer><ul>{menu[:9000]}'
        f"</ul><p>All rights reserved.</p></footer><script>window.__STATE__={{{state}}};</script>"
    )
    return style, before, after


def page(title: str, text: str) -> str:
    """A news page of 130 KB around the text, which stands in nested blocks, with links, captions and asides in it."""
    style, before, after = furniture(zlib.crc32(title.encode()) % FURNITURES)
    blocks = []
    for number, line in enumerate(text.split("\n")):
        first, _, rest = escape(line).partition(" ")
        blocks.append(f'<div class="block"><p class="body-text"><a href="/t/{number}">{first}</a> {rest}</p></div>')
        if number % 4 == 3:
            blocks.append(
                f'<figure><img src="/f/{number}.jpg" alt=""><figcaption>{first}</figcaption></figure><div class="ad" '
                f'data-n="{number}"></div><aside class="inline"><h4>More</h4><ul><li><a href="/m/{number}">{rest[:60]}'
                "</a></li></ul></aside>"
            )
    data = (
        f'{{"@context":"https://schema.org","@type":"NewsArticle","headline":"{title}","datePublished":"2026-11-22"}}'
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta property="og:title" content="{title}"><meta property="og:site_name" content="Example Wire">'
        f'<script type="application/ld+json">{data}</script>{style}</head><body>{before}<div class="main"><h1>{title}'
        f'</h1><div class="meta"><span class="by">By A. Writer</span><time datetime="2026-11-22">22 Nov</time></div>'
        f'<div class="story"><div class="story-body">{"".join(blocks)}</div></div></div>{after}</body></html>'
    )


def rss(title: str, items: list[tuple[str, str, str, str]]) -> str:
    """A feed of (title, link, guid, summary)."""
    rows = "".join(
        f"<item><title>{escape(name)}</title><link>{link}</link><guid isPermaLink='false'>{guid}</guid>"
        f"<pubDate>Sun, 22 Nov 2026 08:{at % 60:02}:00 GMT</pubDate><description>{escape(summary)}</description></item>"
        for at, (name, link, guid, summary) in enumerate(items)
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>{title}</title>{rows}</channel></rss>"


def write_feeds(folder: Path, feeds: int, entries: int) -> None:
    """`feed-N.xml`, each with so many entries of its own and a summary of 300 characters."""
    words = Words()
    for number in range(feeds):
        items = [
            (
                words.headline(), f"http://127.0.0.1:PORT/{number}/{at}.html", f"{number}-{at}",
                words.some((40, 50)).capitalize() + ".",
            )
            for at in range(entries)
        ]  # fmt: skip
        (folder / f"feed-{number}.xml").write_text(rss(f"Feed {number}", items), encoding="utf-8")


def write_news(folder: Path, feeds: int, articles: int, deals: int) -> None:
    """Feeds whose entries lead to pages; `deals` of the pages tell a deal of a watched company."""
    words, watched = Words(), watched_names()
    every = max(1, articles // max(deals, 1))
    rows: list[tuple[str, str, str, str]] = []
    for number in range(articles):
        title = words.headline()
        if number % every == 0:
            title = f"{words.rng.choice(watched)} and {words.rng.choice(FIRMS)} {words.rng.choice(DEALS)}"
        text = f"{title}.\n{words.text(names=list(FIRMS))}"
        (folder / f"page-{number}.html").write_text(page(title, text), encoding="utf-8")
        rows.append((title, f"http://127.0.0.1:PORT/page-{number}.html", str(number), f"{title}."))
    for number in range(feeds):
        (folder / f"feed-{number}.xml").write_text(rss(f"Feed {number}", rows[number::feeds]), encoding="utf-8")
