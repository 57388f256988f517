"""Words in another part of speech than their rule means: "back in talks" backs nobody, "sources say" source nothing.

Knows a row of tokens and one hit in it, and what stands directly around it; knows nothing of sentences or deals.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.lexicon import Cue, Hit, Trigger
from monitor.text import Token

_TO = frozenset("to will could may might can would 'll not won't cannot can't should must".split())


def _hyphenated(tokens: Sequence[Token], hit: Hit) -> bool:
    """Part of a compound such as "OpenAI-backed": no deal word of its own."""
    if hit.start > 1 and tokens[hit.start - 1].low == "-" and tokens[hit.start - 2].low == "pre":
        return True  # "pre-orders"
    return (
        hit.start > 0
        and tokens[hit.start - 1].low == "-"
        and tokens[hit.start - 1].end == tokens[hit.start].start
        and (hit.form not in {"noun", "nouns"})
    )


_NOUN_BEFORE = frozenset(
    "the a an its their his her our of in on for with from by at into over about new no any some this that these those "
    "'s latest multiple several two three four five more other key major big such all both".split()
)
_VERB_BEFORE = (
    _TO
    | frozenset("and or , we they you i who that which ) also would jointly help let lets helps".split())
    | {'"', "”", "’"}
)


FIRMS = frozenset(
    "companies firms giants rivals startups ups automakers carmakers banks operators partners airlines groups makers "
    "owners studios miners insurers lenders retailers investors units".split()
)


_FIRM = frozenset("giant company firm group maker line lines business arm platform service services app".split())
_SAY = frozenset("say said tell told - : . , close familiar".split())


def misread(tokens: Sequence[Token], hit: Hit) -> bool:
    """A word in another part of speech than the rule means."""
    if _hyphenated(tokens, hit) or _verb_as_noun(tokens, hit):
        return True
    low, after = tokens[hit.start].low, tokens[hit.end].low if hit.end < len(tokens) else ""
    if _is_particle(tokens, hit, low, after):
        return True
    if hit.form in {"ing", "base", "s"} and after == "-" and tokens[hit.end].start == tokens[hit.end - 1].end:
        return True  # "Building-Products maker"
    if hit.form == "ing" and after in FIRMS | _FIRM:
        return True  # "Shipping giants", "a streaming company"
    if hit.start == 0 or hit.end - hit.start > 1:
        return False
    if hit.form == "base" and tokens[hit.start - 1].text in {'"', "“", "‘"}:
        return True
    before = tokens[hit.start - 1]
    if tokens[hit.start].low in {"partner", "partners", "back"} and hit.form in {"base", "s"}:
        return before.kind != "company" and before.low not in _TO
    if hit.form == "ing":
        return before.low in {"the", "a", "an", "its", "their"} or (
            before.kind == "word"
            and before.text[:1].isupper()
            and (tokens[hit.start].text[:1].islower() and before.low not in {"is", "are"})
        )
    if hit.form == "s":
        return before.low in _NOUN_BEFORE
    if hit.form == "base":
        plural = before.low in FIRMS or (
            isinstance(hit.rule, Cue) and before.low.endswith("s") and before.low not in _NOUN_BEFORE
        )
        pair = before.text[:1].isupper() and tokens[hit.start].text[:1].islower()  # "Saab, Thailand finalise"
        joint = hit.start > 2 and tokens[hit.start - 2].low in {"and", ",", "&"} and before.text[:1].isupper()
        return not (
            pair
            or joint
            or before.kind in {"company", "punct"}
            or before.low in _VERB_BEFORE
            or plural
            or before.low.endswith("ly")
        )
    return False


def _is_particle(tokens: Sequence[Token], hit: Hit, low: str, after: str) -> bool:
    """ "Acme back in talks", "brews up sale", ": sources": no verb of its own."""
    if low == "back" and isinstance(hit.rule, Trigger):
        return after in {"in", "to", "at", "on", "with", "from", "into"}
    if low == "up" and hit.start:
        return tokens[hit.start - 1].low.endswith(("s", "ed", "ing")) and after not in {"its", "offer"}
    if low == "sources" and isinstance(hit.rule, Trigger):
        return not after or after in _SAY or hit.start == 0
    return False


_HELD = frozenset("talks discussions negotiations meeting meetings event conference".split())


def _verb_as_noun(tokens: Sequence[Token], hit: Hit) -> bool:
    """A noun's form in a verb's place: "will offer", "to order", "must deal with"."""
    if hit.form != "noun" or hit.end - hit.start > 1 or hit.start == 0:
        return False
    if tokens[hit.start].low == "holding":
        near = {token.low for token in tokens[hit.end : hit.end + 4]}
        return tokens[hit.start - 1].low in {"be", "is", "are", "was", "were", "been"} or bool(near & _HELD)
    close = hit.start > 1 and tokens[hit.start - 2].low in {"close", "closer", "near", "nearer", "next"}
    return not close and tokens[hit.start - 1].low in _TO and tokens[hit.start].low in {
        "offer", "order", "contract", "deal", "approach", "bid", "stake", "pact", "finance", "license", "fund",
    }  # fmt: skip
