"""Who stands where around a deal word: subject, object, owner, compound, or behind a preposition.

Reads a parsed sentence; which place means which role is data of the trigger.
"""

from __future__ import annotations

from monitor.lexicon import Cue, Hit, Trigger
from monitor.parties import is_ignored
from monitor.shape import Group, Parsed

_PEOPLE = frozenset(
    "boss chief ceo cfo chairman executive executives president director exec heir heiress star engineer".split()
)


def fill(parsed: Parsed, hit: Hit, *, passive: bool) -> list[tuple[str, Group]]:
    """(place, group) for the groups that stand around a trigger, in order of the sentence."""
    assert isinstance(hit.rule, Trigger)
    places = hit.rule.places
    clause = parsed.clause_of[hit.start]
    noun = hit.form in {"noun", "nouns"}
    filled: list[tuple[str, Group]] = []
    for group in parsed.groups:
        if group.clause != clause or group.other or (group.modifier and not (group.owner and noun)):
            continue
        if hit.start <= group.start < hit.end:
            place = "within" if "within" in places else "object"
        elif group.end < hit.start:
            place = _before(parsed, group, hit, noun)
        else:
            place = _behind(parsed, group, hit, noun)
        if place not in {"subject", "owner", ""} and parsed.word(group.end + 1) in _PEOPLE:
            continue  # "buys a house from Acme's boss"
        if places.get(place) == "none":
            continue
        if place and (place in places or place == "with" or (noun and place == "object")):
            filled.append((place, group))
    subjects = [item for item in filled if item[0] == "subject"]
    if len(subjects) > 1:
        chosen = ("subject", choose_subject(parsed, [group for _, group in subjects]))
        filled = [item for item in filled if item[0] != "subject" or item == chosen]
    if passive:
        swap = {"subject": "object", "by": "subject"}
        filled = [(swap.get(place, place), group) for place, group in filled]
    return filled


def choose_subject(parsed: Parsed, groups: list[Group]) -> Group:
    """Of several groups without a governor the first: the others are objects of verbs that no rule knows. But what
    stands behind a comma begins anew."""
    chosen = groups[0]
    for group in groups[1:]:
        if any(token.low in {",", ";", ":"} for token in parsed.tokens[chosen.end : group.start]):
            chosen = group
    return chosen


def _before(parsed: Parsed, group: Group, hit: Hit, noun: bool) -> str:
    """The place of a group on the left of a trigger."""
    gap = [token.low for token in parsed.tokens[group.end + 1 : hit.start]]
    if (
        noun
        and group.owner
        and len(gap) <= 9
        and not any(low in {"with", "from", "for", "to", "in", "on", "by"} for low in gap)
    ):
        return "owner"
    if noun and len(gap) <= 4 and not any(_is_function(low) for low in gap) and not _hit_between(parsed, group, hit):
        return "subject" if group.governor == "" and not gap and not parsed.hits else "compound"
    if group.governor in {"with", "between"} and _dealing(parsed, group):
        return "with"
    if group.governor == "hit" and group.hit is not None and group.hit.end <= group.start:
        effect = group.hit.rule.effect if isinstance(group.hit.rule, Cue) else ""
        return "object" if noun and effect in {"announced", "rumour", "denied", "terminated"} else ""
    return "subject" if group.governor == "" else ""


def _dealing(parsed: Parsed, group: Group) -> bool:
    """Is it "talks with Acme", "an agreement with Acme", not just "a battle with Acme"?"""
    if group.hit is not None:
        return True
    at = group.start
    while at >= 0 and parsed.word(at) not in {"with", "between"}:
        at -= 1
    return (
        at == 0
        or parsed.tokens[at - 1].kind == "company"
        or any(hit.start < at <= hit.end + 1 and parsed.word(hit.start) != "in" for hit in parsed.hits)
    )


def _behind(parsed: Parsed, group: Group, hit: Hit, noun: bool) -> str:
    """The place of a group on the right of a trigger."""
    if group.hit is not None and (group.hit.start, group.hit.end) == (hit.start, hit.end):
        return ("" if group.governor == "hit" else group.governor) if noun else "object"
    of_deal = {"use-of", "supply", "stream", "license"} | ({"jointly"} if _is_known(parsed, group) else set())
    if noun and group.hit is not None and group.hit.rule.id in of_deal:
        return "with" if group.governor == "hit" else group.governor  # "a deal to bring Borealis to India"
    return "" if group.governor == "hit" else group.governor


def _is_known(parsed: Parsed, group: Group) -> bool:
    return all(parsed.mentions[at].kind != "found" for at in group.members)


def _hit_between(parsed: Parsed, group: Group, hit: Hit) -> bool:
    return any(other.start > group.end and other.end <= hit.start and not is_ignored(other) for other in parsed.hits)


_FUNCTION = frozenset(
    "with from to by of in for between into on at over about and or , : ; the a an its their this that these".split()
)


def _is_function(low: str) -> bool:
    return low in _FUNCTION
