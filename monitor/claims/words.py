"""Deal words that are not meant as such where they stand: they yield to another word, or are quoted, or are background.

Knows a parsed sentence and one hit in it; decides before anybody asks for parties.
"""

from __future__ import annotations

import re

from monitor.lexicon import PREPOSITIONS_WITHIN, Hit, Trigger
from monitor.shape import Parsed
from monitor.status import Reading
from monitor.text import is_title_case

PAST = re.compile(  # marks the body of an article as telling an old story
    r"\b(?:last (?:year|month|spring|summer|fall|autumn|winter|january|february|march|april|may|june|july|august|"
    r"september|october|november|december)|(?:years?|months?|decades?) (?:ago|later|earlier)|earlier this year|"
    r"back in|in (?:19\d\d|20[01]\d)|previously(?! announced)|since (?:19|20)\d\d|a year earlier)\b",
    re.IGNORECASE,
)
_SAID = frozenset("said says say that confirmed announced told reported disclosed revealed".split())


def before_that(parsed: Parsed, hit: Hit, reading: Reading) -> bool:
    """Told as earlier than the story: "Acme had taken a stake" (but not "said that it had taken a stake")."""
    start = min([cue.start for cue in reading.cues], default=hit.start)
    before = [token.low for token in parsed.tokens[:start]]
    late = [word for word in before[-3:] if word in {"had", "'d"}]
    return bool(late) and not _SAID & set(before)


_ENDS_OBJECT = frozenset({"with", "from", "for", "to", "in", "on", "by", "after", ",", "as", "via", "through", "under"})


def unless(parsed: Parsed, hit: Hit, trigger: Trigger) -> bool:
    """Does one of the trigger's `unless` words follow closely?"""
    behind = [token.low for token in parsed.tokens[hit.end : hit.end + 7] if token.kind != "money"]
    verb = hit.form not in {"noun", "nouns", "phrase"}
    if hit.end in parsed.mentions:
        end = _end_of_list(parsed, hit.end)
        behind = [token.low for token in parsed.tokens[end : end + 3]]
    reach = next((at for at, low in enumerate(behind[:3]) if at and behind[at - 1] in _NEW_PHRASE), 3)
    if verb and hit.end in parsed.mentions and behind[:1] and behind[0] in _PARTICLES:
        return False  # "backs Acme over ...": no particle of the verb, which has its object
    for words in trigger.unless:
        for at in range(min(reach, len(behind) - len(words) + 1)):
            if tuple(behind[at : at + len(words)]) == words and not _meant(parsed, hit, at + len(words), words, at):
                return True
    return False


_NEW_PHRASE = PREPOSITIONS_WITHIN | {"and", "or", "but", "as", "amid", "after", "under", "against", "before", ",", ";"}
_PARTICLES = frozenset("off down out up".split())
_HOLDERS = frozenset({"shareholders", "holders", "stockholders", "investors"})
_MAKERS = frozenset(
    "miner producer maker explorer developer firm company startup startups group platform specialist".split()
)


def _end_of_list(parsed: Parsed, at: int) -> int:
    """Behind the company at `at` and those that it is listed with."""
    while at in parsed.mentions:
        step = 2 if parsed.word(at + 1) in {",", "and", "&"} else 1
        if at + step not in parsed.mentions:
            return at + 1
        at += step
    return at


def _meant(parsed: Parsed, hit: Hit, behind: int, words: tuple[str, ...], at: int) -> bool:
    """Is the `unless` word harmless here: "offer for Acme to $5bn", "buys bitcoin miner Acme"?"""
    after = parsed.word(hit.end + behind)
    if len(words) == 1 and words[0] in PREPOSITIONS_WITHIN:
        priced = parsed.tokens[hit.end + behind : hit.end + behind + 1]
        return at > 0 or after in _HOLDERS or (bool(priced) and priced[0].kind == "money")
    return after in _MAKERS


def yields(parsed: Parsed, hit: Hit) -> bool:
    """A verb leaves the word to the noun that it carries: "buys a stake", "acquires the rights"."""
    if hit.form in {"noun", "nouns"}:
        return _noun_yields(parsed, hit)
    if _purpose_of_partners(parsed, hit):
        return True
    if hit.rule.id == "ties" and parsed.word(hit.end - 1) == "for" and hit.end in parsed.mentions:
        return True  # "ditches Acme for Borealis": the news is Borealis
    if parsed.word(hit.end - 1) == "for" and any(
        other.rule.id == "license.noun" and hit.end <= other.start <= hit.end + 2 for other in parsed.hits
    ):
        return True  # "pays $7bn for rights"
    if hit.form == "phrase" or parsed.word(hit.end - 1) in {"with", "of", "in", "for", "from", "to", "into"}:
        return False
    for other in parsed.hits:
        if other.start < hit.end or not isinstance(other.rule, Trigger) or other.form not in {"noun", "nouns"}:
            continue
        between = {token.low for token in parsed.tokens[hit.end : other.start]}
        if parsed.clause_of[other.start] != parsed.clause_of[hit.start]:
            continue
        if other.start - hit.end <= 7 and not _ENDS_OBJECT & between:
            return True
    return False


def _purpose_of_partners(parsed: Parsed, hit: Hit) -> bool:
    """ "Acme, Borealis team up to deliver chips": what partners do is not a second deal."""
    rule = hit.rule
    if hit.form != "base" or parsed.word(hit.start - 1) != "to" or not isinstance(rule, Trigger) or rule.id in _OWNING:
        return False
    clause = parsed.clause_of[hit.start]
    return any(
        isinstance(other.rule, Trigger) and other.rule.id == "partner" and parsed.clause_of[other.start] == clause
        and other.end < hit.start and not _TO & {token.low for token in parsed.tokens[other.end : hit.start - 1]}
        for other in parsed.hits
    )  # fmt: skip


_TO = frozenset({"to", ",", ";"})


def _noun_yields(parsed: Parsed, hit: Hit) -> bool:
    """A vague noun leaves the word to what follows: "agreement to acquire", "purchase of an 18% stake"."""
    rule = hit.rule
    assert isinstance(rule, Trigger)
    for other in parsed.hits:
        if not isinstance(other.rule, Trigger) or other.start <= hit.end:
            continue
        if other.form == "base" and other.start == hit.end + 1 and parsed.word(hit.end) == "to":
            purpose = parsed.word(hit.end - 1) in _JOINT and other.rule.id not in _OWNING
            alone = other.rule.needs == "pair"  # "deal to run Borealis stores": one runs them, they do nothing together
            return "before_verb" in rule.checks and not other.rule.weak and not purpose and not alone
        if "before_stake" in rule.checks and "holder" in other.rule.checks and parsed.word(hit.end) in {"of", "in"}:
            return not any(token.kind == "company" for token in parsed.tokens[hit.end : other.start])
    return False


# "partnership to sell flights": what partners do together is no deal of its own, unless one buys the other.
_JOINT = frozenset({"partnership", "alliance", "collaboration", "tie-up", "up", "cooperation", "venture", "collab"})
_OWNING = frozenset({"acquire", "merge", "invest", "license"})

_SHORT_QUOTE = re.compile(r"[“\"]\w+(?:\s\w+){0,2}[”\"]")
_TITLE_IN_QUOTES = re.compile(r"[‘'“\"][A-Z][^‘’'“”\"]{1,40}[’'”\"]")


def quoted(parsed: Parsed, hit: Hit) -> bool:
    """A deal word in the quoted name of a thing: the 'Buy with Prime' button."""
    titled = is_title_case(parsed.text) and hit.end - hit.start == 1 and hit.form in {"noun", "nouns"}
    if parsed.text.isupper() or titled:
        return False
    start = parsed.tokens[hit.start].start
    if hit.form in {"noun", "nouns"} and any(m.start() < start < m.end() for m in _SHORT_QUOTE.finditer(parsed.text)):
        return True
    return parsed.tokens[hit.start].text[:1].isupper() and any(
        m.start() < start < m.end() for m in _TITLE_IN_QUOTES.finditer(parsed.text)
    )


def is_modal(parsed: Parsed, hit: Hit, reading: Reading) -> bool:
    at = hit.start - 1
    while parsed.word(at).endswith("ly") or parsed.word(at) in {"also", "now", "soon"}:
        at -= 1
    before = parsed.word(at)
    if hit.form == "ing" and before in {"is", "are", "be", "'s", "'re"}:
        return True
    return before in {"to", "will", "'ll"} or bool(reading.cues) or hit.form == "phrase"
