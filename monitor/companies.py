"""The company catalogue: a file in the format of a watchlist, loaded whole, without clashes, and searched.

Knows how names are compared (case, accents and apostrophes do not count) and which find ranks first. Knows nothing of
texts in which companies are named, nor of the watchlist into which a find may go.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from monitor.config import load_watchlist
from monitor.config.files import seed
from monitor.errors import ConfigError
from monitor.models import Company

# Where the words were found, best first. A whole name beats the beginning of one, that beats single words of it; within
# each the company's name beats its other names, those beat its tickers, products and groups.
_FIELDS = ("name", "aliases", "tickers", "products", "groups")
_NO_FIND = 99


def load_catalogue(path: Path) -> tuple[Company, ...]:
    """The companies of a catalogue, in the order of the file.

    Raises ConfigError where the file is no watchlist, or where two of its companies claim one name: a mention must
    stand for one company.
    """
    companies = load_watchlist(path)
    for name, first, second in clashes(companies):
        raise ConfigError(
            str(path),
            f'company "{second}"',
            f'the name "{name}" belongs to "{first}" already',
            "keep it with the company that the news means by it, and take it out of the other",
        )
    return companies


@cache
def catalogue() -> tuple[Company, ...]:
    """The shipped catalogue: the companies that are named rightly although nobody watches them."""
    return load_watchlist(seed("companies.toml"))


def clashes(companies: Iterable[Company]) -> Iterator[tuple[str, str, str]]:
    """Names that two companies claim: (name, who has it, who claims it too). Tickers and groups may be shared."""
    owners: dict[str, str] = {}
    for company in companies:
        for name in (company.name, *company.aliases, *company.products):
            owner = owners.setdefault(plain(name), company.name)
            if owner != company.name:
                yield name, owner, company.name


def search(catalogue: Iterable[Company], words: str | Sequence[str]) -> tuple[Company, ...]:
    """Companies that the words find, best first, by name within one rank. No words find nothing."""
    wanted = plain(words if isinstance(words, str) else " ".join(words))
    if not wanted:
        return ()
    finds = [(_rank(company, wanted), plain(company.name), company) for company in catalogue]
    return tuple(company for rank, _, company in sorted(finds, key=lambda find: find[:2]) if rank < _NO_FIND)


def find(catalogue: Iterable[Company], name: str) -> Company | None:
    """The company of exactly that name or other name, or with that ticker."""
    wanted = plain(name)
    catalogue = tuple(catalogue)
    by_name = (c for c in catalogue if wanted in map(plain, (c.name, *c.aliases)))
    by_ticker = (c for c in catalogue if name.strip() in c.tickers)
    return next(by_name, None) or next(by_ticker, None)


def near(catalogue: Iterable[Company], name: str, most: int = 3) -> tuple[str, ...]:
    """Names of companies that may have been meant by one that is not known: longer forms of it, then misspellings."""
    catalogue = tuple(catalogue)
    owners = {plain(n): c.name for c in catalogue for n in (c.name, *c.aliases)}
    longer = [c.name for c in search(catalogue, name)]
    alike = [owners[n] for n in get_close_matches(plain(name), owners, n=most, cutoff=0.8)]
    return tuple(dict.fromkeys([*longer, *alike]))[:most]


def _rank(company: Company, wanted: str) -> int:
    """The place of the best find, 0 the best; `_NO_FIND` for none."""
    best = _NO_FIND
    for place, field in enumerate(_FIELDS):
        names = (company.name,) if field == "name" else getattr(company, field)
        for name in names:
            if (how := _how(plain(name), wanted, whole_only=field == "tickers")) is not None:
                best = min(best, how * len(_FIELDS) + place)
    return best


def _how(name: str, wanted: str, *, whole_only: bool) -> int | None:
    """0 the whole name, 1 its beginning, 2 each word begins a word of it, None not at all."""
    if name == wanted:
        return 0
    if whole_only:
        return None
    if name.startswith(wanted):
        return 1
    parts = name.split()
    return 2 if all(any(part.startswith(word) for part in parts) for word in wanted.split()) else None


def plain(name: str) -> str:
    """A name as it is compared: lower case, without accents, apostrophes of one kind, white space folded."""
    if not name.isascii():
        name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
        name = name.translate(_SAME)
    return " ".join(name.casefold().split())


_SAME = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "–": "-", "‐": "-", "‑": "-", "ø": "o", "Ø": "O"})
