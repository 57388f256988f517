"""Plain text: cleaning, headlines, sentences, tokens. Knows English punctuation; nothing of companies or deals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Control characters (C0, C1), bidirectional overrides and isolates, zero-width characters, the byte-order mark.
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_SPACE = re.compile(r"\s+")

_PREFIX = re.compile(
    r"^(?:(?:exclusive|scoop|breaking(?: news)?|update(?: ?\d+)?|\d+(?:st|nd|rd|th) update|correct(?:ed|ion)|refile|"
    r"analysis|focus|insight|just in|developing|live|updated|sources?|brief|factbox|deal|deals|wrapup ?\d*|watch|"
    r"press release|news|morning bid|the morning after|firstft|mergers? (?:and|&) acquisitions?)"
    r"\s*(?::|\||/|--|–|—|-(?=[A-Z])|-\s)\s*)+",
    re.IGNORECASE,
)
_SUFFIX_UPDATE = re.compile(
    r"\s*(?:--|-|–|—|\()\s*(?:\d+(?:st|nd|rd|th) update|update\s?\d*|updated?)\)?\s*$", re.IGNORECASE
)
_OUTLET_TAIL = re.compile(r"\s+(?:-|–|—|\|)\s+((?:(?!\s-\s)[^|–—]){2,60}?)\s*$")
_BY_TAIL = re.compile(r"\s+By\s+(?:Investing\.com|Reuters|Benzinga|TipRanks|Zacks)\s*$")
_DATELINE = re.compile(
    r"^(?:[A-Z][\w .,'’/-]{1,60}?,?\s*(?:\([^()]{2,40}\)\s*)(?:--|-|–|—)\s*)"  # BOSTON (CBS.MW) -
    r"|^(?:[A-Z]{3,}(?:[ ,/]+[A-Z][A-Za-z.]+){0,4}(?:,\s*[A-Z][a-z]+\.?\s+\d{1,2}(?:,\s*\d{4})?)?\s*(?:--|–|—|-)\s+)"
    r"|^(?:[\w.-]+\.com\s+-\s+)"
)

_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof sen rep gov gen col sgt st jr sr inc corp co ltd llc plc bros cos dept est vs etc no nos vol
    jan feb mar apr jun jul aug sept sep oct nov dec u.s u.k e.u u.n a.i d.c p.m a.m i.e e.g approx fig messrs
    mfg intl assn univ hon rev ave blvd ft mt mn bn tn""".split()
)
_INITIALS = re.compile(r"(?:[a-z]\.)*[a-z]")
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+|$)|\n+")

_SCALE = r"(?i:trillion|billion|million|thousand|crores?|lakhs?|lakh crore|tn|bln|bn|mln|mn|cr|m|b|k|t)\b"
_COIN = r"(?:euros?|eur|dollars?|dlrs?|usd|pounds|yen|yuan|won|rupees|rs|francs|kronor|crowns|reais|rand|shekels)\b"
_ABOUT = (
    r"(?:(?:another|a further|further|about|nearly|almost|over|around|roughly|some|an additional|additional|fresh|new|"
    r"up to|"
    r"more than|as much as|at least|an extra|just|a record|record|approximately|a|its|an)\s)*"
)
_MONEY = (
    rf"\b{_ABOUT}(?:(?:US|C|A|HK|S|NZ|R|NT|CA|AU)?[$€£¥₹₩]\s?\d[\d.,]*\d?(?:\s?-?{_SCALE}){{0,2}}(?:\s{_COIN})?"
    rf"|(?:Rs\.?|INR|USD|EUR|GBP|SEK|CHF|Euros?|Dollars?|Pounds)\s?\d[\d.,]*(?:\s?{_SCALE}){{0,2}}"
    rf"|\d[\d.,]*\s?(?:{_SCALE}\s)?{_COIN})"
    rf"|(?:US|C|A|HK|S|NZ|R|NT|CA|AU)?[$€£¥₹₩]\s?\d[\d.,]*\d?(?:\s?-?{_SCALE}){{0,2}}"
)
_TOKEN = re.compile(
    rf"(?P<money>{_MONEY})|(?P<num>\d+:\d+|\d[\d.,]*\d%?|\d+%?)|(?P<poss>['’]s\b|(?<=s)['’](?=\s))|"
    r"(?P<word>[^\W\d_](?:\w|(?!['’]s\b)[&.'’](?=\w))*)|(?P<punct>--|[^\w\s])"
)
_TICKER = re.compile(
    r"<[A-Z]{1,6}(?:\.[A-Z]{1,3})?>|\(\s*(?:(?:NYSE|NASDAQ|Nasdaq|AMEX|LSE|TSX|ASX|OTC\w*|NSE|BSE|HKEX|TSE|SIX|ETR|EPA|"
    r"[A-Z]{2,8})\s*:\s*)?\$?[A-Z][A-Z.]{0,5}(?:\s*:\s*[A-Z]{2,8})?\s*\)|\((?:about |around )?[$€£¥₹][^()]{1,24}\)"
)


def clean_line(text: str) -> str:
    """One printable line: control and bidirectional characters out, white space folded, canonical composition."""
    return _SPACE.sub(" ", _HIDDEN.sub(" ", unicodedata.normalize("NFC", text))).strip()


def clean_text(text: str) -> str:
    """Several printable lines; each cleaned as by `clean_line`, empty ones dropped."""
    return "\n".join(line for line in map(clean_line, text.splitlines()) if line)


def split_outlet(title: str, outlets: frozenset[str] = frozenset()) -> tuple[str, str]:
    """Headline and outlet of an aggregator's `Headline - Outlet`; the outlet is "" where there is none.

    A tail counts as an outlet if it is a known one (lower case, in `outlets`), or short and written like a name.
    """
    match = _OUTLET_TAIL.search(title)
    if not match:
        return title, ""
    tail, head = match[1].strip(), title[: match.start()]
    words = tail.split()
    named = all(word[0].isupper() or word[0].isdigit() or word in {"of", "the", "and", "&"} for word in words)
    domain = re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", tail) is not None
    if tail.lower() in outlets or domain or (named and len(words) <= 5 and len(head.split()) >= 4):
        return head, tail
    return title, ""


def normalise_headline(title: str, outlets: frozenset[str] = frozenset()) -> tuple[str, str]:
    """The headline proper and the outlet that its tail names: prefixes such as "UPDATE 2-" and "Scoop:" are cut off."""
    line, outlet = split_outlet(clean_line(title).replace("<b>...</b>", "").strip(), outlets)
    if by := _BY_TAIL.search(line):  # "... - Business Insider By Investing.com - Investing.com"
        line, _ = split_outlet(line[: by.start()], outlets)
    line = _SUFFIX_UPDATE.sub("", line)
    stripped = _PREFIX.sub("", line)
    return (stripped or line).strip(), outlet


def strip_dateline(paragraph: str) -> str:
    """Without a leading "HELSINKI (AFX) - " or "San Diego, CA, July 21, 2025 (WIRE) -- "."""
    return _DATELINE.sub("", paragraph, count=1)


def is_title_case(text: str) -> bool:
    """A headline in which most words are capitalised, so that a capital tells nothing."""
    words = [word for word in re.findall(r"[A-Za-z][A-Za-z'’]+", text) if len(word) > 3]
    return len(words) >= 3 and sum(word[0].isupper() for word in words) >= 0.7 * len(words)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an article. `index` 0 is the headline if `headline` is set."""

    text: str
    index: int
    headline: bool = False


def split_sentences(text: str) -> list[str]:
    """Sentences of running text, in order, never empty; a line break always ends one."""
    return [sentence for sentence in _sentences(text) if sentence]


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(text):
        if match[0].startswith("\n"):
            yield text[start : match.start()].strip()
            start = match.end()
        elif not _is_abbreviation(text, start, match):
            yield text[start : match.end()].strip()
            start = match.end()
    yield text[start:].strip()


def _is_abbreviation(text: str, start: int, match: re.Match[str]) -> bool:
    if match[0] != ".":
        return False
    after = text[match.end() : match.end() + 3].lstrip()
    if after and not (after[0].isupper() or after[0].isdigit() or after[0] in "\"'“‘(<"):
        return True
    head = text[start : match.start()]
    word = head[max(head.rfind(" "), head.rfind("(")) + 1 :].lower()
    return word in _ABBREVIATIONS or (bool(_INITIALS.fullmatch(word)) and bool(head[: -len(word)].strip()))


@dataclass(slots=True)
class Token:
    """A word, number, sum of money, possessive mark, punctuation mark or company within a sentence."""

    text: str
    low: str
    start: int  # characters within the sentence
    end: int
    kind: str  # word, num, money, poss, punct, company


def tokenize(sentence: str, spans: Iterable[tuple[int, int]] = ()) -> list[Token]:
    """Tokens of a sentence. Each of `spans` (sorted, apart) becomes one token of kind `company`; tickers in brackets
    are dropped."""
    tokens: list[Token] = []
    at = 0
    for start, end in spans:
        _tokens_between(sentence, at, start, tokens)
        tokens.append(Token(sentence[start:end], sentence[start:end].lower(), start, end, "company"))
        at = end
    _tokens_between(sentence, at, len(sentence), tokens)
    return tokens


def _tokens_between(sentence: str, start: int, end: int, tokens: list[Token]) -> None:
    skip = [match.span() for match in _TICKER.finditer(sentence, start, end)]
    for match in _TOKEN.finditer(sentence, start, end):
        if any(a <= match.start() < b for a, b in skip):
            continue
        kind = match.lastgroup or "punct"
        low = match[0].lower().replace("’", "'")
        tokens.append(Token(match[0], low, match.start(), match.end(), kind))
