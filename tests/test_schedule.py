"""The arithmetic of manners, in tables; then hypothesis plays clock and server against the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.models import FeedState, stable_key
from monitor.schedule import Answer, Manners, due, health, is_due, is_gone, next_state, silent_for, spell, validators

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PLAIN = Manners(jitter=0.0, slack=0.0)


@dataclass(frozen=True)
class Feed:
    url: str = "https://a.test/feed"
    interval_seconds: int | None = None


FEED = Feed()


def ok(new: int = 0, total: int = 20, **more: object) -> Answer:
    return Answer(etag='"e"', body_hash=1, keys_hash=more.pop("keys", 7), total=total, new=new, **more)  # type: ignore[arg-type]


def play(*answers: Answer, every: timedelta = 15 * MINUTE, feed: Feed = FEED, manners: Manners = PLAIN) -> FeedState:
    """The state after these answers, one every so often, the last one at NOW."""
    state = None
    for place, one in enumerate(answers):
        state = next_state(state, feed, one, NOW - every * (len(answers) - 1 - place), manners)
    assert state is not None
    return state


def wait(state: FeedState) -> float:
    assert state.next_due is not None
    return (state.next_due - state.polled_at).total_seconds()


NOT_MODIFIED, DOWN, GONE = Answer(outcome="not_modified"), Answer(outcome="server_error"), Answer(outcome="gone")


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([ok()], 900),
        ([ok(fresh_for=600)], 900),
        ([ok(fresh_for=5400)], 5400),
        ([ok(fresh_for=10 * 86400)], 86400),
        ([Answer(outcome="rate_limited", retry_after=3600)], 3600),
        ([Answer(outcome="rate_limited", retry_after=5)], 900),
        ([Answer(outcome="unavailable", retry_after=30 * 86400)], 7 * 86400),
        ([Answer(outcome="not_modified", fresh_for=7200)], 7200),
        ([DOWN], 900),
        ([DOWN] * 2, 1800),
        ([DOWN] * 3, 3600),
        ([DOWN] * 30, 86400),
        ([DOWN] * 5 + [ok()], 900),
        ([GONE], 86400),
        ([ok(), Answer(outcome="host_paused", retry_after=1200)], 1200),
        ([ok(), Answer(outcome="host_down")], 900),
    ],
)
def test_wait(answers: list[Answer], seconds: float) -> None:
    assert wait(play(*answers)) == seconds


def test_users_interval_counts_more_than_hints_but_not_more_than_retry_after() -> None:
    mine = Feed(interval_seconds=300)
    assert wait(play(ok(fresh_for=86400), feed=mine)) == 300
    assert wait(play(Answer(outcome="rate_limited", retry_after=4000), feed=mine)) == 4000
    assert wait(play(*[ok(new=1, keys=i) for i in range(5)], every=30 * DAY, feed=mine)) == 300


@pytest.mark.parametrize(
    ("gap", "seconds"),
    [(10 * MINUTE, 900), (HOUR, 900), (2 * HOUR, 900), (4 * HOUR, 1800), (8 * HOUR, 3600), (10 * DAY, 3600)],
)
def test_feeds_that_seldom_bring_news_are_asked_less_often(gap: timedelta, seconds: float) -> None:
    state = play(*[ok(new=2, keys=place + 1) for place in range(8)], every=gap)
    assert wait(state) == pytest.approx(seconds)


def test_a_feed_that_falls_quiet_is_asked_less_often_and_at_once_more_often_when_it_wakes() -> None:
    busy = [ok(new=1, keys=place + 1) for place in range(5)]
    state = play(*busy)
    assert wait(state) == 900
    for hour in range(1, 40):
        state = next_state(state, FEED, ok(keys=5), NOW + hour * HOUR, PLAIN)
    assert wait(state) == 3600


def test_a_feed_that_we_ask_too_seldom_is_asked_more_often() -> None:
    """Every six hours all its twenty entries were new: there is news every eighteen minutes, not every six hours."""
    state = play(*[ok(new=20, keys=place + 1) for place in range(8)], every=6 * HOUR)
    assert state.overflowed
    assert wait(state) == 900


def test_a_feed_that_moved_for_good_says_where_it_lives() -> None:
    state = replace(play(ok(), ok()), fetch_url="https://new.example/feed")
    assert health(state, NOW) == ("ok", "lives at https://new.example/feed now")


def test_first_poll_is_the_baseline_and_no_overflow() -> None:
    first = play(ok(new=20))
    assert (first.baseline, first.overflowed) == (True, False)
    second = play(ok(new=20), ok(new=20, keys=8))
    assert (second.baseline, second.overflowed) == (False, True)
    assert not play(ok(new=20), ok(new=19, keys=8)).overflowed
    assert not play(ok(new=1, total=1), ok(new=1, total=1, keys=8)).overflowed
    assert not play(ok(new=20), ok(new=20, keys=8), NOT_MODIFIED).overflowed


def test_after_failures_the_first_good_poll_is_still_the_baseline() -> None:
    assert play(DOWN, DOWN, ok(new=20)).baseline


def test_failure_touches_nothing_that_was_learned() -> None:
    good = play(ok(new=3))
    failed = next_state(good, FEED, Answer(outcome="truncated", detail="cut"), NOW + HOUR, PLAIN)
    for name in ("etag", "last_modified", "body_hash", "keys_hash", "ok_at", "news_at", "news_gap", "title"):
        assert getattr(failed, name) == getattr(good, name), name
    assert (failed.failures, failed.outcome, failed.detail) == (1, "truncated", "cut")


def test_validators_are_not_sent_to_a_source_that_fails() -> None:
    """So that it is a whole body that heals it, and no 304 about the body that was bad."""
    assert validators(None) == ("", "")
    assert validators(play(ok())) == ('"e"', "")
    assert validators(play(ok(), DOWN)) == ("", "")
    assert validators(play(ok(), DOWN, ok())) == ('"e"', "")


def test_a_304_does_not_heal() -> None:
    state = play(ok(), DOWN, DOWN, NOT_MODIFIED)
    assert state.failures == 2
    assert state.ok_at == NOW - 45 * MINUTE
    assert health(state, NOW)[0] == "failing"
    assert wait(state) == 900
    healthy = play(ok(), NOT_MODIFIED)
    assert (healthy.failures, healthy.ok_at, healthy.outcome) == (0, NOW, "not_modified")


def test_not_asked_is_no_failure() -> None:
    state = play(ok(), Answer(outcome="host_down", detail="others did not answer"))
    assert state.failures == 0
    assert health(state, NOW) == ("paused", "others did not answer")


@pytest.mark.parametrize(
    ("days", "gone"),
    [([0], False), ([0, 1], False), ([0, 1, 2], True), ([0, 0.01, 0.02], False), ([0, 0.01, 0.02, 1.9], True)],
)
def test_gone_after_three_times_over_days(days: list[float], gone: bool) -> None:
    state = play(ok())
    for day in days:
        state = next_state(state, FEED, GONE, NOW + timedelta(days=1 + day), PLAIN)
    assert is_gone(state) is gone
    assert health(state, state.polled_at)[0] == ("gone" if gone else "failing")
    feeds = due({state.feed_key: state}, [FEED], NOW + 400 * DAY, PLAIN)
    assert bool(feeds) is not gone


def test_gone_is_forgotten_when_it_comes_back() -> None:
    state = play(GONE, GONE, ok(), GONE, every=DAY)
    assert state.gone == 1
    assert not is_gone(state)
    assert play(GONE, GONE, DOWN, GONE, every=DAY).gone == 1


def moved(**more: object) -> Answer:
    return ok(permanent_to="https://b.test/feed", **more)


@pytest.mark.parametrize(
    ("answers", "every", "kept"),
    [
        ([moved()], HOUR, False),
        ([moved()] * 3, HOUR, False),
        ([moved()] * 4, DAY, True),
        ([moved(), ok(), moved(), moved()], DAY, False),
        ([moved(), ok(permanent_to="https://c.test/feed"), moved(), moved()], DAY, False),
        ([moved(), DOWN, moved(), moved()], DAY, True),
        ([moved(), Answer(outcome="not_modified", permanent_to="https://b.test/feed"), moved(), moved()], DAY, True),
        ([moved(), NOT_MODIFIED, moved(), moved()], DAY, False),
    ],
)
def test_moves_are_kept_once_they_have_stood(answers: list[Answer], every: timedelta, kept: bool) -> None:
    state = play(*answers, every=every)
    assert state.fetch_url == ("https://b.test/feed" if kept else "")


def test_a_move_can_be_followed_by_another_and_taken_back() -> None:
    state = play(*[moved()] * 4, every=DAY)
    assert (state.fetch_url, state.moved_to, health(state, NOW)[0]) == ("https://b.test/feed", "", "ok")
    after = next_state(state, FEED, ok(permanent_to="https://c.test/"), NOW + DAY, PLAIN)
    assert (after.moved_to, health(after, NOW + DAY)[0]) == ("https://c.test/", "moved")
    for place in range(PLAIN.fallback_after):
        after = next_state(after, FEED, DOWN, NOW + (2 + place) * DAY, PLAIN)
    assert after.fetch_url == ""


@pytest.mark.parametrize(
    ("every", "quiet", "silent"),
    [
        (HOUR, 2 * DAY, False), (HOUR, 4 * DAY, True), (DAY, 4 * DAY, False), (DAY, 6 * DAY, True),
        (7 * DAY, 30 * DAY, False), (7 * DAY, 36 * DAY, True),
    ],
)  # fmt: skip
def test_watchdog_of_silence(every: timedelta, quiet: timedelta, silent: bool) -> None:
    state = play(*[ok(new=1, keys=place + 1) for place in range(6)], every=every)
    later = next_state(state, FEED, NOT_MODIFIED, NOW + quiet, PLAIN)
    assert (silent_for(later, NOW + quiet) > 0) is silent
    assert health(later, NOW + quiet)[0] == ("silent" if silent else "ok")


def test_a_touched_date_is_no_news_but_a_new_entry_known_from_elsewhere_is() -> None:
    same = play(ok(new=5, keys=1), ok(new=0, keys=1), every=DAY)
    assert same.news_at == NOW - DAY
    other = play(ok(new=5, keys=1), ok(new=0, keys=2), every=DAY)
    assert other.news_at == NOW


# --- who is asked


def states(*rows: FeedState) -> Mapping[int, FeedState]:
    return {row.feed_key: row for row in rows}


def row(url: str, due_in: timedelta, **more: object) -> FeedState:
    return FeedState(
        feed_key=stable_key(url),
        url=url,
        polled_at=NOW - HOUR,
        next_due=NOW + due_in,
        ok_at=NOW - HOUR,
        **more,  # type: ignore[arg-type]
    )


def asked(
    rows: list[FeedState], now: datetime = NOW, manners: Manners = PLAIN, extra: tuple[str, ...] = ()
) -> list[str]:
    feeds = [Feed(url=one.url) for one in rows] + [Feed(url=url) for url in extra]
    return [feed.url for feed in due(states(*rows), feeds, now, manners)]


def test_oldest_due_first_and_new_feeds_before_all() -> None:
    rows = [row("https://a.test/", -MINUTE), row("https://b.test/", -HOUR), row("https://c.test/", MINUTE)]
    assert asked(rows, extra=("https://new.test/",)) == ["https://new.test/", "https://b.test/", "https://a.test/"]


def test_what_falls_due_within_the_slack_is_taken_along() -> None:
    assert asked([row("https://a.test/", MINUTE)], manners=Manners(slack=60)) == ["https://a.test/"]
    assert asked([row("https://a.test/", 2 * MINUTE)], manners=Manners(slack=60)) == []


@pytest.mark.parametrize("outcome", ["rate_limited", "unavailable"])
def test_a_host_that_wants_peace_is_left_alone_by_all_its_feeds(outcome: str) -> None:
    rows = [
        row("https://a.test/1", HOUR, outcome=outcome),
        row("https://a.test/2", -HOUR),
        row("https://b.test/", -HOUR),
    ]
    assert asked(rows) == ["https://b.test/"]
    assert set(asked(rows, NOW + 2 * HOUR)) == {"https://a.test/1", "https://a.test/2", "https://b.test/"}


def test_host_is_where_the_feed_lives_now() -> None:
    rows = [
        row("https://a.test/1", HOUR, outcome="rate_limited", fetch_url="https://cdn.test/1"),
        row("https://a.test/2", -HOUR),
        row("https://c.test/", -HOUR, fetch_url="https://cdn.test/2"),
    ]
    assert asked(rows) == ["https://a.test/2"]


@pytest.mark.parametrize("jump", [HOUR, DAY, 3653 * DAY])
@pytest.mark.parametrize("outcome", ["ok", "rate_limited"])
def test_clock_jumps(jump: timedelta, outcome: str) -> None:
    """Forward: one poll too early. Back: one poll at once, then as ever; not silence for the time of the jump."""
    answer = Answer(outcome=outcome) if outcome != "ok" else ok()
    state = next_state(None, FEED, answer, NOW, PLAIN)
    for there in (NOW + jump, NOW - jump):
        assert is_due(state, there, PLAIN)
        assert asked([state], there)
        after = next_state(state, FEED, answer, there, PLAIN)
        assert not is_due(after, there + MINUTE, PLAIN)
        assert after.next_due is not None
        assert after.next_due - there <= 2 * timedelta(seconds=900)


def test_a_due_date_beyond_every_limit_is_not_believed() -> None:
    assert is_due(row("https://a.test/", 400 * DAY), NOW, PLAIN)


def test_jitter_spreads_and_is_always_the_same() -> None:
    manners = Manners(jitter=0.1)
    waits = [wait(next_state(None, Feed(url=f"https://a.test/{n}"), ok(), NOW, manners)) for n in range(200)]
    assert 810 <= min(waits) < 825
    assert 885 < max(waits) <= 900
    again = [wait(next_state(None, Feed(url=f"https://a.test/{n}"), ok(), NOW, manners)) for n in range(200)]
    assert again == waits
    other = [wait(next_state(None, Feed(url=f"https://a.test/{n}"), ok(), NOW, manners, seed=1)) for n in range(200)]
    assert other != waits
    asked_for = [
        wait(next_state(None, Feed(url=f"https://a.test/{n}"), Answer(outcome="rate_limited", retry_after=3600), NOW))
        for n in range(200)
    ]
    assert min(asked_for) >= 3600  # what the server asks for is never cut short
    assert max(asked_for) <= 3660


def test_a_run_every_quarter_of_an_hour_asks_every_feed_each_time() -> None:
    """The interval is that of the runs: no feed may slip to every second run by jitter or by the length of a run."""
    manners = Manners()
    for number in range(50):
        feed, state = Feed(url=f"https://a.test/{number}"), None
        for run in range(20):
            start = NOW + run * 15 * MINUTE
            if state is not None:
                assert is_due(state, start, manners), (number, run)
            state = next_state(state, feed, ok(new=1, keys=run + 1), start + timedelta(seconds=40), manners)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "1 min"), (2400, "40 min"), (7 * 3600, "7 h"), (47 * 3600, "47 h"), (3 * 86400, "3 days")],
)
def test_spell(seconds: float, words: str) -> None:
    assert spell(seconds) == words


ANSWERS = st.one_of(
    st.builds(
        lambda new, keys, fresh, moved: ok(new=new, keys=keys, fresh_for=fresh, permanent_to=moved),
        st.integers(0, 20), st.integers(1, 4), st.sampled_from([0.0, 60.0, 5000.0, 1e7]),
        st.sampled_from(["", "", "https://b.test/feed"]),
    ),
    st.builds(lambda fresh: Answer(outcome="not_modified", fresh_for=fresh), st.sampled_from([0.0, 5000.0])),
    st.sampled_from([DOWN, GONE, Answer(outcome="truncated"), Answer(outcome="host_paused", retry_after=300.0)]),
    st.builds(lambda wait: Answer(outcome="rate_limited", retry_after=wait), st.sampled_from([None, 0.0, 4000.0, 1e8])),
)  # fmt: skip


class Years(RuleBasedStateMachine):
    """Any answers, any clock: what must hold of a feed's state at every moment."""

    @initialize()
    def start(self) -> None:
        self.now, self.state, self.asked_for = NOW, None, 0.0
        self.etag, self.manners = "", Manners()
        self.since_jump = True

    @rule(minutes=st.sampled_from([1, 14, 15, 60, 600, 2000]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(days=st.sampled_from([-3653, -1, 1, 3653]), hours=st.integers(-1, 1))
    def clock_jumps(self, days: int, hours: int) -> None:
        self.now += timedelta(days=days, hours=hours)
        self.since_jump = True

    @rule(answer=ANSWERS)
    def run(self, answer: Answer) -> None:
        before = self.state
        if before is not None and not due({before.feed_key: before}, [FEED], self.now, self.manners):
            return
        if before is not None and not self.since_jump:
            elapsed = (self.now - before.polled_at).total_seconds()
            assert elapsed >= min(self.asked_for, 7 * 86400) - self.manners.slack, "sooner than the server asked"
            assert elapsed >= 900 * 0.9 - self.manners.slack, "sooner than the interval"
        self.state = after = next_state(before, FEED, answer, self.now, self.manners)
        self.since_jump = False
        self.asked_for = max(answer.retry_after or 0.0, min(answer.fresh_for, 86400.0))
        if answer.outcome == "ok":
            assert (after.failures, after.gone, after.ok_at) == (0, 0, self.now)
        elif before is not None and before.failures:
            assert after.failures >= before.failures, "healed without a body"
        if answer.outcome not in ("ok",) and before is not None:
            assert (after.etag, after.body_hash) == (before.etag, before.body_hash)

    @invariant()
    def never_forgotten(self) -> None:
        """However the clock went: within ten days it is asked again, unless the server said that it is gone."""
        state = getattr(self, "state", None)
        if state is None or is_gone(state, self.manners):
            return
        assert due({state.feed_key: state}, [FEED], self.now + 10 * DAY, self.manners)
        assert 900 * 0.9 <= wait(state) <= 7 * 86400 * 1.1
        assert 900 <= state.interval <= 3600
        assert 0 <= state.news_gap <= 30 * 86400
        assert state.moved_since is None or state.moved_to


TestYears = Years.TestCase
TestYears.settings = hypothesis_settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_the_machine_sees_a_seeded_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that trusts the clock, or heals on a 304, must not pass."""
    from hypothesis.stateful import run_state_machine_as_test

    import monitor.schedule as schedule

    def trusting(state: FeedState, now: datetime, manners: Manners = PLAIN) -> bool:
        return state.next_due is None or state.next_due <= now

    def healing(before: FeedState, now: datetime) -> FeedState:
        return replace(before, polled_at=now, outcome="not_modified", failures=0)

    quick = hypothesis_settings(
        max_examples=300, stateful_step_count=20, deadline=None, database=None, phases=[Phase.generate]
    )
    for name, bug in (("is_due", trusting), ("_unchanged", healing)):
        with monkeypatch.context() as patch:
            patch.setattr(schedule, name, bug)
            with pytest.raises(AssertionError):
                run_state_machine_as_test(Years, settings=quick)
