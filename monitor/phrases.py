"""Which of many phrases stand in a text as words: one automaton, built once, whose cost hardly grows with their number.

Text and phrases are folded alike: whatever is no letter or digit becomes a space, and a phrase is looked for with one
space before and behind. So "arm" in "alarm" is no match that somebody would have to sort out afterwards; with ten
thousand names there are a hundred such in an article. Knows nothing of companies or deals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import ahocorasick_rs

_NO_WORD = re.compile(r"[\W_]")
_FOLD = {code: " " for code in range(128) if not chr(code).isalnum()}


def lower(text: str) -> str:
    """In lower case and as long as before: İ would become two characters, so it stays."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _folded(low: str) -> str:
    return f" {low.translate(_FOLD) if low.isascii() else _NO_WORD.sub(' ', low)} "


class Phrases:
    """A set of phrases to be found, in lower case."""

    def __init__(self, phrases: Iterable[str]) -> None:
        alike: dict[str, list[str]] = {}  # "at&t" and "at t" fold to one
        for phrase in dict.fromkeys(phrases):
            alike.setdefault(_folded(phrase), []).append(phrase)
        self._automaton = ahocorasick_rs.AhoCorasick(list(alike) or ["\x00"])
        self._alike = list(alike.values())

    def find(self, low: str) -> list[tuple[str, int, int]]:
        """(phrase, start, end) of each that stands in `low` as words, also those that overlap, by their ends."""
        return [
            (phrase, start, end - 2)
            for index, start, end in self._automaton.find_matches_as_indexes(_folded(low), overlapping=True)
            for phrase in self._alike[index]
            if low.startswith(phrase, start)
        ]
