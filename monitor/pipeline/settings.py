"""The user's configuration in the words of the modules beneath."""

from __future__ import annotations

from monitor.config import Config
from monitor.events import FoldSettings
from monitor.fetch import FetchSettings
from monitor.schedule import Manners


def fetch_settings(config: Config) -> FetchSettings:
    fetch = config.fetch
    return FetchSettings(
        concurrency=fetch.concurrency,
        per_host=fetch.per_host,
        connect_seconds=fetch.connect_seconds,
        read_seconds=fetch.read_seconds,
        total_seconds=fetch.total_seconds,
        max_wire=int(fetch.max_wire_mb * 1e6),
        max_feed=int(fetch.max_feed_mb * 1e6),
        max_page=int(fetch.max_page_mb * 1e6),
        max_redirects=fetch.max_redirects,
        allow_hosts=fetch.allow_hosts,
        user_agent=fetch.user_agent,
    )


def fold_settings(config: Config) -> FoldSettings:
    return FoldSettings(
        story_window_days=config.detection.story_window_days, rumour_expires_days=config.detection.rumour_expires_days
    )


def manners(config: Config) -> Manners:
    """How often feeds are asked."""
    return Manners(interval=float(config.fetch.interval_seconds))
