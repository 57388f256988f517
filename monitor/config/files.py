"""The user's files: where they are found, how they are read, and how a mistake in one is told.

Every mistake becomes one `ConfigError`: file, place (with its line), what is wrong, what to do. No value of a key that
may hold a secret is ever repeated.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.config.schema import (
    ChannelConfig,
    Config,
    FeedConfig,
    FeedsFile,
    MutesFile,
    Settings,
    WatchlistFile,
)
from monitor.errors import ConfigError
from monitor.models import Company

FILE = "monitor.toml"
MUTES = "mutes.toml"  # beside monitor.toml, if anything is muted
VARIABLE = "DEAL_MONITOR_CONFIG"
SECRET_KEYS = frozenset({"url", "secret", "token"})

M = TypeVar("M", bound=BaseModel)


def seed(name: str) -> Path:
    """A file or folder of `seeds/`."""
    return shipped("seeds", name)


def shipped(folder: str, name: str) -> Path:
    """A file that comes with the monitor: of an installed package's `_seeds/`, or of a checkout's `seeds/`."""
    package = Path(__file__).resolve().parents[1]
    places = (package / f"_{folder}", package.parent / folder)
    return next((place / name for place in places if place.is_dir()), places[1] / name)


def find_config(path: Path | None) -> Path:
    """The `monitor.toml` that counts: the one given, the one that DEAL_MONITOR_CONFIG names, or the one here."""
    if path is None:
        path = Path(os.environ.get(VARIABLE) or ".")
    if path.is_dir():
        path = path / FILE
    if not path.is_file():
        raise ConfigError(
            str(path), "", "there is no such file", "run `deal-monitor init` to write one, or name yours with --config"
        )
    return path.resolve()


def load_config(path: Path | None = None) -> Config:
    """All of the user's files, checked. Raises ConfigError for the first mistake."""
    file = find_config(path)
    folder = file.parent
    settings = read_toml(file, Settings)
    channels = tuple(
        c if c.time_zone else c.model_copy(update={"time_zone": settings.time_zone}) for c in settings.channels
    )
    _refuse_repeats(file, "channels", [c.name for c in channels], "channel")
    watchlist = tuple(company for name in settings.watchlist for company in load_watchlist(folder / name))
    rules = tuple((folder / rule).resolve() for rule in settings.detection.rules)
    for index, rule in enumerate(rules):
        if not rule.exists():
            raise _at(file, ("detection", "rules", index), f"there is no file {rule}", "correct the path")
    config = Config(
        folder=folder,
        state=settings.state if "://" in settings.state else str((folder / settings.state).resolve()),
        feeds=tuple(feed for name in settings.feeds for feed in load_feeds(folder / name)),
        watchlist=watchlist,
        channels=channels,
        metrics=str((folder / settings.metrics).resolve()) if settings.metrics else "",
        mutes=read_toml(folder / MUTES, MutesFile).mutes if (folder / MUTES).exists() else (),
        detection=settings.detection.model_copy(update={"rules": rules}),
        **{
            name: getattr(settings, name)
            for name in (
                "time_zone", "fetch", "run", "retention", "first_poll", "baseline_alert_hours", "operator", "page_url",
                "page",
            )
        },
    )  # fmt: skip
    _check_names(file, config)
    return config


def load_operator(path: Path | None = None) -> Config:
    """The operator's channel and nothing else, where `load_config` finds a mistake: somebody must be told of it.

    Raises ConfigError if the mistake is in what leads to that channel.
    """
    file = find_config(path)
    try:
        raw = tomllib.loads(_text(file))
    except tomllib.TOMLDecodeError:
        raw = {}
    operator, channels = raw.get("operator"), raw.get("channels")
    wanted = [c for c in channels if isinstance(c, dict) and c.get("name") == operator] if operator and channels else []
    try:
        found = tuple(ChannelConfig.model_validate(c, context={"folder": file.parent}) for c in wanted)
    except ValidationError as error:
        raise ConfigError(str(file), "channels", "the operator's channel cannot be read", "correct it") from error
    return Config(folder=file.parent, state="", channels=found, operator=str(operator or ""))


def load_watchlist(path: Path) -> tuple[Company, ...]:
    """The companies of one watchlist file."""
    companies = read_toml(path, WatchlistFile).companies
    _refuse_repeats(path, "companies", [c.name for c in companies], "company")
    return tuple(c.record() for c in companies)


def load_feeds(path: Path) -> tuple[FeedConfig, ...]:
    """The subscriptions of one feed file."""
    feeds = read_toml(path, FeedsFile).feeds
    _refuse_repeats(path, "feeds", [f.url for f in feeds], "feed")
    return feeds


def _check_names(file: Path, config: Config) -> None:
    """Names that one part of the files uses and another defines."""
    names = [c.name for c in config.watchlist]
    groups = sorted({g for c in config.watchlist for g in c.groups})
    feeds = sorted({t for f in config.feeds for t in f.tags} | {f.url for f in config.feeds})
    for number, channel in enumerate(config.channels):
        for key, known, word in (
            ("companies", names, "company of the watchlist"),
            ("groups", groups, "group of the watchlist"),
            ("feeds", feeds, "feed or tag of the feed list"),
        ):
            for used in getattr(channel, key):
                if used not in known:
                    raise _at(file, ("channels", number, key), f'"{used}" is no {word}', _suggest(used, known))
    channels = [c.name for c in config.channels]
    if config.operator and config.operator not in channels:
        raise _at(file, ("operator",), f'"{config.operator}" is no channel', _suggest(config.operator, channels))


def _refuse_repeats(file: Path, key: str, names: Sequence[str], word: str) -> None:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            where = _line(_text(file), (key, first[name]))
            raise _at(file, (key, index), f'the {word} "{name}" stands here twice, first in line {where}', "remove one")
        first[name] = index


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            str(file), "", "there is no such file", "correct the path, or run `deal-monitor init`"
        ) from None
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(str(file), f"line {line}", "this is not UTF-8 text", "save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(
            str(file), "", f"cannot be read ({error.strerror})", "check the path and its rights"
        ) from None


def read_toml(file: Path, model: type[M]) -> M:
    """One file, checked against its model. Raises ConfigError for its first mistake."""
    text = _text(file)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at ")
        raise ConfigError(
            str(file), place.rstrip(")") or "end", f"this is not TOML: {what[:1].lower()}{what[1:]}",
            "texts want quotes, lists want brackets",
        ) from None  # fmt: skip
    try:
        return model.model_validate(raw, context={"folder": file.parent})
    except ValidationError as error:
        raise _explain(file, text, model, raw, error) from None


def _explain(file: Path, text: str, model: type[BaseModel], raw: object, error: ValidationError) -> ConfigError:
    """The first mistake of several, in the order of the file's lines; a misspelt key before what it leaves out."""
    details = error.errors(include_url=False, include_input=False)
    detail = min(details, key=lambda d: (d["type"] == "missing", _line(text, d["loc"]) or 10**9))
    path = _drop_variants(detail["loc"], raw)
    what, remedy = _words(detail, model, path, _value(raw, path))
    return _at(file, path, what, remedy, text)


def _at(file: Path, path: tuple[int | str, ...], what: str, remedy: str, text: str | None = None) -> ConfigError:
    text = _text(file) if text is None else text
    where = "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
    line = _line(text, path)
    return ConfigError(str(file), f"{where} (line {line})" if line else where, what, remedy)


def _drop_variants(path: tuple[int | str, ...], raw: object) -> tuple[int | str, ...]:
    """pydantic names the variants of a union in the path; they are no keys of the file."""
    kept: list[int | str] = []
    value: Any = raw
    for step in path:
        if isinstance(step, int) and isinstance(value, list | tuple) and step < len(value):
            value = value[step]
        elif isinstance(value, dict) and (step in value or step == path[-1]):
            value = value.get(step)
        else:
            continue
        kept.append(step)
    return tuple(kept)


def _value(raw: object, path: tuple[int | str, ...]) -> Any:
    value: Any = raw
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _words(detail: ErrorDetails, model: type[BaseModel], path: tuple[int | str, ...], value: Any) -> tuple[str, str]:
    """What is wrong, and the remedy, for one of pydantic's errors."""
    key = next((str(p) for p in reversed(path) if isinstance(p, str)), "")
    context = detail.get("ctx", {})
    shown = "this value" if key in SECRET_KEYS else f'"{value}"' if isinstance(value, str) else str(value)
    match detail["type"]:
        case "ours":
            remedy = str(context["remedy"])
            if key == "time_zone":
                remedy = _suggest(str(value), sorted(available_timezones()), remedy)
            return str(context["what"]), remedy
        case "extra_forbidden":
            return f'unknown key "{key}"', _suggest(key, _keys(model, path[:-1]))
        case "missing":
            return f'the key "{key}" is missing', f"add {key} = ..."
        case "literal_error":
            known = re.findall(r"'([^']*)'", str(context["expected"]))
            return f"{shown} is not known here", _suggest(str(value), known)
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    message = message.replace("input should be", "it should be").replace("valid ", "")
    return f"{shown} will not do: {message}", "correct the value"


def _keys(model: type[BaseModel], path: Iterable[int | str]) -> list[str]:
    """The keys known at a place: follow the models' fields along the path."""
    for step in path:
        if isinstance(step, int) or step not in model.model_fields:
            continue
        for part in _parts(model.model_fields[step].annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                model = part
    return list(model.model_fields)


def _parts(annotation: Any) -> list[Any]:
    return [annotation, *(part for arg in get_args(annotation) for part in _parts(arg))]


def _suggest(name: str, known: Sequence[str], otherwise: str = "") -> str:
    """The remedy for a name that is not known: the one that was meant, or those there are."""
    lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.6)
    if close:
        return f'did you mean "{lower[close[0]]}"?'
    if otherwise:
        return otherwise
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    return f"known are: {listed}" if known else "there is none yet: add it, or remove this"


_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=""")


def _line(text: str, path: tuple[int | str, ...]) -> int:
    """The line of a key, as well as it can be told without a parser that keeps lines; 0 = not found.

    The deepest header or key on the way to the path counts, so that a missing key is told at its table.
    """
    names = [str(p) for p in path if isinstance(p, str)]
    index = next((p for p in path if isinstance(p, int)), None)
    best = depth = 0
    for number, row, here in _places(text):
        if len(here) > depth and here == names[: len(here)] and (index is None or row in (None, index)):
            best, depth = number, len(here)
    return best


def _places(text: str) -> Iterator[tuple[int, int | None, list[str]]]:
    """Of each header and key: its line, the row of the list of tables it is in, and its path."""
    table: list[str] = []
    row: int | None = None
    rows: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = [part.strip(" \"'") for part in header[2].split(".")]
            if header[1] == "[[":
                rows[table[0]] = rows.get(table[0], -1) + 1
            row = rows.get(table[0])
            yield number, row, table
        elif key := _KEY.match(line):
            yield number, row, [*table, *key[1].split(".")]
