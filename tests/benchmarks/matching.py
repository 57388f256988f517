"""Companies and deal words in articles of 3 KB, with growing lists of names. Against the matchers that PyPI has.

Everybody finds the same: each name and deal word that stands as a word, whatever its case, with its place. Slow
contestants get the first articles only: what counts is articles per second of processor time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitor.claims import Reader
from monitor.lexicon import load_lexicon
from monitor.mentions import Names
from monitor.models import Company
from monitor.phrases import Phrases, lower
from tests.benchmarks.frame import OURS, Bench, Chart, Contestant, Goal, Line, Result, timed
from tests.benchmarks.material import Words, aliases

SIZES = (1_000, 10_000, 100_000)
LONGEST = 6.0  # seconds of processor time per run; who is slower is stopped and counted by what was done
Match = Callable[[str], Any]


def articles(count: int, keep: Path | None = None) -> list[str]:
    """Texts of 3 KB in which one sentence in seven names a company that every list holds; kept in a file."""
    if keep is not None and keep.exists():
        kept: list[str] = json.loads(keep.read_text(encoding="utf-8"))
        return kept[:count]
    words, names = Words(5), list(aliases(SIZES[0]))
    made = [f"{words.headline()}\n{words.text(2900, names)}" for _ in range(count)]
    if keep is not None:
        keep.write_text(json.dumps(made), encoding="utf-8")
    return made


def deal_words() -> list[str]:
    return sorted(load_lexicon().heads() - {"COMPANY", "MONEY", "NUMBER"})


def patterns(size: int) -> list[str]:
    return sorted({name.lower() for name in aliases(size)} | set(deal_words()))


def ours(size: int) -> Match:
    """The product's matcher over the same list; of overlapping phrases the leftmost longest."""
    phrases = Phrases(patterns(size))

    def find(text: str) -> list[tuple[int, int]]:
        kept, reach = [], 0
        for start, end in sorted((start, -end) for _, start, end in phrases.find(lower(text))):
            if start >= reach:
                kept.append((start, -end))
                reach = -end
        return kept

    return find


def mentions(size: int) -> Match:
    """What detection uses: names only, their case looked at, short forms left to other names of the company."""
    return Names([Company(name=name) for name in aliases(size)], (), load_lexicon()).find


def gate(size: int) -> Match:
    reader = Reader(load_lexicon(), [Company(name=name) for name in aliases(size)])
    return lambda text: reader.gate([text])


def ahocorasick(size: int) -> Match:
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for word in patterns(size):
        automaton.add_word(word, word)
    automaton.make_automaton()

    def find(text: str) -> list[tuple[int, int]]:
        low, spans = text.lower(), []
        for last, word in automaton.iter(low):
            start, end = last - len(word) + 1, last + 1
            if not (start and low[start - 1].isalnum()) and not low[end : end + 1].isalnum():
                spans.append((start, -end))
        kept, reach = [], 0
        for start, end in sorted(spans):
            if start >= reach:
                kept.append((start, -end))
                reach = -end
        return kept

    return find


def flashtext(size: int) -> Match:
    from flashtext2 import KeywordProcessor

    processor = KeywordProcessor(case_sensitive=False)
    for word in patterns(size):
        processor.add_keyword(word)
    found: Match = processor.extract_keywords_with_span
    return found


def spacy_matcher(size: int) -> Match:
    import spacy
    from spacy.matcher import PhraseMatcher

    language = spacy.blank("en")
    matcher = PhraseMatcher(language.vocab, attr="LOWER")
    matcher.add("name", list(language.tokenizer.pipe(patterns(size))))
    return lambda text: matcher(language.make_doc(text))


def regex_list(size: int) -> Match:
    import regex

    found = regex.compile(r"\m\L<names>\M", names=patterns(size), flags=regex.IGNORECASE)
    return lambda text: [match.span() for match in found.finditer(text)]


def regex_alternation(size: int) -> Match:
    import regex

    longest_first = sorted(map(regex.escape, patterns(size)), key=len, reverse=True)
    found = regex.compile(rf"\b(?:{'|'.join(longest_first)})\b")
    return lambda text: [match.span() for match in found.finditer(text.lower())]


OTHERS = {
    "pyahocorasick": "ahocorasick", "flashtext2": "flashtext", "spaCy PhraseMatcher": "spacy_matcher",
    "regex, named list": "regex_list", "regex, alternation": "regex_alternation",
}  # fmt: skip


def match(given: dict[str, Any]) -> dict[str, float]:
    """Articles per second of processor time of one matcher, until all are done or LONGEST is over."""
    texts = articles(given["articles"], Path(given["file"]))
    with timed() as built:
        find: Match = globals()[given["kind"]](given["size"])
    for text in texts[:20]:
        find(text)
    done, begin = 0, time.process_time()
    for text in texts:
        find(text)
        done += 1
        if time.process_time() - begin > LONGEST:
            break
    spent = time.process_time() - begin
    return {"rate": done / spent, "seconds": spent, "done": done, "build": built["seconds"]}


def companies(bench: Bench) -> Result:
    """All matchers at all sizes."""
    sizes = SIZES if not bench.quick else SIZES[:2]
    count = bench.size(20_000, 200)
    file = bench.folder / "articles.json"
    articles(count, file)
    rates: dict[str, list[float | None]] = {}
    lines: list[Line] = []
    for size in sizes:
        kinds = {OURS: "ours", f"{OURS}, mentions": "mentions", f"{OURS}, gate": "gate", **OTHERS}
        runs = {name: 1 for name in kinds if "alternation" in name or "spaCy" in name}  # minutes to build, or steady
        contestants = [
            Contestant(name=name, function="matching:match", runs=runs.get(name),
                       given={"kind": kind, "size": size, "articles": count, "file": str(file)})
            for name, kind in kinds.items() if not (kind == "regex_alternation" and size > 10_000)
        ]  # fmt: skip
        medians = bench.duel(contestants, runs=min(bench.runs, 3))
        for name in kinds:
            rates.setdefault(name, []).append(medians[name]["rate"] if name in medians else None)
        lines += [
            Line(work=f"{size:,} names", name=name, value=figures["rate"], unit="articles/s",
                 against=medians[OURS]["rate"] / figures["rate"],
                 more=f"built in {figures['build']:.2f} s, {figures['peak_mb']:.0f} MB")
            for name, figures in medians.items()
        ]  # fmt: skip
    return _judged(lines, rates, [f"{size:,}" for size in sizes])


def _judged(lines: list[Line], rates: dict[str, list[float | None]], places: list[str]) -> Result:
    def growth(name: str) -> float:
        first, last = rates[name][0], rates[name][-1]
        assert first is not None and last is not None
        return first / last

    mine = rates[OURS]
    margins = [
        ((mine[at] or 0) / rate, f"{name} at {places[at]}")
        for name, row in rates.items() if not name.startswith(OURS)
        for at, rate in enumerate(row) if rate
    ]  # fmt: skip
    least, where = min(margins)
    goals = [
        Goal(what="ahead of each at every size", got=f"{least:.2f} times the next best ({where})", met=least > 1),
        Goal(what=f"cost grows by less than 1.5 times from {places[0]} to {places[-1]} names",
             got=f"{growth(OURS):.2f} times; the gate {growth(OURS + ', gate'):.2f} times",
             met=growth(OURS) < 1.5),
    ]  # fmt: skip
    notes = ["regex as one alternation is left out at 100,000 names: it takes minutes for a hundred articles"]
    chart = Chart(title="Articles per second by number of names", x=places, series=rates)
    return Result(title="companies and deal words in articles of 3 KB", lines=lines, goals=goals, charts=[chart],
                  notes=notes)  # fmt: skip
