"""English inflection: the forms of a verb and the plural of a noun. Knows the irregular words that deal news uses."""

from __future__ import annotations

_IRREGULAR = {
    "buy": ("buys", "buying", "bought", "bought"), "take": ("takes", "taking", "took", "taken"),
    "sell": ("sells", "selling", "sold", "sold"), "win": ("wins", "winning", "won", "won"),
    "strike": ("strikes", "striking", "struck", "struck"), "make": ("makes", "making", "made", "made"),
    "get": ("gets", "getting", "got", "gotten"), "give": ("gives", "giving", "gave", "given"),
    "put": ("puts", "putting", "put", "put"), "lead": ("leads", "leading", "led", "led"),
    "set": ("sets", "setting", "set", "set"), "cut": ("cuts", "cutting", "cut", "cut"),
    "fall": ("falls", "falling", "fell", "fallen"), "break": ("breaks", "breaking", "broke", "broken"),
    "shut": ("shuts", "shutting", "shut", "shut"), "seek": ("seeks", "seeking", "sought", "sought"),
    "go": ("goes", "going", "went", "gone"), "build": ("builds", "building", "built", "built"),
    "choose": ("chooses", "choosing", "chose", "chosen"), "bid": ("bids", "bidding", "bid", "bid"),
    "withdraw": ("withdraws", "withdrawing", "withdrew", "withdrawn"), "be": ("is", "being", "was", "been"),
    "hold": ("holds", "holding", "held", "held"), "find": ("finds", "finding", "found", "found"),
    "lose": ("loses", "losing", "lost", "lost"), "draw": ("draws", "drawing", "drew", "drawn"),
    "sink": ("sinks", "sinking", "sank", "sunk"), "shoot": ("shoots", "shooting", "shot", "shot"),
    "freeze": ("freezes", "freezing", "froze", "frozen"), "let": ("lets", "letting", "let", "let"),
    "tear": ("tears", "tearing", "tore", "torn"), "throw": ("throws", "throwing", "threw", "thrown"),
    "fight": ("fights", "fighting", "fought", "fought"), "wind": ("winds", "winding", "wound", "wound"),
    "forgo": ("forgoes", "forgoing", "forwent", "forgone"), "quit": ("quits", "quitting", "quit", "quit"),
    "rebut": ("rebuts", "rebutting", "rebutted", "rebutted"), "own": ("owns", "owning", "owned", "owned"),
    "bet": ("bets", "betting", "bet", "bet"), "say": ("says", "saying", "said", "said"),
    "split": ("splits", "splitting", "split", "split"), "become": ("becomes", "becoming", "became", "become"),
    "run": ("runs", "running", "ran", "run"), "bring": ("brings", "bringing", "brought", "brought"),
    "sew": ("sews", "sewing", "sewed", "sewn"), "re-sign": ("re-signs", "re-signing", "re-signed", "re-signed"),
    "shop": ("shops", "shopping", "shopped", "shopped"), "pay": ("pays", "paying", "paid", "paid"),
    "ready": ("readies", "readying", "readied", "readied"), "refer": ("refers", "referring", "referred", "referred"),
    "swallow": ("swallows", "swallowing", "swallowed", "swallowed"), "grow": ("grows", "growing", "grew", "grown"),
    "lend": ("lends", "lending", "lent", "lent"), "stop": ("stops", "stopping", "stopped", "stopped"),
    "hook": ("hooks", "hooking", "hooked", "hooked"), "link": ("links", "linking", "linked", "linked"),
    "team": ("teams", "teaming", "teamed", "teamed"), "dispose": ("disposes", "disposing", "disposed", "disposed"),
    "spin": ("spins", "spinning", "spun", "spun"), "hive": ("hives", "hiving", "hived", "hived"),
}  # fmt: skip
_DOUBLING = frozenset(
    "scrap drop tap nab bag net plan snap step pen ship tip axe grab snag rip stop swap spur gag jet chat pop top "
    "cap trim ship rub slam court plot bin flog".split()
) - {"axe", "court"}


def inflect(verb: str) -> tuple[tuple[str, str], ...]:
    """The forms of a verb, each with its tag: `base`, `s`, `ing`, `past`, `pp` (past participle)."""
    if verb in _IRREGULAR:
        s, ing, past, participle = _IRREGULAR[verb]
        return ((verb, "base"), (s, "s"), (ing, "ing"), (past, "past"), (participle, "pp"))
    head, dash, stem = verb.rpartition("-")
    if dash and stem in _IRREGULAR:
        return tuple((f"{head}-{form}", tag) for form, tag in inflect(stem))
    if verb.endswith("e"):
        s, ing, past = verb + "s", verb[:-1] + "ing", verb + "d"
        if verb.endswith(("ee", "ye", "oe")):
            ing = verb + "ing"
        if verb.endswith("ie"):
            ing = verb[:-2] + "ying"
    elif verb.endswith("y") and verb[-2:-1] not in "aeiou":
        s, ing, past = verb[:-1] + "ies", verb + "ing", verb[:-1] + "ied"
    elif verb.endswith(("s", "sh", "ch", "x", "z")):
        s, ing, past = verb + "es", verb + "ing", verb + "ed"
    else:
        stem = verb + verb[-1] if verb in _DOUBLING else verb
        s, ing, past = verb + "s", stem + "ing", stem + "ed"
    forms = [(verb, "base"), (s, "s"), (ing, "ing"), (past, "past"), (past, "pp")]
    if verb == "cancel":
        forms += [("cancelled", "past"), ("cancelling", "ing")]
    return tuple(forms)


def plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")
