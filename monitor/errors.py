"""The error tree. Every failure that the monitor expects is one of these; anything else is a bug and is not caught.

    MonitorError
    ├── ConfigError      a file of the user's is wrong: nothing was run, exit code 2
    ├── RuleError        a rule file (shipped or the user's) is wrong: nothing was run, exit code 2
    ├── FetchError       one URL could not be fetched; `kind` says how, `retry_after` when to come back
    ├── FeedError        bytes that were fetched are not a feed, or a broken one
    ├── ExtractError     a page holds no article, or not one that may be read
    ├── SandboxError     a worker was killed: too slow, too big, or dead
    ├── StoreError       the tables cannot be read or written
    │   ├── DamagedSegment   a segment fails its checksum
    │   └── LostRace         somebody else committed first (internal: the store retries)
    ├── NotKnown         what was asked for by name or id is not there
    ├── LockHeld         another run holds the lock, exit code 75
    └── DeliveryError    one message could not be handed to one channel

The message of each reads `FILE or URL: WHERE: WHAT is wrong; WHAT to do`.
"""

from __future__ import annotations


class MonitorError(Exception):
    """Base of all errors that the monitor raises on purpose. They travel between processes whole."""

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[MonitorError], args: tuple[object, ...], fields: dict[str, object]) -> MonitorError:
    """The error as it was in the other process, without calling an initialiser that wants other arguments."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error


class InputError(MonitorError):
    """A file that a person wrote is wrong. Message: `FILE: WHERE: WHAT; REMEDY`."""

    def __init__(self, file: str, where: str, what: str, remedy: str) -> None:
        self.file, self.where, self.what, self.remedy = file, where, what, remedy
        place = f"{file}: {where}" if where else file
        super().__init__(f"{place}: {what}; {remedy}")


class ConfigError(InputError):
    """monitor.toml, feeds.toml, watchlist.toml or an input file of a command is wrong."""


class RuleError(InputError):
    """A rule file is wrong: unknown key, duplicate id, contradiction."""


class FetchError(MonitorError):
    """One URL could not be fetched.

    `kind` is one of the fixed words in `monitor.fetch.KINDS`; `status` the HTTP status if there was one;
    `retry_after` the seconds that the server asked us to stay away.
    """

    def __init__(
        self, url: str, kind: str, what: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.url, self.kind, self.what, self.status, self.retry_after = url, kind, what, status, retry_after
        super().__init__(f"{url}: {what}")


class FeedError(MonitorError):
    """Bytes that are not a feed. `kind`: `not_a_feed`, `empty`, `broken`."""

    def __init__(self, url: str, kind: str, what: str) -> None:
        self.url, self.kind, self.what = url, kind, what
        super().__init__(f"{url}: {what}")


class ExtractError(MonitorError):
    """A page without a readable article. `kind`: `empty`, `consent`, `paywall`, `blocked`, `not_html`."""

    def __init__(self, url: str, kind: str, what: str) -> None:
        self.url, self.kind, self.what = url, kind, what
        super().__init__(f"{url}: {what}")


class SandboxError(MonitorError):
    """A parser failed in its worker. `kind`: `timeout`, `memory`, `died`, `raised` (the parser has a bug)."""

    def __init__(self, kind: str, what: str) -> None:
        self.kind, self.what = kind, what
        super().__init__(what)


class StoreError(MonitorError):
    """The tables cannot be read or written."""


class DamagedSegment(StoreError):
    """A segment's bytes do not match their checksum. `path` names it."""

    def __init__(self, path: str, what: str) -> None:
        self.path, self.what = path, what
        super().__init__(f"{path}: {what}; run `deal-monitor doctor`")


class LostRace(StoreError):
    """Another writer created the segment first. The store reads its rows and decides again."""


class NotKnown(MonitorError):
    """What a person asked for by its name or id is not there, or not in a state for what was asked."""


class LockHeld(MonitorError):
    """Another run works on the same tables."""


class DeliveryError(MonitorError):
    """One message could not be handed to one channel.

    `hard`: asking again will not help. `refused`: nor will any other message (wrong address, wrong token).
    `retry_after`: seconds for which the channel asked to be left alone.
    """

    def __init__(
        self, channel: str, what: str, *, hard: bool = False, refused: bool = False, retry_after: float | None = None
    ) -> None:
        self.channel, self.what, self.hard, self.retry_after = channel, what, hard, retry_after
        self.refused = refused
        super().__init__(f"{channel}: {what}")
