"""Where the heavy work of a batch is done: extraction of pages and reading of articles, here or on a Dask cluster.

Both give the same answers in the same order. A worker of the cluster does what this machine would: it extracts in a
sandbox of its own and keeps one reader per watchlist and rule set. Only plain values travel: bytes, articles, claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from monitor.claims import Reader, Reading
from monitor.companies import catalogue
from monitor.config import Config
from monitor.errors import ConfigError, ExtractError, SandboxError
from monitor.extract import Extracted, extract_many
from monitor.lexicon import load_lexicon
from monitor.models import Article, Company
from monitor.sandbox import Sandbox

Body = tuple[bytes, str, str]  # bytes, content type, final URL
Outcome = Extracted | ExtractError | SandboxError
CHUNK = 50  # pages or articles per task of the cluster


class Engine(Protocol):
    """What the step `read` needs done."""

    def extract(self, pages: Iterable[Body]) -> Iterator[Outcome]:
        """The article of each page, in order."""

    def read(self, articles: Sequence[Article]) -> list[Reading]:
        """What each article asserts, in order; empty where it does not pass the gate."""

    def close(self) -> None:
        """Free what was taken."""


class Local:
    """This machine: extraction in killable workers, reading in this process."""

    def __init__(self, reader: Reader, sandbox: Sandbox) -> None:
        self._reader, self._sandbox = reader, sandbox

    def extract(self, pages: Iterable[Body]) -> Iterator[Outcome]:
        return extract_many(pages, self._sandbox)

    def read(self, articles: Sequence[Article]) -> list[Reading]:
        return read_all(self._reader, articles)

    def close(self) -> None:
        """Nothing: the sandbox belongs to the run."""


class Cluster:
    """A Dask cluster. The rules of the user travel by value: workers need not see the user's files."""

    def __init__(self, config: Config) -> None:
        try:
            import distributed
        except ImportError:
            raise ConfigError(
                str(config.folder / "monitor.toml"), "run.engine", '"dask" needs the package distributed',
                "install deal-monitor[cluster], here and on the workers",
            ) from None  # fmt: skip
        try:
            client: Any = distributed.Client
            self._client = client(config.run.dask_address, timeout=20, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConfigError(
                str(config.folder / "monitor.toml"), "run.dask_address", f"no Dask scheduler answers there ({error})",
                "start one with `dask scheduler`, or correct the address",
            ) from None  # fmt: skip
        rules = tuple((rule.name, rule.read_text(encoding="utf-8")) for rule in config.detection.rules)
        self._lore = (rules, config.watchlist)

    def extract(self, pages: Iterable[Body]) -> Iterator[Outcome]:
        tasks = [self._client.submit(extract_chunk, chunk, pure=False) for chunk in _chunks(pages)]
        for task in tasks:
            yield from task.result()

    def read(self, articles: Sequence[Article]) -> list[Reading]:
        lore = self._client.scatter(self._lore, broadcast=True, hash=True)
        tasks = [self._client.submit(read_chunk, lore, chunk, pure=False) for chunk in _chunks(articles)]
        return [reading for task in tasks for reading in task.result()]

    def close(self) -> None:
        self._client.close()


def read_all(reader: Reader, articles: Sequence[Article]) -> list[Reading]:
    """What each article asserts; most do not pass the gate and cost next to nothing."""
    passed = reader.gate([f"{a.title}\n{a.text}" for a in articles])
    empty = ((a, Reading(article_id=a.article_id, claims=())) for a in articles)
    return [reader.read(a) if good else nothing for (a, nothing), good in zip(empty, passed, strict=True)]


# --- on the cluster's workers -----------------------------------------------------------------------------------------


def extract_chunk(pages: list[Body]) -> list[Outcome]:
    return list(extract_many(pages, _sandbox()))


def read_chunk(lore: tuple[tuple[tuple[str, str], ...], tuple[Company, ...]], articles: list[Article]) -> list[Reading]:
    return read_all(_reader(*lore), articles)


@cache
def _sandbox() -> Sandbox:
    """One per worker process, of one process: the cluster's workers are the others."""
    return Sandbox(workers=1)


@cache
def _reader(rules: tuple[tuple[str, str], ...], watchlist: tuple[Company, ...]) -> Reader:
    """One per worker process and set of rules and companies."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="deal-monitor-") as folder:
        paths = []
        for number, (name, text) in enumerate(rules):
            place = Path(folder) / str(number)
            place.mkdir()
            (place / name).write_text(text, encoding="utf-8")
            paths.append(place / name)
        return Reader(load_lexicon(paths), watchlist, catalogue())


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
