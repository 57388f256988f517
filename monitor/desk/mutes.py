"""What shall raise no alert, and until when: `mutes.toml` written and read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from monitor.config import MUTES, Config
from monitor.config.editing import append_table, cut_table
from monitor.config.files import read_toml
from monitor.config.schema import MutesFile

KINDS = ("company", "pair", "event", "rule", "feed")


def mute(config: Config, kind: str, names: Sequence[str], until: date | None = None, why: str = "") -> None:
    """Mute it; the file must be right before and is right after. `names` are two for a pair, else one."""
    file = config.folder / MUTES
    before = file.read_text(encoding="utf-8") if file.exists() else None
    values: dict[str, str | Sequence[str] | date] = {"kind": kind, "names": tuple(names)}
    values |= {"until": until} if until else {}
    values |= {"why": why} if why else {}
    append_table(file, "mutes", values)
    try:
        read_toml(file, MutesFile)
    except BaseException:
        if before is None:
            file.unlink()
        else:
            file.write_text(before, encoding="utf-8")
        raise


def unmute(config: Config, names: Sequence[str]) -> bool:
    """Let it be heard again; False if it is not muted."""
    file = config.folder / MUTES
    return file.exists() and cut_table(file, "mutes", "names", tuple(names))
