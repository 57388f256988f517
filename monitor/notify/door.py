"""One message to one channel through apprise, and its answer in our words. Knows apprise and codes of HTTP, SMTP."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any, TextIO

import apprise

from monitor.errors import DeliveryError
from monitor.models import Alert
from monitor.notify.watch import Answer, Watch, watching

_SMTP = re.compile(r"^Socket Exception: .*?\(([45]\d\d), b?['\"]", re.DOTALL)  # how apprise tells what smtplib raised
_CHANNEL_CODES = frozenset({401, 403, 404, 405, 407, 410})  # of HTTP: the address or the token is wrong
_SOFT_CODES = frozenset({408, 409, 421, 423, 425, 429})
_SMTP_CHANNEL = frozenset({530, 534, 535, 538, 550, 551, 553})  # log-in or address refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSettings:
    """Limits of one send; seconds."""

    allow_private: bool = False  # the channel's address may be in a private network
    connect_seconds: float = 8.0
    read_seconds: float = 15.0
    total_seconds: float = 45.0
    secret: str = ""  # JSON webhooks are signed with it
    console: TextIO | None = None  # where console:// prints; None = standard output


def send(url: str, alert: Alert, settings: SendSettings | None = None) -> None:
    """Hands one message to the channel behind an apprise address, or prints it (`console://`).

    Raises DeliveryError: `hard` if asking again is no use, `refused` if no message would be taken, `retry_after` if the
    channel named a time. Neither the error nor any log holds a part of the address.
    """
    settings = settings or SendSettings()
    if url.startswith("console://"):
        _print(alert, settings.console or sys.stdout)
        return
    with watching(
        alert.key,
        allow_private=settings.allow_private,
        seconds=settings.total_seconds,
        secret=settings.secret,
        plain=alert.body if alert.html else "",
    ) as watch:
        plugin = _plugin(url, alert, settings)
        body = _fitted(alert, int(plugin.body_maxlen))
        try:
            title = "" if alert.layout == "markdown" else alert.subject  # there the body's first line says it
            done = plugin.notify(
                body=body, title=title, notify_type=apprise.NotifyType.INFO, body_format=plugin.notify_format
            )
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
            raise DeliveryError(alert.channel, f"{type(error).__name__} while sending") from None
    if not done:
        raise _error(alert.channel, watch, mail=url.lower().startswith("mailto"))


def check(url: str, channel: str = "") -> str:
    """The address with its secrets starred, as it may be shown. Raises DeliveryError if apprise cannot use it."""
    if url.startswith("console://"):
        return "console://"
    with watching("check", allow_private=False, seconds=5):
        plugin = _plugin(url, Alert(channel=channel, key="check", subject="", body=""), SendSettings())
        return str(plugin.url(privacy=True)).partition("?")[0]


def _plugin(url: str, alert: Alert, settings: SendSettings) -> Any:
    """apprise's object for the address, set up as we want it: no redirects, our time limits, our form."""
    plugin: Any
    try:
        plugin = apprise.Apprise.instantiate(url, asset=_asset())
    except (TypeError, ValueError, AttributeError, LookupError):
        plugin = None
    if not isinstance(plugin, apprise.NotifyBase):
        what = "its address is not one that apprise understands; see https://appriseit.com for the forms"
        raise DeliveryError(alert.channel, what, hard=True, refused=True)
    return _set_up(plugin, url.partition("://")[0].lower(), alert, settings)


def _asset() -> apprise.AppriseAsset:
    """Our name on messages, and no picture that readers' programs would fetch from the web."""
    return apprise.AppriseAsset(
        app_id="Deal monitor", app_desc="Deal monitor", app_url="", image_url_mask="", image_url_logo="",
        http_redirects=False,
    )  # fmt: skip


def _set_up(plugin: Any, scheme: str, alert: Alert, settings: SendSettings) -> Any:
    plugin.redirects = False
    plugin.socket_connect_timeout = settings.connect_seconds
    plugin.socket_read_timeout = settings.read_seconds
    plugin.notify_format = apprise.NotifyFormat.HTML if alert.html else apprise.NotifyFormat.TEXT
    plugin.interpret_emojis = False
    plugin.request_rate_per_sec = 0  # our own cap and back-off do this
    if scheme in ("json", "jsons"):
        plugin.payload_extras = {**plugin.payload_extras, **_structured(alert)}
    elif scheme in ("mailto", "mailtos"):
        plugin.headers = {**plugin.headers, "X-Deal-Monitor-Key": alert.key}
        plugin.socket_connect_timeout = settings.read_seconds  # the only one that it has, for every read too
    return plugin


def _structured(alert: Alert) -> dict[str, object]:
    """What a program that reads a JSON webhook wants beside the words."""
    deals = [
        {
            "event_id": event.event_id,
            "version": event.version,
            "change": event.change,
            "parties": list(event.parties),
            "roles": dict(zip(event.parties, event.roles, strict=False)),
            "deal_type": event.deal_type,
            "status": event.status,
            "status_before": event.status_before,
            "evidence_level": event.evidence_level,
            "origins": list(event.origins),
            "outlets": list(event.outlets),
            "value": event.value,
            "terms": list(event.terms),
            "what": event.what,
            "sentence": event.evidence,
            "title": event.title,
            "url": event.url,
            "published": event.published.isoformat() if event.published else None,
            "changed_at": event.changed_at.isoformat(),
        }
        for event in alert.events
    ]
    return {"key": alert.key, "sent_again": alert.again, "deals": deals}


def _fitted(alert: Alert, room: int) -> str:
    """The body cut to what the channel takes, at the end of a line, with a word on what is missing."""
    body = alert.html or alert.body
    if room <= 0 or len(body) <= room or alert.html:
        return body
    kept, used = [], 40
    lines = body.split("\n")
    for line in lines:
        if used + len(line) + 1 > room:
            break
        kept.append(line)
        used += len(line) + 1
    if not kept:
        return body[: room - 1] + "…"
    return "\n".join([*kept, f"… {len(lines) - len(kept)} more lines, cut here"])


def _print(alert: Alert, out: TextIO) -> None:
    lines = [alert.body] if alert.body.startswith(alert.subject.partition(":")[0]) else [alert.subject, alert.body]
    print("\n".join(lines), end="\n\n", file=out, flush=True)


def _error(channel: str, watch: Watch, *, mail: bool) -> DeliveryError:
    """Why the channel did not take the message."""
    if watch.forbidden:
        what = "its address leads into a private network; set allow_private = true for the channel if that is meant"
        return DeliveryError(channel, what, hard=True, refused=True)
    if watch.expired:
        return DeliveryError(channel, f"no end after {watch.seconds:g} seconds")
    if watch.answers:
        return _http(channel, watch.answers[-1])
    code = next((int(m[1]) for text in reversed(watch.said) if (m := _SMTP.match(text))), 0)
    if mail and code:
        hard = code >= 500
        return DeliveryError(channel, f"the mail server said {code}", hard=hard, refused=code in _SMTP_CHANNEL)
    return DeliveryError(channel, "no connection, or one that ended with no answer")


def _http(channel: str, answer: Answer) -> DeliveryError:
    status = answer.status
    if 300 <= status < 400:
        what = f"HTTP {status}: it points elsewhere; set the address that it points to"
        return DeliveryError(channel, what, hard=True, refused=True)
    if 400 <= status < 500 and status not in _SOFT_CODES:
        return DeliveryError(channel, f"HTTP {status}", hard=True, refused=status in _CHANNEL_CODES)
    if status < 300:
        return DeliveryError(channel, f"HTTP {status}, but the answer says that it was not taken")
    wait = answer.retry_after if answer.retry_after is not None else 60.0 if status == 429 else None
    return DeliveryError(channel, f"HTTP {status}", retry_after=wait)
