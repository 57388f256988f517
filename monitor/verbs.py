"""What the form of a verb asserts by itself: tense, passive, infinitive, and words that are nouns after all."""

from __future__ import annotations

from monitor.lexicon import PREPOSITIONS_WITHIN, Hit, Trigger
from monitor.shape import Group, Parsed
from monitor.text import is_title_case

_BE = frozenset("is are was were be been being gets get got getting 're 's".split())
_HAVE = frozenset("has have had having".split())
_LIGHT = frozenset("a an the its their his her this that these those new newly recently previously".split())
_ADVERBS = frozenset(
    "also now just finally officially formally jointly reportedly already soon then never not quietly jointly".split()
)


def is_passive(parsed: Parsed, hit: Hit) -> bool:
    """Is the deal done to the subject ("Acme is bought by", "Acme chosen to build")?"""
    if hit.form not in {"pp", "past/pp", "past"}:
        return False
    before = _verb_before(parsed, hit.start)
    if before in _BE:
        return True
    headless = hit.start > 0 and parsed.tokens[hit.start - 1].kind == "company"
    if headless and parsed.word(hit.end) == "to" and hit.form in {"pp", "past/pp"}:
        return True  # "Acme chosen to build power station"
    behind = parsed.tokens[hit.end : hit.end + 6]
    until = next((at for at, token in enumerate(behind) if token.kind == "company"), len(behind))
    return any(token.low == "by" for token in behind[: until + 1]) and before not in _HAVE


def _verb_before(parsed: Parsed, at: int) -> str:
    place = at - 1
    while place >= 0 and (parsed.word(place) in _ADVERBS or parsed.word(place).endswith("ly")):
        place -= 1
    return parsed.word(place)


def verb_form(
    parsed: Parsed, hit: Hit, cues: list[Hit], subject: Group | None, passive: bool, headline: bool
) -> tuple[str, str]:
    """(status, why not) that the form of a verb asserts by itself."""
    before = _verb_before(parsed, hit.start)
    carried = any(cue.end == hit.start or _close(parsed, cue, hit) for cue in cues)
    if hit.form == "phrase":
        return "announced", ""
    if hit.form == "s" and (any(_takes_object(cue, hit) for cue in cues) or _object_noun(parsed, hit, subject)):
        return "", "a noun: the object of the verb before it"  # "would reject leases"
    if hit.form == "base":
        return _infinitive(parsed, hit, before, carried, subject)
    if hit.form == "ing":
        if before in _BE or carried or (subject is not None and subject.end == hit.start - 1):
            return "announced", ""
        opens = before in {"", "after", "following", ",", "said", "says"}  # "Acme said acquiring Borealis ..."
        means = headline and before in {"by", "through", "with", "via"}  # "grows by buying Borealis"
        if opens or means or parsed.clause(hit.start).kind == "after":
            return "announced", ""
        return "", "needs a cue" if cues else "only mentioned, not said to be done"
    if hit.form in {"pp", "past/pp"} and not passive and before in _LIGHT | PREPOSITIONS_WITHIN:
        return "", "a participle that describes a company"
    if hit.form == "pp" and not passive and before not in _HAVE:
        return "", "a participle that describes a company"
    return "announced", ""


_VERBS = frozenset({"base", "s", "past", "pp", "past/pp", "ing"})


def _object_noun(parsed: Parsed, hit: Hit, subject: Group | None) -> bool:
    """ "slashes iPhone orders": the verb stands before."""
    if subject is None or parsed.word(hit.start) not in _PLURALS:
        return False
    between = parsed.tokens[subject.end + 1 : hit.start]
    return any(token.kind == "word" and token.low.endswith(("s", "ed")) and len(token.low) > 3 for token in between)


_PLURALS = frozenset({"orders", "leases", "licences", "licenses", "bids", "offers", "supplies", "charters", "rents"})


def _takes_object(cue: Hit, hit: Hit) -> bool:
    return cue.end == hit.start and cue.form in _VERBS and cue.end - cue.start == 1


def _close(parsed: Parsed, cue: Hit, hit: Hit) -> bool:
    between = parsed.tokens[cue.end : hit.start]
    return len(between) <= 8 and not any(token.low in {",", ";"} for token in between)


def _infinitive(parsed: Parsed, hit: Hit, before: str, carried: bool, subject: Group | None) -> tuple[str, str]:
    if before == "to":
        if carried:
            return "announced", ""
        at = hit.start - 2
        while at >= 0 and (parsed.word(at) in _ADVERBS or parsed.tokens[at].kind == "punct"):
            at -= 1
        if at < 0 or parsed.tokens[at].kind in {"company", "poss"} or _is_name(parsed, at):
            return "announced", ""
        if any(other.start <= at < other.end and isinstance(other.rule, Trigger) for other in parsed.hits):
            return "announced", ""  # "agreement to acquire", "offer to buy"
        if subject is not None and at - subject.end <= 3 and not _verbs_between(parsed, subject.end, at):
            return "announced", ""
        return "", "a purpose, not an act"
    if carried or before in {"will", "would", "'ll"}:
        return "announced", ""
    if subject is not None and (subject.end == hit.start - 1 or hit.start - subject.end <= 3):
        if len(subject.members) == 1 and parsed.word(hit.start) in _NOUNS_TOO:
            return "", "a noun, not a verb"  # "Acme licence runs to 2027"
        return "announced", ""
    return "", "not said of the companies"


_NOUNS_TOO = frozenset({"licence", "license", "order", "lease", "rent", "charter"})


def _is_name(parsed: Parsed, at: int) -> bool:
    """A capitalised word that is no company, in a sentence whose capitals mean something: "Colombia to buy"."""
    token = parsed.tokens[at]
    return token.kind == "word" and token.text[:1].isupper() and not is_title_case(parsed.text) and at <= 3


def _verbs_between(parsed: Parsed, start: int, end: int) -> bool:
    return any(start < hit.start <= end for hit in parsed.hits)
