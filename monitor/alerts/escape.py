"""Making words of strangers harmless in each form of message. What is harmless here stays readable.

A title may hold markup, mentions that ring every phone, links, control characters, or lines made to look like ours.
Every form: one printable line, links dead. Then each form's own marks are taken out of action.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit, urlunsplit

from markupsafe import Markup, escape

from monitor.text import clean_line

ZERO = "\u200b"  # zero-width space: invisible, and breaks what would be read as a mark
_LINKS = re.compile(
    r"(?i)\b([a-z][a-z0-9+.-]{1,20}:)(?=/|[^\s/]*@)|\b(www)(?=\.)|\b((?:javascript|data|vbscript|mailto|tel):)"
)
_SLACK = re.compile(r"([*_~@#`!])")
_MARKDOWN = re.compile(r"([\\`*_\[\]()#|<>~])")
_MENTION = re.compile(r"@")
_LINE_START = re.compile(r"^(\s*)(\d+)([.)])")


class Live(str):
    """Markup that we made ourselves: goes out as it is."""

    __slots__ = ()


Escape = Callable[[str], str]


def inert(text: str, limit: int = 600) -> str:
    """One printable line of at most `limit` characters in which no program sees a link."""
    line = clean_line(text)
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return _LINKS.sub(lambda m: m.group() + ZERO, line)


def for_text(text: str) -> str:
    """Plain text: mail, webhooks, the console."""
    return _MENTION.sub("@" + ZERO, inert(text))


def for_slack(text: str) -> str:
    """Slack: entities for its three control characters, a zero-width space after each formatting mark."""
    line = inert(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SLACK.sub(rf"\1{ZERO}", line)


def for_markdown(text: str) -> str:
    """Markdown of Discord, Mattermost, Teams: marks behind a backslash, mentions broken."""
    line = _MENTION.sub("@" + ZERO, _MARKDOWN.sub(r"\\\1", inert(text)))
    return _LINE_START.sub(r"\1\2\\\3", line)


def for_html(text: str) -> str:
    """HTML: entities."""
    return str(escape(inert(text)))


def safe_url(url: str) -> str:
    """The link if it leads to the web and shows where it leads, quoted for every form; else ""."""
    try:
        parts = urlsplit(clean_line(url))
        host = (parts.hostname or "").encode("idna").decode("ascii") if parts.hostname else ""
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in ("http", "https") or not host or not re.fullmatch(r"[a-z0-9._-]+", host):
        return ""
    path, query = (quote(part, safe="/%:,;+~.-=&?$") for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, host + port, path, query, ""))


def host(url: str) -> str:
    """Where a link leads, for showing."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def link_text(url: str, text: str) -> Live:
    return Live(f"{for_text(text)}: {url}" if text else url)


def link_slack(url: str, text: str) -> Live:
    return Live(f"<{url.replace('&', '&amp;')}|{for_slack(text or host(url)).replace('|', '¦')}>")


def link_markdown(url: str, text: str) -> Live:
    return Live(f"[{for_markdown(text or host(url))}](<{url}>)")


def link_html(url: str, text: str) -> Live:
    return Live(Markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(url, inert(text or host(url))))
