"""Old articles as a Prefect flow: read as if polled when they appeared, kept as history. Asked for, never scheduled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.record import record_run
from flows.telling import tell_operator
from monitor.config import load_config
from monitor.pipeline import Run, open_run
from monitor.pipeline.backfilling import in_order, kept
from monitor.pipeline.documents import parse_documents
from monitor.pipeline.settings import fold_settings


def read_history(run: Run, file: Path) -> int:
    """Changes that the articles of the file made."""
    now = datetime.now(UTC)
    with file.open(encoding="utf-8-sig") as lines:
        documents = in_order(parse_documents(lines, str(file)), now)
    made = list(kept(run.reader, documents, run.store, fold_settings(run.config), now))
    run.report.articles = len(documents)
    run.report.events += [change.event for change in made]
    return len(made)


READ = task(name="backfill", cache_policy=NO_CACHE)(read_history)


@flow(name="backfill", flow_run_name="backfill", on_failure=[tell_operator], on_crashed=[tell_operator])
def backfill(file: Path, config: Path | None = None) -> str:
    """Read old articles in the order of their time. What they tell is kept as history and alerts nobody.

    Args:
        file: One JSON object a line: id, title, text, url, published. A path that the worker can read.
        config: monitor.toml or its folder; else what DEAL_MONITOR_CONFIG names, else the working folder.
    """
    with open_run(load_config(config), lock=False) as run:
        words = f"{READ(run, file)} changes from {run.report.articles} articles"
        record_run("backfill", words, run)
        return words
