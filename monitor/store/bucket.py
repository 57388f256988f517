"""A table's files on object storage, through obstore (the extra `s3`): S3 and what speaks it, Google, Azure.

Knows how a put on condition answers, and maps obstore's errors. Credentials come from the environment
(`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...) as for every tool of that storage; none are kept here.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from monitor.errors import LostRace, StoreError
from monitor.store.places import ASIDE, TEMPORARY, cache_folder, cached

try:
    import obstore
    from obstore import exceptions as failures
    from obstore.store import from_url
except ImportError as error:  # pragma: no cover - the message is all there is
    raise StoreError("object storage: obstore is not installed; install deal-monitor[s3]") from error

_AT_ONCE: Final = 16  # objects fetched side by side


def connect(url: str) -> Any:
    """The storage that a URL names. Plain HTTP only where the endpoint says so."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    try:
        return from_url(
            url,
            client_options={"allow_http": endpoint.startswith("http://")},
            retry_config={"max_retries": 6, "retry_timeout": timedelta(seconds=60)},
        )
    except (failures.BaseError, ValueError) as error:
        raise StoreError(f"{url}: no such storage: {_brief(error)}; check the address") from error


class Bucket:
    """A place under a prefix of a bucket."""

    def __init__(self, url: str, table: str) -> None:
        self.url, self.table = url.rstrip("/"), table
        self.store = connect(self.url)
        self.cache = cache_folder(self.url) / table

    def where(self, name: str) -> str:
        return f"{self.url}/{self.table}/{name}"

    def names(self) -> set[str]:
        return {name for name, _ in self._list()}

    def ages(self, now: float) -> dict[str, float]:
        found = {name: now - made for name, made in self._list()}
        self._forget_all_but(found)
        return found

    def _forget_all_but(self, names: Iterable[str]) -> None:
        """Copies of objects that are gone, whoever deleted them, go too."""
        if self.cache.is_dir():
            for name in {path.name for path in self.cache.iterdir()} - set(names):
                if not name.startswith(TEMPORARY):
                    (self.cache / name).unlink(missing_ok=True)

    def _list(self) -> Iterator[tuple[str, float]]:
        with bucket_errors(self.where("")):
            for chunk in obstore.list(self.store, prefix=self.table + "/", chunk_size=1000):
                for item in chunk:
                    name = item["path"].removeprefix(self.table + "/")
                    if "/" not in name:
                        yield name, item["last_modified"].timestamp()

    def local(self, name: str, *, again: bool = False) -> Path:
        path = self.cache / name
        if again or not path.exists():
            with bucket_errors(self.where(name)):
                cached(path, obstore.get(self.store, f"{self.table}/{name}").stream(min_chunk_size=1 << 20))
        return path

    def fetch(self, names: Sequence[str]) -> None:
        missing = [name for name in names if not (self.cache / name).exists()]
        if len(missing) > 1:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self.local, missing))

    def scratch(self) -> Path:
        return Path(tempfile.gettempdir()) / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"

    def create(self, name: str, content: bytes | Path) -> None:
        path = f"{self.table}/{name}"
        try:
            with bucket_errors(self.where(name)):
                obstore.put(self.store, path, content, mode="create", use_multipart=False)
        except LostRace:
            # An answer that got lost, and a second try of the client's own, look like somebody else. Each commit
            # carries a number drawn by lot, so equal bytes are ours.
            if not self._is_ours(path, content):
                raise
        finally:
            if isinstance(content, Path):
                content.unlink(missing_ok=True)

    def _is_ours(self, path: str, content: bytes | Path) -> bool:
        with suppress(failures.BaseError, FileNotFoundError):
            stored = bytes(obstore.get(self.store, path).bytes())
            return stored == (content if isinstance(content, bytes) else content.read_bytes())
        return False

    def delete(self, name: str) -> None:
        with bucket_errors(self.where(name)), suppress(failures.NotFoundError, FileNotFoundError):
            obstore.delete(self.store, f"{self.table}/{name}")
        (self.cache / name).unlink(missing_ok=True)

    def put_aside(self, name: str) -> None:
        with bucket_errors(self.where(name)), suppress(failures.NotFoundError, FileNotFoundError):
            source = f"{self.table}/{name}"
            obstore.copy(self.store, source, f"{self.table}/{ASIDE}/{int(time.time())}-{name}")
            obstore.delete(self.store, source)
        (self.cache / name).unlink(missing_ok=True)


@contextmanager
def bucket_errors(where: str) -> Iterator[None]:
    """obstore's errors as ours."""
    try:
        yield
    except (failures.AlreadyExistsError, failures.PreconditionError) as error:
        raise LostRace(f"{where}: somebody else was first") from error
    except (failures.NotFoundError, FileNotFoundError) as error:
        raise StoreError(f"{where}: no such object; run `deal-monitor doctor`") from error
    except (failures.BaseError, OSError) as error:
        if "409 Conflict" in str(error):  # two conditional puts at the same moment
            raise LostRace(f"{where}: somebody else was first") from error
        raise StoreError(f"{where}: {_brief(error)}; check the storage and the credentials, then run again") from error


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
