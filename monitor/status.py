"""How a deal is asserted: the cues around a trigger, composed from the inside outwards.

"denies it is in talks to buy X": buy is firm news, talks make it a rumour, denies turns that into a denial. The cues
are data (`status.toml`); this module knows their reach, their order and what each does to what it stands before.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.lexicon import PREPOSITIONS_WITHIN, Cue, Hit, Trigger
from monitor.shape import Clause, Group, Parsed
from monitor.text import Token
from monitor.verbs import is_passive, verb_form

_TAILS = frozenset("report reports source sources".split())


@dataclass(frozen=True, slots=True)
class Reading:
    """The status of one trigger, or why it is no news. `rules` are the cues that made it so."""

    status: str  # "" if it is no news
    why: str = ""
    rules: tuple[str, ...] = ()
    cues: tuple[Hit, ...] = ()
    passive: bool = False
    reported: bool = False


def read_status(parsed: Parsed, hit: Hit, subject: Group | None, headline: bool) -> Reading:
    """Compose the status of the trigger `hit`. `subject` is the group before it in its clause, if there is one.

    The order is from the inside out: a noun directly behind ("takeover talks"), what follows softly ("... expected"),
    the cues before it from near to far, then what follows flatly ("... falls apart"), a question mark, a report.
    """
    trigger = hit.rule
    assert isinstance(trigger, Trigger)
    cues = _cues_before(parsed, hit)
    verbal = hit.form not in {"noun", "nouns"}
    passive = verbal and is_passive(parsed, hit)
    status, why = trigger.status, ""
    if verbal and not status:
        status, why = verb_form(parsed, hit, cues, subject, passive, headline)
        if not status and not (cues and why == "needs a cue"):
            return Reading("", why, passive=passive)
    behind = _cues_after(parsed, hit)
    inner = [cue for cue in behind if cue.start == hit.end and _effect(cue) == "rumour"]
    softer = [cue for cue in behind if cue not in inner and _effect(cue) in _SOFT]
    flat = [cue for cue in behind if cue not in inner and cue not in softer]
    status, used = _apply(status, [cue for cue in softer if not status or _effect(cue) not in {"announced", "market"}])
    status, more = _apply(status, [*inner, *_outwards(parsed, cues, hit), *flat])
    used += more
    used += [cue for cue in cues if cue.end == hit.start and cue not in used]  # "agrees to": it carries the verb
    if status in {"announced", "completed"} and _asks(parsed, hit):
        status = "rumour"
    reports = _reports(parsed)
    if reports and status in {"announced", "completed"}:
        status, used = "rumour", [*used, reports[0]]
    why = _NO_NEWS.get(status, "")
    rules = tuple(dict.fromkeys(cue.rule.id for cue in used))
    return Reading("" if why else status, why, rules, tuple(used), passive, bool(reports))


NOTHING_SAID = "nothing says that it is being done"
_NO_NEWS = {"silent": "a wish, a question, advice or an old story", "": NOTHING_SAID}
_SOFT = frozenset({"rumour", "announced", "completed", "market"})


def means_of(parsed: Parsed, hit: Hit) -> int:
    """Where "with", "through" or "via" leads to the deal noun ("expands with purchase of Borealis"); -1 if nowhere."""
    if hit.form not in {"noun", "nouns"}:
        return -1
    for at in range(hit.start - 1, max(hit.start - 10, 0), -1):
        token = parsed.tokens[at]
        if token.low in _MEANS:
            return at
        if token.low in {",", ";", ":"} or token.low in PREPOSITIONS_WITHIN - {"of"}:
            return -1
    return -1


_MEANS = frozenset({"with", "through", "via"})


def _outwards(parsed: Parsed, cues: list[Hit], hit: Hit) -> list[Hit]:
    """The cues from near to far, but for a "no" that stands behind its verb ("has made no offer"): it negates both."""
    order = list(reversed(cues))
    if (
        len(order) > 1
        and parsed.word(order[0].start) == "no"
        and order[0].rule.id == "not"
        and order[1].end == order[0].start
    ):
        order[0], order[1] = order[1], order[0]
    return order


def _apply(status: str, cues: list[Hit]) -> tuple[str, list[Hit]]:
    """The status after these cues, and those of them that changed it."""
    used: list[Hit] = []
    for cue in cues:
        after = compose(status, _effect(cue))
        if status == "denied" and _effect(cue) == "not" and used and used[-1].start - cue.end > 1:
            after = status  # "no decision, no discussions": said twice, not taken back
        if after != status:
            used.append(cue)
        status = after
    return status, used


def _asks(parsed: Parsed, hit: Hit) -> bool:
    """Does the clause or the sentence end in a question mark?"""
    end = parsed.clause(hit.start).end
    return parsed.word(end) == "?" or parsed.text.rstrip().endswith("?")


def compose(status: str, effect: str) -> str:
    """What a cue makes of the status inside its reach ("" = nothing asserted yet)."""
    if status == "silent" or effect == "silent":
        return "silent"
    table = {
        "announced": {"": "announced"},
        "market": {"": "announced"},
        "completed": {"": "completed", "announced": "completed"},
        "rumour": {"": "rumour", "announced": "rumour", "completed": "rumour"},
        "terminated": {"": "terminated", "announced": "terminated", "rumour": "terminated", "completed": "terminated"},
        "denied": {
            "": "denied",
            "announced": "denied",
            "rumour": "denied",
            "completed": "denied",
            "terminated": "silent",
        },
        "not": {
            "announced": "denied",
            "rumour": "denied",
            "completed": "silent",
            "terminated": "silent",
            "denied": "silent",
        },
    }
    return table.get(effect, {}).get(status, status)


def _effect(hit: Hit) -> str:
    assert isinstance(hit.rule, Cue)
    return hit.rule.effect


def _cues_before(parsed: Parsed, hit: Hit) -> list[Hit]:
    """Cues that reach the trigger from the left, in order of the sentence."""
    clause = parsed.clause(hit.start)
    found = []
    for cue in parsed.hits:
        if _bears(parsed, cue, hit):
            found.append(Hit(cue.start, cue.end, CARRIED, cue.form))
            continue
        if isinstance(cue.rule, Trigger) and cue.rule.status == "denied" and clause.start <= cue.start < hit.start:
            found.append(Hit(cue.start, cue.end, _REFUSED, cue.form))  # "not in talks with Acme about an investment"
        if not isinstance(cue.rule, Cue) or cue.rule.where == "after" or cue.end > hit.start:
            continue
        if _reaches(parsed, cue, cue.rule, hit, clause):
            found.append(cue)
    return found


def _reaches(parsed: Parsed, cue: Hit, rule: Cue, hit: Hit, clause: Clause) -> bool:
    """Does a cue on the left say something of the trigger, by its rule's reach and the words between?"""
    if rule.effect in {"ignore", "report"} or (rule.id == "history" and hit.form not in {"noun", "nouns"}):
        return False
    if cue.start < clause.start and not _bridges(parsed, cue, hit) and not _shared(parsed, cue, hit):
        return False
    if _distance(parsed, cue.end, hit.start) > rule.gap or _is_another_word(parsed, cue, clause):
        return False
    aim = rule.effect == "terminated" or (rule.id == "consider" and cue.form == "s")
    if aim and cue.end <= means_of(parsed, hit) < hit.start:
        return False  # "Acme exits hypercars with sale of stake": it ends by the deal, not the deal
    if rule.weak and not _carries(parsed, cue, hit):
        return False
    changes = rule.effect in {"terminated", "denied", "announced", "rumour"}
    return not (changes and cue.form in {"past/pp", "pp"} and _adjectival(parsed, cue))


def _is_another_word(parsed: Parsed, cue: Hit, clause: Clause) -> bool:
    """ "Acme shops inside Borealis" (not "Inside Acme's deal"); "No, X is not ...", "no-deposit deal"."""
    low = parsed.word(cue.start)
    if cue.end - cue.start > 1:
        return False
    return (low == "inside" and cue.start != clause.start) or (low == "no" and parsed.word(cue.end) in {",", "-"})


def _shared(parsed: Parsed, cue: Hit, hit: Hit) -> bool:
    """ "might drop A, use B instead": the second verb shares the first one's modal."""
    number = parsed.clause_of[hit.start]
    return (
        hit.form == "base" and parsed.clauses[number].kind == "coordinate" and parsed.clause_of[cue.start] == number - 1
        and cue.rule.id in {"modal", "firm-to", "consider"}
    )  # fmt: skip


_TALKED = Cue(id="talks", effect="rumour", where="after")
_REFUSED = Cue(id="no-talks", effect="denied", where="before")
CARRIED = Cue(id="carried", effect="announced", where="before", weak=True)


def _bears(parsed: Parsed, verb: Hit, hit: Hit) -> bool:
    """A deal verb whose object is the deal noun: "sells off the gaming rights", "acquires a stake"."""
    if (
        not isinstance(verb.rule, Trigger)
        or verb.form in {"noun", "nouns", "phrase"}
        or hit.form not in {"noun", "nouns"}
    ):
        return False
    if verb.end > hit.start or verb.rule.weak or parsed.clause_of[verb.start] != parsed.clause_of[hit.start]:
        return False
    words = [token.low for token in parsed.tokens[verb.end : hit.start]]
    return len(words) <= 7 and not (PREPOSITIONS_WITHIN - {"of"}) & set(words) and "," not in words


def _bridges(parsed: Parsed, cue: Hit, hit: Hit) -> bool:
    """A share price's move reaches over "after" and "on" to what caused it."""
    assert isinstance(cue.rule, Cue)
    if cue.rule.effect != "market":
        return False
    return parsed.clause_of[hit.start] - parsed.clause_of[cue.start] <= 1


def _distance(parsed: Parsed, start: int, end: int) -> int:
    return sum(1 for token in parsed.tokens[start:end] if token.kind in {"word", "num"})


def _carries(parsed: Parsed, cue: Hit, hit: Hit) -> bool:
    """A light verb carries a noun close behind it ("signs a licensing deal"), not one in another phrase."""
    if hit.form not in {"noun", "nouns", "phrase"}:
        return parsed.tokens[cue.end - 1].low in {"to", "on"} and cue.end == hit.start
    words = [
        token.low for at, token in enumerate(parsed.tokens[cue.end : hit.start], cue.end)
        if "-" not in (parsed.word(at - 1), parsed.word(at + 1))  # "China-to-world licence" holds no preposition
    ]  # fmt: skip
    if parsed.tokens[cue.start].low == "in" and cue.end - cue.start == 1:
        return len(words) <= 5 and "," not in words and not PREPOSITIONS_WITHIN & set(words)
    return not (PREPOSITIONS_WITHIN - {"of"}) & set(words) and ";" not in words and len(words) <= 12


def _adjectival(parsed: Parsed, cue: Hit) -> bool:
    """ "the proposed deal", "an abandoned merger": a participle that describes, not what happened."""
    before = parsed.word(cue.start - 1)
    return before in {"a", "an", "the", "its", "their", "newly", "recently", "previously"} and cue.end - cue.start == 1


_COPULA = frozenset("is are was were be been being has have had will to may could and , the its their a an it".split())


def _cues_after(parsed: Parsed, hit: Hit) -> list[Hit]:
    """Cues that say something of the trigger from its right ("... falls apart"), in order."""
    clause = parsed.clause(hit.start)
    found = []
    for cue in parsed.hits:
        if isinstance(cue.rule, Trigger) and cue.rule.status == "rumour" and cue.start == hit.end:
            found.append(Hit(cue.start, cue.end, _TALKED, cue.form))  # "in alliance talks on AI"
        if (
            not isinstance(cue.rule, Cue)
            or cue.rule.where == "before"
            or cue.start < hit.end
            or cue.start >= clause.end
        ):
            continue
        if cue.rule.effect in {"ignore", "report"}:
            continue
        if cue.rule.where == "both" and hit.form not in {"noun", "nouns", "phrase"} and cue.rule.id == "talks":
            continue
        between = parsed.tokens[hit.end : cue.start]
        words = [
            token.low for token in between if token.kind in {"word", "num"} and token.low not in PREPOSITIONS_WITHIN
        ]
        content = [word for word in words if word not in _COPULA]
        if len(content) > cue.rule.gap or (cue.rule.where == "after" and _purpose_between(between)):
            continue
        if any(
            other.start >= hit.end
            and other.end <= cue.start
            and isinstance(other.rule, Trigger)
            and other.rule.rank > 1
            and parsed.word(other.start + 1) != "-"  # "co-branded"
            for other in parsed.hits
        ):
            continue
        named = hit.form == "base" and hit.start > 0 and parsed.tokens[hit.start - 1].kind == "company"
        nominal = (
            named
            or hit.form in {"noun", "nouns", "phrase"}
            or (
                parsed.word(hit.start - 1) == "to"
                and any(other.end == hit.start - 1 and isinstance(other.rule, Trigger) for other in parsed.hits)
            )
        )  # "the agreement to acquire X has been terminated"
        if cue.rule.where == "after" and not nominal and cue.rule.effect not in {"silent"}:
            continue
        found.append(cue)
    return found


def _purpose_between(between: list[Token]) -> bool:
    """ "a deal to end the row": what follows "to" is what the deal is for, unless it is a company."""
    for at, token in enumerate(between):
        if token.low == ";" or (token.low == "to" and (at + 1 >= len(between) or between[at + 1].kind != "company")):
            return True
    return False


def _reports(parsed: Parsed) -> list[Hit]:
    """Cues that make the sentence somebody's report."""
    found = []
    for hit in parsed.hits:
        if not isinstance(hit.rule, Cue) or hit.rule.effect != "report":
            continue
        words = [token.low for token in parsed.tokens[hit.start : hit.end]]
        if len(words) == 1 and words[0] in _TAILS:
            before, after = parsed.word(hit.start - 1), parsed.word(hit.end)
            last = hit.end >= len(parsed.tokens) or after in {".", ":"}
            if not (
                last
                or before in {":", "-", "--", "—", "–"}
                or before in {"a", "the", "new", "media", "on", "of", "press", "news"}
            ):
                continue
        found.append(hit)
    return found
