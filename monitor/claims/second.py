"""A second look at a headline: what the grammar of rules left open, where there is just one way to fill it.

Headlines bend grammar. Two kinds of gap are closed here, in headlines only, where every word is chosen to tell news: a
verb that no rule knows between a company and a deal noun ("Acme cements pact with Borealis"), and a party that stands
outside the deal word's reach although the headline names only one more company.
"""

from __future__ import annotations

from monitor.claims.checks import NOBODY_BUYS
from monitor.claims.frame import Frame, moved
from monitor.lexicon import Cue, Hit
from monitor.models import Mention
from monitor.parties import Grammar
from monitor.shape import Group, Parsed
from monitor.status import Reading, means_of

_CONTRACTS = frozenset({"deal.noun", "contract.noun", "partnership.noun", "license.noun"})
_BREAKS = frozenset(", ; : ( ) - – — ' \" “ ” ‘ ’ 's and or".split())


def unknown_verb(grammar: Grammar, parsed: Parsed, hit: Hit, subject: Group | None) -> Reading | None:
    """The reading of a deal noun that is the object of a verb which no rule knows; None if there is no such verb.

    The verbs that carry deals are an open class ("inks", "cements", "greenlights"); those that only speak of them are
    known to the cues as silent, and have been asked before.
    """
    if hit.form not in {"noun", "nouns"} or subject is None or subject.other:
        return None
    if parsed.mentions[subject.start].kind != "found" and _by_means(parsed, hit, pair=len(subject.members) > 1):
        return Reading("announced", rules=("by-means",))
    at = subject.end + 1
    between = parsed.tokens[at : hit.start]
    if not 1 <= len(between) <= 8 or any(token.low in grammar.prepositions - {"of"} for token in between):
        return None
    first = between[0]
    has = first.low in {"has", "have"} and hit.rule.id in _CONTRACTS  # "Acme has a $3bn deal with Borealis"
    if first.low in grammar.stative and not has:
        return None
    verbal = first.kind == "word" and (has or first.low.endswith(("s", "ed"))) and not first.low.endswith("ss")
    known = any(other.start <= at < other.end for other in parsed.hits)
    if not verbal or known or any(token.low in _BREAKS for token in between[:2]):
        return None
    return Reading("announced", rules=("unknown-verb",))


def after_deal(parsed: Parsed, hit: Hit) -> Reading | None:
    """ "Acme heads to Poland after warehouse deal with Borealis": what it comes after is the news, if not old."""
    clause = parsed.clause(hit.start)
    words = [token.low for token in parsed.tokens[clause.start : hit.start]]
    fresh = clause.kind == "after" and hit.rule.id in _CONTRACTS and not {"the", "its", "their", "last"} & set(words)
    named = parsed.word(hit.end) in {"with", "from"} and hit.end + 1 in parsed.mentions
    return Reading("announced", rules=("after-deal",)) if fresh and named and len(words) <= 6 else None


def _by_means(parsed: Parsed, hit: Hit, *, pair: bool) -> bool:
    """ "Acme adds to its portfolio with acquisition of Borealis", "Acme comes to shops through Borealis tie-up"."""
    at = means_of(parsed, hit)
    named = at > 0 and (pair or any(mention > at for mention in parsed.mentions))
    return named and (parsed.word(at) != "with" or parsed.word(at + 1) not in {"the", "its"} or hit.form == "noun")


def missing_party(frame: Frame, why: str) -> bool:
    """Add the only other company of the headline to a frame that lacks a party. Says whether it could."""
    parsed = frame.parsed
    have = set(frame.parties)
    if len(have) != 1 or have & frame.unsure:
        return False
    clause = parsed.clause_of[frame.hit.start]
    if parsed.clauses[clause].kind == "after" and not moved(parsed):
        return False
    before = frame.hit.start if why == NOBODY_BUYS and not frame.reading.passive else len(parsed.tokens)
    over = frame.reading.status in {"denied", "terminated"}
    candidates = [
        group for group in parsed.groups if group.end < before and _may_be_party(parsed, group, clause, over=over)
    ]
    others = {
        parsed.mentions[at].company: parsed.mentions[at] for group in candidates for at in group.members
        if parsed.mentions[at].company not in have and _is_company(parsed.mentions[at])
    }  # fmt: skip
    if len(others) != 1:
        return False
    for name, mention in others.items():
        frame.add(name, "", mention)
    return True


def _is_company(mention: Mention) -> bool:
    """Named for sure, and not by a product of somebody whom nobody watches ("calms Wegovy concerns")."""
    return mention.kind == "name" or (mention.kind == "product" and mention.watched)


def _may_be_party(parsed: Parsed, group: Group, clause: int, *, over: bool) -> bool:
    if group.other or group.modifier or group.governor in {"against", "about"}:
        return False
    if (
        group.clause != clause
        and not over
        and any(
            isinstance(hit.rule, Cue)
            and hit.rule.effect == "terminated"
            and parsed.clause_of[hit.start] == group.clause
            for hit in parsed.hits
        )
    ):
        return False  # "Acme to supply shirts, ending Borealis partnership"
    return parsed.clauses[group.clause].kind not in {"background", "after"} or group.clause == clause


def is_silent(parsed: Parsed) -> bool:
    """Does the sentence hold a cue that makes news no news?"""
    return any(isinstance(hit.rule, Cue) and hit.rule.effect == "silent" for hit in parsed.hits)
