"""What a person sees of a run in Prefect: its progress, its name, a page with changes and failing feeds, an event per
change."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run as this_run

from monitor.config import load_config
from monitor.errors import DeliveryError, LockHeld
from monitor.pipeline import Run, RunReport, send_notice

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


def tell_operator(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook: a run that failed is told to the channel that `operator` names. Prefect passes the arguments by name."""
    told = (flow_run.parameters or {}).get("config")
    config = load_config(Path(told) if told else None)
    channel = next((c for c in config.channels if c.name == config.operator), None)
    failure = state.result(raise_on_failure=False) if state.is_failed() else None
    if channel is None or isinstance(failure, LockHeld):  # another run is at work: nobody need get up
        return
    lines = (f"{flow.name}: {state.name}", str(state.message or ""), "deal-monitor status says how things are.")
    try:
        send_notice(channel, config, f"The run {flow_run.name} of the deal monitor failed", lines)
    except DeliveryError as error:
        get_run_logger().error("the operator could not be told: %s", error)
