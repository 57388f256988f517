"""Changes to the user's list files that leave their comments and order alone: a table appended, a table cut out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from monitor.errors import ConfigError

Value = str | int | bool | date | Sequence[str]


def append_table(file: Path, name: str, values: Mapping[str, Value]) -> None:
    """Add `[[name]]` with these values at the end of the file."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    _write(file, text + gap + table(name, values))


def table(name: str, values: Mapping[str, Value]) -> str:
    """`[[name]]` with these values, as text."""
    return "\n".join([f"[[{name}]]", *(f"{key} = {_toml(value)}" for key, value in values.items()), ""])


def cut_table(file: Path, name: str, key: str, value: Value) -> bool:
    """Remove the `[[name]]` whose `key` is `value`; False if there is none."""
    text = file.read_text(encoding="utf-8")
    header = re.compile(rf"^\s*\[\[\s*{re.escape(name)}\s*\]\]", re.MULTILINE)
    wanted = re.compile(rf"""^\s*{re.escape(key)}\s*=\s*{re.escape(_toml(value))}\s*(#.*)?$""", re.MULTILINE)
    starts = [match.start() for match in header.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        block = text[start:end]
        if wanted.search(block):
            # comments after the table's last line belong to what follows
            body = re.match(r"(?:(?!\s*#)[^\n]*\S[^\n]*\n?)+", block)
            rest = block[body.end() :] if body else ""
            _write(file, text[:start] + rest.lstrip("\n") + text[end:])
            return True
    return False


def _write(file: Path, text: str) -> None:
    """Beside and renamed: a poll that reads meanwhile, or a full disk, never sees half a list."""
    file = file.resolve()  # a link stays one
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        if file.exists():
            beside.chmod(file.stat().st_mode)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(
            str(file), "", f"cannot be written ({error.strerror})", "make room or check its rights; nothing was changed"
        ) from error


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | date):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a basic string of TOML is written like one of JSON
    return "[" + ", ".join(_toml(v) for v in value) + "]"
