"""Step one: ask the feeds, and store what is new.

Order of writing: entries first, the feeds' states (with their validators) after, so that a crash between the two asks
again and finds the entries known. A feed that fails is a row with the reason, never an exception.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from monitor.config import FeedConfig
from monitor.errors import FeedError, SandboxError
from monitor.feeds import ParsedFeed, parse_many, to_entries
from monitor.fetch import Request, Response, Result, answer_of, fetch_iter, http_date
from monitor.models import Entry, FeedState, stable_key
from monitor.pipeline.run import Run, batches
from monitor.pipeline.settings import fetch_settings, manners
from monitor.schedule import PAUSES_HOST, Answer, due, next_state, validators
from monitor.store import View

BATCH = 200  # feeds whose entries are stored at once: bounds the memory, and what a crash asks again


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """One feed after it was asked."""

    feed: FeedConfig
    before: FeedState | None
    answer: Answer  # for the schedule
    parsed: ParsedFeed | None = None  # None: failed, or nothing new in it
    served_at: datetime | None = None  # by the server's clock


def poll(run: Run) -> None:
    """Ask the feeds that are due (with `run.everything`: all) and store their new entries."""
    with run.report.timed("poll"):
        states = run.store.rows("feeds", list(run.feeds))
        wanted = _wanted(run, states)
        run.report.feeds += len(wanted)
        run.progress("poll", 0, len(wanted))
        done = 0
        for batch in batches(_polled(run, wanted, states), BATCH):
            _store(run, batch)
            done += len(batch)
            run.progress("poll", done, len(wanted))


def _wanted(run: Run, states: Mapping[int, FeedState]) -> list[FeedConfig]:
    """Those that are due; if the user wants everything, all but those on hosts that asked to be left alone."""
    if run.everything:
        states = {k: s if s.outcome in PAUSES_HOST else replace(s, next_due=None) for k, s in states.items()}
    return due(states, list(run.feeds.values()), run.now, manners(run.config))


def _polled(run: Run, feeds: Sequence[FeedConfig], states: Mapping[int, FeedState]) -> Iterator[Polled]:
    """Each feed as its answer comes in; bodies become entries in workers that can be killed.

    A body that we know already is not parsed again. While answers wait for a worker, fetching slows down: bodies do not
    pile up.
    """
    known = [states.get(stable_key(f.url)) for f in feeds]
    asked = fetch_iter([_request(f, s) for f, s in zip(feeds, known, strict=True)], fetch_settings(run.config))
    settled: deque[Polled] = deque()
    parsing: deque[tuple[int, Response]] = deque()

    def polled(index: int, result: Result | FeedError | SandboxError, parsed: ParsedFeed | None = None) -> Polled:
        answer = answer_of(result, parsed, 0)
        date = http_date(result.headers.get("Date", "")) if isinstance(result, Response) else None
        return Polled(feed=feeds[index], before=known[index], answer=answer, parsed=parsed, served_at=date)

    def bodies() -> Iterator[tuple[bytes, str, str]]:
        for index, result in asked:
            if isinstance(result, Response) and not _known(result, known[index]):
                parsing.append((index, result))
                yield result.body, result.headers.get("content-type", ""), feeds[index].url
            else:
                settled.append(polled(index, result))

    for outcome in parse_many(bodies(), run.sandbox):
        index, result = parsing.popleft()
        yield polled(index, result, outcome) if isinstance(outcome, ParsedFeed) else polled(index, outcome)
        while settled:
            yield settled.popleft()
    yield from settled


def _request(feed: FeedConfig, state: FeedState | None) -> Request:
    if state is None:
        return Request(url=feed.url)
    etag, last_modified = validators(state)
    return Request(url=state.fetch_url or feed.url, etag=etag, last_modified=last_modified)


def _known(answer: Response, before: FeedState | None) -> bool:
    return answer.not_modified or (before is not None and before.body_hash == answer.body_hash)


def _store(run: Run, polled: Sequence[Polled]) -> None:
    """Entries, then states. Another poller may have stored some meanwhile: only what is new in the tables counts."""
    found: dict[int, Entry] = {}
    for one in polled:
        if one.parsed is not None:
            _add(found, _entries(run, one))
    stored = run.store.commit("entries", partial(_unseen, found)) if found else ()
    new = Counter(entry.feed_key for entry in stored)
    run.report.entries_new += len(stored)
    run.report.entries_undated += sum(1 for e in stored if e.published is None)
    run.store.append("feeds", [_state(run, one, new[stable_key(one.feed.url)]) for one in polled])


def _add(found: dict[int, Entry], entries: Sequence[Entry]) -> None:
    """Each identity once. What is news to one feed is news, though it is among the first that another one showed."""
    for entry in entries:
        known = found.get(entry.entry_key)
        if known is None or (known.baseline and not entry.baseline):
            found[entry.entry_key] = entry


def _unseen(found: dict[int, Entry], view: View) -> list[Entry]:
    seen = view.seen(list(found))
    return [entry for key, entry in found.items() if key not in seen]


def _entries(run: Run, polled: Polled) -> list[Entry]:
    """The entries of one feed; those of a first poll are baseline unless the user asked for them.

    So is what was published longer before the feed's newest entry than entries are kept: it may have been known, and
    dropped since. It is the server's clock that counts, as ours may have jumped.
    """
    assert polled.parsed is not None
    key = stable_key(polled.feed.url)
    first = _is_first(polled) and run.config.first_poll == "baseline"
    entries = to_entries(polled.parsed, key, polled.feed.url, run.now, first)
    if first and (hours := run.config.baseline_alert_hours):
        since = run.now - timedelta(hours=hours)
        entries = tuple(replace(e, baseline=not (e.published and e.published >= since)) for e in entries)
    elif keep := run.config.retention.entries_days:
        newest = polled.served_at or max((e.published for e in entries if e.published), default=run.now)
        old = min(newest, run.now) - timedelta(days=keep)
        entries = tuple(replace(e, baseline=True) if e.published and e.published < old else e for e in entries)
    if repeated := len(polled.parsed.entries) - len(entries):
        run.report.problem("entries", polled.feed.url, "repeated", f"{repeated} entries repeat another one of the feed")
    return list(entries)


def _is_first(polled: Polled) -> bool:
    return polled.before is None or polled.before.ok_at is None


def _state(run: Run, polled: Polled, new: int) -> FeedState:
    """The feed's next row, and what the report says of it."""
    answer, report, url = polled.answer, run.report, polled.feed.url
    if answer.outcome not in ("ok", "not_modified"):
        report.problem("poll", url, answer.outcome, answer.detail)
    elif polled.parsed is None:
        report.feeds_not_modified += 1
    elif answer.detail:
        report.problem("entries", url, "odd", answer.detail)
    after = next_state(polled.before, polled.feed, replace(answer, new=new), run.now, manners(run.config))
    report.feeds_baseline += after.baseline and run.config.first_poll == "baseline"
    return after
