"""The shape of a sentence around a deal word: clauses, groups of companies, and who stands in which place.

A shallow parser for news English: it knows prepositions, clause breaks, possessives, lists and appositions, all from
`context.toml`. It decides who could be a party of which trigger; whether that is news is for `status` and `claims`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.lexicon import Cue, Hit, Lexicon
from monitor.misread import FIRMS, misread
from monitor.models import Mention
from monitor.shape import Clause, Group, Parsed, before_apposition, cut
from monitor.text import Token, is_title_case

_REACH = 12  # words between a name and the word that governs it
_LINKS = frozenset({"and", "or", "&", "/", "-", "plus", "–", "x", "×"})
_TELLING = frozenset(
    "says said report reports reported reportedly rumours rumors announced confirmed confirms claims claimed denied "
    "denies "
    "speculation news suggests announcing revealed told believes hints hope hopes".split()
)
_RENAMED = frozenset({"now", "formerly", "previously", "once", "since", "aptly", "also"})
_APPOSED = frozenset(
    "company firm group maker startup start-up bank subsidiary affiliate unit developer provider retailer".split()
)
_VERBAL = frozenset({"with", "up", "on", "to", "for", "in", "over", ",", ""})
_SKIP_PUNCT = frozenset("\"'“”‘’()*[]<>.")
# Whose names "including" lists: they stand where this word stands ("from investors including Acme").
_LISTED = frozenset(
    "investors backers shareholders partners firms companies banks group consortium bidders suitors funds "
    "lenders insurers airlines automakers carmakers retailers publishers labels studios customers "
    "brands operators ones others".split()
)
_ENGAGES = frozenset("hired hires hire hiring tapped taps appointed retained engaged bankers adviser advisers".split())
_ADVISES = frozenset(
    "advised advises advising acted acts bankers is are upgrades downgrades sees initiates analyst analysts".split()
)
_FINITE = frozenset("is are was were has have had will may might could would".split())
_AFFECTS = frozenset(
    "blow boost threat setback relief challenge rebuke win victory alternative answer challenger".split()
)
_OPPOSES = frozenset(
    "counter rival challenge beat fight overtake match catch topple undercut outbid thwart avoid tackle escape".split()
)
_BEATS = frozenset(
    "trumps beats outbids tops pips bests challenging rivalling rivaling beating besting outbidding topping trumping "
    "overtaking pipping leapfrogging displacing".split()
)
_ROUGHLY = frozenset("about around over under near".split())
_LISTING = frozenset({"from", "with", "including", "by"})
_TALK = frozenset("talk talks speculation rumours rumors reports hopes fears pressure demand".split())
_QUANTITY = frozenset("more less fewer other".split())


class Grammar:
    """The word lists of `context.toml`, ready for look-up."""

    def __init__(self, lexicon: Lexicon) -> None:
        context: dict[str, Any] = lexicon.context
        self.lexicon = lexicon
        self.prepositions = frozenset(context["prepositions"])
        self.means: dict[str, str] = context["preposition_means"]
        self.background = _phrases(context["background"])
        self.plain = _phrases(context["plain"])
        self.as_keeps = frozenset(context["as_keeps"])
        self.others = frozenset(context["others"])
        self.formers = frozenset(context["formers"])
        self.assets = frozenset(context["assets"])
        self.states: frozenset[str] = lexicon.names["countries"]
        self.demonyms: frozenset[str] = lexicon.names["demonyms"]
        self.sites = frozenset(context["sites"])
        self.technologies = frozenset(context["technologies"])
        self.advisers = frozenset(context["advisers"])
        self.pronouns = frozenset(context["pronouns"])
        self.stative = frozenset(context["stative_verbs"])

    def parse(self, text: str, tokens: list[Token], mentions: dict[int, Mention]) -> Parsed:
        hits = [hit for hit in self.lexicon.find(tokens) if not misread(tokens, hit)]
        clauses = self._clauses(tokens, hits)
        parsed = Parsed(text, tokens, mentions, hits, clauses, [])
        parsed.clause_of = [number for number, clause in enumerate(clauses) for _ in range(clause.start, clause.end)]
        parsed.groups = self._groups(parsed)
        return parsed

    # -------------------------------------------------------------------------------------------- clauses

    def _clauses(self, tokens: list[Token], hits: list[Hit]) -> list[Clause]:
        within = {at for hit in hits if hit.end - hit.start > 1 for at in range(hit.start, hit.end)}
        verbs = {hit.start for hit in hits if hit.form in {"s", "past", "past/pp", "ing"}}
        verbs |= {hit.start for hit in hits if hit.form == "base" and tokens[hit.start - 1].kind == "company"}
        verbs |= {hit.start for hit in hits if hit.form == "phrase" and tokens[hit.start].low in _FINITE}
        breaks: list[tuple[int, str, str]] = []
        at = 0
        while at < len(tokens):
            length, kind = self._break(tokens, at, verbs)
            if kind == "plain" and at in within:
                length = 0
            if length and at > 0:
                breaks.append((at, kind, " ".join(token.low for token in tokens[at : at + length])))
            elif length and kind in {"after", "background"}:
                breaks.append((at, kind, tokens[at].low))
            at += max(length, 1)
        return cut(breaks, len(tokens), tokens)

    def _break(self, tokens: list[Token], at: int, verbs: set[int]) -> tuple[int, str]:
        low = tokens[at].low
        if low in {",", "and"} and at + 2 < len(tokens) and tokens[at + 2].low == "by":
            return 0, ""
        if (low == "," and at + 1 in verbs) or (low == "and" and at + 1 in verbs and tokens[at + 1].low.endswith("s")):
            return 1, "coordinate"
        if low == "as":
            after = tokens[at + 1].low if at + 1 < len(tokens) else ""
            told = after in _TALK or any(
                at < verb <= at + 7 for verb in verbs
            )  # "as regulators approve ...", but "as bus supplier"
            return (1, "plain") if told and after not in self.as_keeps else (0, "")
        if (
            low == "that"
            and at
            and at + 1 < len(tokens)
            and tokens[at + 1].kind == "company"
            and not any(token.low in _TELLING for token in tokens[max(0, at - 4) : at])
        ):
            return 1, "background"  # "a data centre operator that Acme bought"
        if low == "including":
            return (0, "") if tokens[at - 1].low in _LISTED else (1, "background")
        if (
            low in {"adds", "added"}
            and at + 1 < len(tokens)
            and tokens[at + 1].low not in {"that", "it", "the", "he", "she"}
        ):
            return 0, ""  # "adds to its portfolio with": nobody says anything
        length = _match(self.background, tokens, at)
        if length:
            if low == "than" and tokens[at - 1].low in _QUANTITY:
                return 0, ""
            news = low in {"after", "following", "amid", "days", "hours", "shortly", "just", "weeks"}
            return length, "after" if news else "background"
        if low in {"?", "!"}:
            return 1, "plain"
        return _match(self.plain, tokens, at), "plain"

    # -------------------------------------------------------------------------------------------- groups

    def _groups(self, parsed: Parsed) -> list[Group]:
        groups: list[Group] = []
        by_member: dict[int, Group] = {}
        covered: dict[int, Hit] = {}
        for hit in parsed.hits:  # a word that may be verb or noun ("licenses") governs as the verb that it may be
            for at in range(hit.start, hit.end):
                if at not in covered or covered[at].form in {"noun", "nouns"}:
                    covered[at] = hit
        for at in sorted(parsed.mentions):
            group = self._place(parsed, at, by_member, covered)
            by_member[at] = group
            if not group.members:
                continue
            if group not in groups:
                groups.append(group)
            if parsed.tokens[at + 1 : at + 2] and parsed.tokens[at + 1].kind == "poss":
                group.owner = True
        return [group for group in groups if group.members]

    def _place(self, parsed: Parsed, at: int, by_member: dict[int, Group], covered: dict[int, Hit]) -> Group:
        """The group of the company at token `at`: an earlier one that it joins, or a new one with its governor.

        Walks left from the name, over what only describes it, to the word that governs it.
        """
        tokens, clause = parsed.tokens, parsed.clause_of[at]
        other = self._is_other(parsed, at)
        new = Group([at], clause=clause, modifier=other, other=other)
        around = covered.get(at)
        if around is not None and around.start < at:  # "signs Borealis as": the phrase holds the name
            new.governor, new.hit = "hit", around
            return new
        for place in range(at - 1, max(parsed.clauses[clause].start, at - _REACH) - 1, -1):
            token = tokens[place]
            if token.kind == "company":
                if self._is_thing_of(parsed, place, at):
                    return Group([], clause=clause)
                self._describes(parsed, by_member[place], place, at)
                continue
            link = self._link(parsed, place, at, by_member)
            if link is not None:
                if new.modifier and len(link.members) == 1:
                    return new
                link.members.append(at)
                return link
            if token.low == "," and tokens[place - 1].low in _APPOSED and tokens[place - 1].kind == "word":
                continue  # "with a Chinese company, Borealis Automobile, ..."
            if token.low == "," and self._goes_on(parsed, place):
                continue  # "from Jo Bloggs, Acme and Borealis"
            if token.low == "," or (token.kind == "punct" and token.low not in _SKIP_PUNCT and token.low not in _LINKS):
                break
            if self._governs(parsed, place, at, covered, new):
                return new
        return new

    def _goes_on(self, parsed: Parsed, comma: int) -> bool:
        """Is the comma one of a list of names, of which the one before is nobody we know?"""
        at = comma - 1
        while at > 0 and parsed.tokens[at].kind == "word" and parsed.tokens[at].text[:1].isupper():
            at -= 1
        return at < comma - 1 and comma - at <= 4 and parsed.word(at) in _LISTING and not is_title_case(parsed.text)

    def _is_thing_of(self, parsed: Parsed, owner: int, at: int) -> bool:
        """ "Borealis's Agent Suite": a capitalised thing of a known company, not a company."""
        if parsed.mentions[at].kind != "found" or parsed.mentions[owner].kind == "found":
            return False
        between = {token.low for token in parsed.tokens[owner + 1 : at]}
        return parsed.word(owner + 1) in {"'s", "'"} and not between & (self.assets | self.others)

    def _governs(self, parsed: Parsed, place: int, at: int, covered: dict[int, Hit], new: Group) -> bool:
        """Does the word at `place` govern the name at `at`? If so, `new` learns it."""
        hit = covered.get(place)
        stray = hit is not None and parsed.word(place) == "in" and hit.start == place and place + 1 < at - 3
        if hit is not None and not stray and hit.end <= at and not is_ignored(hit) and not _describes(hit):
            noun = hit.form in {"noun", "nouns"}  # a noun before other words of the name's phrase is one of them
            if not noun or hit.end == at:
                last = parsed.tokens[hit.end - 1].low
                new.governor, new.hit = self.means.get(last, last) if last in self.prepositions else "hit", hit
                return True
        if place == at - 1 and parsed.word(place) in _BEATS:
            new.governor = "against"  # "beating Borealis"
            return True
        opens = place == parsed.clause(at).start and parsed.word(place) == "as"
        preposition = "" if opens else self._preposition(parsed.tokens, place)
        if preposition in {"called", "named", "dubbed"} and parsed.word(place - 1) in _RENAMED:
            new.modifier = new.other = True  # "its AI body, now called Borealis Institute, ...": another name of it
            return True
        if not preposition or preposition in {"called", "named", "dubbed"}:
            return False
        if preposition == "on" and parsed.word(place - 1) in {"take", "takes", "taking"}:
            new.governor = "against"  # "to take on Borealis"
            return True
        if preposition in {"to", "for"} and parsed.word(place - 1) in _AFFECTS:
            new.governor = "about"  # "in blow to Borealis"
            return True
        if preposition == "to" and self._is_infinitive(parsed, place, at):
            new.governor = "against"  # "to counter Borealis"
            return True
        opens = place <= parsed.clause(at).start + 1
        if opens and at - place > 2 and parsed.word(at + 1) in _FINITE:
            return False  # "Under the plan Acme would take control": it begins the clause
        new.governor = self.means.get(preposition, preposition)
        return bool(new.governor)

    def _is_infinitive(self, parsed: Parsed, place: int, at: int) -> bool:
        """ "to counter Acme", "to de-orbit the Acme": what is behind "to" is done, not met."""
        if at == place + 1:
            return False
        first, last = parsed.tokens[place + 1], parsed.tokens[at - 1]
        if first.low in _OPPOSES:
            return True
        return first.kind == "word" and first.text.islower() and last.low in {"the", "its", "their"} and place + 2 < at

    def _preposition(self, tokens: list[Token], at: int) -> str:
        low = tokens[at].low
        if _is_quantity(tokens, at):
            return ""
        pair = f"{tokens[at - 1].low} {low}" if at else ""
        if pair in self.prepositions:
            return pair
        return low if low in self.prepositions else ""

    def _link(self, parsed: Parsed, place: int, at: int, by_member: dict[int, Group]) -> Group | None:
        """The group on the left that the word at `place` ("and", a comma, a hyphen) joins with the company at `at`."""
        low = parsed.tokens[place].low
        if low not in _LINKS and low != ",":
            return None
        if low in {"-", "/"} and place + 1 != at:
            return None  # "Acme-backed Borealis" are not joined
        left = place - 1
        if left >= 0 and parsed.tokens[left].low == "," and low in {"and", "or", "&"}:
            left -= 1
        while left >= 0 and (
            parsed.tokens[left].kind == "poss"
            or parsed.tokens[left].low in {"'", "inc", "corp", "ltd", "co", "plc", "."}
        ):
            left -= 1
        if low == "and" and left not in by_member and parsed.word(place - 1) == ",":
            left = before_apposition(parsed, place - 1)
        if left not in by_member or not by_member[left].members or by_member[left].clause != parsed.clause_of[at]:
            return None
        if low == "," and at - place > 5:
            return None
        return by_member[left]

    def _describes(self, parsed: Parsed, group: Group, left: int, at: int) -> None:
        """The company at `left` only describes the next one ("Facebook parent Meta", "Amazon's Twitch")."""
        between = [token.low for token in parsed.tokens[left + 1 : at] if token.low not in _SKIP_PUNCT]
        if self._acts(parsed, left, between):
            return
        if any(word in _LINKS - {"-"} or word == "including" for word in between) or len(between) > 5:
            return
        if not group.members or left != group.end:
            return
        if len(group.members) == 1:
            group.modifier = True
        else:
            group.members.pop()

    def _acts(self, parsed: Parsed, left: int, between: list[str]) -> bool:
        """Does the first word between two companies look like a verb ("Acme puts Borealis up for sale")?"""
        if not between or parsed.tokens[left + 1].kind != "word":
            return False
        first = between[0]
        plural = first.endswith("s") and not first.endswith("ss")
        verbal = first in _FINITE | _BEATS or (plural and first[:-1] in self.lexicon.words)
        return verbal and not set(between) & (self.others | self.assets | self.technologies | FIRMS)

    def _is_other(self, parsed: Parsed, at: int) -> bool:
        """Somebody else who is only told by this company's name: "Tesla supplier", "ex-Google", "OpenAI-backed"."""
        after = parsed.word(at + 1)
        step = 2 if after in {"-", "'s"} else 1
        step += parsed.word(at + step) in self.demonyms  # "Acme Indian operator"
        follows = parsed.word(at + step)
        if (
            follows in {"owner", "parent", "maker"}
            and parsed.tokens[at + step + 1 : at + step + 2]
            and (parsed.tokens[at + step + 1].kind != "company")
        ):
            return False  # "7-Eleven owner open to bid": the group that is known by this name
        if follows == "led" and parsed.word(at + step + 1) in {
            "consortium",
            "group",
            "team",
            "investors",
            "bid",
            "investor",
            "round",
            "raise",
            "funding",
            "fundraise",
            "financing",
            "investment",
            "series",
        }:
            return False
        if follows in self.others and not (follows.startswith("partner") and parsed.word(at + step + 1) in _VERBAL):
            return True
        before = parsed.word(at - 1)
        if parsed.tokens[at].low in self.advisers and (before in _ENGAGES or follows in _ADVISES):
            return True
        if before == "-":
            before = parsed.word(at - 2)
            return before in self.formers or before in {"ex", "anti", "non", "pro"}
        return before in self.formers or (
            parsed.word(at - 2) in {"former", "ex"} and parsed.tokens[at - 1].kind == "word"
        )


def is_ignored(hit: Hit) -> bool:
    return isinstance(hit.rule, Cue) and hit.rule.effect == "ignore"


def _describes(hit: Hit) -> bool:
    """An adjective ("former", "existing"): it governs nothing."""
    return isinstance(hit.rule, Cue) and hit.rule.id == "history" and hit.end - hit.start == 1


def _is_quantity(tokens: Sequence[Token], at: int) -> bool:
    """Part of "more than 150", "up to 150", "at least 150": governs nothing."""
    low, before = tokens[at].low, tokens[at - 1].low if at else ""
    after = tokens[at + 1].low if at + 1 < len(tokens) else ""
    return (
        (low == "than" and before in _QUANTITY) or (low == "to" and before == "up")
        or (low == "at" and after in {"least", "most"})
        or (low in _ROUGHLY and [token.kind for token in tokens[at + 1 : at + 2]] == ["num"])
    )  # fmt: skip


def _phrases(words: Sequence[str]) -> dict[str, list[tuple[str, ...]]]:
    table: dict[str, list[tuple[str, ...]]] = {}
    for phrase in words:
        row = tuple(phrase.split())
        table.setdefault(row[0], []).append(row)
        if len(row) == 2:
            table.setdefault(phrase, [])
    return {first: sorted(rows, key=len, reverse=True) for first, rows in table.items()}


def _match(table: dict[str, list[tuple[str, ...]]], tokens: Sequence[Token], at: int) -> int:
    """How many tokens the longest phrase of the table takes at this place; 0 for none."""
    for row in table.get(tokens[at].low, ()):
        if all(at + i < len(tokens) and tokens[at + i].low == word for i, word in enumerate(row)):
            return len(row)
    return 0
