"""Step two: get the text behind each new entry, and read the claims out of it.

Order of writing: claims first, the article's row (its "read" mark) after. A page that could not be had is never marked
read: its row says why and when to try again, and only after the last try is the feed's own summary read in its place.
Entries of a baseline are read from what the feed carries: a first poll of a thousand feeds asks for no page.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from monitor.errors import ExtractError, FetchError, SandboxError
from monitor.extract import Extracted, crude_text, may_be_wall, plain, unreadable
from monitor.fetch import Request, Response, fetch_iter
from monitor.models import Article, Claim, Entry
from monitor.pipeline.run import Run, batches
from monitor.pipeline.settings import fetch_settings
from monitor.store import Decision, View

START = -1  # position before the first row
LONGEST = timedelta(days=2)  # no pause of ours is so long: a page that waits for longer was put off by a wrong clock
LATER = frozenset({"empty"})  # ExtractError kinds that may be mended by the time of the next try
Page = Extracted | FetchError | ExtractError | SandboxError
SKIMMED = "no watched company beside a deal word anywhere on the page"
CLOSED = frozenset({401, 402, 403, 451})  # asking again will not open the door


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One entry whose article is to be read, and the earlier tries."""

    entry: Entry
    before: Article | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """What a run has to read."""

    work: list[Work]
    entries: set[int]  # without an article when we looked, of all shares
    reached: int  # position of the last entry looked at


def read(run: Run) -> None:
    """Read every entry that has no article yet, and the articles whose next try is due."""
    with run.report.timed("read"):
        todo = _todo(run)
        run.progress("read", 0, len(todo.work))
        done = 0
        for batch in batches(todo.work, run.config.run.batch):
            _read_batch(run, _articles(run, batch))
            done += len(batch)
            run.progress("read", done, len(todo.work))
        _move_cursor(run, todo)


def article_id(entry_key: int) -> str:
    return f"{entry_key:016x}"


def _todo(run: Run) -> Todo:
    """New entries of our share, and pages to be tried again.

    The tables remember up to which position every entry has its article; what follows is looked up one by one, as other
    shares may be at work there.
    """
    cursor = run.store.cursor("articles")
    entries, reached = run.store.after("entries", START if cursor is None else cursor)
    missing = _without_article(run, entries)
    work = [Work(entry=e) for e in entries if e.entry_key in missing and e.feed_key in run.feeds]
    return Todo(work=[*work, *_again(run)], entries=missing, reached=reached)


def _without_article(run: Run, entries: Iterable[Entry]) -> set[int]:
    ids = {article_id(e.entry_key): e.entry_key for e in entries}
    return {ids[i] for i in ids.keys() - run.store.seen("articles", list(ids))}


def _again(run: Run) -> list[Work]:
    """Articles whose page is to be tried again by now."""

    def due(when: Any) -> Any:
        return (when <= run.now) | (when > run.now + LONGEST)

    tried = run.store.scan("articles").filter(due(pl.col("retry_at"))).select("article_id").unique()
    articles = run.store.rows("articles", tried.collect()["article_id"].to_list())
    waiting = {int(a.article_id, 16): a for a in articles.values() if a.retry_at is not None and due(a.retry_at)}
    entries = run.store.rows("entries", list(waiting))
    return [Work(entry=entries[key], before=a) for key, a in waiting.items() if key in entries]


def _move_cursor(run: Run, todo: Todo) -> None:
    """Once every entry so far has its article, nobody needs to look at them again."""
    left = run.store.seen("articles", [article_id(key) for key in todo.entries])
    if len(left) == len(todo.entries):
        run.store.commit(
            "articles",
            lambda view: Decision((), todo.reached if view.cursor is None else max(todo.reached, view.cursor)),
        )


def _articles(run: Run, work: Sequence[Work]) -> list[Article]:
    """An article for each, in order: from the feed where that will do, else from its page."""
    paged = [w.entry for w in work if _wants_page(run, w.entry)]
    pages = dict(zip([e.entry_key for e in paged], _pages(run, paged), strict=True))
    return [
        _from_page(run, w, pages[w.entry.entry_key]) if w.entry.entry_key in pages else _from_feed(run, w.entry)
        for w in work
    ]


def _pages(run: Run, entries: Sequence[Entry]) -> list[Page]:
    """The page of each, or why there is none. Pages are extracted while others are still on their way."""
    pages: dict[int, Page] = {}
    order: deque[int] = deque()

    def bodies() -> Iterator[tuple[bytes, str, str]]:
        answers = fetch_iter([Request(url=e.url, kind="page") for e in entries], fetch_settings(run.config))
        for number, (index, answer) in enumerate(answers, 1):
            run.progress("pages", number, len(entries))
            if isinstance(answer, Response) and _is_of_no_interest(run, entries[index], answer):
                pages[index] = Extracted(title="", text=entries[index].summary, state="skimmed", detail=SKIMMED)
            elif isinstance(answer, Response):
                order.append(index)
                yield answer.body, answer.headers.get("content-type", ""), answer.final_url
            else:
                pages[index] = answer

    for page in run.engine.extract(bodies()):
        pages[order.popleft()] = page
    return [pages[index] for index in range(len(entries))]


def _is_of_no_interest(run: Run, entry: Entry, page: Response) -> bool:
    """Whether nothing on the page could give a claim, so that it need not be extracted: a look costs a twentieth of it.

    All its words count, menus and all, so no article is lost. A page with few words may keep its text elsewhere.
    """
    if not run.config.run.skim:
        return False
    words = crude_text(page.body, page.headers.get("content-type", ""))
    return not may_be_wall(page.body, words) and not run.reader.gate([f"{entry.title}\n{entry.summary}\n{words}"])[0]


def _wants_page(run: Run, entry: Entry) -> bool:
    if not entry.url or entry.baseline or entry.content or unreadable(entry.url):
        return False
    feed = run.feeds.get(entry.feed_key)
    return feed is None or feed.full_text


def _from_feed(run: Run, entry: Entry, *, state: str = "", detail: str = "") -> Article:
    """What the feed itself carries: its content where that is whole, else its summary."""
    text = plain(entry.content) if entry.content else entry.summary
    if not state:
        wall = unreadable(entry.url)
        state = "full" if entry.content else "paywall" if wall else "summary"
        detail = "" if entry.content else wall or "read from the feed's summary"
    return Article(
        article_id=article_id(entry.entry_key),
        title=entry.title,
        text=text,
        url=entry.url,
        outlet=entry.source or _host(entry.url or entry.feed_url),
        published=entry.published or entry.first_seen,
        read_at=run.now,
        feed_url=entry.feed_url,
        state=state,
        detail=detail,
        baseline=entry.baseline,
    )


def _from_page(run: Run, work: Work, page: Page) -> Article:
    """The article of a page; or, where there is none, the row that says why and what happens next."""
    entry = work.entry
    attempts = (work.before.attempts if work.before else 0) + 1
    if isinstance(page, Extracted):
        base = _from_feed(run, entry)
        return replace(
            base,
            title=entry.title or page.title,
            text=page.text,
            outlet=entry.source or page.outlet or base.outlet,
            published=entry.published or page.published or entry.first_seen,
            state=page.state,
            detail=page.detail,
            attempts=attempts,
        )
    run.report.problem("read", entry.url, page.kind, page.what)
    if _is_final(page) or attempts >= run.config.fetch.page_attempts:
        state = page.kind if page.kind in ("consent", "paywall") else "summary"
        return replace(_from_feed(run, entry, state=state, detail=page.what), attempts=attempts)
    pause = timedelta(seconds=_pause(run, page, attempts))
    return replace(
        _from_feed(run, entry, state="missing", detail=page.what),
        text="", read_at=None, attempts=attempts, retry_at=run.now + pause,
    )  # fmt: skip


def _is_final(page: FetchError | ExtractError | SandboxError) -> bool:
    """Whether asking again cannot help, so that the summary is read at once."""
    if isinstance(page, FetchError):
        return page.status in CLOSED
    return isinstance(page, SandboxError) or page.kind not in LATER


def _pause(run: Run, page: FetchError | ExtractError | SandboxError, attempts: int) -> float:
    """Seconds until the next try: doubled each time; what the server asked for counts, up to a day."""
    asked = page.retry_after if isinstance(page, FetchError) and page.retry_after else 0.0
    return min(max(asked, run.config.fetch.page_retry_seconds * 2.0 ** (attempts - 1)), 86400.0)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _read_batch(run: Run, articles: Sequence[Article]) -> None:
    """Claims, then the articles' rows."""
    ready = [a for a in articles if a.retry_at is None]
    with run.report.timed("read: claims"):
        readings = run.engine.read(ready)
    claims = {c.claim_key: c for r in readings for c in r.claims}
    if claims:
        run.report.claims += len(run.store.commit("claims", partial(_unseen, claims)))
    run.store.append("articles", articles)
    report = run.report
    report.articles += len(ready)
    report.articles_waiting += len(articles) - len(ready)
    report.articles_from_feed += sum(1 for a in ready if not a.attempts)
    report.articles_gated += sum(1 for r in readings if not r.claims and not r.near_misses)
    report.near_misses += sum(len(r.near_misses) for r in readings)


def _unseen(claims: dict[int, Claim], view: View) -> list[Claim]:
    seen = view.seen(list(claims))
    return [claim for key, claim in claims.items() if key not in seen]
