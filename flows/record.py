"""What a person sees of a run in Prefect: its name, a page with changes and failing feeds, an event per change."""

from __future__ import annotations

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.runtime import flow_run

from monitor.pipeline import RunReport


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
                "title": event.title,
                "url": event.url,
            },
        )


def record_run(flow: str, report: RunReport) -> None:
    """The run's name says what it did; its artifact says it at length."""
    if flow_run.id is None:
        return
    create_markdown_artifact(report.markdown(), key=f"deal-monitor-{flow}", description=report.headline())
    with get_client(sync_client=True) as client:
        client.update_flow_run(flow_run.id, name=f"{flow}: {report.headline()}")
