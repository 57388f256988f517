"""What a person sees of a run in Prefect: its progress, its name, a page with changes and failing feeds, an event per
change."""

from __future__ import annotations

import time
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run as this_run

from monitor.pipeline import Run, RunReport

PACE = 3.0  # seconds between two signs of progress: each is a request to the server


class Progress:
    """Shows how far a run is, on top of whoever looks on already. Short runs cost nothing."""

    def __init__(self, run: Run) -> None:
        self.before, run.progress = run.progress, self
        self.shown = time.monotonic()
        self.artifact: UUID | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.before(stage, done, total)
        if time.monotonic() - self.shown < PACE:
            return
        share, words = 100.0 * done / max(total, 1), f"{stage}: {done} of {total}"
        if self.artifact is None:
            self.artifact = create_progress_artifact(share, key="deal-monitor-progress", description=words)  # type: ignore[assignment]
        else:
            update_progress_artifact(self.artifact, progress=share, description=words)
        self.shown = time.monotonic()


def record_changes(report: RunReport) -> None:
    """One event per change (`deal-monitor.event.new`, ...), on which automations can be built."""
    for event in report.changes:
        emit_event(
            f"deal-monitor.event.{event.change}",
            resource={
                "prefect.resource.id": f"deal-monitor.event.{event.event_id}",
                "prefect.resource.name": " and ".join(event.parties),
            },
            payload={
                "parties": list(event.parties),
                "deal_type": event.deal_type,
                "status": event.status,
                "status_before": event.status_before,
                "value": event.value,
                "title": event.title,
                "url": event.url,
            },
        )


def record_run(flow: str, words: str, run: Run, more: str = "") -> None:
    """The run's name says what it did; its artifact says it at length; so does one line of its log."""
    page = run.report.markdown(words, run.config.page_url) + (f"\n\n```\n{more}\n```" if more else "")
    create_markdown_artifact(page, key=f"deal-monitor-{flow}", description=words)
    get_run_logger().info("%s", words)
    with get_client(sync_client=True) as client:
        client.update_flow_run(this_run.id, name=f"{flow}: {words}")
