"""Names of segments, what supersedes what, and the seal that notices a flipped bit.

A table is a folder of immutable files:

    seg-<n>.parquet              what commit number n added; numbers have no gaps
    base-<a>-<b>-<g>-<x>.parquet the rows of segments a to b; supersedes by its name alone every file within a..b,
                                 and of two with the same range the one with the higher generation g (then lot x)
    base-<a>-<b>-<g>-<x>.index   keys of that base, and where their rows are (`monitor.store.index`)

Each Parquet file carries a seal in its own key-value metadata, so that it stays one atomic file that Polars can read:
`deal-monitor-seal:` crc32, sha256, JSON. The sha256 is of the whole file with its own digits read as zeros, and it
decides. The crc32 (both digests read as zeros) lets `monitor.store.repair` find a single flipped bit. Knows nothing of
where the files live.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from monitor.errors import DamagedSegment, StoreError

MARK: Final = "deal-monitor-seal:"
_BLANK: Final = f"crc32={'0' * 8} sha256={'0' * 64} "
_DIGITS: Final = re.compile(rb"crc32=([0-9a-f]{8}) sha256=([0-9a-f]{64}) \{")
_NAME: Final = re.compile(r"(?:seg-(\d{12})|base-(\d{12})-(\d{12})-(\d{6})-[0-9a-f]{8})\.parquet")
_CHUNK: Final = 4 << 20
ROW_GROUP: Final = 1 << 16


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One Parquet file of a table, as its name tells."""

    first: int
    last: int
    generation: int  # -1 for a plain segment, so that a base of one segment supersedes it
    name: str

    @property
    def is_base(self) -> bool:
        return self.generation >= 0

    @property
    def index(self) -> str:
        """Name of the index beside it."""
        return self.name.removesuffix(".parquet") + ".index"

    def superseded_by(self, other: Part) -> bool:
        """Whether the other makes this one needless."""
        if (self.first, self.last) == (other.first, other.last):
            return (self.generation, self.name) < (other.generation, other.name)
        return other.first <= self.first and self.last <= other.last


def segment_name(number: int) -> str:
    return f"seg-{number:012}.parquet"


def base_part(first: int, last: int, generation: int) -> Part:
    """A base's name. The lot at its end keeps two compactions of the same range, and their indexes, apart."""
    name = f"base-{first:012}-{last:012}-{generation:06}-{secrets.token_hex(4)}.parquet"
    return Part(first, last, generation, name)


def parse_names(names: Iterable[str]) -> list[Part]:
    """The parts among the names of a folder; indexes, temporary and foreign files are passed over."""
    parts = []
    for name in names:
        if found := _NAME.fullmatch(name):
            number, first, last, generation = found.groups()
            if number is not None:
                parts.append(Part(int(number), int(number), -1, name))
            else:
                parts.append(Part(int(first), int(last), int(generation), name))
    return parts


def cover(parts: Iterable[Part]) -> tuple[list[Part], list[tuple[int, int]]]:
    """The parts that count, in order, and the ranges of segments that no part holds.

    Bases of two rival compactions may overlap. Both are right; a reader takes each row from the first that has it.
    """
    chosen: list[Part] = []
    gaps: list[tuple[int, int]] = []
    reach = -1  # everything up to here is covered
    best: Part | None = None
    for part in sorted(parts, key=lambda item: (item.first, item.last, item.generation, item.name)):
        while best is not None and part.first > reach + 1:
            chosen.append(best)
            reach, best = best.last, None
        if part.last <= reach:
            continue
        if part.first > reach + 1:
            gaps.append((reach + 1, part.first - 1))
            reach = part.first - 1
        if best is None or part.last > best.last or best.superseded_by(part):
            best = part
    if best is not None:
        chosen.append(best)
    return chosen, gaps


def superseded(parts: Iterable[Part]) -> list[Part]:
    """Parts that another one makes needless. What is left covers the same, whoever deletes these meanwhile."""
    every = sorted(parts, key=lambda item: (item.generation, item.name), reverse=True)
    every.sort(key=lambda item: (item.first, -item.last))
    needless: list[Part] = []
    widest: Part | None = None
    for part in every:  # by start, widest first: a part is within an earlier one if it ends no later than it
        if widest is not None and part.superseded_by(widest):
            needless.append(part)
        else:
            widest = part
    return needless


@contextmanager
def polars_errors(where: str) -> Iterator[None]:
    """Whatever Polars raises, its panics included (a BaseException of their own), as StoreError."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise StoreError(f"{where}: {_one_line(error)}; run `deal-monitor doctor`") from error


def _one_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200] if text else 'no message'}"


def seal(frame: pl.DataFrame, note: dict[str, Any]) -> bytes:
    """The frame as the bytes of a sealed Parquet file. `note` goes into the seal and must fit JSON.

    For a commit's few rows: quick to write (lz4, no statistics). `seal_file` is for many, and packs them tighter.
    """
    buffer = io.BytesIO()
    with polars_errors("writing a segment"):
        frame.write_parquet(
            buffer, metadata={MARK: _BLANK + json.dumps(note)}, row_group_size=ROW_GROUP, compression="lz4",
            statistics=False,
        )  # fmt: skip
    _write_digests(buffer)
    return buffer.getvalue()


def seal_file(frame: pl.LazyFrame, note: dict[str, Any], path: Path) -> None:
    """As `seal`, streamed into a file."""
    with polars_errors(str(path)):
        frame.sink_parquet(
            path, metadata={MARK: _BLANK + json.dumps(note)}, row_group_size=ROW_GROUP, maintain_order=True
        )
        with path.open("r+b") as file:
            _write_digests(file)


def check(path: Path) -> dict[str, Any]:
    """The note in a file's seal, after the whole file was read and found intact; DamagedSegment if it is not."""
    with _opened(path) as file:
        return _check(file, path)


def check_bytes(data: bytes, path: Path) -> dict[str, Any]:
    """As `check`, for bytes already read; `path` is for the message."""
    return _check(io.BytesIO(data), path)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DamagedSegment(str(path), f"cannot be read: {error.strerror or error}") from error


def _check(file: IO[bytes], path: Path) -> dict[str, Any]:
    found = read_seal(file, path)
    if sha256(file, found.at) != found.sha256:
        raise DamagedSegment(str(path), "its bytes do not match its checksum")
    note: dict[str, Any] = json.JSONDecoder().raw_decode(found.note)[0]
    return note


@dataclass(frozen=True, slots=True)
class Seal:
    """What the seal of a file says. `at`: byte at which the digits of its crc32 begin; the sha256's are 16 further.

    `note` is the JSON and whatever stands behind it.
    """

    at: int
    crc32: str
    sha256: str
    note: str


def read_seal(file: IO[bytes], path: Path) -> Seal:
    """The seal as it stands; DamagedSegment if there is none. `path` is for the message."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little") + 8
    if tail[4:] != b"PAR1" or length > size:
        raise DamagedSegment(str(path), "it is cut short, or no Parquet file")
    file.seek(size - length)
    footer = file.read(length)
    mark = footer.rfind(MARK.encode())  # the metadata comes last: a hostile title cannot stand behind it
    found = _DIGITS.search(footer, mark) if mark >= 0 else None
    if found is None:
        raise DamagedSegment(str(path), "it has no seal")
    note = footer[found.end() - 1 :].decode("utf-8", "replace")
    return Seal(size - length + found.start(1), found[1].decode(), found[2].decode(), note)


def _write_digests(file: IO[bytes]) -> None:
    at = read_seal(file, Path("new segment")).at
    digits = crc32(file, at).encode()
    file.seek(at)
    file.write(digits)
    digits = sha256(file, at).encode()
    file.seek(at + 16)
    file.write(digits)


def sha256(file: IO[bytes], at: int) -> str:
    """Of the file whose seal's digits begin at `at`."""
    digest = hashlib.sha256()
    for block in _blocks(file, at + 16, b"0" * 64):
        digest.update(block)
    return digest.hexdigest()


def crc32(file: IO[bytes], at: int) -> str:
    """Of the file whose seal's digits begin at `at`."""
    crc = 0
    for block in _blocks(file, at, _BLANK[6:86].encode()):
        crc = zlib.crc32(block, crc)
    return f"{crc:08x}"


def _blocks(file: IO[bytes], start: int, blank: bytes) -> Iterator[bytes]:
    """The file in chunks, with `blank` in place of what stands from `start`."""
    end = start + len(blank)
    file.seek(0)
    at = 0
    while chunk := file.read(_CHUNK):
        low, high = max(start, at), min(end, at + len(chunk))
        if low < high:
            chunk = chunk[: low - at] + blank[low - start : high - start] + chunk[high - at :]
        yield chunk
        at += len(chunk)
