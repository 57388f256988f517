"""How a company's name is written in a text: in which case, where it begins and ends, and when it is just a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.mentions import Name

_WORDISH = re.compile(r"\w")


def case_fits(written: str, name: Name, titled: bool) -> bool:
    """Is this the name, or the word that it is made of?

    As the user gave it: yes, but where every word has a capital, a stranger's name that is a word is not believed.
    """
    if not name.watched and name.needs and titled and not written.isupper():
        return False
    if written == name.text:
        return True
    if name.kind == "ticker" or _half_written(written, name.text):
        return False
    if name.needs or not name.watched:
        return written[:1].isupper() and (written[1:] == name.text[1:] or (len(written) > 4 and written.isupper()))
    return written[:1].isupper() or not name.text[:1].isupper() or (" " not in name.text and len(name.text) > 6)


def _half_written(written: str, name: str) -> bool:
    """ "American airlines" for American Airlines: two words, not the name."""
    if " " not in name or written.islower() or written.isupper():
        return False
    pairs = zip(written.split(), name.split(), strict=False)
    return any(ours[:1].isupper() and theirs[:1].islower() for theirs, ours in pairs)


_NUMBERS = frozenset("one two three four five six seven eight nine ten".split())
_COUNTED = re.compile(r"\s[a-z]+s\b")


def counts(text: str, start: int, end: int) -> bool:
    """ "Three companies agree merger": a number at the head of a sentence."""
    return start == 0 and text[:end].lower() in _NUMBERS and _COUNTED.match(text, end) is not None


_SUFFIX = re.compile(
    r"(?:,?\s(?:Inc|Corp|Corporation|Co|Company|Ltd|Limited|PLC|plc|LLC|AG|SA|SE|NV|Oyj|Oy|AB|Ab|ASA|GmbH|SpA|Group|Holdings?|"
    r"& Associates|& Co|& Company|& Sons)\b\.?(?!\w))+"
)


def with_suffix(text: str, end: int) -> int:
    """The end of the name with its legal form ("Acme Corp.")."""
    match = _SUFFIX.match(text, end)
    return end if match is None else match.end() - (match[0].endswith(".") and match.end() == len(text))


def bounded(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if before and before in "$€£¥":
        return False
    if before and (_WORDISH.match(before) or before in "@#"):
        return False
    if after and _WORDISH.match(after):
        return False
    if after == "-" and text[end + 1 : end + 2].isdigit():
        return False  # "AWS-3" is a band, not AWS
    # "Meta.com" and "Target's" differ: a dot followed by a letter is part of another word
    return not (after == "." and _WORDISH.match(text[end + 1 : end + 2]) and text[end + 1 : end + 2].isalpha())
