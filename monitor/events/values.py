"""Stated values as numbers: "$10 billion" is 10e9 USD. Knows how news writes money; converts no currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import log

_SCALE = {
    "": 1.0, "thousand": 1e3, "k": 1e3, "million": 1e6, "millions": 1e6, "mln": 1e6, "mn": 1e6, "m": 1e6, "mm": 1e6,
    "billion": 1e9, "billions": 1e9, "bln": 1e9, "bn": 1e9, "b": 1e9, "trillion": 1e12, "tn": 1e12, "trn": 1e12,
    "crore": 1e7, "lakh": 1e5,
}  # fmt: skip
_SYMBOL = {"$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "rs": "INR"}
_SYMBOL |= {"c$": "CAD", "a$": "AUD", "hk$": "HKD", "s$": "SGD", "nz$": "NZD", "nt$": "TWD", "r$": "BRL"}
_CODE = {
    "usd": "USD", "dollar": "USD", "dollars": "USD", "eur": "EUR", "euro": "EUR", "euros": "EUR", "gbp": "GBP",
    "pound": "GBP", "pounds": "GBP", "yen": "JPY", "jpy": "JPY", "chf": "CHF", "francs": "CHF", "inr": "INR",
    "rupees": "INR", "cny": "CNY", "rmb": "CNY", "yuan": "CNY", "won": "KRW", "krw": "KRW", "cad": "CAD", "aud": "AUD",
    "hkd": "HKD", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "crowns": "SEK", "kronor": "SEK",
}  # fmt: skip
CLOSE = 0.05  # two sums that differ by less are one sum, rounded
_LEAST = 1000.0  # what is less is a price per share, or has lost its unit
_AMOUNT = re.compile(
    r"(?P<before>us\$|c\$|a\$|hk\$|s\$|nz\$|nt\$|r\$|[$€£¥₹₩]|\brs\b\.?|\b[a-z]{3}\b)?\s?"
    r"(?P<number>\d[\d,]*(?:\.\d+)?)\s?-?(?P<scale>[a-z]+\b)?(?:\s?-?(?P<after>[a-z]+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money in one currency ("" where it is not stated)."""

    number: float
    currency: str

    def near(self, other: Amount, share: float) -> bool:
        """True if both are of one currency (or one states none) and differ by less than `share` of the larger."""
        if self.currency and other.currency and self.currency != other.currency:
            return False
        return abs(self.number - other.number) < share * max(self.number, other.number)

    @property
    def drawer(self) -> int:
        """Where to look for such sums: those that are near by `CLOSE` are in this drawer or one beside it."""
        return int(log(self.number) / (1.2 * CLOSE))  # a little wider than needed, so that rounding cannot matter


@lru_cache(maxsize=4096)
def amount(value: str) -> Amount | None:
    """The largest sum of money in `value` as stated, or None ("27% stake", "undisclosed")."""
    found = [sum_ for match in _AMOUNT.finditer(value) if (sum_ := _read(match))]
    return max(found, key=lambda sum_: sum_.number, default=None)


def _read(match: re.Match[str]) -> Amount | None:
    before, scale, after = ((match[name] or "").lower().strip(". ") for name in ("before", "scale", "after"))
    if scale not in _SCALE:
        scale, after = "", scale
    currency = _SYMBOL.get(before) or _CODE.get(before) or _CODE.get(after) or ""
    if not currency and not scale:
        return None  # a bare number: a year, a share, a count
    number = float(match["number"].replace(",", "").rstrip(".") or 0) * _SCALE[scale]
    return Amount(number, currency) if number >= _LEAST else None
