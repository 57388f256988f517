"""Who the parties are: the companies that stand in a deal word's frame, without the things that only look like them."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.lexicon import Cue, Hit, Trigger
from monitor.models import FAMILY, Mention
from monitor.parties import Grammar
from monitor.places import choose_subject, fill
from monitor.shape import Group, Parsed
from monitor.status import Reading
from monitor.text import is_title_case

Filled = list[tuple[str, Group]]  # (place, group)

_SAYING = frozenset("says said say confirms confirmed announced that".split()) | {
    "announced that",
    "confirmed that",
    "confirms that",
    ":",
    "told",
    "tells",
    "adds",
    "claims",
}


@dataclass(slots=True)
class Frame:
    """One deal word with all that stands around it."""

    parsed: Parsed
    hit: Hit
    trigger: Trigger
    reading: Reading
    headline: bool
    filled: Filled  # as the grammar sees it, before anything is left out or taken over from another clause
    parties: list[str] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)  # parties known by their form alone
    spans: list[str] = field(default_factory=list)  # "start:end:label" within the sentence

    @property
    def noun(self) -> bool:
        return self.hit.form in {"noun", "nouns"}

    @property
    def places(self) -> set[str]:
        return {place for place, _ in self.filled}

    def add(self, name: str, place: str, mention: Mention | None = None) -> None:
        """One more party, once."""
        if name in self.parties:
            return
        self.parties.append(name)
        role = self.trigger.places.get(place, "party")
        if role != "party":
            self.roles[name] = role
        if mention is not None:
            self.spans.append(f"{mention.start}:{mention.end}:party:{name}")
            if mention.kind == "found":
                self.unsure.add(name)


def read_frame(
    grammar: Grammar,
    parsed: Parsed,
    hit: Hit,
    reading: Reading,
    about: str | None,
    pair: tuple[str, ...],
    *,
    headline: bool,
) -> Frame:
    """The parties of the trigger `hit`.

    `about`: the company that "it" and "the company" stand for here; `pair`: those that "they" and "the two" do.
    """
    trigger = hit.rule
    assert isinstance(trigger, Trigger)
    frame = Frame(parsed, hit, trigger, reading, headline, fill(parsed, hit, passive=reading.passive))
    filled = list(frame.filled)
    if moved(parsed):
        filled = _with_mover(parsed, hit, filled)
    ended = reading.status in {"denied", "terminated"}
    if not any(place == "subject" or (place == "owner" and not ended) for place, _ in filled):
        inherited = _inherited(grammar, parsed, hit)
        if inherited is not None:
            filled.insert(0, ("subject" if not reading.passive else "object", inherited))
    filled = _without_things(grammar, parsed, filled, trigger, hit_is_noun=frame.noun)
    if "wares_named" in trigger.checks and _of_a_state(grammar, parsed, hit):
        # "nets £16m from the government in One Login contract": the customer is the state, the name is the project's
        filled = [item for item in filled if item[0] != "compound" or parsed.mentions[item[1].end].kind != "found"]
    for place, group in filled:
        for at in group.members:
            mention = parsed.mentions[at]
            frame.add(_party_name(mention, trigger), place, mention)
    _add_sellers(frame, filled)
    _add_unwritten(frame, grammar, about)
    no_subject = trigger.reciprocal and "subject" not in frame.places and not frame.noun
    if no_subject and len(pair) > 1 and _plural_before(parsed, hit) and frame.parties:
        frame.parties.clear()  # "The pair will also work on chips, with Cyclon to test them": the pair it is
        frame.roles.clear()
    if len(frame.parties) < 2 and set(frame.parties) <= set(pair) and _plural_before(parsed, hit):
        for name in pair:
            frame.add(name, "subject")
    start, end = parsed.tokens[hit.start].start, parsed.tokens[hit.end - 1].end
    frame.spans.append(f"{start}:{end}:trigger:{trigger.id}")
    for cue in reading.cues:
        frame.spans.append(f"{parsed.tokens[cue.start].start}:{parsed.tokens[cue.end - 1].end}:status:{cue.rule.id}")
    return frame


def _add_sellers(frame: Frame, filled: Filled) -> None:
    """Whose what is bought was: "Acme to buy Borealis's Dunmore", "Borealis's Dunmore to be sold to Acme"."""
    if frame.trigger.type != "acquisition" or frame.noun:
        return
    parsed = frame.parsed
    for place, group in filled:
        owner = parsed.mentions.get(group.start - 2)
        owned = parsed.word(group.start - 1) in {"'s", "'"} and place == "object"
        if owned and owner is not None and owner.kind == "name" and owner.company not in frame.parties:
            frame.add(owner.company, "", owner)
            frame.roles[owner.company] = "seller"


def _of_a_state(grammar: Grammar, parsed: Parsed, hit: Hit) -> bool:
    clause = parsed.clause(hit.start)
    row = parsed.tokens[clause.start : clause.end]
    return any(token.low in {"government", "ministry", "navy", "army", "nhs"} for token in row) or any(
        token.low in grammar.states and token.text[:1].isupper() for token in row
    )


def _add_unwritten(frame: Frame, grammar: Grammar, about: str | None) -> None:
    """Parties that the frame holds as a pronoun, or as the share that a rumour moves."""
    parsed, hit = frame.parsed, frame.hit
    if len(frame.parties) == 1 and parsed.word(hit.end) in {"it", "them"}:
        first = next((parsed.mentions[group.start].company for group in parsed.groups if not group.modifier), "")
        if first:
            frame.add(first, "")
    if not frame.parties and frame.noun:  # "Takeover rumour lifts Exel shares"
        for group in parsed.groups:
            moves = group.hit is not None and any(
                other.rule.id == "market-after" and other.start == group.hit.start for other in parsed.hits
            )
            if moves and not group.modifier:
                frame.add(parsed.mentions[group.start].company, "", parsed.mentions[group.start])
    if moved(parsed) and parsed.groups:  # "Acme shares rose after Borealis was interested in bidding for the group"
        about = parsed.mentions[parsed.groups[0].start].company
    if about and len(frame.parties) < 2 and about not in frame.parties and _stands_for(parsed, hit, grammar):
        named = frame.parties[:]
        place = "object" if frame.reading.passive else "subject"
        frame.add(about, place if named else "")
        frame.parties.sort(key=lambda name: name != about)


# Not behind a deal word: there they mean anybody.
_LOOSE = frozenset({"it", "its", "they", "their", "both", "two", "companies"})


def _stands_for(parsed: Parsed, hit: Hit, grammar: Grammar) -> bool:
    """Does "it" or "the company" stand for a party: before the deal word, or as in "a bid for the group"?"""
    if _pronoun_before(parsed, hit, grammar.pronouns):
        return True
    behind = [token.low for token in parsed.tokens[hit.end : hit.end + 5]]
    return "the" in behind[:2] and bool(set(behind) & (grammar.pronouns - _LOOSE))


def _inherited(grammar: Grammar, parsed: Parsed, hit: Hit) -> Group | None:
    """The subject of the clause before, where this one has none of its own ("..., signs Bolt as a customer")."""
    number = parsed.clause_of[hit.start]
    clause = parsed.clauses[number]
    between = [token.low for token in parsed.tokens[clause.start : hit.start]]
    own = [
        group for group in parsed.groups
        if group.clause == number and group.end < hit.start and not group.modifier and group.governor == ""
    ]  # fmt: skip
    if number == 0 or own or _has_other_subject(parsed, clause.start, hit.start):
        return None
    fits = (
        clause.kind == "coordinate"
        or clause.word in _SAYING
        or hit.form == "ing"
        or any(word in grammar.pronouns for word in between)
        or len(between) <= 2
    )
    if not fits and clause.kind != "after":
        return None
    speaker = [group for group in own_before(parsed, number - 1) if clause.word in _SAYING]
    if speaker:
        return speaker[0]  # "jumped after Acme confirmed that it ...": Acme, not whose share jumped
    for group in parsed.groups:
        if group.clause < number and group.governor in {"", "in", "of"} and not group.modifier:
            return group
    return None


def _has_other_subject(parsed: Parsed, start: int, end: int) -> bool:
    """ "shares fall as Jo Bloggs backs a law": somebody else does it, who is no company."""
    words = [token for token in parsed.tokens[start:end] if token.kind == "word"]
    return (
        parsed.word(start) == "as" and not is_title_case(parsed.text) and any(w.text[:1].isupper() for w in words[1:])
    )


def own_before(parsed: Parsed, number: int) -> list[Group]:
    """The subjects of a clause."""
    return [group for group in parsed.groups if group.clause == number and not group.modifier and group.governor == ""]


def _sites(parsed: Parsed, sites: frozenset[str]) -> set[int]:
    """Names that are those of places: "the Baytown plant"."""
    return {
        at for at, mention in parsed.mentions.items()
        if mention.kind == "found" and parsed.word(at + 1) in sites
    }  # fmt: skip


def _without_things(grammar: Grammar, parsed: Parsed, filled: Filled, trigger: Trigger, *, hit_is_noun: bool) -> Filled:
    """Without capitalised words that only describe the deal: "their Laboratory venture", "10-year Fortnite pact"."""
    places = {place for place, _ in filled}
    loose_noun = bool({"vague", "vague_words"} & set(trigger.checks)) and not trigger.weak
    if "to" in places and "subject" in places and FAMILY[trigger.type] == "commercial":
        filled = [
            (place, group) for place, group in filled
            if place not in {"compound", "object"} or any(parsed.mentions[at].watched for at in group.members)
        ]  # fmt: skip
    if {"to", "object"} <= places or {"to", "of"} <= places or {"from", "object"} <= places:
        # a seller and a buyer: what changes hands is a thing, unless it is watched itself
        sale = [
            (place, group) for place, group in filled
            if place not in {"object", "of"} or any(parsed.mentions[at].watched for at in group.members)
        ]  # fmt: skip
        if len({at for _, group in sale for at in group.members}) >= 2:
            filled = sale
    if len(filled) > 1:  # "an agreement with A for the Insulin Pen"
        filled = [
            (place, group) for place, group in filled
            if place != "for" or FAMILY[trigger.type] == "equity"
            or any(parsed.mentions[at].kind != "found" for at in group.members)
        ]  # fmt: skip
    if loose_noun and any(place == "with" for place, _ in filled):
        filled = [(place, group) for place, group in filled if place not in {"of", "from", "by", "to"}]
    if any(place == "with" for place, _ in filled):
        filled = [(place, group) for place, group in filled if place != "for"]
    sites = _sites(parsed, grammar.sites)
    if sites:
        filled = [(place, group) for place, group in filled if not (set(group.members) <= sites)]
    sure = {at for _, group in filled for at in group.members if parsed.mentions[at].kind != "found"}
    if (
        FAMILY[trigger.type] == "commercial"
        and not loose_noun
        and not ("wares_named" in trigger.checks and not is_title_case(parsed.text))
    ):
        filled = [
            (place, group) for place, group in filled if place != "compound" or any(at in sure for at in group.members)
        ]
    if len(sure) < 2:
        return filled
    loose = {"compound", "object"} if hit_is_noun else {"compound"}
    return [
        (place, group) for place, group in filled
        if place not in loose or any(at in sure for at in group.members)
    ]  # fmt: skip


def _with_mover(parsed: Parsed, hit: Hit, filled: Filled) -> Filled:
    """The company whose share price moved is a party, unless the deal has its parties without it."""
    if len({at for _, group in filled for at in group.members}) != 1 or any(place == "subject" for place, _ in filled):
        return filled
    place, group = next((item for item in filled if item[1].members), filled[0])
    if place == "compound" and parsed.mentions[group.start].kind == "found":
        return (
            filled  # "slips as ... and TuneLab AI tie-up come into view": a thing that its form alone makes a company
        )
    movers = [
        group
        for group in parsed.groups
        if group.end < hit.start and group.governor in {"", "in", "of"} and not group.modifier
    ]
    known = {at for _, group in filled for at in group.members}
    if movers and not known & set(movers[0].members):
        return [("subject", movers[0]), *filled]
    return filled


def _party_name(mention: Mention, trigger: Trigger) -> str:
    """A unit can be bought or backed on its own, so nobody's unit keeps its own name there; a product cannot sign."""
    if mention.kind == "product" and not mention.watched and FAMILY[trigger.type] == "equity":
        return mention.text
    return mention.company


def _pronoun_before(parsed: Parsed, hit: Hit, pronouns: frozenset[str]) -> bool:
    number = parsed.clause_of[hit.start]
    start = parsed.clauses[number].start
    if number and parsed.word(start + 1) == "and" and start + 1 < hit.start:
        start = parsed.clauses[number - 1].start  # "it pivots, and may be bought": one subject for both
    return any(
        parsed.word(at) in pronouns
        and not {"a", "an"} & {parsed.word(at - 1), parsed.word(at - 2), parsed.word(at - 3)}
        for at in range(start, hit.start)
    )


_PLURAL = frozenset("they their both two pair duo companies firms groups sides partners".split())


def _plural_before(parsed: Parsed, hit: Hit) -> bool:
    clause = parsed.clause(hit.start)
    return any(token.low in _PLURAL for token in parsed.tokens[clause.start : hit.start])


def moved(parsed: Parsed) -> bool:
    """Does the sentence tell of a share price?"""
    return any(
        isinstance(hit.rule, Cue) and hit.rule.effect == "market" and hit.rule.where == "before" for hit in parsed.hits
    )


def subject_of(parsed: Parsed, hit: Hit) -> Group | None:
    clause = parsed.clause_of[hit.start]
    before = [
        group for group in parsed.groups
        if group.clause == clause and group.end < hit.start and group.governor == "" and not group.modifier
    ]  # fmt: skip
    return choose_subject(parsed, before) if before else None
