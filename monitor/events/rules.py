"""The change matrix and the identity rules, loaded from `rules/changes.toml` and checked. Knows no events."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from monitor.errors import RuleError
from monitor.models import DEAL_TYPES, ChangeKind, Status

FILE = "monitor/rules/changes.toml"
CHANGES = frozenset(get_args(ChangeKind)) - {"expired", "corroborated", "updated"} | {"repeat", "stale"}
CONDITIONS = frozenset({"", "later", "fresh", "weighty"})
STATUSES: tuple[Status, ...] = get_args(Status)
CLAIMED = tuple(status for status in STATUSES if status != "expired")
KNOWN = ("unknown", *STATUSES)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a claimed status does to a known one: a change kind, `repeat` or `stale`; and on what condition."""

    change: str
    condition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The figures and lists of section [identity]; days, shares of one, role and status names."""

    short_days: float
    alone_days: float
    bridge_days: float
    closing_days: float
    mark_days: float
    late_rumour_days: float
    value_change: float
    passive_roles: frozenset[str]
    active_roles: frozenset[str]
    object_roles: frozenset[str]
    suitor_roles: frozenset[str]
    settled: frozenset[str]
    pending: frozenset[str]
    closing: frozenset[str]
    generic_words: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRules:
    """Everything of `changes.toml`."""

    matrix: Mapping[tuple[str, str], Cell]
    identity: Identity
    precise: Mapping[str, frozenset[str]]  # deal type -> types that say more
    fresh_days: float
    hearsay: frozenset[str] = frozenset()  # words of a sentence that only retells
    sources: frozenset[str] = frozenset()  # words that tell of people whom the outlet itself has heard
    origins: Mapping[str, str] = field(default_factory=dict)  # another spelling -> the one that counts


@cache
def default_rules() -> ChangeRules:
    """The rules that come with the monitor."""
    return load_rules((files("monitor") / "rules" / "changes.toml").read_text(encoding="utf-8"))


def load_rules(text: str, file: str = FILE) -> ChangeRules:
    """The rules of a file's text. Raises RuleError naming the section and the remedy."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(file, "", f"this is not TOML: {error}", "texts want quotes, lists want brackets") from None
    wanted = {"matrix", "conditions", "identity", "precise", "hearsay", "origins"}
    _only(file, "the file", raw, wanted)
    conditions = raw["conditions"]
    _only(file, "[conditions]", conditions, {"fresh_days"})
    _only(file, "[hearsay]", raw["hearsay"], {"words", "sources"})
    return ChangeRules(
        matrix=_matrix(file, raw["matrix"]),
        identity=_identity(file, raw["identity"]),
        precise=_precise(file, raw["precise"]),
        fresh_days=_number(file, "[conditions]", "fresh_days", conditions["fresh_days"]),
        hearsay=frozenset(raw["hearsay"]["words"]),
        sources=frozenset(raw["hearsay"]["sources"]),
        origins={other: name for name, others in raw["origins"].items() for other in others},
    )


def _only(file: str, where: str, table: Mapping[str, Any], wanted: set[str]) -> None:
    for key in table.keys() - wanted:
        raise RuleError(file, where, f'unknown key "{key}"', f"use {', '.join(sorted(wanted))}")
    for key in sorted(wanted - table.keys()):
        raise RuleError(file, where, f'"{key}" is missing', "every one must be decided; add it")


def _matrix(file: str, raw: Mapping[str, Any]) -> dict[tuple[str, str], Cell]:
    _only(file, "[matrix]", raw, set(KNOWN))
    cells: dict[tuple[str, str], Cell] = {}
    for known, row in raw.items():
        where = f"[matrix.{known}]"
        _only(file, where, row, set(CLAIMED))
        for claimed, text in row.items():
            cells[known, claimed] = _cell(file, where, known, claimed, text)
    return cells


def _cell(file: str, where: str, known: str, claimed: str, text: object) -> Cell:
    change, _, condition = str(text).partition(" if ")
    if change not in CHANGES or condition not in CONDITIONS:
        words = ", ".join(sorted(CHANGES))
        raise RuleError(
            file,
            where,
            f'"{claimed} = {text}" is not known',
            f"use one of {words}; with `if later`, `if fresh` or `if weighty`",
        )
    if (known == "unknown") != (change == "new"):
        raise RuleError(
            file, where, f'"{claimed} = {text}" contradicts it', '"new" is for unknown deals, and only there'
        )
    return Cell(change, condition)


def _identity(file: str, raw: Mapping[str, Any]) -> Identity:
    where = "[identity]"
    _only(file, where, raw, {f.name for f in fields(Identity)})
    values = {
        key: frozenset(value) if isinstance(value, list) else _number(file, where, key, value)
        for key, value in raw.items()
    }
    for field_ in fields(Identity):
        if ("frozenset" in str(field_.type)) != isinstance(values[field_.name], frozenset):
            raise RuleError(file, where, f'"{field_.name}" is of the wrong kind', f"it must be a {field_.type}")
    return Identity(**values)  # type: ignore[arg-type]  # kinds checked above


def _precise(file: str, raw: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    _only(file, "[precise]", raw, set(DEAL_TYPES))
    for key, others in raw.items():
        for other in others:
            if other not in DEAL_TYPES or key in raw.get(other, ()) or other == key:
                raise RuleError(file, "[precise]", f'"{key}" cannot become "{other}"', "types may not go in circles")
    return {key: frozenset(others) for key, others in raw.items()}


def _number(file: str, where: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise RuleError(file, where, f'"{key} = {value}" is no number of zero or more', "correct it")
    return float(value)
