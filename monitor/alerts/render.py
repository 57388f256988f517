"""Changes put into words for a channel: layouts are templates, one a form, and a user's own come first.

Everything that a template prints is made harmless for its form; only links that we made go out as they are. A user's
layout that fails is told of, and the shipped one is used: an alert is not lost over a slip in a template.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from monitor.alerts import escape as esc
from monitor.alerts.words import Card, Link, card
from monitor.errors import ConfigError
from monitor.models import Alert, Event

Form = Literal["text", "mail", "slack", "markdown", "short"]
FORMS: tuple[Form, ...] = ("text", "mail", "slack", "markdown", "short")
_SCHEMES: dict[str, Form] = {
    **dict.fromkeys(("mailto", "mailtos", "sendgrid", "mailgun", "ses", "o365", "postmark", "resend"), "mail"),
    "slack": "slack",
    **dict.fromkeys(
        ("discord", "mmost", "mmosts", "workflows", "workflow", "msteams", "rocket", "rockets"), "markdown"
    ),
    **dict.fromkeys(("ntfy", "ntfys", "pover", "gotify", "gotifys", "prowl", "pushed", "twilio", "bulksms"), "short"),
}
KINDS: dict[str, Form] = {  # services by their own names, for previews
    "text": "text", "mail": "mail", "slack": "slack", "teams": "markdown", "discord": "markdown",
    "mattermost": "markdown", "ntfy": "short",
}  # fmt: skip
_BUDGET: dict[Form, int] = {"text": 60_000, "mail": 200_000, "slack": 30_000, "markdown": 1_900, "short": 900}
AGAIN = "Sent again: an earlier attempt was cut off and may have reached you."


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a digest: a heading, the changes under it, and lines of plain words."""

    heading: str
    cards: tuple[Card, ...] = ()
    notes: tuple[str, ...] = ()


def form_of(url: str) -> Form:
    """The form in which a channel's address reads messages best."""
    return _SCHEMES.get(url.partition("://")[0].lower(), "text")


@dataclass(frozen=True)
class Layouts:
    """Templates: the shipped ones, and the user's own in `folder` (same file names) before them."""

    folder: Path | None = None
    zone: tzinfo = UTC
    page_url: str = ""
    failures: list[str] = field(default_factory=list)  # of the user's layouts, for the run's report

    def alert(self, event: Event, first: Event | None, form: Form, *, again: bool = False) -> tuple[str, str, str]:
        """Subject, body and (for mail) HTML of one change; `first` as for `words.card`."""
        shown = card(event, first, self.zone, self.page_url)
        return self._message("alert", form, shown.subject, {"card": shown, "again": AGAIN if again else ""})

    def digest(
        self, title: str, sections: Sequence[Section], form: Form, *, again: bool = False
    ) -> tuple[str, str, str]:
        """Subject, body and HTML of many changes. What does not fit the form is counted, never dropped in silence."""
        total = sum(len(s.cards) for s in sections)
        room = total
        while True:
            shown, cut = _first(sections, room), total - room
            more = f"… and {cut} more: run `deal-monitor events`" if cut else ""
            values: dict[str, object] = {
                "sections": shown,
                "title": title,
                "more": more,
                "again": AGAIN if again else "",
            }
            message = self._message("digest", form, title, values)
            if room == 0 or len(message[1]) <= _BUDGET[form]:
                return message
            room = min(room - 1, int(room * _BUDGET[form] / len(message[1])))

    def notice(self, title: str, lines: Sequence[str], form: Form) -> tuple[str, str, str]:
        """Subject, body and HTML of a message about the monitor itself."""
        return self.digest(title, [Section("", notes=tuple(lines))], form)

    def check(self) -> None:
        """Raises ConfigError for the first of the user's own layouts that cannot be used."""
        if self.folder is None:
            return
        if not self.folder.is_dir():
            raise ConfigError(str(self.folder), "templates", "there is no such folder", "correct the path")
        shipped = {
            f"{kind}.{end}.j2" for kind in ("alert", "digest") for end in ("text", "html", "slack", "markdown", "short")
        }
        for path in sorted(self.folder.glob("*.j2")):
            if path.name not in shipped:
                remedy = f"name it as one of {', '.join(sorted(shipped))}"
                raise ConfigError(str(path), "", "no message uses a layout of this name", remedy)
            try:
                _environment("text", self.folder).get_template(path.name)
            except TemplateError as error:
                where = f"line {getattr(error, 'lineno', 0) or 1}"
                raise ConfigError(str(path), where, str(error), "correct the template (Jinja2)") from None

    def _message(self, kind: str, form: Form, title: str, values: dict[str, object]) -> tuple[str, str, str]:
        values = {"subject": title, **values}
        if form == "mail":
            return esc.for_text(title), self._print(kind, "text", values), self._print(kind, "html", values)
        return esc.for_text(title), self._print(kind, form, values), ""

    def _print(self, kind: str, form: str, values: dict[str, object]) -> str:
        name = f"{kind}.{form}.j2"
        if self.folder is not None and (self.folder / name).is_file():
            try:
                return _tidy(_environment(form, self.folder).get_template(name).render(values))
            except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
                self.failures.append(f"{self.folder / name}: {error}; the shipped layout was used")
        return _tidy(_environment(form).get_template(name).render(values))


_ESCAPES: dict[str, tuple[esc.Escape, Callable[[str, str], esc.Live]]] = {
    "text": (esc.for_text, esc.link_text),
    "html": (esc.for_html, esc.link_html),
    "slack": (esc.for_slack, esc.link_slack),
    "markdown": (esc.for_markdown, esc.link_markdown),
    "short": (esc.for_text, esc.link_text),
}


@cache
def _environment(form: str, folder: Path | None = None) -> SandboxedEnvironment:
    """Templates of one form: whatever they print is escaped, whether or not their author thought of it."""
    escape, make_link = _ESCAPES[form]
    shipped = PackageLoader("monitor", "templates")

    def finalize(value: object) -> str:
        return str(value) if isinstance(value, esc.Live) else escape(str(value))

    def link(target: Link | None, text: str = "") -> esc.Live:
        return make_link(target.url, text or target.text) if target and esc.safe_url(target.url) else esc.Live("")

    environment = SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder), shipped]) if folder else shipped,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["link"] = link
    return environment


def _tidy(text: str) -> str:
    """No blank lines at the ends, no more than one between."""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        if line.strip() or (lines and lines[-1].strip()):
            lines.append(line.rstrip())
    return "\n".join(lines)


def _first(sections: Sequence[Section], room: int) -> list[Section]:
    """The sections with their first `room` cards in all."""
    shown = []
    for section in sections:
        shown.append(replace(section, cards=section.cards[: max(room, 0)]))
        room -= len(section.cards)
    return shown


def render(event: Event, first: Event | None, form: Form, layouts: Layouts | None = None) -> Alert:
    """One change as an alert to no channel yet: for previews."""
    subject_, body, html = (layouts or Layouts()).alert(event, first, form)
    return Alert(
        channel="", key="", subject=subject_, body=body, html=html, events=(event,),
        of=((event.event_id, event.version),), layout=form,
    )  # fmt: skip
