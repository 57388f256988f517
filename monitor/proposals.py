"""Which of the shipped feeds a newcomer should read for the companies that he names.

Knows which kinds of feeds (their tags) go with which groups of companies. Knows no file and asks nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.companies import plain
from monitor.config import FeedConfig
from monitor.models import Company

GENERAL = frozenset({"business", "releases", "authorities", "deals", "aggregators"})  # for everybody
REGIONS = frozenset({"asia", "europe"})  # say where a feed looks, not at what
NEWSROOMS = "newsrooms"  # of one company each: only for those who watch it
# kind of feeds -> groups of the company catalogue
_SECTORS: dict[str, str] = {
    "technology": "ai, software, internet, it services, hardware, consumer electronics, cybersecurity, fintech, "
    "payments, e-commerce, games, crypto, chips, telecom, data, venture capital",
    "start-ups": "ai, fintech, crypto, venture capital, private equity, food delivery",
    "ai": "ai, data, software, internet",
    "chips": "chips, hardware, consumer electronics",
    "cloud": "ai, chips, software, it services, internet, hardware, data",
    "telecom": "telecom, media",
    "pharma": "pharma, biotech, medtech, health, life science tools",
    "energy": "oil & gas, utilities, solar, batteries, mining, cars",
    "cars": "cars, car parts, batteries",
    "media": "media, music, games, sports, internet",
    "retail": "retail, e-commerce, restaurants, food, beverages, apparel, luxury, consumer goods, food delivery",
    "finance": "bank, insurance, payments, fintech, exchange, asset manager, private equity",
    "space": "space, aerospace",
    "defence": "defence, aerospace",
}
_GROUPS = {kind: frozenset(groups.split(", ")) for kind, groups in _SECTORS.items()}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The feeds, and the kinds for which they were chosen with the number of each."""

    feeds: tuple[FeedConfig, ...]
    kinds: tuple[tuple[str, int], ...]

    @property
    def words(self) -> str:
        return ", ".join(f"{kind} {count}" for kind, count in self.kinds)


def propose(feeds: Sequence[FeedConfig], companies: Iterable[Company]) -> Proposal:
    """General feeds, those of the companies' sectors, and their newsrooms; all but newsrooms if no sector is known."""
    companies = tuple(companies)
    groups = {group for company in companies for group in company.groups}
    kinds = {kind for kind, theirs in _GROUPS.items() if theirs & groups} or set(_GROUPS)
    names = {f" {plain(name)} " for company in companies for name in (company.name, *company.aliases)}

    def wanted(feed: FeedConfig) -> bool:
        if NEWSROOMS in feed.tags:
            return any(name in f" {plain(feed.title)} ".replace(":", " ") for name in names)
        return bool((GENERAL | kinds).intersection(feed.tags))

    chosen = tuple(feed for feed in feeds if wanted(feed))
    return Proposal(chosen, count_kinds(chosen))


def tagged(feeds: Sequence[FeedConfig], tags: Iterable[str]) -> Proposal:
    """The feeds that have one of the tags; "all" is every feed."""
    tags = set(tags)
    chosen = tuple(feed for feed in feeds if "all" in tags or tags.intersection(feed.tags))
    return Proposal(chosen, count_kinds(chosen))


def count_kinds(feeds: Iterable[FeedConfig]) -> tuple[tuple[str, int], ...]:
    """Each feed counted once, under the first of its tags; most first."""
    counts = Counter(next((tag for tag in feed.tags if tag not in REGIONS), "other") for feed in feeds)
    return tuple(counts.most_common())
