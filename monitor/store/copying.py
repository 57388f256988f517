"""All tables of one place copied to another: from a folder to object storage and back. Knows no table's meaning."""

from __future__ import annotations

from pathlib import Path

from monitor.errors import LostRace, StoreError
from monitor.store.log import Log
from monitor.store.segments import check_bytes


def copy(source: Log, target: Log) -> int:
    """Copy the files that count, oldest first, each checked; returns how many. A copy cut short goes on where it was.

    StoreError if the target holds anything that the source does not.
    """
    view = source.view()
    for part in view.parts:
        source.intact(part)
    ours = {name for part in view.parts for name in (part.name, part.index)}
    theirs = {name for name in target.place.names() if name.endswith((".parquet", ".index"))}
    if strange := sorted(theirs - ours):
        raise StoreError(
            f"{target.place.where(strange[0])}: there are tables here already; copy to a place that has none"
        )
    copied = 0
    for part in view.parts:
        for name in (part.index, part.name) if part.is_base else (part.name,):
            copied += _copy_file(source, target, name)
    return copied


def _copy_file(source: Log, target: Log, name: str) -> int:
    if name in target.place.names():
        return 0
    path = source.place.local(name)
    try:
        data = path.read_bytes()
        if name.endswith(".parquet"):
            check_bytes(data, Path(source.place.where(name)))
        target.place.create(name, data)
    except LostRace:
        return 0
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}; run `deal-monitor doctor`") from error
    return 1
