"""Articles as a person names them: by address, by id, by the id of a deal; and the reader that reads them again."""

from __future__ import annotations

import polars as pl

from monitor.claims import Reader
from monitor.companies import catalogue
from monitor.config import Config
from monitor.errors import NotKnown
from monitor.extract import Extracted, extract_many
from monitor.fetch import Request, Response, fetch
from monitor.lexicon import load_lexicon
from monitor.models import Article
from monitor.pipeline.settings import fetch_settings
from monitor.sandbox import Sandbox
from monitor.store import Store


def reader(config: Config) -> Reader:
    """Reads articles as the next poll would."""
    return Reader(load_lexicon(config.detection.rules), config.watchlist, catalogue())


def stored(what: str, store: Store) -> list[Article]:
    """The stored articles behind an address, an article's id or a deal's id; none if nothing is stored under it."""
    if "://" in what:
        found: tuple[Article, ...] = store.load("articles", store.latest("articles").filter(pl.col("url") == what))
        return list(found)
    return list(store.rows("articles", [what, *_articles_of(store, what)]).values())


def found(what: str, store: Store, config: Config) -> list[Article]:
    """As `stored`; an address that is not stored is fetched. Raises NotKnown, or why the page cannot be had."""
    articles = stored(what, store)
    if articles:
        return articles
    if "://" in what:
        return [fetched(what, config)]
    raise NotKnown(f"{what}: no article or deal has this id; `deal-monitor events` lists the deals")


def fetched(url: str, config: Config) -> Article:
    """The article at an address. Raises FetchError, ExtractError or SandboxError."""
    (answer,) = fetch([Request(url=url, kind="page")], fetch_settings(config))
    if not isinstance(answer, Response):
        raise answer
    with Sandbox(workers=1) as sandbox:
        body = (answer.body, answer.headers.get("content-type", ""), answer.final_url)
        (page,) = extract_many([body], sandbox)
    if not isinstance(page, Extracted):
        raise page
    return Article(
        article_id="fetched", title=page.title, text=page.text, url=url, outlet=page.outlet, state=page.state
    )


def typed(text: str) -> Article:
    """A text as a person gives it: the first line is the headline."""
    title, _, rest = text.strip().partition("\n")
    return Article(article_id="given", title=title.strip(), text=rest.strip())


def _articles_of(store: Store, event_id: str) -> list[str]:
    events = store.load("events", store.scan("events").filter(pl.col("event_id") == event_id))
    claims = store.rows("claims", [key for event in events for key in event.claim_keys])
    return list(dict.fromkeys(c.article_id for c in claims.values()))
