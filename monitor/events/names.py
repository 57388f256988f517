"""When two written names mean one company, outlet or origin. Knows spelling; the watchlist knows aliases."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from monitor.models import Family, stable_key

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LEGAL = frozenset(
    {
        "inc", "incorporated", "corp", "corporation", "co", "company", "companies", "ltd", "limited", "plc", "llc",
        "llp", "lp", "group", "holdings", "holding", "ag", "sa", "se", "nv", "bv", "ab", "asa", "oyj", "spa", "gmbh",
        "kk", "pte", "pty",
    }
)  # fmt: skip
_HOST_END = re.compile(r"\.(?:co|com|org|net|gov)?\.?[a-z]{2,6}$")
_SHORT = 4  # letters from which on a name may stand for a longer one that begins with it


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The name's words for comparison: small letters, no accents, no article, no legal form."""
    flat = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    flat = "".join(c for c in flat if not unicodedata.combining(c)).replace(".", "")
    found = [re.sub(r"['’]", "", word) for word in _WORD.findall(flat)]
    if len(found) > 1 and found[0] == "the":
        found = found[1:]
    while len(found) > 1 and found[-1] in _LEGAL:
        found.pop()
    return tuple(found) or (name.casefold(),)


def alike(one: str, other: str) -> bool:
    """True if the names are one name, or the longer begins with the shorter ("Ventyx", "Ventyx Biosciences")."""
    a, b = words(one), words(other)
    if a == b or "".join(a) == "".join(b):
        return True
    if len(a) > len(b):
        a, b = b, a
    return len(a) < len(b) and b[: len(a)] == a and len("".join(a)) >= _SHORT


def lookup_keys(parties: Sequence[str], family: Family) -> tuple[int, ...]:
    """The keys under which the store keeps a deal of these parties: each name, and each shorter form that it has."""
    keys: dict[int, None] = {}
    for party in parties:
        forms = _forms(party)
        keys[stable_key("name", family, forms[-1])] = None
        keys |= {stable_key("short", family, form): None for form in forms[:-1]}
    return tuple(keys)


def asked_keys(parties: Sequence[str], family: Family) -> tuple[int, ...]:
    """The keys under which a deal of one of these parties, by this name or one alike, is found in the store."""
    keys: dict[int, None] = {}
    for party in parties:
        forms = _forms(party)
        keys |= {stable_key("name", family, form): None for form in forms}
        keys[stable_key("short", family, forms[-1])] = None
    return tuple(keys)


def _forms(name: str) -> list[str]:
    """The name and its shorter forms, shortest first, without spaces: "eli", "elililly"."""
    parts = words(name)
    forms = ["".join(parts[:n]) for n in range(1, len(parts) + 1)]
    return [form for form in forms[:-1] if len(form) >= _SHORT] + forms[-1:]


def tokens(name: str) -> tuple[str, ...]:
    """The first word, and all words as one: any two spellings of a name have one of them in common."""
    parts = words(name)
    return parts[:1] if len(parts) == 1 else (parts[0], "".join(parts))


def pair_up(
    claimed: Sequence[str], known: Sequence[str], watched_claimed: Collection[str], watched_known: Collection[str]
) -> dict[int, int]:
    """Which of the claimed parties is which of the known ones (indices); equal names first, then alike ones.

    Two different names that are both watched are two companies, however alike.
    """
    pairs: dict[int, int] = {}
    for same in (lambda a, b: words(a) == words(b), alike):
        for i, name in enumerate(claimed):
            for j, other in enumerate(known):
                if i in pairs or j in pairs.values() or not same(name, other):
                    continue
                if name in watched_claimed and other in watched_known and words(name) != words(other):
                    continue
                pairs[i] = j
    return pairs


def source_key(name: str, aliases: Mapping[str, str]) -> str:
    """What identifies an outlet or origin, however it is written: "the Information", "www.theinformation.com"."""
    flat = name.strip().casefold()
    if " " not in flat and "." in flat:
        flat = _HOST_END.sub("", flat.split("://")[-1].split("/")[0].removeprefix("www."))
        flat = flat.removeprefix("the") if len(flat) > 6 else flat
    found = [word for word in words(flat) if word not in {"www"}]
    while len(found) > 1 and found[-1] in {"news", "reports", "report", "com", "online"}:
        found.pop()
    joined = "".join(found)
    for end in ("news", "com"):
        if len(joined) > len(end) + 1:
            joined = joined.removesuffix(end)
    return aliases.get(joined, joined)
