"""A person knows better: the status of a deal corrected, an alert sent again. Both are rows like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from monitor.errors import NotKnown
from monitor.models import Delivery, Event, Status
from monitor.store import Store, View


def correct(store: Store, event_id: str, status: Status, now: datetime, why: str = "") -> Event:
    """Give a deal another status. Raises no alert; later articles may change it again, older ones may not.

    Raises NotKnown for an id that no living deal has.
    """

    def decide(view: View) -> list[Event]:
        event: Event | None = view.rows([event_id]).get(event_id)
        if event is None or event.merged_into:
            raise NotKnown(f"{event_id}: no deal has this id; `deal-monitor events` lists them")
        if event.status == status:
            return []
        return [
            replace(
                event, version=event.version + 1, changed_at=now, change=None, status=status,
                status_before=event.status, status_at=now, claim_keys=(),
                what="status corrected by hand" + (f": {why}" if why else ""),
            )
        ]  # fmt: skip

    stored = store.commit("events", decide)
    event: Event = stored[0] if stored else store.rows("events", [event_id])[event_id]
    return event


def send_again(store: Store, key: int, now: datetime) -> Delivery:
    """Make a delivery that was given up, or made long ago, due again: the next run sends it.

    Raises NotKnown if there is no such delivery, or it is on its way anyhow.
    """

    def decide(view: View) -> list[Delivery]:
        row: Delivery | None = view.rows([key]).get(key)
        if row is None or row.state not in ("dead", "sent"):
            raise NotKnown("this alert is on its way or was not meant for the channel: nothing to send again")
        return [replace(row, state="failed", at=now, retry_at=now, pause=False, detail="to be sent again by request")]

    (row,) = store.commit("deliveries", decide)
    found: Delivery = row
    return found
