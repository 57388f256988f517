"""One article being read: its sentences, the names in them, the deal words that fire, the deals that come of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from re import Pattern

from monitor import text as plain
from monitor.claims import merging, rounds, words
from monitor.claims.checks import PARTY_MISSING, Checks
from monitor.claims.found import Found, NearMiss
from monitor.claims.frame import Frame, moved, read_frame, subject_of
from monitor.claims.kinds import deal_type, founds, marks, terms, value
from monitor.claims.roles import settle_roles
from monitor.claims.second import after_deal, is_silent, missing_party, unknown_verb
from monitor.lexicon import Hit, Lexicon, Trigger
from monitor.mentions import NameFinder, Names
from monitor.models import Mention
from monitor.parties import Grammar
from monitor.shape import Clause, Parsed
from monitor.sourcing import Source, read_source, reports, settle_sources
from monitor.status import NOTHING_SAID, read_status
from monitor.text import is_title_case

MAX_SENTENCES = 120  # of one article that are read
_PUBLIC = frozenset(
    "Administration Ministry Agency Department Authority Commission Council Navy Army Government".split()
)
SOURCED = 14  # sentences in which an article says whose story it tells


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a reader knows, built once and shared by all its pages."""

    lexicon: Lexicon
    names: Names
    finder: NameFinder
    grammar: Grammar
    checks: Checks
    watched: frozenset[str]
    companies: frozenset[str]  # all names, lower case
    outlets: frozenset[str]
    public: frozenset[str]  # public bodies: parties only to those who watch them
    not_companies: frozenset[str]  # words beside which a "deal" is one with a union, a player or an authority
    silent: Pattern[str]  # headlines of a kind that tells no deal
    listing: Pattern[str]  # headlines of round-ups


class Page:
    """One article being read."""

    def __init__(self, knowledge: Knowledge, title: str, body: str, outlet: str) -> None:
        self._k = knowledge
        self._outlet = outlet
        self.sentences = [plain.Sentence(title, 0, True)] if title else []
        first = len(self.sentences)
        for number, sentence in enumerate(plain.split_sentences(body)[:MAX_SENTENCES]):
            self.sentences.append(plain.Sentence(sentence, number + first))
        self.sources = [self._source(sentence.text) for sentence in self.sentences[:SOURCED]]
        self.credited = frozenset(_bare(source.origin) for source in self.sources if source.origin)
        self.misses: list[NearMiss] = []
        self.found: list[Found] = []
        self.subject: str | None = None  # the company that "it" and "the company" stand for
        self.labour = False  # the headline's contract is one with a union, a player or an authority
        self.pair: tuple[str, ...] = ()  # the companies of the headline that "they" and "the two" stand for
        self._sure = self._names_in_running_text()
        self._support = self._supported()

    # -------------------------------------------------------------------------------------------- names

    def _supported(self) -> set[str]:
        """Companies named by a full name somewhere in the article: their short names count then."""
        found: set[str] = set()
        for sentence in self.sentences:
            for _, name in self._k.names.find(sentence.text):
                if name.needs != "support" and (name.full or name.kind == "product"):
                    found.add(name.company)
        return found

    def _names_in_running_text(self) -> frozenset[str]:
        """Names that stand in sentences whose capitals mean something."""
        names = set()
        for sentence in self.sentences[:12]:
            if not is_title_case(sentence.text):
                for mention in self._k.finder.find(sentence.text, (), headline=False):
                    names.add(mention.text)
        return frozenset(names)

    def _mentions(self, sentence: plain.Sentence) -> list[Mention]:
        shouting = sentence.text.isupper()
        known = self._k.names.find(sentence.text, any_case=shouting)
        named = [
            mention for mention, name in known
            if (name.needs != "support" or name.company in self._support)
            and not (mention.text.lower() in self._k.outlets and reports(sentence.text, mention.start, mention.end))
            and not (mention.kind == "ticker" and sentence.text[mention.start - 1 : mention.start] == "(")
        ]  # fmt: skip
        if shouting:
            return named
        unknown = self._k.finder.find(sentence.text, named, headline=sentence.headline, sure=self._sure)
        unknown = [mention for mention in unknown if _bare(mention.text) not in self.credited]
        named = [self._longer(sentence, mention) for mention in named]
        return sorted(
            [*named, *(m for m in unknown if not any(n.start <= m.start < n.end for n in named))],
            key=lambda mention: mention.start,
        )

    def _longer(self, sentence: plain.Sentence, mention: Mention) -> Mention:
        """A stranger's name within a longer one is somebody else's: "Delta Galil", "Quantum Capital Group"."""
        if mention.watched or mention.kind != "name" or is_title_case(sentence.text):
            return mention
        start = self._k.finder.begins(sentence.text, mention.start, mention.end)
        if start != mention.start:
            name = sentence.text[start : mention.end]
            return replace(mention, company=name, start=start, text=name, kind="found")
        if " " in mention.text:
            return mention
        end = self._k.finder.continues(sentence.text, mention.end)
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
        """Read every sentence; what is found stands in `found`, what nearly was in `misses`."""
        title = self.sentences[0].text if self.sentences and self.sentences[0].headline else ""
        if title and self._k.silent.search(title):
            self.misses.append(NearMiss(sentence=title, why="a headline of a kind that tells no deal"))
            return
        for sentence in self.sentences:
            self._read_sentence(sentence)

    def _read_sentence(self, sentence: plain.Sentence) -> None:
        mentions = self._mentions(sentence)
        tokens = plain.tokenize(sentence.text, [(mention.start, mention.end) for mention in mentions])
        company_tokens = [at for at, token in enumerate(tokens) if token.kind == "company"]
        parsed = self._k.grammar.parse(sentence.text, tokens, dict(zip(company_tokens, mentions, strict=True)))
        triggers = [hit for hit in parsed.hits if isinstance(hit.rule, Trigger)]
        results: list[Found] = []
        for hit in triggers:
            found = self._fire(sentence, parsed, hit, bool(results))
            if found is not None:
                results.append(found)
        self.found += results
        self._remember_subject(parsed, headline=sentence.headline)

    def _remember_subject(self, parsed: Parsed, *, headline: bool) -> None:
        for group in parsed.groups:
            if group.governor == "" and not group.modifier:
                if headline and len(group.members) > 1:
                    self.pair = tuple(parsed.mentions[at].company for at in group.members)
                mention = parsed.mentions[group.start]
                if mention.kind != "found" or self.subject is None:
                    self.subject = mention.company
                return

    def _miss(self, sentence: plain.Sentence, why: str, *rules: str) -> None:
        """Note why there is no claim; near a watched company only, for nobody asks about the others."""
        self.misses.append(NearMiss(sentence=sentence.text, why=why, rules=rules))

    # -------------------------------------------------------------------------------------------- one trigger

    def _fire(self, sentence: plain.Sentence, parsed: Parsed, hit: Hit, told: bool) -> Found | None:
        """The claim that a deal word makes in its sentence; None, and mostly a near miss, if it makes none."""
        trigger = hit.rule
        assert isinstance(trigger, Trigger)
        clause = parsed.clause(hit.start)
        if words.unless(parsed, hit, trigger) or not _in_place(trigger, sentence):
            return None
        aside = clause.kind == "after" and (told or not sentence.headline) and not moved(parsed)
        if clause.kind == "background" or aside or (not sentence.headline and words.PAST.search(sentence.text)):
            self._miss(sentence, f"told as background ({clause.word!r})", trigger.id)
            return None
        if words.yields(parsed, hit) or words.quoted(parsed, hit):
            return None
        with_others = "between_companies" in trigger.checks and self._with_others(parsed, clause, hit)
        self.labour = self.labour or (with_others and sentence.headline)
        if with_others or (self.labour and trigger.id == "bid"):
            self._miss(sentence, "an agreement with a union, a player or an authority", trigger.id)
            return None
        subject = subject_of(parsed, hit)
        reading = read_status(parsed, hit, subject, _in_lead(sentence))
        if not reading.status and sentence.headline and reading.why == NOTHING_SAID and not is_silent(parsed):
            reading = unknown_verb(self._k.grammar, parsed, hit, subject) or after_deal(parsed, hit) or reading
        if not reading.status:
            self._miss(sentence, reading.why, trigger.id, *reading.rules)
            return None
        if not sentence.headline and words.before_that(parsed, hit, reading):
            self._miss(sentence, "told as background ('had')", trigger.id)
            return None
        lapsed = reading.status in {"denied", "terminated"} and "deny" not in reading.rules
        lapsed = lapsed and parsed.word(hit.start - 1) != "to"  # "scrap plan to develop", "no plan to build"
        if trigger.modal and (lapsed or not (words.is_modal(parsed, hit, reading) or founds(parsed, hit))):
            self._miss(sentence, "told as a fact of life, not as something new", trigger.id)
            return None
        frame = read_frame(self._k.grammar, parsed, hit, reading, self.subject, self.pair, headline=sentence.headline)
        why = self._k.checks.lacks(frame)
        if (not why or why in PARTY_MISSING) and sentence.headline and not is_silent(parsed) and not trigger.weak:
            why = "" if missing_party(frame, why) else why
        if {"unknown-verb", "by-means"} & set(reading.rules) and len(frame.parties) < 2:
            why = why or reading.why or NOTHING_SAID
        why = why or self._nobody(frame)
        if why:
            self._miss(sentence, why, trigger.id, *reading.rules)
            return None
        return self._make(sentence, frame)

    def _with_others(self, parsed: Parsed, clause: Clause, hit: Hit) -> bool:
        start, end = max(clause.start, hit.start - 6), min(clause.end, hit.end + 6)
        return any(
            word in self._k.not_companies
            for at, token in enumerate(parsed.tokens[start:end], start)
            for word in token.low.split()
            if not (word == "strike" and any(hit.start == at for hit in parsed.hits))  # "strike pact"
        )

    def _nobody(self, frame: Frame) -> str:
        watched = any(party in self._k.watched for party in frame.parties)
        return "" if watched else "the watched company is not a party of this deal"

    def _make(self, sentence: plain.Sentence, frame: Frame) -> Found:
        source = self._source(sentence.text)
        told = sentence.headline and source.sourcing in {"named_report", "unnamed_sources"}
        status = frame.reading.status
        if told and status in {"announced", "completed"}:
            status = "rumour"  # "..., Les Echos says": nobody who would know has said so
        self._drop_public_bodies(frame)
        kind = deal_type(frame.trigger, frame.parsed, frame.hit, frame.roles)
        return Found(
            parties=frame.parties,
            roles=settle_roles(frame, kind),
            unsure=frame.unsure,
            trigger=frame.trigger,
            status=status,
            rules=(frame.trigger.id, *frame.reading.rules),
            sentence=sentence.text,
            index=sentence.index,
            headline=sentence.headline,
            spans=frame.spans,
            deal_type=kind,
            value=value(frame.parsed, frame.hit),
            terms=terms(sentence.text),
            marks=marks(sentence.text),
            sourcing=source.sourcing,
            origin=source.origin,
            retold=source.retold,
        )

    def _drop_public_bodies(self, frame: Frame) -> None:
        """A ministry that nobody watches is a customer, but no company: the company on the other side is the news."""
        bodies = [name for name in frame.parties if self._is_public(name) and name not in self._k.watched]
        if len(bodies) < len(frame.parties):
            for name in bodies:
                frame.parties.remove(name)

    def _is_public(self, name: str) -> bool:
        return name in self._k.public or name.rpartition(" ")[2] in _PUBLIC

    def _source(self, sentence: str) -> Source:
        return read_source(sentence, self._k.lexicon.outlets, own=self._outlet, companies=self._k.companies)

    # -------------------------------------------------------------------------------------------- merging

    def merged(self) -> list[Found]:
        """One claim per deal: sentences that tell the same deal support each other; the headline weighs most."""
        deals: list[Found] = []
        for found in sorted(self.found, key=lambda item: (item.index, -item.trigger.rank)):
            for part in merging.apart(found):
                merging.join(deals, part)
        first = self.sentences[0].index if self.sentences else 0
        title = self.sentences[0].text if self.sentences else ""
        listing = self._k.listing.search(title) is not None
        standing = [deal for deal in deals if merging.stands(deal, deals, first, listing=listing)]
        for deal in deals:
            if deal not in standing:
                self.misses.append(
                    NearMiss(sentence=deal.sentence, why="told in passing, below the lead", rules=deal.rules)
                )
        for deal in standing:
            own = Source(sourcing=deal.sourcing, origin=deal.origin, retold=deal.retold)
            merging.settle(deal)
            if rounds.is_round(deal):
                for sentence in self.sentences[deal.index : deal.index + rounds.REACH + 1]:
                    if rounds.tells_investors(sentence.text) and not sentence.headline:
                        rounds.add_investors(deal, sentence.text, self._mentions(sentence))
            if deal.status == "rumour":  # a party's words elsewhere in the article are no word on the talks
                source = settle_sources(own, self.sources, rumour=True)
                deal.sourcing, deal.origin = source.sourcing, source.origin
        return standing


def _in_place(trigger: Trigger, sentence: plain.Sentence) -> bool:
    """Vague triggers are believed in the headline only, or in the first sentence."""
    if trigger.needs == "pair":
        return sentence.headline
    return not trigger.weak or _in_lead(sentence)


def _in_lead(sentence: plain.Sentence) -> bool:
    return sentence.headline or sentence.index <= 1


def _bare(name: str) -> str:
    return name.casefold().removeprefix("the ")
