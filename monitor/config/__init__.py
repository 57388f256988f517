"""The user's files, checked: `monitor.toml`, `feeds.toml`, `watchlist.toml`. Knows nothing of their use."""

from monitor.config.files import (
    FILE,
    MUTES,
    VARIABLE,
    find_config,
    load_config,
    load_feeds,
    load_watchlist,
    seed,
    shipped,
)
from monitor.config.schema import (
    ChannelConfig,
    Config,
    DetectionConfig,
    FeedConfig,
    FetchConfig,
    Mute,
    PageConfig,
    QuietHours,
    RetentionConfig,
    RunConfig,
    Settings,
)

__all__ = [
    "FILE",
    "MUTES",
    "VARIABLE",
    "ChannelConfig",
    "Config",
    "DetectionConfig",
    "FeedConfig",
    "FetchConfig",
    "Mute",
    "PageConfig",
    "QuietHours",
    "RetentionConfig",
    "RunConfig",
    "Settings",
    "find_config",
    "load_config",
    "load_feeds",
    "load_watchlist",
    "seed",
    "shipped",
]
