"""Sentences to claims: which deals an article asserts, between whom, of what type and how surely.

`Reader` is built once from the rules and the companies; `gate` passes over a batch of texts and lets through those that
could hold a deal of a watched company; `read` reads one article. Pure: no clock, no files, no network.

    words     deal words that are not meant as such    frame    who stands around a deal word
    checks    look-alikes of deals                     kinds    type, value, terms
    page      one article                              merging  sentences to deals
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import ahocorasick_rs

from monitor import text as plain
from monitor.claims.checks import Checks
from monitor.claims.found import Found, NearMiss, Reading
from monitor.claims.merging import LEAD
from monitor.claims.page import Knowledge, Page
from monitor.lexicon import Lexicon
from monitor.mentions import NameFinder, Names
from monitor.models import FAMILY, Article, Claim, Company, Status, stable_key
from monitor.parties import Grammar

__all__ = ["NearMiss", "Reader", "Reading"]


class Reader:
    """Reads articles for one watchlist. `known` are companies that nobody watches but that may be named as parties."""

    def __init__(self, lexicon: Lexicon, watchlist: Sequence[Company], known: Sequence[Company] = ()) -> None:
        names = Names(watchlist, known, lexicon)
        grammar = Grammar(lexicon)
        self._k = Knowledge(
            lexicon=lexicon,
            names=names,
            finder=NameFinder(lexicon),
            grammar=grammar,
            checks=Checks(lexicon, grammar),
            watched=frozenset(company.name for company in watchlist),
            companies=frozenset(form.lower() for form in names.forms),
            outlets=frozenset(lexicon.outlets),
            public=frozenset(company.name for company in known if "public body" in company.groups),
            not_companies=frozenset(lexicon.context["not_companies"]),
            silent=_any_of(lexicon.context["silent_headlines"]),
            listing=_any_of(lexicon.context["listing_headlines"]),
        )
        self._gate_names = Names(watchlist, names.lent, lexicon)
        self._gate_triggers = ahocorasick_rs.AhoCorasick(sorted(lexicon.heads() - {"COMPANY", "MONEY", "NUMBER"}))

    def gate(self, texts: Sequence[str]) -> list[bool]:
        """For each text: does it hold a watched name and a deal word at all? Cheap; errs on the side of yes."""
        return [self._passes(text) for text in texts]

    def _passes(self, text: str) -> bool:
        """A watched name stands there, as a word and written as one, and a deal word."""
        return self._gate_names.any_in(text) and bool(self._gate_triggers.find_matches_as_indexes(text.lower()))

    def read(self, article: Article) -> Reading:
        """All deals of watched companies that the article asserts, one claim per deal, and the near misses."""
        title, tail_outlet = plain.normalise_headline(article.title, self._k.outlets)
        body = plain.strip_dateline(article.text.strip())
        if body.startswith(article.title.strip()) and article.title:
            body = body[len(article.title.strip()) :].strip()
        if not self._passes(f"{title}\n{body}"):
            return Reading(article_id=article.article_id, claims=())
        page = Page(self._k, title, body, article.outlet or tail_outlet)
        page.read()
        every = (self._claim(article, found, tail_outlet) for found in page.merged())
        claims = tuple(claim for claim in every if claim.watched)  # a deal among others is nobody's business here
        return Reading(article_id=article.article_id, claims=claims, near_misses=tuple(page.misses))

    def _claim(self, article: Article, found: Found, tail_outlet: str) -> Claim:
        family = FAMILY[found.deal_type]
        parties = tuple(found.parties)
        return Claim(
            claim_key=stable_key(article.article_id, family, *sorted(parties)),
            article_id=article.article_id,
            parties=parties,
            watched=tuple(name for name in parties if name in self._k.watched),
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
            feed_url=article.feed_url,
            outlet=article.outlet or tail_outlet,
            published=article.published,
            read_at=article.read_at,
            baseline=article.baseline,
        )


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)", re.IGNORECASE)


def _status(word: str) -> Status:
    assert word in {"rumour", "announced", "completed", "denied", "terminated"}
    return word  # type: ignore[return-value]
