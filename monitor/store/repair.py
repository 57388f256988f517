"""A single flipped bit, found and flipped back.

Bits rot one at a time. The CRC-32 of a file is linear, so the difference between the CRC that stands in the seal and
that of the damaged bytes names the bit (for files under 512 MB); the sha256 then proves it. Knows bytes only.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from monitor.errors import DamagedSegment
from monitor.store.segments import MARK, check_bytes, crc32, read_seal


def repair(data: bytes) -> bytes | None:
    """The bytes as they were before one bit flipped, proved by their sha256; None if more is wrong than one bit."""
    for attempt in _guesses(data):
        try:
            check_bytes(attempt, Path("repaired"))
        except DamagedSegment:
            continue
        return attempt
    return None


def _guesses(data: bytes) -> Iterator[bytes]:
    file = io.BytesIO(data)
    try:
        found = read_seal(file, Path("damaged"))
    except DamagedSegment:  # the bit is in what finds the seal: the end of the file, or the seal's own words
        yield from _flips(data, max(0, len(data) - 8), len(data))
        yield from _near_seals(data)
        return
    here = crc32(file, found.at)
    place = _flipped_bit(int(here, 16) ^ int(found.crc32, 16), len(data))
    if place is not None:
        yield _flip(data, place)
    yield from _flips(data, found.at, found.at + 80)  # the bit is in a digest
    yield from _near_seals(data)  # or in the seal, and what was found is a hostile title's


def _near_seals(data: bytes) -> Iterator[bytes]:
    """Flips of every bit around the places near the end that look like parts of a seal."""
    mark = MARK.encode()
    tail = max(0, len(data) - (1 << 20))
    for part in (mark[: len(mark) // 2], mark[len(mark) // 2 :], b"sha256="):
        at = data.rfind(part, tail)
        if at >= 0:
            yield from _flips(data, max(0, at - 40), min(len(data), at + 250))


def _flips(data: bytes, start: int, end: int) -> Iterator[bytes]:
    return (_flip(data, bit) for bit in range(start * 8, end * 8))


def _flip(data: bytes, bit: int) -> bytes:
    copy = bytearray(data)
    copy[bit // 8] ^= 1 << (bit % 8)
    return bytes(copy)


def _flipped_bit(syndrome: int, size: int) -> int | None:
    """Which bit (counted from the first byte's lowest) changes the CRC-32 of `size` bytes by the syndrome.

    A flip in the last byte changes the CRC by the table's entry; each byte further from the end shifts that through
    eight more zero bits. Walks back from the end: some 0.3 s per megabyte.
    """
    if syndrome == 0:
        return None
    table = [zlib.crc32(bytes([value])) ^ zlib.crc32(b"\0") for value in range(256)]
    effects = {table[1 << bit]: bit for bit in range(8)}
    inverse = {entry >> 24: value for value, entry in enumerate(table)}  # undo one zero byte: unique by its top byte
    for distance in range(size):
        if syndrome in effects:
            return (size - 1 - distance) * 8 + effects[syndrome]
        value = inverse[syndrome >> 24]
        syndrome = ((syndrome ^ table[value]) << 8 | value) & 0xFFFFFFFF
    return None
