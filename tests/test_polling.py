"""One article in two feeds of one poll."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.models import Entry
from monitor.pipeline.polling import _add


def entry(feed: int, *, baseline: bool) -> Entry:
    return Entry(
        entry_key=1, feed_key=feed, feed_url="", url="", title="t", first_seen=datetime(2026, 1, 1, tzinfo=UTC),
        baseline=baseline,
    )  # fmt: skip


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_news_of_a_known_feed_is_not_hidden_by_the_baseline_of_a_new_one(order: tuple[bool, bool]) -> None:
    found: dict[int, Entry] = {}
    for feed, baseline in enumerate(order):
        _add(found, [entry(feed, baseline=baseline)])
    assert not found[1].baseline


def test_the_first_feed_keeps_what_both_bring_as_news() -> None:
    found: dict[int, Entry] = {}
    for feed in (1, 2):
        _add(found, [entry(feed, baseline=False)])
    assert found[1].feed_key == 1
