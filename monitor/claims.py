"""Sentences to claims: which deals an article asserts, between whom, of what type and how surely.

`Reader` is built once from the rules and the companies; `gate` passes over a batch of texts and lets through those that
could hold a deal of a watched company; `read` reads one article. Pure: no clock, no files, no network.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import ahocorasick_rs

from monitor import text as plain
from monitor.lexicon import Cue, Hit, Lexicon, Trigger
from monitor.mentions import Name, NameFinder, Names, is_title_case, reports
from monitor.models import FAMILY, Article, Claim, Company, DealType, Mention, Sourcing, Status, stable_key
from monitor.parties import Clause, Grammar, Group, Parsed, choose_subject
from monitor.sourcing import Source, read_source, settle_sources
from monitor.status import Reading as StatusReading
from monitor.status import read_status

LEAD = 3  # sentences of the body that may tell a deal of their own; later ones only support
MAX_SENTENCES = 120  # of one article that are read
SOURCED = 14  # sentences in which an article says whose story it tells


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A deal word beside a watched company that gave no claim, and why."""

    sentence: str
    why: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one article gave."""

    article_id: str
    claims: tuple[Claim, ...]
    near_misses: tuple[NearMiss, ...] = ()


@dataclass(slots=True)
class _Found:
    """A claim of one sentence, before the article's are merged."""

    parties: list[str]
    roles: dict[str, str]
    unsure: set[str]  # parties known by their form alone
    trigger: Trigger
    status: str
    rules: tuple[str, ...]
    sentence: str
    index: int
    headline: bool
    spans: list[str]
    deal_type: DealType
    value: str = ""
    terms: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    sourcing: Sourcing = "unattributed"
    origin: str = ""
    retold: bool = False  # somebody else's story
    background: bool = False
    support: list[_Found] = field(default_factory=list)


class Reader:
    """Reads articles for one watchlist. `known` are companies that nobody watches but that may be named as parties."""

    def __init__(self, lexicon: Lexicon, watchlist: Sequence[Company], known: Sequence[Company] = ()) -> None:
        self.lexicon = lexicon
        self._names = Names(watchlist, known, lexicon)
        self._watched = {company.name for company in watchlist}
        self._finder = NameFinder(lexicon)
        self._grammar = Grammar(lexicon)
        self._outlets = frozenset(lexicon.outlets)
        self._companies = frozenset(form.lower() for form in self._names.forms)
        watched_only = Names(watchlist, (), lexicon) if known else self._names
        self._gate_names = ahocorasick_rs.AhoCorasick(watched_only.forms or ["\x00"])
        self._gate_triggers = ahocorasick_rs.AhoCorasick(sorted(lexicon.heads() - {"COMPANY", "MONEY", "NUMBER"}))
        self._not_companies = frozenset(lexicon.context["not_companies"])
        self._silent = re.compile(
            r"(?<!\w)(?:" + "|".join(map(re.escape, lexicon.context["silent_headlines"])) + r")(?!\w)", re.IGNORECASE
        )

    def gate(self, texts: Sequence[str]) -> list[bool]:
        """For each text: does it hold a watched name and a deal word at all? Cheap; errs on the side of yes."""
        return [self._passes(text.lower()) for text in texts]

    def _passes(self, low: str) -> bool:
        return self._names_somebody(low) and bool(self._gate_triggers.find_matches_as_indexes(low))

    def _names_somebody(self, low: str) -> bool:
        """A watched name stands there as a word: "ge" in "large" is none. Case is left to the mentions."""
        padded = f" {low} "
        return any(
            not (padded[start].isalnum() and low[start].isalnum())
            and not (padded[end + 1].isalnum() and low[end - 1].isalnum())
            for _, start, end in self._gate_names.find_matches_as_indexes(low, overlapping=True)
        )

    def read(self, article: Article) -> Reading:
        """All deals of watched companies that the article asserts, one claim per deal, and the near misses."""
        title, tail_outlet = plain.normalise_headline(article.title, self._outlets)
        body = plain.strip_dateline(article.text.strip())
        if body.startswith(article.title.strip()) and article.title:
            body = body[len(article.title.strip()) :].strip()
        if not self._passes(f"{title}\n{body}".lower()):
            return Reading(article_id=article.article_id, claims=())
        page = _Page(self, title, body, article.outlet or tail_outlet)
        page.read()
        claims = tuple(self._claim(article, found, tail_outlet) for found in page.merged())
        return Reading(article_id=article.article_id, claims=claims, near_misses=tuple(page.misses))

    def _claim(self, article: Article, found: _Found, tail_outlet: str) -> Claim:
        family = FAMILY[found.deal_type]
        parties = tuple(found.parties)
        return Claim(
            claim_key=stable_key(article.article_id, family, *sorted(parties)),
            article_id=article.article_id,
            parties=parties,
            watched=tuple(name for name in parties if name in self._watched),
            roles=tuple(found.roles.get(name, "") for name in parties),
            deal_type=found.deal_type,
            status=_status(found.status),
            sourcing=found.sourcing,
            origin=found.origin,
            value=found.value,
            terms=found.terms,
            marks=found.marks,
            evidence=found.sentence,
            spans=tuple(found.spans),
            rules=found.rules,
            in_lead=found.index <= LEAD,
            title=article.title,
            url=article.url,
            outlet=article.outlet or tail_outlet,
            published=article.published,
            read_at=article.read_at,
            baseline=article.baseline,
        )


def _status(word: str) -> Status:
    assert word in {"rumour", "announced", "completed", "denied", "terminated"}
    return word  # type: ignore[return-value]


class _Page:
    """One article being read."""

    def __init__(self, reader: Reader, title: str, body: str, outlet: str) -> None:
        self.reader = reader
        self.outlet = outlet
        self.sentences = [plain.Sentence(title, 0, True)] if title else []
        first = len(self.sentences)
        for number, sentence in enumerate(plain.split_sentences(body)[:MAX_SENTENCES]):
            self.sentences.append(plain.Sentence(sentence, number + first))
        self.sources = [self._source(sentence.text) for sentence in self.sentences[:SOURCED]]
        self.credited = frozenset(_bare(source.origin) for source in self.sources if source.origin)
        self.misses: list[NearMiss] = []
        self.found: list[_Found] = []
        self.subject: str | None = None  # the company that "it" and "the company" stand for
        self._sure = self._names_in_running_text()
        self._support = self._supported()

    # -------------------------------------------------------------------------------------------- names

    def _supported(self) -> set[str]:
        """Companies named by a full name somewhere in the article: their short names count then."""
        found: set[str] = set()
        for sentence in self.sentences:
            for _, name in self.reader._names.find(sentence.text):
                if name.needs != "support" and (name.full or name.kind == "product"):
                    found.add(name.company)
        return found

    def _names_in_running_text(self) -> frozenset[str]:
        """Names that stand in sentences whose capitals mean something."""
        names = set()
        for sentence in self.sentences[:12]:
            if not is_title_case(sentence.text):
                for mention in self.reader._finder.find(sentence.text, (), headline=False):
                    names.add(mention.text)
        return frozenset(names)

    def _mentions(self, sentence: plain.Sentence) -> list[Mention]:
        shouting = sentence.text.isupper()
        known: list[tuple[Mention, Name]] = self.reader._names.find(sentence.text, any_case=shouting)
        named = [
            mention for mention, name in known
            if (name.needs != "support" or name.company in self._support)
            and not (mention.text.lower() in self.reader._outlets and reports(sentence.text, mention.start, mention.end))
        ]  # fmt: skip
        if shouting:
            return named
        unknown = self.reader._finder.find(sentence.text, named, headline=sentence.headline, sure=self._sure)
        unknown = [mention for mention in unknown if _bare(mention.text) not in self.credited]
        named = [self._longer(sentence, mention) for mention in named]
        return sorted(
            [*named, *(m for m in unknown if not any(n.start <= m.start < n.end for n in named))],
            key=lambda mention: mention.start,
        )

    def _longer(self, sentence: plain.Sentence, mention: Mention) -> Mention:
        """ "Delta Galil" is not Delta: a stranger's short name with another name behind it belongs to somebody else."""
        if mention.watched or mention.kind != "name" or " " in mention.text or is_title_case(sentence.text):
            return mention
        end = self.reader._finder.continues(sentence.text, mention.end)
        if end == mention.end:
            return mention
        return replace(
            mention,
            company=sentence.text[mention.start : end],
            end=end,
            text=sentence.text[mention.start : end],
            kind="found",
        )

    # -------------------------------------------------------------------------------------------- sentences

    def read(self) -> None:
        title = self.sentences[0].text if self.sentences and self.sentences[0].headline else ""
        if title and self.reader._silent.search(title):
            self.misses.append(NearMiss(sentence=title, why="a headline of a kind that tells no deal"))
            return
        for sentence in self.sentences:
            self._read_sentence(sentence)

    def _read_sentence(self, sentence: plain.Sentence) -> None:
        mentions = self._mentions(sentence)
        tokens = plain.tokenize(sentence.text, [(mention.start, mention.end) for mention in mentions])
        company_tokens = [at for at, token in enumerate(tokens) if token.kind == "company"]
        parsed = self.reader._grammar.parse(sentence.text, tokens, dict(zip(company_tokens, mentions, strict=True)))
        triggers = [hit for hit in parsed.hits if isinstance(hit.rule, Trigger)]
        results: list[_Found] = []
        for hit in triggers:
            found = self._fire(sentence, parsed, hit, bool(results))
            if found is not None:
                results.append(found)
        self.found += results
        self._remember_subject(parsed)

    def _remember_subject(self, parsed: Parsed) -> None:
        for group in parsed.groups:
            if group.governor == "" and not group.modifier:
                mention = parsed.mentions[group.start]
                if mention.kind != "found" or self.subject is None:
                    self.subject = mention.company
                return

    def _miss(self, sentence: plain.Sentence, why: str, *rules: str) -> None:
        self.misses.append(NearMiss(sentence=sentence.text, why=why, rules=rules))

    # -------------------------------------------------------------------------------------------- one trigger

    def _fire(self, sentence: plain.Sentence, parsed: Parsed, hit: Hit, told: bool) -> _Found | None:
        trigger = hit.rule
        assert isinstance(trigger, Trigger)
        clause = parsed.clauses[parsed.clause_of[hit.start]]
        if _unless(parsed, hit, trigger):
            return None
        if trigger.needs == "pair" and not sentence.headline:
            return None
        if trigger.weak and not (sentence.headline or sentence.index <= 1):
            return None
        aside = clause.kind == "after" and (told or not sentence.headline) and not _moved(parsed)
        if clause.kind == "background" or aside or (not sentence.headline and _PAST.search(sentence.text)):
            self._miss(sentence, f"told as background ({clause.word!r})", trigger.id)
            return None
        if _yields(parsed, hit) or _quoted(parsed, hit):
            return None
        if trigger.id in _BETWEEN_COMPANIES and any(
            token.low in self.reader._not_companies for token in parsed.tokens[clause.start : clause.end]
        ):
            self._miss(sentence, "an agreement with a union, a player or an authority", trigger.id)
            return None
        subject = _subject_of(parsed, hit)
        reading = read_status(parsed, hit, subject, sentence.headline)
        if not reading.status:
            self._miss(sentence, reading.why, trigger.id, *reading.rules)
            return None
        if trigger.modal and not _is_modal(parsed, hit, reading):
            self._miss(sentence, "told as a fact of life, not as something new", trigger.id)
            return None
        if trigger.modal and reading.status in {"denied", "terminated"} and "deny" not in reading.rules:
            self._miss(sentence, "told as a fact of life, not as something new", trigger.id)
            return None
        parties, roles, unsure, spans = self._parties(parsed, hit, reading)
        why = self._lacks(parsed, hit, trigger, parties, roles, reading)
        if why:
            self._miss(sentence, why, trigger.id, *reading.rules)
            return None
        if not any(party in self.reader._watched for party in parties):
            if any(mention.watched for mention in parsed.mentions.values()):
                self._miss(sentence, "the watched company is not a party of this deal", trigger.id)
            return None
        return self._make(sentence, parsed, hit, reading, parties, roles, unsure, spans)

    def _parties(
        self, parsed: Parsed, hit: Hit, reading: StatusReading
    ) -> tuple[list[str], dict[str, str], set[str], list[str]]:
        trigger = hit.rule
        assert isinstance(trigger, Trigger)
        filled = self.reader._grammar.fill(parsed, hit, passive=reading.passive)
        parties: list[str] = []
        roles: dict[str, str] = {}
        unsure: set[str] = set()
        spans: list[str] = []
        if _moved(parsed):
            filled = _with_mover(parsed, hit, filled)
        ended = reading.status in {"denied", "terminated"}
        if not any(place == "subject" or place == "owner" and not ended for place, _ in filled):
            inherited = self._inherited(parsed, hit)
            if inherited is not None:
                filled.insert(0, ("subject" if not reading.passive else "object", inherited))
        filled = _without_things(parsed, filled, trigger, hit_is_noun=hit.form in {"noun", "nouns"})
        for place, group in filled:
            role = trigger.places.get(place, "party")
            for at in group.members:
                mention = parsed.mentions[at]
                name = _party_name(mention, trigger)
                if name in parties:
                    continue
                parties.append(name)
                if role != "party":
                    roles[name] = role
                if mention.kind == "found":
                    unsure.add(name)
                spans.append(f"{mention.start}:{mention.end}:party:{name}")
        if len(parties) == 1 and parsed.word(hit.end) in {"it", "them"}:
            first = next((parsed.mentions[group.start].company for group in parsed.groups if not group.modifier), "")
            if first and first not in parties:
                parties.append(first)
        if not parties and hit.form in {"noun", "nouns"}:  # "Takeover rumour lifts Exel shares"
            for group in parsed.groups:
                if (
                    group.hit is not None
                    and isinstance(group.hit.rule, Cue)
                    and group.hit.rule.id == "market-after"
                    and not group.modifier
                ):
                    parties.append(parsed.mentions[group.start].company)
                    spans.append(
                        f"{parsed.mentions[group.start].start}:{parsed.mentions[group.start].end}:party:{parties[0]}"
                    )
        if not parties and self.subject and _pronoun_before(parsed, hit, self.reader._grammar.pronouns):
            parties.append(self.subject)
        elif (
            self.subject
            and len(parties) == 1
            and self.subject not in parties
            and _pronoun_before(parsed, hit, self.reader._grammar.pronouns)
        ):
            parties.insert(0, self.subject)
            role = trigger.places.get("subject", "party")
            if role != "party":
                roles[self.subject] = role
        start, end = parsed.tokens[hit.start].start, parsed.tokens[hit.end - 1].end
        spans.append(f"{start}:{end}:trigger:{trigger.id}")
        for cue in reading.cues:
            spans.append(f"{parsed.tokens[cue.start].start}:{parsed.tokens[cue.end - 1].end}:status:{cue.rule.id}")
        return parties, roles, unsure, spans

    def _inherited(self, parsed: Parsed, hit: Hit) -> Group | None:
        """The subject of the clause before, where this one has none of its own ("..., signs Bolt as a customer")."""
        number = parsed.clause_of[hit.start]
        clause = parsed.clauses[number]
        between = [token.low for token in parsed.tokens[clause.start : hit.start]]
        own = [
            group for group in parsed.groups
            if group.clause == number and group.end < hit.start and not group.modifier and group.governor == ""
        ]  # fmt: skip
        if number == 0 or own:
            return None
        fits = (
            clause.kind == "coordinate"
            or clause.word in _SAYING
            or hit.form == "ing"
            or any(word in self.reader._grammar.pronouns for word in between)
            or len(between) <= 2
        )
        if not fits and clause.kind != "after":
            return None
        for group in parsed.groups:
            if group.clause < number and group.governor in {"", "in", "of"} and not group.modifier:
                return group
        return None

    def _lacks(
        self,
        parsed: Parsed,
        hit: Hit,
        trigger: Trigger,
        parties: list[str],
        roles: dict[str, str],
        reading: StatusReading,
    ) -> str:
        """What the trigger needs and does not have; "" if all is there."""
        clause = parsed.clauses[parsed.clause_of[hit.start]]
        behind = [token.low for token in parsed.tokens[hit.end : clause.end]]
        filled = self.reader._grammar.fill(parsed, hit, passive=reading.passive)
        outside = [place for place, _ in filled if place not in {"subject", "owner"}]
        thing = _object_words(parsed, hit)
        if trigger.needs == "technology":
            return (
                "" if len(parties) > 1 and self._is_technology(parsed, filled) else "no company's technology is named"
            )
        if trigger.needs == "pair":
            pair = any(place == "subject" and len(group.members) > 1 for place, group in filled)
            return (
                ""
                if pair and len(parties) > 1 and parsed.clause_of[hit.start] == 0
                else "not said of two companies together"
            )
        if (
            trigger.reciprocal
            and hit.form not in {"noun", "nouns"}
            and len(parties) < 2
            and (parsed.word(hit.end - 1) != "with" and parsed.word(hit.end) not in {"with", "on"})
        ):
            return "the other party is not named in the deal word's reach"
        if (
            len(parties) == 1
            and parsed.mentions
            and all(mention.kind == "product" for mention in parsed.mentions.values())
            and trigger.needs != "money"
        ):
            return "only a product is named"
        if (
            trigger.id == "sell"
            and any(word in {"units", "shares"} or word[:1].isdigit() for word in thing[:4])
            and "to" not in outside
        ):
            return "wares, not a company"
        bare = hit.end + len(thing) - 1
        if (
            trigger.id == "sell"
            and bare in parsed.mentions
            and parties
            and not reading.passive
            and (parsed.mentions[bare].kind == "name" or parsed.mentions[bare].kind == "found" and "to" in outside)
        ):
            return ""
        if (
            trigger.id == "sell"
            and not set(thing) & self.reader._grammar.assets
            and not ({"to", "object"} <= set(outside))
            and not (_is_goods(parsed, hit) and "to" in outside)
        ):
            return "wares, not a company"
        if trigger.needs == "asset" and behind[:1] == ["from"]:
            return "nothing is named that could be bought"
        if (
            trigger.needs == "asset"
            and len(parties) < 2
            and not outside
            and not set(thing) & self.reader._grammar.assets
            and not reading.passive
        ):
            return "nothing is named that could be bought"
        why = _goods_bought(parsed, hit, trigger, filled, thing, parties, roles)
        if why:
            return why
        alone = reading.status == "denied" or self._with_state(parsed, clause, trigger)
        noun = hit.form in {"noun", "nouns"} and trigger.id == "partnership.noun"
        if (
            noun
            and len(parties) < 2
            and (hit.form == "nouns" or parsed.word(hit.start) in {"agreement", "accord"})
            and not alone
        ):
            return "the other party is not named in the deal word's reach"
        if trigger.id == "license.noun" and len(parties) < 2 and set(reading.rules) <= {"under", "launch", "market"}:
            return "the other party is not named in the deal word's reach"
        if trigger.id == "interest" and parties and parsed.word(hit.start).startswith(("takeover", "bid", "buyout")):
            return ""  # "Takeover talk lifts Acme": who the suitor is nobody says
        if trigger.needs == "company" and len(parties) < 2 and not (alone and parties):
            return "the other party is not named in the deal word's reach"
        if trigger.needs == "from" and not any(place in {"from", "by"} for place in outside):
            return "no seller is named"
        if not parties:
            return "no company stands in the deal word's reach"
        return ""

    def _is_technology(self, parsed: Parsed, filled: list[tuple[str, Group]]) -> bool:
        """Is the object a known company's technology ("Acme's models", "Gemini"), and not just a name?"""
        words = frozenset(self.reader.lexicon.context["technologies"])
        for place, group in filled:
            mention = parsed.mentions[group.end]
            if mention.kind == "found":
                return False
            if place == "subject":
                continue
            after = [token.low for token in parsed.tokens[group.end + 1 : group.end + 6]]
            if mention.kind == "product" or set(after) & words:
                return True
        return False

    def _with_state(self, parsed: Parsed, clause: Clause, trigger: Trigger) -> bool:
        """Is the other side a state ("Morocco in talks with Acme")? It is no company, but the deal is one."""
        if FAMILY[trigger.type] != "commercial":
            return False
        states = self.reader.lexicon.names["countries"] | _STATE_WORDS
        row = parsed.tokens[clause.start : clause.end]
        pairs = (f"{one.low} {two.low}" for one, two in zip(row, row[1:], strict=False))
        return any(token.text[:1].isupper() and token.low in states for token in row) or any(
            pair in states for pair in pairs
        )

    def _make(
        self, sentence: plain.Sentence, parsed: Parsed, hit: Hit, reading: StatusReading, parties: list[str],
        roles: dict[str, str], unsure: set[str], spans: list[str],
    ) -> _Found:  # fmt: skip
        trigger = hit.rule
        assert isinstance(trigger, Trigger)
        source = self._source(sentence.text)
        return _Found(
            parties=parties,
            roles=roles,
            unsure=unsure,
            trigger=trigger,
            status=reading.status,
            rules=(trigger.id, *reading.rules),
            sentence=sentence.text,
            index=sentence.index,
            headline=sentence.headline,
            spans=spans,
            deal_type="acquisition"
            if trigger.rank == 1 and "target" in roles.values()
            else _refine(trigger, parsed, hit),
            value=_value(parsed, hit),
            terms=tuple(dict.fromkeys(match[0] for match in _TERMS.finditer(sentence.text))),
            marks=tuple(mark for mark, pattern in _MARKS if pattern.search(sentence.text)),
            sourcing=source.sourcing,
            origin=source.origin,
            retold=source.retold,
        )

    def _source(self, sentence: str) -> Source:
        reader = self.reader
        return read_source(sentence, reader.lexicon.outlets, own=self.outlet, companies=reader._companies)

    # -------------------------------------------------------------------------------------------- merging

    def merged(self) -> list[_Found]:
        """One claim per deal: sentences that tell the same deal support each other; the headline weighs most."""
        deals: list[_Found] = []
        for found in sorted(self.found, key=lambda item: (item.index, -item.trigger.rank)):
            for part in _apart(found):
                self._join(deals, part)
        deals = [deal for deal in deals if self._stands(deal, deals)]
        for deal in deals:
            own = Source(sourcing=deal.sourcing, origin=deal.origin, retold=deal.retold)
            _settle(deal)
            if deal.status == "rumour":  # a party's words elsewhere in the article are no word on the talks
                source = settle_sources(own, self.sources, rumour=True)
                deal.sourcing, deal.origin = source.sourcing, source.origin
        return deals

    def _join(self, deals: list[_Found], part: _Found) -> None:
        for deal in deals:
            for name in part.unsure & set(part.parties):  # "Excel Entertainment" is the Excel of the headline
                same = next((known for known in deal.parties if name.lower().startswith(known.lower() + " ")), "")
                if same:
                    part.parties = [same if party == name else party for party in part.parties]
        for deal in deals:
            if _same_deal(deal, part):
                deal.support.append(part)
                return
        deals.append(part)

    def _stands(self, deal: _Found, deals: list[_Found]) -> bool:
        first = self.sentences[0].index if self.sentences else 0
        if deal.index <= first + LEAD - 1 or deal.headline:
            return True
        lead = [other for other in deals if other.index <= first + LEAD - 1]
        if not lead and deal.index <= first + 6:
            return True
        self.misses.append(NearMiss(sentence=deal.sentence, why="told in passing, below the lead", rules=deal.rules))
        return False


# ------------------------------------------------------------------------------------------------ helpers

_BETWEEN_COMPANIES = frozenset({"deal.noun", "contract.noun", "partnership.noun", "talks-with", "sign"})
_STATE_WORDS = frozenset("government ministry navy army pentagon u.s us uk nhs eu".split())
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


def _unless(parsed: Parsed, hit: Hit, trigger: Trigger) -> bool:
    behind = [token.low for token in parsed.tokens[hit.end : hit.end + 7] if token.kind != "money"]
    if parsed.mentions.get(hit.end) is not None:
        behind = behind[:1] and [token.low for token in parsed.tokens[hit.end + 1 : hit.end + 4]]
    for words in trigger.unless:
        length = len(words)
        for at in range(0, min(3, len(behind) - length + 1)):
            if tuple(behind[at : at + length]) == words:
                return True
    return False


def _yields(parsed: Parsed, hit: Hit) -> bool:
    """A verb leaves the word to the noun that it carries: "buys a stake", "acquires the rights"."""
    if hit.form in {"noun", "nouns"}:
        return _noun_yields(parsed, hit)
    if hit.form == "phrase" or parsed.word(hit.end - 1) in {"with", "of", "in", "for"}:
        return False
    for other in parsed.hits:
        if other.start < hit.end or not isinstance(other.rule, Trigger) or other.form not in {"noun", "nouns"}:
            continue
        between = [token.low for token in parsed.tokens[hit.end : other.start]]
        if len(between) <= 7 and not {
            "with",
            "from",
            "for",
            "to",
            "in",
            "on",
            "by",
            "after",
            ",",
            "as",
            "via",
            "through",
            "under",
        } & set(between):
            return True
    return False


def _without_things(
    parsed: Parsed, filled: list[tuple[str, Group]], trigger: Trigger, *, hit_is_noun: bool
) -> list[tuple[str, Group]]:
    """Without capitalised words that only describe the deal: "their Laboratory joint venture", "10-year Fortnite pact"."""
    places = {place for place, _ in filled}
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
            if place != "for" or FAMILY[trigger.type] == "equity" or any(parsed.mentions[at].kind != "found" for at in group.members)
        ]  # fmt: skip
    if trigger.id in {"deal.noun", "partnership.noun"} and any(place == "with" for place, _ in filled):
        filled = [(place, group) for place, group in filled if place not in {"of", "from", "by", "to"}]
    if any(place == "with" for place, _ in filled):
        filled = [(place, group) for place, group in filled if place != "for"]
    sites = parsed_sites(parsed)
    if sites:
        filled = [(place, group) for place, group in filled if not (set(group.members) <= sites)]
    sure = {at for _, group in filled for at in group.members if parsed.mentions[at].kind != "found"}
    if (
        FAMILY[trigger.type] == "commercial"
        and trigger.id not in {"deal.noun", "partnership.noun"}
        and not (trigger.id == "contract.noun" and not is_title_case(parsed.text))
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


_SITES = frozenset(
    "plant factory facility site refinery mine campus field project terminal port airport mill office headquarters building "
    "tower centre center complex hub smelter gigafactory store hotel stadium arena".split()
)


def parsed_sites(parsed: Parsed) -> set[int]:
    """Names that are those of places: "the Baytown plant"."""
    return {
        at for at, mention in parsed.mentions.items()
        if mention.kind == "found" and parsed.word(at + 1) in _SITES
    }  # fmt: skip


def _noun_yields(parsed: Parsed, hit: Hit) -> bool:
    """A vague noun leaves the word to what follows: "agreement to acquire", "purchase of an 18% stake"."""
    rule = hit.rule
    assert isinstance(rule, Trigger)
    for other in parsed.hits:
        if not isinstance(other.rule, Trigger) or other.start <= hit.end:
            continue
        if other.form == "base" and other.start == hit.end + 1 and parsed.word(hit.end) == "to":
            return rule.id in {"deal.noun", "partnership.noun", "bid", "contract.noun"} and not other.rule.weak
        if (
            rule.id in {"acquire.noun", "sale.noun"}
            and other.rule.id == "stake"
            and parsed.word(hit.end) in {"of", "in"}
        ):
            return not any(token.kind == "company" for token in parsed.tokens[hit.end : other.start])
    return False


_SHORT_QUOTE = re.compile(r"[“\"]\w+(?:\s\w+){0,2}[”\"]")
_TITLE_IN_QUOTES = re.compile(r"[‘'“\"][A-Z][^‘’'“”\"]{1,40}[’'”\"]")


def _quoted(parsed: Parsed, hit: Hit) -> bool:
    """A deal word in the quoted name of a thing: the 'Buy with Prime' button."""
    if (
        parsed.text.isupper()
        or is_title_case(parsed.text)
        and hit.end - hit.start == 1
        and hit.form in {"noun", "nouns"}
    ):
        return False
    start = parsed.tokens[hit.start].start
    if hit.form in {"noun", "nouns"} and any(m.start() < start < m.end() for m in _SHORT_QUOTE.finditer(parsed.text)):
        return True
    return parsed.tokens[hit.start].text[:1].isupper() and any(
        m.start() < start < m.end() for m in _TITLE_IN_QUOTES.finditer(parsed.text)
    )


def _with_mover(parsed: Parsed, hit: Hit, filled: list[tuple[str, Group]]) -> list[tuple[str, Group]]:
    """The company whose share price moved is a party, unless the deal has its parties without it."""
    if len({at for _, group in filled for at in group.members}) != 1 or any(place == "subject" for place, _ in filled):
        return filled
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


def _subject_of(parsed: Parsed, hit: Hit) -> Group | None:
    clause = parsed.clause_of[hit.start]
    before = [
        group for group in parsed.groups
        if group.clause == clause and group.end < hit.start and group.governor == "" and not group.modifier
    ]  # fmt: skip
    return choose_subject(parsed, before) if before else None


def _is_modal(parsed: Parsed, hit: Hit, reading: StatusReading) -> bool:
    before = parsed.word(hit.start - 1)
    if hit.form == "ing" and before in {"is", "are", "be"}:
        return True
    return before in {"to", "will", "'ll"} or bool(reading.cues) or hit.form == "phrase"


def _pronoun_before(parsed: Parsed, hit: Hit, pronouns: frozenset[str]) -> bool:
    clause = parsed.clauses[parsed.clause_of[hit.start]]
    return any(token.low in pronouns for token in parsed.tokens[clause.start : hit.start])


def _has(low: str, words: str) -> bool:
    at = low.find(words)
    return at >= 0 and not low[at - 1 : at].isalnum() and not low[at + len(words) : at + len(words) + 1].isalnum()


_SUPPLY = re.compile(r"\b(?:chips?|components?|parts|panels|batteries|modems?|wafers|supply|supplier|purchase|power|gas|lng|cloud|"
                     r"servers|aircraft|jets|compute|gpus?|electricity|uranium|engines|capacity)\b", re.IGNORECASE)  # fmt: skip
_LICENSING = re.compile(
    r"\b(?:licens\w+|rights|catalogu?e|songs|content|films|shows|music|streaming|royalt\w+|patents?)\b", re.IGNORECASE
)
_BUYING = re.compile(
    r"\b(?:acquir\w+|to buy|buys|buying|buyout|takeover|take over|merger|to merge|purchase of|sell itself|to sell)\b"
)
_STAKE = re.compile(
    r"\b(?:\d+(?:\.\d+)?% of|stake|invest(?:s|ed|ing)?|investment (?!firm|bank|group|fund|manager)|funding|equity|shares in)\b",
    re.IGNORECASE,
)
_VENTURE = re.compile(r"\bjoint venture\b", re.IGNORECASE)
_MAJORITY = re.compile(
    r"\b(?:majority|controlling|100%|(?:5[1-9]|[6-9]\d)(?:\.\d+)?\s?(?:%|per ?cent|pct))\b", re.IGNORECASE
)


def _refine(trigger: Trigger, parsed: Parsed, hit: Hit) -> DealType:
    """The type of a vague word ("deal", "agreement") from what stands around it."""
    head = parsed.tokens[hit.end - 1].low
    takes_over = head.startswith(("takeover", "take-over", "buyout", "buy-out"))  # "a software takeover" buys no software
    if trigger.id in {"acquire", "sell", "acquire.noun", "sale.noun"} and not takes_over and _is_goods(parsed, hit):
        return "supply_contract"
    if trigger.id in {"stake", "investment.noun"} and _MAJORITY.search(parsed.text):
        return "acquisition"
    if trigger.id not in {"deal.noun", "partnership.noun", "use-of"}:
        return trigger.type
    word = " ".join(token.low for token in parsed.tokens[hit.start : hit.end])
    if trigger.id == "partnership.noun" and word not in {
        "agreement",
        "agreements",
        "pact",
        "pacts",
        "accord",
        "letter of intent",
        "memorandum of understanding",
        "framework agreement",
    }:
        return trigger.type
    clause = parsed.clauses[parsed.clause_of[hit.start]]
    around = parsed.text[parsed.tokens[clause.start].start : parsed.tokens[clause.end - 1].end]
    if _VENTURE.search(around):
        return "joint_venture"
    if _BUYING.search(around) or parsed.word(hit.end) == "for" and hit.end + 1 in parsed.mentions:
        return "acquisition"
    if _STAKE.search(around):
        return "investment"
    if _LICENSING.search(around):
        return "licensing"
    if _SUPPLY.search(around) and trigger.id != "use-of":
        return "supply_contract"
    return trigger.type


_GOODS = re.compile(
    r"\b(?:chips?|jets?|aircraft|planes?|helicopters?|drones?|launches|capacity|tonnes|tons|barrels|credits|electricity|power|gas|lng|"
    r"oil|cells|batteries|modules|trains|ships|vessels|tankers|panels|licences|cobalt|lithium|nickel|copper|steel|servers|gpus|"
    r"tpus|processors|memory|components|parts|vehicles|trucks|buses|cars|missiles|engines|turbines|reactors?|uranium|hydrogen|"
    r"energy|mw|gw|wafers|sensors|radars|satellites|rockets|doses|vaccines|wine|grain|wheat|cells|equipment|software|services)\b",
    re.IGNORECASE,
)


_PAST = re.compile(
    r"\b(?:last (?:year|month|spring|summer|fall|autumn|winter|january|february|march|april|may|june|july|august|september|"
    r"october|november|december)|(?:years?|months?|decades?) (?:ago|later|earlier)|earlier this year|back in|in (?:19\d\d|20[01]\d)|"
    r"previously|since (?:19|20)\d\d|a year earlier)\b",
    re.IGNORECASE,
)


def _moved(parsed: Parsed) -> bool:
    """Does the sentence tell of a share price?"""
    return any(
        isinstance(hit.rule, Cue) and hit.rule.effect == "market" and hit.rule.where == "before" for hit in parsed.hits
    )


def _goods_bought(
    parsed: Parsed, hit: Hit, trigger: Trigger, filled: list[tuple[str, Group]], thing: list[str], parties: list[str],
    roles: dict[str, str],
) -> str:  # fmt: skip
    """Is it a shopper, a discount or the sales figures, and no deal? "" if not."""
    places = {place for place, _ in filled}
    if (
        trigger.id == "acquire"
        and "acquirer" not in roles.values()
        and len(parties) < 2
        and hit.form not in {"pp", "past/pp"}
    ):
        return "nobody is named who buys"
    if (
        trigger.id == "acquire"
        and len(parties) < 2
        and any(parsed.mentions[group.end].kind == "product" for place, group in filled if place == "object")
    ):
        return "a product is bought, not a company"
    if trigger.id == "acquire.noun" and parsed.word(hit.end - 1) in {"purchase", "purchases"} and len(parties) < 2:
        if parsed.word(hit.end) != "of":
            return "a purchase of something, not of a company"
    if trigger.id == "stake" and len(parties) == 1 and "investor" not in roles.values() and not places & {"owner"}:
        return "who buys or sells the stake is not named"
    if trigger.id == "license.noun" and hit.end - hit.start == 1 and len(parties) < 2:
        return "a licence of another kind"
    if (
        trigger.id == "partner"
        and parsed.word(hit.end - 2) == "work"
        and any(parsed.mentions[group.end].kind == "product" for place, group in filled if place == "object")
    ):
        return "a product that works with another"
    if trigger.id == "supply" and not any(
        parsed.mentions[at].kind == "name" or parsed.mentions[at].kind == "found" and is_title_case(parsed.text)
        for place, group in filled
        if place != "subject"
        for at in group.members
    ):
        return "no company is supplied"
    if trigger.id == "taken-private" and parsed.word(hit.end - 1) == "sale":
        clause = parsed.clauses[parsed.clause_of[hit.start]]
        row = {token.low for token in parsed.tokens[clause.start : hit.start]}
        if not row & {
            "unit",
            "business",
            "itself",
            "arm",
            "division",
            "stake",
            "company",
            "brand",
            "bank",
            "firm",
            "group",
        }:
            return "a product is for sale"
    if trigger.id == "sale.noun":
        word = parsed.word(hit.end - 1)
        of = parsed.word(hit.end) in {"of", "to"}
        if (
            word == "sales"
            or word == "sale"
            and not of
            and not places & {"of", "to", "owner"}
            and hit.end - hit.start == 1
            and not (
                parsed.word(hit.start - 1)
                in {"stake", "unit", "asset", "business", "possible", "potential", "explores", "explore", "weighs"}
            )
        ):
            return "a shop's sale or sales figures"
    if (
        trigger.id in {"contract.noun", "buy-goods"}
        and parsed.word(hit.end - 1) in {"order", "orders"}
        and len(parties) < 2
    ):
        clause = parsed.clauses[parsed.clause_of[hit.start]]
        if not any(
            token.kind == "money" or token.text in {"Chinese", "Saudi", "Indian"}
            for token in parsed.tokens[clause.start : clause.end]
        ):
            return "no customer and no sum is named"
    return ""


def _object_words(parsed: Parsed, hit: Hit) -> list[str]:
    """The words of a verb's object, up to the next preposition but "of"."""
    words = []
    for token in parsed.tokens[hit.end : parsed.clauses[parsed.clause_of[hit.start]].end][:16]:
        if (
            token.low in {"to", "from", "for", "in", "on", "through", "with", "at", "by", "as", "via", "under", "amid"}
            and words
        ):
            break
        words.append(token.low)
    return words


def _is_goods(parsed: Parsed, hit: Hit) -> bool:
    """Is it wares that change hands, not a company: "buys memory chips from", "sells cobalt to"?"""
    clause = parsed.clauses[parsed.clause_of[hit.start]]
    stop = hit.end
    if hit.form in {"noun", "nouns"}:
        words = [token.low for token in parsed.tokens[max(clause.start, hit.start - 3) : hit.start]]
        return bool(words) and _GOODS.fullmatch(words[-1]) is not None
    while stop < clause.end and parsed.word(stop) not in {"from", "to", "by", "for", "in", "through"}:
        stop += 1
    row = parsed.tokens[hit.end : stop]
    thing = " ".join(token.low for token in row if token.kind != "company")
    assets = {
        "unit",
        "business",
        "division",
        "stake",
        "maker",
        "firm",
        "company",
        "startup",
        "arm",
        "producer",
        "supplier",
        "group",
        "plant",
        "assets",
        "operator",
        "provider",
        "developer",
        "field",
        "fields",
        "brand",
        "subsidiary",
        "chipmaker",
        "start",
        "operations",
        "rival",
        "specialist",
        "distributor",
        "manufacturer",
        "designer",
    }
    return bool(_GOODS.search(thing)) and not assets & set(thing.split())


_TERMS = re.compile(
    r"\b\d[\d.]*(?:%|\s?per ?cent|\s?pct)\s(?:equity\s)?(?:stake|share|interest|holding)|\b(?:\w+|\d+)-year\b",
    re.IGNORECASE,
)
_MARKS = (
    (
        "second",
        re.compile(
            r"\b(?:second|third|another|separate)\s(?:\w+\s)?(?:deal|agreement|partnership|contract|order|deal|stake|acquisition|round|pact)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "new round",
        re.compile(
            r"\b(?:new|fresh|latest|follow-on|further)\s(?:funding\s|investment\s|financing\s)?(?:round|funding|investment|stake|order|contract)\b|\bseries [b-h]\b",
            re.IGNORECASE,
        ),
    ),
    ("expands", re.compile(r"\b(?:expand|extend|renew|broaden|deepen)(?:s|ed|ing)?\b", re.IGNORECASE)),
)


def _value(parsed: Parsed, hit: Hit) -> str:
    """The sum of money nearest to the trigger."""
    sums = [(abs(at - hit.start), token.text) for at, token in enumerate(parsed.tokens) if token.kind == "money"]
    return min(sums)[1] if sums else ""


def _bare(name: str) -> str:
    return name.casefold().removeprefix("the ")


def _apart(found: _Found) -> list[_Found]:
    """ "partnerships with A and B", "bids for A and B" are two deals: one for each company behind the plural."""
    several = _SEVERAL.get(found.trigger.type)
    if len(found.parties) < 3 or found.status != "rumour" or several is None or not several.search(found.sentence):
        return [found]
    first = next((name for name in found.parties if found.roles.get(name) == "acquirer"), found.parties[0])
    return [replace(found, parties=[first, other], support=[]) for other in found.parties if other != first]


_SEVERAL = {
    kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for kind, words in (
        ("partnership", "partnerships|deals|alliances|tie-ups|agreements|collaborations|models"),
        ("acquisition", "bids|offers|takeovers|acquisitions"),
        ("supply_contract", "contracts|supply deals"),
    )
}


def _same_deal(deal: _Found, other: _Found) -> bool:
    ours, theirs = set(deal.parties), set(other.parties)
    if not ours & theirs:
        return False
    if ours <= theirs or theirs <= ours:
        vague = min(deal.trigger.rank, other.trigger.rank) == 1 or len(ours) == 1 or len(theirs) == 1
        return vague or FAMILY[deal.deal_type] == FAMILY[other.deal_type] or ours == theirs
    return len(ours & theirs) >= 2


def _settle(deal: _Found) -> None:
    """Settle parties, type, status, value and source of a deal from all sentences that tell it."""
    for other in deal.support:
        for name in other.parties:
            if (
                name not in deal.parties
                and (name not in other.unsure or len(deal.parties) < 2)
                and other.index <= deal.index + LEAD
            ):
                if set(deal.parties) <= set(other.parties):
                    deal.parties.append(name)
                    if name in other.roles:
                        deal.roles[name] = other.roles[name]
        if other.trigger.rank > deal.trigger.rank and other.index <= deal.index + LEAD:
            deal.deal_type, deal.trigger = other.deal_type, other.trigger
        if (
            other.index <= deal.index + LEAD
            and deal.status == "announced"
            and other.status == "rumour"
            and deal.headline
            and (other.retold or other.sourcing in {"named_report", "unnamed_sources"})
        ):
            deal.status = "rumour"
        if not deal.value and set(other.parties) >= set(deal.parties):
            deal.value = other.value
        if not deal.origin and other.origin:
            deal.origin, deal.sourcing = other.origin, other.sourcing
        if deal.sourcing == "unattributed":
            deal.sourcing = other.sourcing
        deal.rules = tuple(dict.fromkeys((*deal.rules, *other.rules)))
