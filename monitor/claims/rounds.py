"""Who else put money in: a funding round's tail of investors, which stands in sentences without a deal word.

"Existing backers Acme and Borealis also joined." names parties of the round that the sentence before tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.claims.found import Found
from monitor.models import Mention

REACH = 4  # sentences behind the one that tells the round
_ROUNDS = frozenset({"raise", "round.noun", "lead-round", "invest", "investment.noun"})
_JOINS = re.compile(
    r"\b(?:(?:existing|other|previous|current|returning|new) (?:investors?|backers?|shareholders?)|"
    r"participation (?:from|by)|also (?:joined|participated|took part|invested|backed|contributed)|"
    r"participat(?:ed|ing) in the|took part in the|joined (?:the|in the|as)|"
    r"(?:round|financing|investors?) includ(?:ed|es|ing)|were among the (?:investors|backers))\b",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"\s(?:CEO|chief|boss|chair\w*|(?:co-?)?founders?|executives?|president|alum\w*|veterans?)\b", re.IGNORECASE
)
_LEAVES = re.compile(r"\b(?:exit(?:s|ed|ing)?|sold|sells?|selling|offload\w*)\b", re.IGNORECASE)


def is_round(found: Found) -> bool:
    """Is it a round, of which others may be told to be part?"""
    return (
        found.deal_type == "investment" and found.trigger.id in _ROUNDS and found.status in {"announced", "completed"}
    )


def tells_investors(sentence: str) -> bool:
    """Does the sentence list more investors?"""
    return _JOINS.search(sentence) is not None and _LEAVES.search(sentence) is None


def add_investors(found: Found, sentence: str, mentions: Iterable[Mention]) -> None:
    """The companies of such a sentence become investors, but for those known by their form alone or by their people."""
    for mention in mentions:
        person = _PEOPLE.match(sentence, mention.end) or sentence[: mention.start].endswith(("former ", "ex-"))
        if mention.kind == "name" and not person and mention.company not in found.parties:
            found.parties.append(mention.company)
            found.roles[mention.company] = "investor"
