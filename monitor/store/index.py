"""The key index of a base: which keys it holds and the newest row of each, found without loading anything else.

A sorted table on disk, read with `pread` in blocks of 64 keys, so that a look-up among ten million keys costs what it
costs among ten thousand. It is derived: whoever finds it missing or damaged builds it again from the base.

    rows      one JSON object per key, deflated with the head's dictionary if it has one; or nothing (tables whose rows
              are long: look them up in the base by position)
    keys      blocks of 64: keys (u64) | position or offset (u64) | length (u32) | crc32 of the row (u32), by key
    lookups   blocks of 64: lookup (u64) | key (u64) | and what `keys` says of that key (u64, u32, u32), by lookup
    filters   of the keys, then of the lookups: eight bits for each, in which bits `key % bits` and `(key >> 17) % bits`
              are set; a clear one says that a key is not here, without reading a block
    fences    per block of keys, then of lookups: its first key (u64); its crc32 (u32)
    head      JSON: sizes, places, column names, dictionary, crc32 of the filters and of the fences
    tail      length of the head (u32), its crc32 (u32), magic (8 bytes)

Each byte is under a checksum that is read before the byte is believed. Numbers are little-endian, as are the machines
that Polars runs on.
"""

from __future__ import annotations

import json
import os
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from monitor.errors import DamagedSegment
from monitor.store.segments import polars_errors
from monitor.store.tables import POSITION, Table, columns, hash_column, json_reader

Place = tuple[int, int, int]  # value (position, or offset in the rows section), length and crc32 of a row
_MAGIC: Final = b"dealidx2"
_BLOCK: Final = 64
_SMALL: Final = 1 << 17  # keys of an index whose blocks are kept in memory once they were read
_STEP: Final = 1 << 16  # rows turned to JSON at a time
_KEY_BYTES: Final = 24
_LOOKUP_BYTES: Final = 32
_DICTIONARY: Final = 8192  # bytes
_HEAD: Final = frozenset(
    (
        "names",
        "dictionary",
        "keys",
        "lookups",
        "keys_at",
        "lookups_at",
        "key_filter_at",
        "lookup_filter_at",
        "fences_at",
    )
)


def build(table: Table, base: Path, target: Path) -> None:
    """Write the index of a base."""
    with polars_errors(str(target)), target.open("wb") as file:
        newest = _newest(table, pl.scan_parquet(base))
        entries, names, dictionary = _write_rows(table, base, newest, file)
        lookups = _lookups(table, base).join(entries, left_on="key", right_on=hash_column(table), maintain_order="left")
        head: dict[str, Any] = {
            "names": names,
            "dictionary": dictionary.decode(),
            "keys": entries.height,
            "lookups": lookups.height,
        }
        head["keys_at"] = file.tell()
        fence = _write_blocks(file, entries, "QQII", [hash_column(table), "value", "length", "crc"])
        head["lookups_at"] = file.tell()
        more = _write_blocks(file, lookups, "QQQII", ["lookup", "key", "value", "length", "crc"])
        for name, values in (("key_filter", entries[hash_column(table)]), ("lookup_filter", lookups["lookup"])):
            bits = _filter(values)
            head[f"{name}_at"], head[f"{name}_crc"] = file.tell(), zlib.crc32(bits)
            file.write(bits)
        fences = b"".join(part.tobytes() for part in (*fence, *more))
        head["fences_at"], head["fences_crc"] = file.tell(), zlib.crc32(fences)
        file.write(fences)
        text = json.dumps(head).encode()
        file.write(text + len(text).to_bytes(4, "little") + zlib.crc32(text).to_bytes(4, "little") + _MAGIC)


def _newest(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
    """Key, position and row number of the newest row of each key, in storage order."""
    key = hash_column(table)
    return (
        rows.select(key, POSITION)
        .with_row_index("row")
        .unique(key, keep="last", maintain_order=True)
        .sort("row")
        .collect()
    )


def _write_rows(
    table: Table, base: Path, newest: pl.DataFrame, file: IO[bytes]
) -> tuple[pl.DataFrame, list[str], bytes]:
    """The rows section; returns the entries by key, the names that the JSON's numbers stand for, and the dictionary."""
    key = hash_column(table)
    if not table.indexed_rows:
        zero = pl.lit(0, dtype=pl.UInt32)
        entries = newest.select(key, pl.col(POSITION).cast(pl.UInt64).alias("value"), length=zero, crc=zero)
        return entries.sort(key), [], b""
    known = columns(table)
    names = [name for name in pl.read_parquet_schema(base) if name in known]
    short = pl.struct(pl.col(name).alias(str(index)) for index, name in enumerate(names)).struct.json_encode()
    offsets, lengths, crcs = array("Q"), array("I"), array("I")
    at = 0
    dictionary = b""
    pack: Callable[[bytes], bytes] = _same
    for start in range(0, newest.height, _STEP):
        wanted = newest[start : start + _STEP]
        first, last = wanted["row"][0], wanted["row"][-1]
        chunk = pl.scan_parquet(base).slice(first, last - first + 1).select(short.alias("json")).collect()["json"]
        texts = chunk.gather(wanted["row"] - first)
        if not dictionary:  # a few rows tell what all rows have in common
            dictionary = b"".join(text.encode() for text in texts[:: -(-len(texts) // 8)])[:_DICTIONARY]
            dictionary = dictionary.decode("utf-8", "ignore").encode()
            pack = _packer(dictionary)
        for text in texts:
            data = pack(text.encode())
            file.write(data)
            offsets.append(at)
            lengths.append(len(data))
            crcs.append(zlib.crc32(data))
            at += len(data)
    entries = newest.select(key).with_columns(
        pl.Series("value", offsets, dtype=pl.UInt64),
        pl.Series("length", lengths, dtype=pl.UInt32),
        pl.Series("crc", crcs, dtype=pl.UInt32),
    )
    return entries.sort(key), names, dictionary


def _same(data: bytes) -> bytes:
    return data


def _packer(dictionary: bytes) -> Callable[[bytes], bytes]:
    fresh = zlib.compressobj(6, wbits=-15, zdict=dictionary)

    def pack(data: bytes) -> bytes:
        one = fresh.copy()
        return one.compress(data) + one.flush()

    return pack


def _unpacker(dictionary: bytes) -> Callable[[bytes], bytes]:
    fresh = zlib.decompressobj(wbits=-15, zdict=dictionary)
    return lambda data: fresh.copy().decompress(data)


def _lookups(table: Table, base: Path) -> pl.DataFrame:
    """Every pair of lookup and key in any version, by lookup."""
    if table.lookup is None:
        return pl.DataFrame(schema={"lookup": pl.UInt64, "key": pl.UInt64})
    pairs = pl.scan_parquet(base).select(lookup=pl.col(table.lookup), key=pl.col(hash_column(table)))
    return pairs.explode("lookup", empty_as_null=False).unique().sort("lookup", "key").collect()


def _filter(values: pl.Series) -> bytes:
    bits = bytearray(len(values))
    for start in range(0, len(values), _STEP):
        piece, size = values[start : start + _STEP], 8 * len(values)
        for bit in (*(piece % size).to_list(), *((piece // (1 << 17)) % size).to_list()):
            bits[bit >> 3] |= 1 << (bit & 7)
    return bytes(bits)


def _write_blocks(file: IO[bytes], frame: pl.DataFrame, codes: str, names: list[str]) -> tuple[Any, Any]:
    firsts, crcs = array("Q"), array("I")
    for start in range(0, frame.height, _STEP):
        piece = frame[start : start + _STEP]
        arrays = [array(code, piece[name].to_list()) for code, name in zip(codes, names, strict=True)]
        for at in range(0, piece.height, _BLOCK):
            block = b"".join(values[at : at + _BLOCK].tobytes() for values in arrays)
            file.write(block)
            firsts.append(piece[names[0]][at])
            crcs.append(zlib.crc32(block))
    return firsts, crcs


class Index:
    """One index file, open for look-ups. Raises DamagedSegment wherever a checksum does not hold."""

    def __init__(self, table: Table, path: Path) -> None:
        self.table, self.path = table, path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise DamagedSegment(str(path), f"cannot be read: {error.strerror or error}") from error
        head = self._head()
        self.keys: int = head["keys"]
        self._record = json_reader(table, head["names"])
        self._unpack = _unpacker(head["dictionary"].encode()) if head["dictionary"] else _same
        self._keys_at: int = head["keys_at"]
        self._lookups: int = head["lookups"]
        self._lookups_at: int = head["lookups_at"]
        self._places = head
        self._read_fences(head)

    def __del__(self) -> None:
        if (handle := getattr(self, "_file", None)) is not None:
            os.close(handle)

    def _head(self) -> dict[str, Any]:
        size = os.fstat(self._file).st_size
        tail = os.pread(self._file, 16, max(0, size - 16))
        length = int.from_bytes(tail[:4], "little")
        text = os.pread(self._file, length, max(0, size - 16 - length)) if length < size else b""
        if tail[8:] != _MAGIC or zlib.crc32(text) != int.from_bytes(tail[4:8], "little"):
            raise self._damaged("head")
        head: dict[str, Any] = json.loads(text)
        if not head.keys() >= _HEAD:
            raise DamagedSegment(str(self.path), "it is of another version")
        head["fences_to"] = size - 16 - length
        return head

    def _read_fences(self, head: dict[str, Any]) -> None:
        data = os.pread(self._file, head["fences_to"] - head["fences_at"], head["fences_at"])
        if zlib.crc32(data) != head["fences_crc"]:
            raise self._damaged("fences")
        at = 0
        fences = []
        for code, count in (("Q", self.keys), ("I", self.keys), ("Q", self._lookups), ("I", self._lookups)):
            values = array(code)
            end = at + -(-count // _BLOCK) * values.itemsize
            values.frombytes(data[at:end])
            fences.append(values)
            at = end
        self._key_fence, self._key_crcs, self._lookup_fence, self._lookup_crcs = fences
        self._filters: dict[str, bytes] = {}
        self._big = self.keys > _SMALL and hasattr(os, "posix_fadvise")
        if self._big:
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_RANDOM)  # reading ahead would read in vain
        if self.keys <= _SMALL:
            self._key_block = cache(self._key_block)  # type: ignore[method-assign]
            self._lookup_block = cache(self._lookup_block)  # type: ignore[method-assign]

    def _damaged(self, what: str) -> DamagedSegment:
        return DamagedSegment(str(self.path), f"its {what} does not match the checksum")

    def _block(self, number: int, start: int, count: int, width: int, crcs: Any) -> memoryview:
        """The bytes of a block, found intact."""
        size = min(_BLOCK, count - number * _BLOCK) * width
        data = os.pread(self._file, size, start + number * _BLOCK * width)
        if zlib.crc32(data) != crcs[number]:
            raise self._damaged(f"block {number}")
        return memoryview(data)

    def _key_block(self, number: int) -> tuple[memoryview, memoryview, memoryview, memoryview]:
        """Keys, values, lengths and checksums of a block of keys."""
        data = self._block(number, self._keys_at, self.keys, _KEY_BYTES, self._key_crcs)
        size = len(data) // _KEY_BYTES
        values, numbers = data[size * 8 : size * 16], data[size * 16 :].cast("I")
        return data[: size * 8].cast("Q"), values.cast("Q"), numbers[:size], numbers[size:]

    def _lookup_block(self, number: int) -> tuple[memoryview, memoryview, memoryview, memoryview, memoryview]:
        """Lookups, keys, values, lengths and checksums of a block of lookups."""
        data = self._block(number, self._lookups_at, self._lookups, _LOOKUP_BYTES, self._lookup_crcs)
        size = len(data) // _LOOKUP_BYTES
        longs, numbers = data[: size * 24].cast("Q"), data[size * 24 :].cast("I")
        return longs[:size], longs[size : 2 * size], longs[2 * size :], numbers[:size], numbers[size:]

    def _expect(self, spans: Iterable[tuple[int, int]]) -> None:
        """Offsets and sizes that are about to be read: a big index is not all in memory, so let the disk start."""
        if self._big:
            for at, size in spans:
                os.posix_fadvise(self._file, at, size, os.POSIX_FADV_WILLNEED)

    def _sifted(self, name: str, wanted: Iterable[int], count: int) -> Iterable[int]:
        """Those of the keys that may be here: all that are, and a twentieth of the others."""
        bits = self._filters.get(name)
        if bits is None:
            bits = os.pread(self._file, count, self._places[f"{name}_at"])
            if zlib.crc32(bits) != self._places[f"{name}_crc"]:
                raise self._damaged(name)
            self._filters[name] = bits
        size = 8 * count
        if not size:
            return ()
        some = [key for key in wanted if bits[(bit := key % size) >> 3] >> (bit & 7) & 1]
        return [key for key in some if bits[(bit := (key >> 17) % size) >> 3] >> (bit & 7) & 1]

    def locate(self, wanted: Iterable[int], *, sift: bool = True) -> dict[int, Place]:
        """Those of the keys that are here, each with value, length and checksum of its row.

        `sift`: most are thought not to be here.
        """
        if sift:
            wanted = self._sifted("key_filter", wanted, self.keys)
        found: dict[int, Place] = {}
        current = -1
        numbers = [(bisect_right(self._key_fence, key) - 1, key) for key in sorted(wanted)]
        width = _BLOCK * _KEY_BYTES
        self._expect((self._keys_at + max(0, number) * width, width) for number, _ in numbers)
        for number, key in numbers:
            if number < 0:
                continue
            if number != current:
                keys, values, lengths, crcs = self._key_block(number)
                current = number
            at = bisect_left(keys, key)
            if at < len(keys) and keys[at] == key:
                found[key] = values[at], lengths[at], crcs[at]
        return found

    def rows(self, places: dict[int, Place]) -> Iterator[tuple[int, Any]]:
        """Key and record for what `locate` or `find` found. Only where the table's rows are in the index."""
        self._expect((offset, length) for offset, length, _ in places.values())
        for key, (offset, length, crc) in places.items():
            data = os.pread(self._file, length, offset)
            if zlib.crc32(data) != crc:
                raise self._damaged(f"row at {offset}")
            yield key, self._record(self._unpack(data))

    def find(self, lookups: Iterable[int], *, sift: bool = True) -> dict[int, Place]:
        """Keys of all rows, of any version, that carry one of the lookups, as `locate` gives them."""
        if sift:
            lookups = self._sifted("lookup_filter", lookups, self._lookups)
        found: dict[int, Place] = {}
        fence = self._lookup_fence
        numbers = [(max(0, bisect_left(fence, lookup) - 1), lookup) for lookup in lookups]
        width = _BLOCK * _LOOKUP_BYTES
        self._expect((self._lookups_at + number * width, width) for number, _ in numbers)
        for number, lookup in numbers:
            while number < len(fence) and fence[number] <= lookup:
                carried, keys, values, lengths, crcs = self._lookup_block(number)
                at, size = bisect_left(carried, lookup), len(carried)
                while at < size and carried[at] == lookup:
                    found[keys[at]] = values[at], lengths[at], crcs[at]
                    at += 1
                if at < size:
                    break
                number += 1
        return found

    def every(self) -> Iterator[tuple[int, Place]]:
        """All keys with the places of their rows, by key: for the doctor, who also checks each block on the way."""
        for number in range(len(self._key_fence)):
            keys, *places = self._key_block(number)
            yield from zip(keys, zip(*places, strict=True), strict=True)
        for number in range(len(self._lookup_fence)):
            self._lookup_block(number)
        self._sifted("key_filter", (), self.keys)
        self._sifted("lookup_filter", (), self._lookups)
