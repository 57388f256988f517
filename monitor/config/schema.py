"""What may stand in the user's files: names, types, limits and defaults. Knows nothing of files or how they are found.

These classes are the only ones that strangers fill, so they are pydantic's: unknown keys are refused, values are
checked, and what comes out is frozen. A check that fails raises `wrong(what, remedy)`: both halves reach the user.
"""

from __future__ import annotations

import os
import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from monitor.models import ChangeKind, Company, DealType, EvidenceLevel, Status

USER_AGENT = "deal-monitor/0.1 (self-hosted news monitor)"
DEFAULT_CHANGES: tuple[ChangeKind, ...] = (
    "new", "confirmed", "completed", "denied", "terminated", "revived", "corroborated", "updated",
)  # fmt: skip


def wrong(what: str, remedy: str) -> PydanticCustomError:
    """The error of a check of ours: what is wrong, and what to do about it."""
    return PydanticCustomError("ours", "{what}", {"what": what, "remedy": remedy})


def _only_list(value: object) -> object:
    if isinstance(value, str):
        raise wrong(f'"{value}" is a text, not a list', f'write ["{value}"]')
    return value


def _filled(value: str) -> str:
    value = " ".join(value.split())
    if not value:
        raise wrong("an empty text", "fill it in, or remove it")
    return value


Text = Annotated[str, Field(max_length=500)]
Name = Annotated[str, BeforeValidator(lambda v: _filled(v) if isinstance(v, str) else v), Field(max_length=200)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_only_list)]


class Section(BaseModel):
    """Base of every section: frozen, and no key that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)


def _known_zone(name: str) -> str:
    if name and name not in available_timezones():
        raise wrong(f'"{name}" is not a time zone', 'use a name such as "Europe/Berlin" or "UTC"')
    return name


def _web_address(url: str) -> str:
    url = url.strip()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong(f'"{url}" is not a web address', 'write it in full, such as "https://example.org/feed.xml"')
    return url


class FeedConfig(Section):
    """One subscription."""

    url: Annotated[str, Field(max_length=2000)]
    title: Text = ""  # "" = as the feed says
    tags: Names = ()  # your own labels, for routing
    interval_seconds: Annotated[int, Field(ge=60, le=7 * 86400)] | None = None  # None = fetch.interval_seconds
    full_text: bool = True  # False: read the feed's summary only, never the page
    enabled: bool = True

    _url = field_validator("url")(_web_address)


class QuietHours(Section):
    """No message between these times of day; what is due goes out afterwards."""

    start: time
    end: time
    days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], BeforeValidator(_only_list)
    ] = ()
    # days on which `start` falls; () = every day

    @field_validator("start", "end", mode="before")
    @classmethod
    def _clock(cls, value: object) -> object:
        if isinstance(value, time):
            return value
        if isinstance(value, str) and re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value.strip()):
            hours, minutes = value.strip().split(":")
            return time(int(hours), int(minutes))
        raise wrong(f'"{value}" is not a time of day', 'write it as "22:00"')


def _secret(value: object, info: ValidationInfo) -> object:
    """A channel's address, or where it is kept."""
    value = _kept_elsewhere(value, "address", info)
    if isinstance(value, str) and "://" not in value:  # never repeat the value: it may be a token
        raise wrong(
            "this is not an address", 'write "console://", an apprise address such as "slack://...", or "env:NAME"'
        )
    return value


def _signing(value: object, info: ValidationInfo) -> object:
    return _kept_elsewhere(value, "secret", info)


def _page_token(value: object, info: ValidationInfo) -> object:
    value = _kept_elsewhere(value, "token", info, "page")
    if isinstance(value, str) and 0 < len(value) < 16:
        raise wrong("this token is too short", "take 16 characters or more, such as `openssl rand -hex 20` makes")
    return value


def _kept_elsewhere(value: object, what: str, info: ValidationInfo, whose: str = "channel") -> object:
    """`env:NAME` and `file:PATH` (relative to monitor.toml) stand for a secret that is kept elsewhere."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    if value.startswith("env:"):
        name = value.removeprefix("env:").strip()
        if not os.environ.get(name):
            raise wrong(f"the environment variable {name} is not set", f"set {name} to the {whose}'s {what}")
        return os.environ[name].strip()
    if value.startswith("file:") and not value.startswith("file://"):
        path = Path((info.context or {}).get("folder", "."), value.removeprefix("file:").strip())
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise wrong(f"the file {path} cannot be read", f"put the {whose}'s {what} into it") from None
    return value


class ChannelConfig(Section):
    """Where alerts go, and which. An empty list means: all."""

    name: Name
    url: SecretStr  # "console://", any apprise address, or env:NAME / file:PATH that holds one
    companies: Names = ()  # names as in the watchlist
    groups: Names = ()  # groups of companies as in the watchlist
    deal_types: Annotated[tuple[DealType, ...], BeforeValidator(_only_list)] = ()
    statuses: Annotated[tuple[Status, ...], BeforeValidator(_only_list)] = ()
    evidence: Annotated[tuple[EvidenceLevel, ...], BeforeValidator(_only_list)] = ()
    changes: Annotated[tuple[ChangeKind, ...], BeforeValidator(_only_list)] = DEFAULT_CHANGES
    min_value: Annotated[float, Field(ge=0)] = 0.0  # stated value, in units of its currency; 0 = also without a value
    feeds: Names = ()  # addresses or tags of feeds
    mode: Literal["immediate", "digest"] = "immediate"
    quiet_hours: QuietHours | None = None
    time_zone: str = ""  # "" = the monitor's
    max_per_run: Annotated[int, Field(ge=1, le=1000)] = 20  # messages; the rest goes out as one digest
    allow_private: bool = False  # the address may be in a private network
    secret: Annotated[SecretStr, BeforeValidator(_signing)] = SecretStr("")  # JSON webhooks are signed with it
    templates: str = ""  # folder with your own layouts, relative to monitor.toml
    enabled: bool = True

    _url = field_validator("url", mode="before")(_secret)
    _zone = field_validator("time_zone")(_known_zone)


class DetectionConfig(Section):
    """How texts are read and deals are told apart."""

    story_window_days: Annotated[int, Field(ge=1, le=3650)] = 180  # since the last claim; later ones are another deal
    rumour_expires_days: Annotated[int, Field(ge=1, le=3650)] = 90
    rules: Annotated[tuple[Path, ...], BeforeValidator(_only_list)] = ()  # your own rule files


class FetchConfig(Section):
    """How the web is asked."""

    interval_seconds: Annotated[int, Field(ge=60, le=86400)] = 900  # between two polls of one feed
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 100  # requests at once
    per_host: Annotated[int, Field(ge=1, le=16)] = 2  # of them to one host
    connect_seconds: Annotated[float, Field(gt=0, le=120)] = 8.0
    read_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0  # between two pieces of an answer
    total_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0  # for a request with all its redirects
    max_wire_mb: Annotated[float, Field(gt=0, le=100)] = 8.0
    max_feed_mb: Annotated[float, Field(gt=0, le=100)] = 10.0  # unpacked
    max_page_mb: Annotated[float, Field(gt=0, le=100)] = 5.0  # unpacked
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    page_attempts: Annotated[int, Field(ge=1, le=20)] = 4  # tries for an article's page before its summary is read
    page_retry_seconds: Annotated[int, Field(ge=0, le=86400)] = 600  # before the second try; doubles each time
    allow_hosts: Names = ()  # host names, addresses or networks that may be asked although they are private
    user_agent: Annotated[str, Field(min_length=1, max_length=300)] = USER_AGENT


class RunConfig(Section):
    """Where the heavy work (extraction, reading) is done."""

    engine: Literal["local", "dask"] = "local"
    workers: Annotated[int, Field(ge=1, le=512)] | None = None  # processes on this machine; None = one per core
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500  # articles a batch
    skim: bool = True  # leave pages unread that hold no watched company or no deal word; false keeps every text
    dask_address: Text = ""  # "tcp://scheduler:8786"


def _long_enough(days: int) -> int:
    """What was told is known by its rows: dropped too soon, it would be told again."""
    if 0 < days < 30:
        raise wrong("rows that young say what was told already", "write at least 30, or 0 for ever")
    return days


Days = Annotated[int, Field(ge=0), AfterValidator(_long_enough)]


class RetentionConfig(Section):
    """Days that rows are kept; 0 = for ever. Always kept: events, claims, undated entries."""

    entries_days: Days = 400
    articles_days: Days = 180
    deliveries_days: Days = 400


class PageConfig(Section):
    """Who may ask the page (`deal-monitor serve`)."""

    token: Annotated[SecretStr, BeforeValidator(_page_token)] = SecretStr("")  # what readers must know to sign in
    hosts: Names = ()  # names under which it is reached besides this machine's own and that of page_url


class Settings(Section):
    """`monitor.toml`, word for word."""

    state: Annotated[str, Field(min_length=1)] = "state"  # folder (relative to this file) or "s3://bucket/prefix"
    time_zone: str = "UTC"
    feeds: Annotated[tuple[str, ...], BeforeValidator(_only_list)] = ("feeds.toml",)  # files, relative to this one
    watchlist: Annotated[tuple[str, ...], BeforeValidator(_only_list)] = ("watchlist.toml",)
    first_poll: Literal["baseline", "alert"] = "baseline"
    baseline_alert_hours: Annotated[int, Field(ge=0, le=168)] = 0  # of a first poll, alert news as young as this
    operator: str = ""  # name of the channel that hears of failed runs and dead channels; "" = none
    page_url: str = ""  # where the page (`deal-monitor serve`) is reached, for links in alerts
    metrics: str = ""  # file for Prometheus (textfile collector), written after each run; relative to this file
    detection: DetectionConfig = DetectionConfig()
    fetch: FetchConfig = FetchConfig()
    run: RunConfig = RunConfig()
    retention: RetentionConfig = RetentionConfig()
    page: PageConfig = PageConfig()
    channels: tuple[ChannelConfig, ...] = (ChannelConfig(name="console", url=SecretStr("console://")),)

    _zone = field_validator("time_zone")(_known_zone)

    @field_validator("page_url")
    @classmethod
    def _page(cls, value: str) -> str:
        return _web_address(value).rstrip("/") if value else value


class CompanyEntry(Section):
    """One company of a watchlist."""

    name: Name
    aliases: Names = ()
    products: Names = ()
    tickers: Names = ()
    groups: Names = ()

    def record(self) -> Company:
        return Company(**self.model_dump())


class FeedsFile(Section):
    """`feeds.toml`, word for word."""

    feeds: tuple[FeedConfig, ...] = ()


class WatchlistFile(Section):
    """`watchlist.toml`, word for word."""

    companies: tuple[CompanyEntry, ...] = ()


class Mute(Section):
    """What shall raise no alert, and until when. What is muted is still recorded."""

    kind: Literal["company", "pair", "event", "rule", "feed"]
    names: Annotated[tuple[Name, ...], BeforeValidator(_only_list), Field(min_length=1)]  # two for a pair, else one
    until: date | None = None  # the last day on which it counts; None = for good
    why: Text = ""


class MutesFile(Section):
    """`mutes.toml`, word for word; written by `deal-monitor mute`."""

    mutes: tuple[Mute, ...] = ()


class Config(Section):
    """All of the user's files together, checked; paths absolute."""

    folder: Path  # where monitor.toml lives
    state: str  # absolute folder, or an object store's address
    time_zone: str = "UTC"
    feeds: tuple[FeedConfig, ...] = ()
    watchlist: tuple[Company, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()
    mutes: tuple[Mute, ...] = ()
    detection: DetectionConfig = DetectionConfig()
    fetch: FetchConfig = FetchConfig()
    run: RunConfig = RunConfig()
    retention: RetentionConfig = RetentionConfig()
    page: PageConfig = PageConfig()
    first_poll: Literal["baseline", "alert"] = "baseline"
    baseline_alert_hours: int = 0
    operator: str = ""
    page_url: str = ""
    metrics: str = ""  # absolute path, or ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
