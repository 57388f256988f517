"""What kind of deal it is, for how much, on what terms: read from the words around the deal word."""

from __future__ import annotations

import re

from monitor.lexicon import Hit, Trigger
from monitor.models import DealType
from monitor.shape import Parsed


def _any_of(words: str) -> re.Pattern[str]:
    """Any of these words or phrases, separated by ";", each a regular expression."""
    return re.compile(rf"\b(?:{'|'.join(part.strip() for part in words.split(';'))})\b", re.IGNORECASE)


_SUPPLY = _any_of(
    "chips?;components?;parts;panels;batteries;modems?;wafers;supply;supplier;purchase;"
    "(?:solar|wind|nuclear|hydro|green|electric) power;power (?:deal|purchase|supply|contract);gas;lng;cloud;servers;"
    "aircraft;jets;planes;fighters;narrowbodies;widebodies;newbuilds;compute;gpus?;electricity;uranium;engines;capacity"
)
_LICENSING = _any_of(
    r"licens\w+;rights;catalogu?e;songs;images?;archives?;photos;library;content;films;shows;sunday ticket;matches;"
    r"playoffs;music;streaming;royalt\w+;patents?"
)
_GOVERNMENT = re.compile(r"\b(?:Army|Navy|Air Force|Pentagon|NHS|Ministry of Defen[cs]e|[Gg]overnment)\b")
_GAMES = _any_of("ticket;playoffs?;matches")
_BUYING = re.compile(  # case counts: "Buy" in a headline is often the name of a button
    r"\b(?:acquir\w+|to buy|buys|buying|buyout|takeover|take over|merger|to merge|purchase of|sell itself|to sell)\b"
)
_TAKEOVER = _any_of("pursuit;combination;take-?over;merger;buy-?out;acquisition;bid")
_STAKE = _any_of(
    r"\d+(?:\.\d+)?% of;stake;invest(?:s|ed|ing)?;investment (?!firm|bank|group|fund|manager);funding;equity;shares in;"
    "to raise"
)
_VENTURE = re.compile(
    r"\b(?:joint venture|jv|(?:equally|jointly)[- ]owned (?:company|firm|venture)|50[-:]50 (?:company|firm|venture))\b",
    re.IGNORECASE,
)
_TOGETHER = re.compile(r"\bto (?:jointly |co-?)?(?:develop|design|explore|study|research)\b", re.IGNORECASE)
_MAJORITY = re.compile(
    r"\b(?:majority|controlling|100%|(?:5[1-9]|[6-9]\d)(?:\.\d+)?\s?(?:%|per ?cent|pct))(?!\w)", re.IGNORECASE
)


# Parts of "partnership" that are as vague as "deal".
_VAGUE = frozenset(
    {"agreement", "agreements", "pact", "pacts", "accord", "letter of intent", "memorandum of understanding"}
    | {"framework agreement", "framework agreements"}
)
# With one of these the object is a company or a part of one, whatever it makes.
_COMPANY_WORDS = frozenset(
    "unit business division stake maker firm company startup arm producer supplier group plant assets operator "
    "provider developer field fields brand subsidiary chipmaker start operations rival specialist distributor "
    "manufacturer designer units businesses arms divisions stores shops outlets clinics branches hotels".split()
)
_GOODS_STOP = frozenset({"from", "to", "by", "for", "in", "through", "with", "at", "on", "after", "as", "amid"})


def deal_type(trigger: Trigger, parsed: Parsed, hit: Hit, roles: dict[str, str]) -> DealType:
    """The type that the trigger means, made precise by what stands around it."""
    if trigger.rank == 1 and "target" in roles.values() and _GAMES.search(parsed.text):
        return "licensing"
    if trigger.rank == 1 and "target" in roles.values() and not _wares_of(parsed, hit) and not is_goods(parsed, hit):
        return "acquisition"
    head = parsed.tokens[hit.end - 1].low
    takes_over = head.startswith(
        ("takeover", "take-over", "buyout", "buy-out", "bid", "offer")
    )  # "a software takeover" buys no software
    if "wares" in trigger.checks and not takes_over and is_goods(parsed, hit):
        return "supply_contract"
    if trigger.type == "investment" and "majority" in trigger.checks and _MAJORITY.search(parsed.text):
        return "acquisition"
    if turned := _turned(trigger.id, parsed, hit):
        return turned
    word = " ".join(token.low for token in parsed.tokens[hit.start : hit.end])
    if word in {"deal", "tie-up", "tieup", "pact", "agreement"} and _makes_giant(parsed, hit):
        return "acquisition"
    if "vague" in trigger.checks or ("vague_words" in trigger.checks and word in _VAGUE):
        return _from_context(trigger, parsed, hit)
    return trigger.type


def _turned(rule: str, parsed: Parsed, hit: Hit) -> DealType | None:
    """What other words of the sentence make of a deal word; None where they leave it."""
    behind = parsed.text[parsed.tokens[hit.end - 1].end :]
    turns: dict[str, tuple[bool, DealType]] = {
        "stake": (_IN_ASSET.match(behind) is not None, "acquisition"),
        "invest": (
            parsed.word(hit.end - 1) == "of" and is_goods(parsed, hit),
            "supply_contract",
        ),  # "4,000 of its drones"
        "merge": (_VENTURE.search(parsed.text) is not None, "joint_venture"),  # "merge their arms in joint venture"
        "partner": (_MERGER.search(parsed.text) is not None, "acquisition"),
        "eyes": (parsed.word(_end_of_names(parsed, hit.end)) == "to", "partnership"),  # "woos Borealis to bankroll it"
        "jointly": (founds(parsed, hit), "joint_venture"),
        "select": (_AS_PARTNER.search(parsed.text) is not None, "partnership"),
    }
    applies, kind = turns.get(rule, (False, "partnership"))
    return kind if applies else None


def _end_of_names(parsed: Parsed, at: int) -> int:
    while at < len(parsed.tokens) and (parsed.tokens[at].kind == "company" or parsed.word(at) in {",", "and"}):
        at += 1
    return at


def _makes_giant(parsed: Parsed, hit: Hit) -> bool:
    """ "Acme and Borealis agree $18bn tie-up to create Europe's biggest landlord"."""
    behind = parsed.text[parsed.tokens[hit.end - 1].end :]
    return _GIANT.match(behind) is not None and not _VENTURE.search(parsed.text)


_IN_ASSET = re.compile(
    r"\sin (?:[\w’'-]+ ){0,4}(?:refinery|mine|field|oilfield|pipeline|block|wind farm|power plant)\b",
    re.IGNORECASE,
)
_GIANT = re.compile(
    r"\s(?:to create|creating|that creates|that will create)\b.{0,40}?"
    r"\b(?:giant|group|champion|powerhouse|player|titan|behemoth|biggest|largest|landlord|operator|heavyweight)\b",
    re.IGNORECASE,
)
_MERGER = re.compile(r"\b(?:merger of equals|to merge|in (?:a )?merger)\b", re.IGNORECASE)
_AS_PARTNER = re.compile(r"\bas (?:\w+ ){1,4}partner\b", re.IGNORECASE)
_FOUNDED = frozenset("company firm entity newco enterprise".split())


def founds(parsed: Parsed, hit: Hit) -> bool:
    """Do the companies set up one together: "Acme, Borealis form battery company"?"""
    for token in parsed.tokens[hit.end : hit.end + 11]:
        if token.kind == "company" or token.low in _GOODS_STOP:
            return False
        if token.low in _FOUNDED:
            return True
    return False


def _wares_of(parsed: Parsed, hit: Hit) -> bool:
    """ "a deal for LG's panels" buys no company."""
    owner = parsed.tokens[hit.end + 2 : hit.end + 3]
    if hit.end + 1 not in parsed.mentions or parsed.word(hit.end) != "for" or not owner or owner[0].kind != "poss":
        return False
    return not _COMPANY_WORDS & {token.low for token in parsed.tokens[hit.end + 3 : hit.end + 8]}


_DESCRIBED = re.compile(  # says what a company is, not what the deal is about
    r"\b[\w-]+[ -](?:maker|giant|firm|company|designer|producer|start-?up|specialist|manufacturer|developer)s?\b",
    re.IGNORECASE,
)


def _from_context(trigger: Trigger, parsed: Parsed, hit: Hit) -> DealType:
    """The type of a vague word ("deal", "agreement") from the other words of its clause."""
    clause = parsed.clause(hit.start)
    around = parsed.text[parsed.tokens[clause.start].start : parsed.tokens[clause.end - 1].end]
    if trigger.id in {"no-talks", "talks-with", "talks-group"}:
        around = parsed.text  # "denies talks with Borealis after report of bid"
    around = _DESCRIBED.sub(" ", around)
    if _VENTURE.search(around):
        return "joint_venture"
    target = parsed.mentions.get(hit.end + 1)
    named = (
        parsed.word(hit.end) == "for" and target is not None and target.kind != "product" and not _wares_of(parsed, hit)
    )
    if named or (_BUYING.search(around) and not trigger.status) or (trigger.status and _TAKEOVER.search(around)):
        return "acquisition"
    if _STAKE.search(around):
        return "investment"
    if _LICENSING.search(around):
        return "licensing"
    if trigger.id == "deal.noun" and _GOVERNMENT.search(around):
        return "supply_contract"
    if _SUPPLY.search(around) and not trigger.weak and not _TOGETHER.search(around):
        return "supply_contract"
    return trigger.type


_GOODS = _any_of(
    "chips?; jets?; aircraft; planes?; helicopters?; drones?; launches; capacity; tonnes; tons; barrels; "
    "credits; electricity; power; gas; lng; r; oil; cells; batteries; modules; trains; ships; vessels; "
    "tankers; panels; licences; cobalt; lithium; nickel; copper; steel; servers; gpus; tpus; processors; "
    "memory; components; parts; vehicles; trucks; buses; cars; missiles; engines; turbines; reactors?; "
    "uranium; hydrogen; energy; mw; gw; wafers; sensors; radars; satellites; rockets; doses; vaccines; wine; "
    "grain; wheat; jabs?; shots; guns; equipment; software; services; interceptors?; howitzers?; tanks?; munitions; "
    "shells; rifles; "
    "fighters?; widebodies; narrowbodies; newbuilds?; hydropower; magnets?; minerals; earths; graphite; "
    r"\d+(?:\.\d+)?[gm]wh?; "
    "submarines?; frigates?; ships?; phones?; laptops?; tablets?; robots?; cabs; locomotives?; carriages; devices "
)


def is_goods(parsed: Parsed, hit: Hit) -> bool:
    """Is it wares that change hands, not a company: "buys memory chips from", "sells cobalt to"?"""
    clause = parsed.clause(hit.start)
    stop = hit.end
    if hit.form in {"noun", "nouns"}:
        words = [token.low for token in parsed.tokens[max(clause.start, hit.start - 3) : hit.start]]
        return bool(words and _GOODS.fullmatch(words[-1])) or _deal_for_goods(parsed, hit, clause.end)
    while stop < clause.end and parsed.word(stop) not in _GOODS_STOP:
        stop += 1
    if stop > hit.end + 1 and parsed.tokens[stop - 1].kind == "company" and hit.rule.id != "make-for":
        return False  # "to buy bitcoin miner Borealis"
    thing = [token.low for token in parsed.tokens[hit.end : stop] if token.kind != "company"]
    return bool(_GOODS.search(" ".join(thing))) and not _COMPANY_WORDS & set(thing)


def _deal_for_goods(parsed: Parsed, hit: Hit, end: int) -> bool:
    """ "a deal for 150 Acme jets"."""
    if parsed.word(hit.end) != "for":
        return False
    stop = hit.end + 1
    while stop < end and parsed.word(stop) not in _GOODS_STOP and parsed.tokens[stop].kind != "punct":
        stop += 1
    thing = [token.low for token in parsed.tokens[hit.end + 1 : stop] if token.kind != "company"]
    counted = any(word[:1].isdigit() for word in thing)
    return counted and bool(_GOODS.search(" ".join(thing))) and not _COMPANY_WORDS & set(thing)


_TERMS = re.compile(
    r"\b\d[\d.]*(?:%|\s?per ?cent|\s?pct)\s(?:equity\s)?(?:stake|share|interest|holding)|\b(?:\w+|\d+)-year\b",
    re.IGNORECASE,
)
_MARKS = (
    (
        "second",
        re.compile(
            r"\b(?:second|third|another|separate)\s(?:\w+\s)?"
            r"(?:deal|agreement|partnership|contract|order|stake|acquisition|round|pact)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "new round",
        re.compile(
            r"\b(?:new|fresh|latest|follow-on|further)\s(?:funding\s|investment\s|financing\s)?"
            r"(?:round|funding|investment|stake|order|contract)\b|\bseries [b-h]\b",
            re.IGNORECASE,
        ),
    ),
    ("expands", re.compile(r"\b(?:expand|extend|renew|broaden|deepen)(?:s|ed|ing)?\b", re.IGNORECASE)),
)


def terms(sentence: str) -> tuple[str, ...]:
    """Terms as stated: "27% stake", "ten-year"."""
    return tuple(dict.fromkeys(match[0] for match in _TERMS.finditer(sentence)))


def marks(sentence: str) -> tuple[str, ...]:
    """What sets the deal apart from an earlier one of the same companies."""
    return tuple(mark for mark, pattern in _MARKS if pattern.search(sentence))


def value(parsed: Parsed, hit: Hit) -> str:
    """The sum of money nearest to the trigger."""
    sums = [(abs(at - hit.start), token.text) for at, token in enumerate(parsed.tokens) if token.kind == "money"]
    return min(sums)[1] if sums else ""
