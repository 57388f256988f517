"""Why a deal word in good order is no deal after all: each check knows one look-alike and says it in words.

Which checks a trigger passes is data (`needs` and `checks` in `triggers.toml`); `lacks` runs them in order and gives
the first reason, or "".
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from monitor.claims.frame import Frame
from monitor.claims.kinds import is_goods
from monitor.lexicon import Lexicon
from monitor.models import FAMILY
from monitor.parties import Grammar
from monitor.shape import Clause
from monitor.text import is_title_case

ALONE = "the other party is not named in the deal word's reach"
NOBODY_BUYS = "nobody is named who buys"
_NOTHING_BOUGHT = "nothing is named that could be bought"
_NOBODY_SUPPLIED = "no company is supplied"
_NO_HOLDER = "who buys or sells the stake is not named"
# The reasons that one more company in the same headline would answer.
_NO_CUSTOMER = "no customer and no sum is named"
PARTY_MISSING = frozenset({ALONE, _NO_CUSTOMER, NOBODY_BUYS, _NOTHING_BOUGHT, _NOBODY_SUPPLIED, _NO_HOLDER})
_STATE_WORDS = frozenset("government ministry navy army pentagon u.s us uk nhs eu".split())
_PREPOSITIONS = frozenset("to from for in on through with at by as via under amid".split())
_FOR_SALE = frozenset("unit business itself arm division stake company brand bank firm group".split())
_VERBAL = frozenset(
    "to may might could will would is was has in agrees agreed set near nears close be being considers".split()
)
_SALE_OF = frozenset("stake unit asset business possible potential explores explore weighs".split())
_PEOPLES = frozenset({"Chinese", "Saudi", "Indian"})


class Checks:
    """The checks, with the word lists that they need."""

    def __init__(self, lexicon: Lexicon, grammar: Grammar) -> None:
        self._assets = grammar.assets
        self._technologies = frozenset(lexicon.context["technologies"])
        self._states = lexicon.names["countries"] | _STATE_WORDS

    def lacks(self, frame: Frame) -> str:
        """What speaks against the deal; "" if nothing does."""
        needs = frame.trigger.needs
        if needs == "technology":
            return "" if len(frame.parties) > 1 and self._technology(frame) else "no company's technology is named"
        if needs == "pair":
            return _pair(frame)
        for why in (_together(frame), _product_alone(frame), self._sold(frame), self._bought(frame)):
            if why:
                return why
        for name in frame.trigger.checks:
            if (check := CHECKS.get(name)) and (why := check(frame)) and not self._state_deals(frame, name):
                return why
        return self._company(frame)

    def _state_deals(self, frame: Frame, check: str) -> bool:
        """Who buys or sells is a state: "Morocco considers buying Acme aircraft", "Egypt sells 9% stake in Acme"."""
        if not frame.parties:
            return False
        clause = frame.parsed.clause(frame.hit.start)
        if check == "holder":
            return self._state(frame, Clause(clause.start, min(clause.start + 3, frame.hit.start)))
        return check == "buyer" and is_goods(frame.parsed, frame.hit) and self._state(frame, clause)

    def _company(self, frame: Frame) -> str:
        parsed, hit = frame.parsed, frame.hit
        clause = parsed.clause(hit.start)
        alone = frame.reading.status == "denied" or self._with_state(frame, clause)
        alone = alone and frame.trigger.id != "talks.noun"
        few = len(frame.parties) < 2
        bare = frame.noun and (hit.form == "nouns" or parsed.word(hit.start) in {"agreement", "accord"})
        if "agreement" in frame.trigger.checks and bare and few and not alone:
            return ALONE
        if not few and frame.trigger.needs == "company" and _all_subjects(frame):
            if "joint" in object_words(frame)[:3]:
                return ""  # "Acme and Borealis pour $1bn into joint lab"
            return ALONE  # "Acme and Borealis back start-ups": both do, to nobody named
        unnamed = "suitor" in frame.trigger.checks and parsed.word(hit.start).startswith(("takeover", "bid", "buyout"))
        if unnamed and frame.parties:
            return ""  # "Takeover talk lifts Acme": who the suitor is nobody says
        if frame.trigger.needs == "company" and few and not (alone and frame.parties) and not _unnamed(frame):
            return ALONE
        return "" if frame.parties else "no company stands in the deal word's reach"

    def _sold(self, frame: Frame) -> str:
        """Wares that are sold, where the trigger means companies."""
        if "seller" not in frame.trigger.checks:
            return ""
        outside = frame.places - {"subject", "owner"}
        clause = frame.parsed.clause(frame.hit.start)
        if frame.parties and is_goods(frame.parsed, frame.hit) and self._state(frame, clause):
            return ""  # "Acme close to selling 100 jets to China"
        thing = object_words(frame)
        if "to" not in outside and any(word in {"units", "shares"} or word[:1].isdigit() for word in thing[:4]):
            return "wares, not a company"
        if {"shares", "stock"} & set(thing) and "seller" not in frame.roles.values():
            return "somebody's shares, not a company"  # "Jo Bloggs sells $3m of Acme shares"
        if _bare_company(frame, thing, outside):
            return ""
        gift = frame.parsed.word(frame.hit.start).startswith("hand") and frame.hit.end - frame.hit.start == 1
        return "" if set(thing) & self._assets or ("to" in outside and not gift) else "wares, not a company"

    def _bought(self, frame: Frame) -> str:
        if frame.trigger.needs != "asset":
            return ""
        if frame.parsed.word(frame.hit.end) == "from":
            return _NOTHING_BOUGHT
        outside = frame.places - {"subject", "owner"}
        asset = set(object_words(frame)) & self._assets
        if len(frame.parties) < 2 and not outside and not asset and not frame.reading.passive:
            return _NOTHING_BOUGHT
        return ""

    def _technology(self, frame: Frame) -> bool:
        """Is the object a known company's technology ("Acme's models", "Gemini"), and not just a name?"""
        for place, group in frame.filled:
            mention = frame.parsed.mentions[group.end]
            if place == "subject":
                continue
            if mention.kind == "found":
                return False
            after = {token.low for token in frame.parsed.tokens[group.end + 1 : group.end + 6]}
            if mention.kind == "product" or after & self._technologies:
                return True
            if place == "from" and set(object_words(frame)) & self._technologies:
                return True  # "to use some AI from Acme"
            if frame.parsed.word(frame.hit.start).startswith("power"):
                return True  # "Acme to power Borealis's cars": the subject's technology
        return False

    def _with_state(self, frame: Frame, clause: Clause) -> bool:
        """Is the other side a state ("Morocco in talks with Acme")? It is no company, but the deal is one."""
        return FAMILY[frame.trigger.type] == "commercial" and self._state(frame, clause)

    def _state(self, frame: Frame, clause: Clause) -> bool:
        row = frame.parsed.tokens[clause.start : clause.end]
        pairs = (f"{one.low} {two.low}" for one, two in pairwise(row))
        single = any(token.text[:1].isupper() and token.low in self._states for token in row)
        return single or any(pair in self._states for pair in pairs)


_UNNAMED = frozenset("a an one another unnamed several two".split())
_FIRMS = frozenset(
    "startup start-up company firm maker developer unicorn chipmaker automaker lab spinoff rival".split()
)


def _unnamed(frame: Frame) -> bool:
    """ "Acme invests in a start-up that helps coders": it is news of Acme though nobody says which."""
    rights = any(frame.parsed.word(at) == "rights" for at in range(frame.hit.start, frame.hit.end))
    if frame.trigger.id == "license" and rights and "subject" in frame.places:
        return True  # "Acme TV lands rights to a novel"
    if frame.trigger.id in {"talks-with", "license"} and frame.reading.status == "rumour" and frame.parties:
        behind = [token.low for token in frame.parsed.tokens[frame.hit.end : frame.hit.end + 7]]
        return bool(_UNNAMED & set(behind[:3])) and bool((_FIRMS | {"carmaker"}) & set(behind))
    if frame.trigger.id not in {"invest", "investment.noun"} or "investor" not in frame.roles.values():
        return False
    thing = object_words(frame)[:6]
    return bool(_FIRMS & set(thing)) and not {"its", "their", "own"} & set(thing)


def _all_subjects(frame: Frame) -> bool:
    verb = not frame.noun and frame.hit.form != "phrase"
    return verb and not frame.trigger.reciprocal and frame.places == {"subject"}


def object_words(frame: Frame) -> list[str]:
    """The words of a verb's object, up to the next preposition but "of"."""
    parsed, hit = frame.parsed, frame.hit
    words: list[str] = []
    for token in parsed.tokens[hit.end : parsed.clause(hit.start).end][:16]:
        if token.low in _PREPOSITIONS and words:
            break
        words.append(token.low)
    return words


def _bare_company(frame: Frame, thing: list[str], outside: set[str]) -> bool:
    """ "to sell Borealis": a company's name ends the object."""
    mention = frame.parsed.mentions.get(frame.hit.end + len(thing) - 1)
    if mention is None or not frame.parties or frame.reading.passive:
        return False
    return mention.kind == "name" or (mention.kind == "found" and "to" in outside)


def _pair(frame: Frame) -> str:
    pair = any(place == "subject" and len(group.members) > 1 for place, group in frame.filled)
    pair = pair or (
        "subject" in frame.places and any(_alone_with(frame, g.end) for p, g in frame.filled if p == "with")
    )
    clause = frame.parsed.clause(frame.hit.start)
    first = clause.start == 0 or clause.word in {"says", "said", ":", "confirms that", "announced that"}
    return "" if pair and first and len(frame.parties) > 1 else "not said of two companies together"


def _alone_with(frame: Frame, at: int) -> bool:
    """Does the name behind "with" mean the company ("cars with Acme"), not its wares ("with Acme chips")?"""
    return frame.parsed.word(at + 1) in _PREPOSITIONS | {"", ",", ".", ";", "and", "together", "?"}


def _together(frame: Frame) -> str:
    """One company cannot "team up" unless the sentence says with whom."""
    last, after = frame.parsed.word(frame.hit.end - 1), frame.parsed.word(frame.hit.end)
    said = (last == "with" or after in {"with", "on"}) and (frame.headline or "subject" not in frame.places)
    return ALONE if frame.trigger.reciprocal and not frame.noun and len(frame.parties) < 2 and not said else ""


def _product_alone(frame: Frame) -> str:
    mentions = frame.parsed.mentions.values()
    alone = len(frame.parties) == 1 and mentions and all(mention.kind == "product" for mention in mentions)
    if alone and frame.trigger.type == "licensing" and "subject" in frame.places and not frame.trigger.modal:
        return ""  # a channel buys rights under its own name: "Acme TV lands rights to ..."
    return "only a product is named" if alone else ""


def _buyer(frame: Frame) -> str:
    if frame.parsed.word(frame.hit.start).startswith("t") and _PERSONS & {t.low for t in frame.parsed.tokens}:
        return NOBODY_BUYS  # "Acme chief steps down as Jo Bloggs takes over"
    if "acquirer" not in frame.roles.values() and len(frame.parties) < 2 and not _by_somebody(frame):
        return NOBODY_BUYS
    product = any(frame.parsed.mentions[g.end].kind == "product" for place, g in frame.filled if place == "object")
    return "a product is bought, not a company" if product and len(frame.parties) < 2 else ""


_PERSONS = frozenset("exec successor succeeds succeeding steps stepping ceo".split())
_BUYERS = frozenset(
    "founder co-founder cofounder billionaire tycoon mogul heir family consortium investors management".split()
)


def _by_somebody(frame: Frame) -> bool:
    """Bought by nobody named, or by somebody who is no company ("Acme founder buys Borealis")?"""
    parsed, hit = frame.parsed, frame.hit
    before = [token.low for token in parsed.tokens[parsed.clause(hit.start).start : hit.start]]
    if hit.form in {"pp", "past/pp"}:
        return any(word != "just" for word in before)  # not "Just bought an Acme phone?"
    named = any(_alone_with(frame, group.end) for place, group in frame.filled if place == "object")
    return named and bool(_BUYERS & set(before[-3:]))


def _purchase(frame: Frame) -> str:
    word, after = frame.parsed.word(frame.hit.end - 1), frame.parsed.word(frame.hit.end)
    small = word in {"purchase", "purchases"} and len(frame.parties) < 2 and after != "of"
    return "a purchase of something, not of a company" if small else ""


def _holder(frame: Frame) -> str:
    unknown = len(frame.parties) == 1 and "investor" not in frame.roles.values() and "owner" not in frame.places
    return _NO_HOLDER if unknown else ""


_STATE_LICENCES = frozenset(
    "uk us eu u.s u.k banking bank operating gaming gambling spectrum export driving pilot".split()
)


def _licence(frame: Frame) -> str:
    if frame.parsed.word(frame.hit.start - 1) in _STATE_LICENCES and frame.parsed.word(frame.hit.end - 1) != "rights":
        return "a licence of another kind"  # one that a state grants
    if len(frame.parties) >= 2:
        return ""
    if frame.hit.end - frame.hit.start == 1:
        return "a licence of another kind"
    return ALONE if set(frame.reading.rules) <= {"under", "launch", "market"} else ""


def _works_with(frame: Frame) -> str:
    work = frame.parsed.word(frame.hit.end - 2) == "work"
    product = any(frame.parsed.mentions[g.end].kind == "product" for place, g in frame.filled if place == "object")
    return "a product that works with another" if work and product else ""


def _supplied(frame: Frame) -> str:
    """ "supply" means a customer; one "provides" and "delivers" many things to many people."""
    plain = frame.parsed.word(frame.hit.start).startswith("suppl") or is_title_case(frame.parsed.text)
    for place, group in frame.filled:
        for at in group.members if place != "subject" else ():
            kind = frame.parsed.mentions[at].kind
            if kind == "name" or (kind == "found" and plain):
                return ""
    return _NOBODY_SUPPLIED


def _for_sale(frame: Frame) -> str:
    parsed, hit = frame.parsed, frame.hit
    clause = parsed.clause(hit.start)
    words = {token.low for token in parsed.tokens[clause.start : hit.start]}
    if words & _FOR_SALE:
        return ""
    goods = parsed.word(hit.end - 1) == "sale" or (
        parsed.word(hit.end - 1) == "sold"
        and any(parsed.word(group.end + 1) not in _VERBAL for place, group in frame.filled if place == "subject")
    )
    return "a product is for sale" if goods else ""


def _shop(frame: Frame) -> str:
    parsed, hit = frame.parsed, frame.hit
    word = parsed.word(hit.end - 1)
    of = parsed.word(hit.end) in {"of", "to"} or frame.places & {"to", "owner"}
    single = hit.end - hit.start == 1 and parsed.word(hit.start - 1) not in _SALE_OF
    return "a shop's sale or sales figures" if word == "sales" or (word == "sale" and not of and single) else ""


def _order(frame: Frame) -> str:
    parsed, hit = frame.parsed, frame.hit
    if parsed.word(hit.end - 1) not in {"order", "orders"} or len(frame.parties) >= 2:
        return ""
    clause = parsed.clause(hit.start)
    row = parsed.tokens[clause.start : clause.end]
    told = any(token.kind == "money" or token.text in _PEOPLES for token in row)
    return "" if told else _NO_CUSTOMER


def _grant(frame: Frame) -> str:
    parsed, hit = frame.parsed, frame.hit
    public = parsed.word(hit.start - 1) in {"federal", "state", "government", "public", "eu", "research"}
    return "public money, not an investment" if public else ""


_PRIZES = frozenset("rights slots contract contracts licence license tender games olympics cup spectrum orders".split())
_OTHER_OFFERS = frozenset("ransom job plea settlement wage pay contract peace trade-in loan".split())


def _contest(frame: Frame) -> str:
    if frame.noun and frame.parsed.word(frame.hit.start - 1) in _OTHER_OFFERS:
        return "an offer of another kind"
    behind = {token.low for token in frame.parsed.tokens[frame.hit.end : frame.hit.end + 6]}
    if frame.parsed.word(frame.hit.end) == "for" and "for" not in frame.places and _PRIZES & behind:
        return "bids for something else than a company"
    contest = frame.hit.form == "nouns" and not frame.places & {"for", "owner", "compound"}
    return "bids in a tender, not for a company" if contest else ""


def _no_contract(frame: Frame) -> str:
    """Money that comes with a contract is no investment: "nets $16m from the state in contract win"."""
    near = range(frame.hit.start, frame.hit.end + 6)
    contract = any(
        hit.rule.id == "contract.noun" or (hit.rule.id == "deal.noun" and hit.start in near)
        for hit in frame.parsed.hits
    )
    return "the money is paid under a contract" if contract else ""


_ENDS = frozenset(["", *", . ; : ? - – — again over against up ahead this next worth after before despite".split()])
_PARTS = frozenset("plant unit business division factory arm stake assets brand brands mine refinery stores".split())


def _bare_object(frame: Frame) -> str:
    """ "eyes Borealis" is a bid in the making, "eyes Borealis chips" an order at the most."""
    behind = [token.low for token in frame.parsed.tokens[frame.hit.end : frame.hit.end + 5]]
    if behind[:1] == ["'s"] and _PARTS & set(behind):
        return ""  # "eyes Borealis's Leipzig plant"
    bare = frame.parsed.word(frame.hit.end) in _PREPOSITIONS | _ENDS
    return "" if bare else "it is after something else than the company"


def _goods(frame: Frame) -> str:
    if frame.hit.start == frame.hit.end - 1 and "for" not in frame.places:
        return "for whom nobody says"
    return "" if is_goods(frame.parsed, frame.hit) else "no wares are named"


def _whole(frame: Frame) -> str:
    product = frame.parsed.mentions[frame.hit.start].kind == "product"
    return "a product is for sale" if product else ""


CHECKS: dict[str, Callable[[Frame], str]] = {
    "buyer": _buyer,
    "purchase": _purchase,
    "holder": _holder,
    "licence": _licence,
    "works_with": _works_with,
    "supplied": _supplied,
    "for_sale": _for_sale,
    "grant": _grant,
    "contest": _contest,
    "goods": _goods,
    "no_contract": _no_contract,
    "bare_object": _bare_object,
    "shop": _shop,
    "whole": _whole,
    "order": _order,
}
