"""Companies named in a sentence: those that are known by name, and those that only look like a name.

Known names come from one automaton (`Names`, built once for all companies). Unknown ones are found by their form:
capitalised runs that are no common word, person, place, outlet or title. Knows nothing of deals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.lexicon import Lexicon
from monitor.models import Company, Mention
from monitor.phrases import Phrases, lower
from monitor.sourcing import reports
from monitor.text import is_title_case
from monitor.written import bounded, case_fits, counts, with_suffix


@dataclass(frozen=True, slots=True)
class Name:
    """One written form of a company."""

    text: str
    company: str  # canonical name
    kind: str  # name, product, ticker
    watched: bool
    needs: str = ""  # "case": only as written; "support": only beside another name of the company
    full: bool = False  # the company's own name or a long form: it supports the short ones


class Names:
    """All names of all companies in one automaton. Built once; `find` costs the same for any number of them."""

    def __init__(self, watched: Sequence[Company], known: Sequence[Company], lexicon: Lexicon) -> None:
        self._by_form: dict[str, list[Name]] = {}
        taken: dict[str, str] = {}
        self.lent: list[Company] = []  # catalogue companies that lend a watched one their other names
        for company in watched:
            for name in _forms(company, company.name, lexicon, watched=True):
                self._by_form.setdefault(name.text.lower(), []).append(name)
                if name.kind == "name":
                    taken.setdefault(name.text.lower(), company.name)
        for company in known:
            # a catalogue company that the user watches under a name of his own lends it its other names
            same = next((taken[text.lower()] for text in (company.name, *company.aliases) if text.lower() in taken), "")
            if same:
                self.lent.append(company)
            for name in _forms(company, same or company.name, lexicon, watched=bool(same), lent=True):
                if name.text.lower() not in self._by_form:
                    self._by_form[name.text.lower()] = [name]
        for phrase in lexicon.hiding:
            if phrase.lower() not in self._by_form:
                self._by_form[phrase.lower()] = [Name(phrase, "", "hidden", watched=False)]
        self.forms = list(self._by_form)
        self._phrases = Phrases(self.forms)

    def any_in(self, text: str) -> bool:
        """Whether a watched name stands there that `find` may find in some part of the text: for a first look."""
        text = text.replace("’", "'")
        return any(
            any(name.watched and (written.isupper() or case_fits(written, name, False)) for name in self._by_form[form])
            for form, start, end in self._phrases.find(lower(text))
            if (written := text[start:end])
        )

    def find(self, text: str, *, any_case: bool = False) -> list[tuple[Mention, Name]]:
        """Names in the text on word boundaries, longest first, none overlapping, in order of place.

        `any_case`: the text is all capitals, so the case of a name tells nothing.
        """
        text = text.replace("’", "'")  # as the names have it
        low = lower(text)
        found: list[tuple[int, int, Name]] = []
        titled: bool | None = None  # asked only where it matters: it means to look at every word
        for form, start, end in self._phrases.find(low):
            if bounded(low, start, end) and not counts(text, start, end):
                written = text[start:end]
                for name in self._by_form[form]:
                    if titled is None and name.needs and not name.watched:
                        titled = is_title_case(text)
                    if any_case or case_fits(written, name, bool(titled)):
                        found.append((start, with_suffix(text, end), name))
                        break
        return [
            (
                Mention(
                    company=name.company,
                    start=start,
                    end=end,
                    text=text[start:end],
                    kind=name.kind,
                    watched=name.watched,
                ),
                name,
            )
            for start, end, name in _apart(found)
            if name.kind != "hidden"
        ]


def _forms(company: Company, name: str, lexicon: Lexicon, *, watched: bool, lent: bool = False) -> Iterable[Name]:
    for text in dict.fromkeys((company.name, *company.aliases)):
        needs = _needs(text, lexicon)
        if watched and needs == "support" and not lent:
            needs = "case"  # the user asked for this very name; the deal's frame is support enough
        yield Name(
            text, name, "name", watched, needs, full=(text == company.name and needs != "support") or " " in text
        )
    for text in company.products:
        yield Name(text, name, "product", watched, _needs(text, lexicon))
        if len(text) > 3 and text[-1].isalnum() and not text.endswith("s"):  # "A350s", "iPhones"
            yield Name(f"{text}s", name, "product", watched, _needs(text, lexicon) or _needs(f"{text}s", lexicon))
    acronyms = lexicon.context["names"]["acronyms"]
    for text in company.tickers if watched and not lent else ():  # the market letters of strangers are too often words
        word = len(text) <= 2 or text.lower() in acronyms  # "OLED" is a screen, rarely Universal Display
        yield Name(text, name, "ticker", watched, "support" if word else "case")


def _needs(text: str, lexicon: Lexicon) -> str:
    """A name that is a common word, or very short, must be written as a name is."""
    low = text.lower()
    return lexicon.needs.get(low) or ("case" if low in lexicon.words or len(text) <= 3 else "")


def _apart(found: list[tuple[int, int, Name]]) -> list[tuple[int, int, Name]]:
    """Leftmost longest of overlapping matches."""
    kept: list[tuple[int, int, Name]] = []
    for start, end, name in sorted(found, key=lambda item: (item[0], -item[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, name))
    return kept


# ------------------------------------------------------------------------------------------------ unknown names

_RUN = re.compile(
    r"(?<!\w)[A-Z0-9][\w.]*(?:[&+'’-](?!s\b)[A-Za-z0-9]\w*)*(?:\s(?:&\s|of\s(?=[A-Z])|de\s(?=[A-Z])|the\s(?=[A-Z]))?[A-Z0-9][\w.]*(?:[&+'’-](?!s\b)[A-Za-z0-9]\w*)*)*"
    r"|\b[a-z]{1,3}[A-Z]\w+"
)


# Titles of works in quotation marks, and what stands in brackets: an abbreviation, a ticker, an aside.
_QUOTED = re.compile(
    r"[‘'](?=[A-Z])[^‘’']{2,60}[’'](?!\w)|[“\"][^“”\"]{2,60}[”\"]|\([A-Z][\w.: ]{0,12}\)|"
    r"[$€£¥]\s?\d[\d.,]*\s?[a-zA-Z]*|<[^>]{1,12}>"
)


def _touches(start: int, end: int, taken: Sequence[Mention], text: str) -> bool:
    """Directly beside a known name, with just a space between: part of that name or a word of its description."""
    return any(
        (mention.end <= start and text[mention.end : start].strip() == "")
        or (end <= mention.start and text[end : mention.start].strip() == "")
        for mention in taken
    )


class NameFinder:
    """Finds spans that look like company names, in sentences and in headlines."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._words = lexicon.words
        lists: dict[str, list[str]] = lexicon.context["names"]
        self._legal, self._acronyms = frozenset(lists["legal"]), frozenset(lists["acronyms"])
        self._firm_words = self._legal | frozenset(lists["firm_words"])
        self._first_names, self._before_of = frozenset(lists["first_names"]), frozenset(lists["before_of"])
        names = lexicon.names
        self._surnames = names["surnames"]
        self._never = (
            names["countries"] | names["demonyms"] | names["states"] | names["cities"] | names["regions"]
            | names["regulators"] | names["indices"] | names["calendar"] | names["titles"] | names["people"]
        )  # fmt: skip
        self._outlets = lexicon.outlets
        self._titles = names["titles"]
        self._deal_words = lexicon.single_words() | {"series"}

    def find(
        self, text: str, taken: Sequence[Mention], *, headline: bool, sure: frozenset[str] = frozenset()
    ) -> list[Mention]:
        """Spans outside `taken` that look like companies. `sure`: names seen in running text of the same article."""
        titled = headline and is_title_case(text)
        quoted = [match.span() for match in _QUOTED.finditer(text)]
        found: list[Mention] = []
        for match in _RUN.finditer(text):
            for start, end in _outside(match.start(), match.end(), taken):
                for a, b in self._trim(text, start, end, titled, sure):
                    if any(x <= a < y for x, y in quoted) or _touches(a, b, taken, text) or _WRITES.match(text, b):
                        continue
                    found.append(Mention(company=text[a:b], start=a, end=b, text=text[a:b], kind="found"))
        return found

    def begins(self, text: str, start: int, end: int) -> int:
        """Where a name with a common first word really begins ("Quantum Capital Group" holds "Capital Group")."""
        first = text[start:end].split()[0].lower()
        before = re.search(r"(?<=[a-z,] )([A-Z][a-z]+) $", text[:start])
        if before is None or (first not in self._words and first not in self._firm_words):
            return start
        low = before[1].lower()
        known = low in self._titles | self._never | self._acronyms | self._deal_words | self._first_names
        return start if known or low.endswith(("maker", "'s")) else before.start(1)

    def continues(self, text: str, end: int) -> int:
        """Where a name that ends at `end` really ends, if more capitalised words follow that are part of it."""
        for match in re.finditer(r"\s([A-Z][\w&+-]*)", text[end:]):
            low = match[1].lower()
            if (
                (match.start() != 0 and text[end : end + match.start()].strip())
                or low in self._titles
                or low in self._never
                or low in self._acronyms
            ):
                return end
            return self.continues(text, end + match.end())
        return end

    def _trim(self, text: str, start: int, end: int, titled: bool, sure: frozenset[str]) -> Iterable[tuple[int, int]]:
        """The parts of a capitalised run that may be names: common words cut away."""
        words = [(m.start() + start, m.end() + start, m[0]) for m in re.finditer(r"[\w.&+'’-]+", text[start:end])]
        words = self._without_outlets(text, words)
        words = [(a, b - 1, w[:-1]) if w.endswith(".") and "." not in w[:-1] else (a, b, w) for a, b, w in words]
        row: list[tuple[int, int, str]] = []
        for word, after in zip([*words, _NOTHING], [*words[1:], _NOTHING, _NOTHING], strict=False):
            if word[2] and not self._breaks(text, word, after[2], titled, row):
                row.append(word)
                continue
            yield from self._accept(text, row, titled, sure)
            row = []

    def _without_outlets(self, text: str, words: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
        """The words with those of outlets that report blanked ("Australian Financial Review says")."""
        for first in range(len(words)):
            for last in range(min(len(words), first + 5), first, -1):
                a, b = words[first][0], words[last - 1][1]
                low = text[a:b].lower()
                if (low in self._outlets and reports(text, a, b)) or (last - first > 1 and low in self._never):
                    return [*words[:first], (a, b, ""), *self._without_outlets(text, words[last:])]
        return words

    def _breaks(
        self, text: str, at: tuple[int, int, str], after: str, titled: bool, row: list[tuple[int, int, str]]
    ) -> bool:
        word, low = at[2], at[2].lower()
        first = text[: at[0]].rstrip()[-1:] in '“"‘:.!?' or at[0] == 0
        if (
            re.search(r"-[a-z]+$", word)
            or _DESCRIBING.search(word)
            or (text[at[0] - 1 : at[0]] == "-" and (low in self._words or low in {"led"}))
        ):
            return True
        if not any(c.isupper() for c in word):
            return (
                low not in {"&", "of", "de", "the"}
                or not row
                or (low == "of" and row[-1][2].lower() not in self._before_of)
            )
        if word[0].isdigit():
            return not row and not any(c.isalpha() for c in word)
        if (row and low in self._firm_words) or (after.lower() in self._legal and after[:1].isupper()):
            return False
        if low in self._deal_words or low in self._titles:
            return True
        if low in self._never and not row:
            return titled or not (
                after[:1].isupper() and after.lower() not in self._titles and after.lower() not in self._never
            )
        common = (
            low.endswith("ly")
            or all(part in self._words for part in low.split("-"))
            or (low.endswith("s") and low[:-1] in self._words)
        )
        return (
            common
            and (titled or first)
            and not (first and after.lower() in self._firm_words and after[:1].isupper() and not titled)
        )

    def _accept(
        self, text: str, row: list[tuple[int, int, str]], titled: bool, sure: frozenset[str]
    ) -> Iterable[tuple[int, int]]:
        while row and (
            row[-1][2].lower() in {"of", "de", "the", "&"}
            or (row[-1][2][0].isdigit() and not any(c.isalpha() for c in row[-1][2]))
        ):
            row.pop()
        while row and row[0][2].lower() in {"of", "de", "the", "&"}:
            row.pop(0)
        if not row or len(row) > 6:
            return
        start, end = row[0][0], row[-1][1]
        name, lows = text[start:end], [word[2].lower() for word in row]
        low = name.lower()
        if (
            low in self._never
            or all(word in self._never or word in self._acronyms for word in lows)
            or self._is_person(lows)
            or text[end : end + 1] == "%"
        ):
            return
        if low in self._outlets and reports(text, start, end):
            return
        if name not in sure:
            if len(name) < 2 or (
                len(lows) == 1
                and (name.removesuffix("s").isupper() or len(name) == 2)
                and (lows[0] in self._acronyms or lows[0].removesuffix("s") in self._acronyms)
            ):
                return
            if titled and all(word in self._words or word in self._firm_words for word in lows):
                return
        if all(word in self._legal for word in lows) or (
            len(lows) == 1 and (lows[0] in self._firm_words or lows[0] in {"federal", "national", "royal"})
        ):
            return
        if name not in sure and _AMOUNT_OR_MODEL.fullmatch(name):
            return
        if re.fullmatch(r"(?:[A-Z]\.?)+", name) and "." in name:
            return
        yield start, end

    def _is_person(self, lows: list[str]) -> bool:
        if lows[-1] in self._firm_words:
            return False
        if len(lows) in (2, 3) and lows[0] in self._first_names:
            return True
        return lows[-1] in self._surnames and len(lows) <= 2


_AMOUNT_OR_MODEL = re.compile(r"[1-9][\d.,]*[A-Za-z]{2,4}|[A-Z]{1,3}-?\d+[A-Z]?")  # 1.1GW, K9, H200, A320
_DESCRIBING = re.compile(
    r"-(?:like|led|based|backed|owned|powered|style|made|born|focused|linked|listed|funded|only|era|bound|wide)$",
    re.IGNORECASE,
)


_NOTHING = (0, 0, "")
_WRITES = re.compile(r"\s+(?:wrote|writes|reported|reports)\b(?!\s+(?:a|an|record|net|first|second|third|fourth)\b)")


def _outside(start: int, end: int, taken: Sequence[Mention]) -> Iterable[tuple[int, int]]:
    at = start
    for mention in taken:
        if mention.end <= at or mention.start >= end:
            continue
        if mention.start > at:
            yield at, mention.start
        at = max(at, mention.end)
    if at < end:
        yield at, end
