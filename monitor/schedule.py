"""When a feed is asked next, and what its answers say about its health. Pure arithmetic: no clock, no network.

The manners are those of the best readers: never sooner than the server asks (Retry-After, Cache-Control, Expires, ttl,
sy:updatePeriod), less often where there is seldom news, ever less often where nothing answers, not at all where the
server said three times over days that the feed is gone. A clock that jumps costs at most one poll too many: a state
from the future, or a date beyond every limit, counts as due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from monitor.models import FeedState, stable_key

HOUR, DAY = 3600.0, 86400.0
NOT_ASKED = frozenset(("host_paused", "host_down"))  # outcomes that say nothing about the feed itself
PAUSES_HOST = frozenset(("rate_limited", "unavailable"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How often to ask. All in seconds but `stretch`, `gone_times` and `jitter`."""

    interval: float = 900.0  # the least time between two polls
    stretch: float = 4.0  # a feed that seldom brings news is asked up to so many times less often; 1 = never
    news_share: float = 1 / 8  # ... namely after this share of the usual time between two pieces of news
    longest: float = DAY  # nothing but Retry-After makes a poll wait longer
    longest_retry_after: float = 7 * DAY
    jitter: float = 0.1  # share of the interval by which polls are spread
    slack: float = 60.0  # what falls due within this time is taken along
    moved_after: float = 3 * DAY  # a permanent redirect must stand so long before it is kept
    gone_times: int = 3
    gone_after: float = 2 * DAY  # ... between the first and the last 410
    fallback_after: int = 5  # failures in a row at a new address, until the configured one is asked again
    silent_times: float = 5.0  # so many times its usual gap without news makes a feed silent
    silent_least: float = 3 * DAY
    silent_unknown: float = 30 * DAY  # for feeds whose usual gap is not known yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one poll brought, as far as the schedule cares (`monitor.fetch.answer_of` makes it)."""

    outcome: str = "ok"  # ok, not_modified, or a failure kind
    detail: str = ""
    retry_after: float | None = None  # seconds
    fresh_for: float = 0.0  # seconds that the server says this answer stays good: max-age, Expires, ttl, updatePeriod
    etag: str = ""
    last_modified: str = ""
    permanent_to: str = ""
    title: str = ""
    body_hash: int = 0
    keys_hash: int = 0  # of the set of entries; 0 = not parsed
    total: int = 0  # entries in the body
    new: int = 0  # of them never seen before


class Feed(Protocol):
    """What the schedule needs to know of a subscription."""

    @property
    def url(self) -> str:
        """As configured."""

    @property
    def interval_seconds(self) -> int | None:
        """The user's own wish, None for the default."""


F = TypeVar("F", bound=Feed)


def due(states: Mapping[int, FeedState], feeds: Iterable[F], now: datetime, manners: Manners = Manners()) -> list[F]:
    """The feeds to ask now, oldest due first; none on a host that wants to be left alone, none that is gone."""
    paused = _paused_hosts(states.values(), now, manners)
    found: list[tuple[datetime, int, F]] = []
    for place, feed in enumerate(feeds):
        state = states.get(stable_key(feed.url))
        if state is None:
            found.append((now - timedelta(days=36500), place, feed))
        elif not is_gone(state, manners) and _host(state) not in paused and is_due(state, now, manners):
            found.append((state.next_due or state.polled_at, place, feed))
    return [feed for _, _, feed in sorted(found, key=lambda item: item[:2])]


def is_due(state: FeedState, now: datetime, manners: Manners = Manners()) -> bool:
    """Whether a feed may be asked. A clock that went back must not silence it for the time that it jumped."""
    if state.next_due is None or state.polled_at > now:
        return True
    limit = max(manners.longest, manners.longest_retry_after) * (1 + manners.jitter)
    if state.next_due - state.polled_at > timedelta(seconds=limit):
        return True
    return state.next_due <= now + timedelta(seconds=manners.slack)


def _paused_hosts(states: Iterable[FeedState], now: datetime, manners: Manners) -> set[str]:
    return {_host(s) for s in states if s.outcome in PAUSES_HOST and not is_due(s, now, manners)}


def _host(state: FeedState) -> str:
    return urlsplit(state.fetch_url or state.url).hostname or ""


def validators(state: FeedState | None) -> tuple[str, str]:
    """(ETag, Last-Modified) to send, byte for byte; none to a source that fails, so that only a whole body heals it."""
    return (state.etag, state.last_modified) if state is not None and not state.failures else ("", "")


def next_state(
    state: FeedState | None,
    feed: Feed,
    answer: Answer,
    now: datetime,
    manners: Manners = Manners(),
    seed: int = 0,
) -> FeedState:
    """The feed's state after `answer`. Deterministic: the jitter comes from the feed and `seed`."""
    before = state or FeedState(feed_key=stable_key(feed.url), url=feed.url, polled_at=now)
    if answer.outcome == "ok":
        after = _succeeded(before, answer, now)
    elif answer.outcome == "not_modified":
        after = _unchanged(before, now)
    elif answer.outcome in NOT_ASKED:
        after = replace(before, polled_at=now, outcome=answer.outcome, detail=answer.detail)
    else:
        after = _failed(before, answer, now, manners)
    after = _moved(before, after, answer, now, manners)
    usual = _interval(after, feed, now, manners)
    wait = _wait(after, feed, answer, usual, manners, seed)
    return replace(after, interval=usual, next_due=now + timedelta(seconds=wait))


def _succeeded(before: FeedState, answer: Answer, now: datetime) -> FeedState:
    first = before.ok_at is None
    news = answer.new > 0 or (answer.keys_hash not in (0, before.keys_hash) and not first)
    # of the entries of a long window not one was known: the ones between were never seen
    overflowed = not first and answer.total >= 3 and answer.new == answer.total
    return replace(
        before,
        polled_at=now,
        title=answer.title or before.title,
        etag=answer.etag,
        last_modified=answer.last_modified,
        body_hash=answer.body_hash,
        keys_hash=answer.keys_hash or before.keys_hash,
        outcome="ok",
        detail=answer.detail,
        failures=0,
        gone=0,
        gone_since=None,
        ok_at=now,
        news_at=now if news or first else before.news_at,
        # we came too late: the time since says nothing of how often there is news, the number of entries does
        news_gap=_gap(before, now) / (answer.new if overflowed else 1) if news and not first else before.news_gap,
        overflowed=overflowed,
        baseline=first,
    )


def _gap(before: FeedState, now: datetime) -> float:
    """The smoothed time between news. One gap weighs three tenths, and a clock that jumped by years weighs a month."""
    if before.news_at is None:
        return before.news_gap
    gap = min(max((now - before.news_at).total_seconds(), 0.0), 30 * DAY)
    return gap if not before.news_gap else 0.7 * before.news_gap + 0.3 * gap


def _unchanged(before: FeedState, now: datetime) -> FeedState:
    """304 is a success, but does not heal a source whose last bodies were bad: they are what has not changed."""
    after = replace(before, polled_at=now, outcome="not_modified", overflowed=False, baseline=False)
    if before.failures:
        return replace(after, detail=before.detail)
    return replace(after, detail="", ok_at=now if before.ok_at else None)


def _failed(before: FeedState, answer: Answer, now: datetime, manners: Manners) -> FeedState:
    """Validators, body hash and news stay as they were: nothing was learned about them."""
    gone = before.gone + 1 if answer.outcome == "gone" else 0
    since = (before.gone_since or now) if gone else None
    failures = before.failures + 1
    lost = before.fetch_url and failures >= manners.fallback_after  # the new address is dead: ask the old one
    return replace(
        before,
        polled_at=now,
        outcome=answer.outcome,
        detail=answer.detail,
        failures=failures,
        gone=gone,
        gone_since=min(since, now) if since else None,
        fetch_url="" if lost else before.fetch_url,
        overflowed=False,
        baseline=False,
    )


def _moved(before: FeedState, after: FeedState, answer: Answer, now: datetime, manners: Manners) -> FeedState:
    """Keep a permanent redirect once it has stood for days; a single one may be a captive portal or a mishap."""
    if answer.outcome not in ("ok", "not_modified"):
        return after
    target = answer.permanent_to
    if not target or target == (after.fetch_url or after.url):
        return replace(after, moved_to="", moved_since=None)
    since = before.moved_since
    if target != before.moved_to or since is None or since > now:
        return replace(after, moved_to=target, moved_since=now)
    if (now - since).total_seconds() >= manners.moved_after:
        return replace(after, fetch_url=target, moved_to="", moved_since=None)
    return after


def _interval(state: FeedState, feed: Feed, now: datetime, manners: Manners) -> float:
    """The usual time between polls: as the user wishes, else adapted to how often there is news."""
    if feed.interval_seconds:
        return float(feed.interval_seconds)
    quiet = (now - state.news_at).total_seconds() if state.news_at else 0.0
    adapted = max(state.news_gap, min(quiet, 30 * DAY)) * manners.news_share if state.news_gap else 0.0
    return min(max(manners.interval, adapted), manners.interval * manners.stretch)


def _wait(state: FeedState, feed: Feed, answer: Answer, usual: float, manners: Manners, seed: int) -> float:
    """Seconds until the next poll. Our own interval is spread downwards, what the server asks for upwards."""
    spread = stable_key("jitter", str(state.feed_key), str(seed)) / 2**64
    wait = usual
    if answer.outcome == "gone":
        wait = DAY
    elif answer.outcome not in ("ok", "not_modified", *NOT_ASKED):
        wait = usual * 2.0 ** min(state.failures - 1, 10)
    wait = min(wait, manners.longest) * (1 - manners.jitter * spread)
    # a user who sets an interval for a feed means it: only an explicit Retry-After counts more
    asked = 0.0 if feed.interval_seconds else min(answer.fresh_for, manners.longest)
    asked = max(asked, min(answer.retry_after or 0.0, manners.longest_retry_after))
    return max(wait, asked + spread * min(60.0, asked * manners.jitter))


def is_gone(state: FeedState, manners: Manners = Manners()) -> bool:
    """Whether the server said for days that the feed is gone for good; it is not asked any more."""
    if state.outcome != "gone" or state.gone < manners.gone_times or state.gone_since is None:
        return False
    return (state.polled_at - state.gone_since).total_seconds() >= manners.gone_after * 0.8


def silent_for(state: FeedState, now: datetime, manners: Manners = Manners()) -> float:
    """Seconds without news, if that is much longer than usual for this feed; else 0. The watchdog of dying sources."""
    if state.news_at is None:
        return 0.0
    quiet = (now - state.news_at).total_seconds()
    usual = state.news_gap * manners.silent_times if state.news_gap else manners.silent_unknown
    return quiet if quiet > max(usual, manners.silent_least) else 0.0


def health(state: FeedState, now: datetime, manners: Manners = Manners()) -> tuple[str, str]:
    """(word, sentence) on how a feed does: ok, new, gone, failing, paused, silent, overflowed, moved."""
    if is_gone(state, manners):
        return "gone", "the server says that it is gone for good; remove it or find its new address"
    if state.failures:
        times = f"{state.failures} times in a row" if state.failures > 1 else "once so far"
        return "failing", f"{times}: {state.detail or state.outcome}"
    if state.outcome in NOT_ASKED:
        return "paused", state.detail
    if quiet := silent_for(state, now, manners):
        return (
            "silent",
            f"no news for {spell(quiet)}; usually every {spell(state.news_gap) if state.news_gap else 'day'}",
        )
    if state.overflowed:
        return "overflowed", "every entry of the last poll was new: some may have been missed; poll more often"
    if state.moved_to:
        return "moved", f"redirects to {state.moved_to}; kept if it stays so"
    if state.fetch_url:
        return "ok", f"lives at {state.fetch_url} now"
    return ("ok", "") if state.ok_at else ("new", "not asked yet")


def spell(seconds: float) -> str:
    """A duration for people: "40 min", "7 h", "3 days"."""
    if seconds < HOUR:
        return f"{max(seconds / 60, 1):.0f} min"
    return f"{seconds / HOUR:.0f} h" if seconds < 2 * DAY else f"{seconds / DAY:.0f} days"
