"""`init`: from nothing to three files and a test alert, by four questions or by options."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from monitor.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config import FeedConfig
    from monitor.models import Company
    from monitor.proposals import Proposal

FILES = ("monitor.toml", "feeds.toml", "watchlist.toml")
SECRET = "channel.secret"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Answers:
    """What is asked for; empty means the default."""

    companies: tuple[Company, ...] = ()  # () = the starter list
    tags: tuple[str, ...] = ()  # () = what is proposed for the companies
    channel: str = ""  # "" = this terminal
    time_zone: str = ""  # "" = this machine's


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--company", multiple=True, metavar="NAME", help="Watch this one; may be repeated.")
@click.option("--tag", multiple=True, metavar="TAG", help="Read the shipped feeds with this tag, or `all`; repeatable.")
@click.option("--channel", metavar="ADDRESS", help="Where alerts go: an apprise address, or env:NAME that holds one.")
@click.option("--time-zone", metavar="NAME", help="For times in alerts and digests. Default: this machine's.")
@click.option("--yes", is_flag=True, help="Ask nothing; take the defaults for what is not given.")
@click.option("--no-test", is_flag=True, help="Send no test alert at the end.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def init(
    folder: Path, company: tuple[str, ...], tag: tuple[str, ...], channel: str | None, time_zone: str | None,
    yes: bool, no_test: bool, force: bool,
) -> None:  # fmt: skip
    """Write monitor.toml, feeds.toml and watchlist.toml.

    On a terminal it asks four questions: companies, sources, channel, time zone. Enter takes the default of each. It
    proposes feeds for the companies, and ends with a test alert. The files explain themselves; make them your own.

    \b
    Example:
      $ deal-monitor init deals --company Meta --company Nvidia --time-zone Europe/Berlin
      56 of 91 feeds: technology 22, business 18, chips 6, releases 5, authorities 2, newsrooms 2, cloud 1
      deals/monitor.toml  deals/feeds.toml  deals/watchlist.toml
      console: a test alert was sent
      next: deal-monitor --config deals check, then deal-monitor --config deals poll
    """
    there = [name for name in FILES if (folder / name).exists()]
    if there and not force:
        raise click.ClickException(
            f"{folder / there[0]}: is there already; name another folder, or --force replaces it"
        )
    if sys.stdin.isatty() and not (yes or company or tag or channel or time_zone):
        answers = _questions()
    else:
        companies = tuple(_named(name) for name in company)
        answers = _Answers(companies, tag, _channel(channel or ""), _zone(time_zone or ""))
    proposal = _feeds(answers)
    if not proposal.feeds:
        raise click.UsageError(f"no shipped feed has the tag {', '.join(answers.tags)}; there are: {_tags()}")
    _write(folder, answers, proposal)
    if sys.stdin.isatty() or answers.companies or answers.tags:
        output.say(f"{len(proposal.feeds)} of {len(_shipped())} feeds: {proposal.words}")
    click.echo("  ".join(str(folder / name) for name in FILES))
    run = output.program() + ("" if folder == Path() else f" --config {folder}")
    good = no_test or _test(folder, run)
    output.say(f"next: {run} check, then {run} poll")
    if not good:
        sys.exit(1)


# --- the four questions -----------------------------------------------------------------------------------------------


def _questions() -> _Answers:
    output.say("Four questions; Enter takes the default of each. Nothing is written before the last.\n")
    companies = _asked("1 of 4  Companies to watch, with commas (Enter: a starter list)", _listed)
    for company in companies:
        also = [*company.aliases, *company.products][:5]
        _note(f"{company.name}{': also ' + ', '.join(also) if also else ', by this name alone'}")
    proposal = _feeds(_Answers(companies))
    _note(f"proposed: {len(proposal.feeds)} of {len(_shipped())} feeds: {proposal.words}")
    tags = _asked("2 of 4  Sources (Enter: those proposed; all; or kinds with commas)", _kinds)
    channel = _asked("3 of 4  Where alerts go, such as slack://... or mailtos://... (Enter: this terminal)", _channel)
    zone = _asked(f"4 of 4  Time zone (Enter: {_machine_zone()})", _zone)
    output.say("")
    return _Answers(companies, tags, channel, zone)


def _asked(question: str, understand: Callable[[str], T]) -> T:
    """The answer, asked again until it can be understood."""
    while True:
        try:
            return understand(str(click.prompt(question, default="", show_default=False, err=True)).strip())
        except click.ClickException as error:
            _note(error.format_message())


def _note(text: str) -> None:
    """A line under a question."""
    output.say(click.wrap_text(text, shutil.get_terminal_size().columns, " " * 10, " " * 10))


def _split(text: str) -> list[str]:
    return [part for part in map(str.strip, text.replace(";", ",").split(",")) if part]


def _listed(text: str) -> tuple[Company, ...]:
    return tuple(_named(name, ask=True) for name in _split(text))


def _named(name: str, *, ask: bool = False) -> Company:
    """The catalogue's company of that name; one that it does not know is watched by the name alone."""
    from monitor.cli.companies import catalogue
    from monitor.companies import find, near
    from monitor.models import Company

    if (company := find(catalogue(), name)) is not None:
        return company
    alike = near(catalogue(), name)
    if not alike:
        if not ask:
            output.say(f"{name}: not in the catalogue, so watched by this name alone; watchlist.toml takes more names")
        return Company(name=name)
    if ask and click.confirm(f"          {name} is not in the catalogue. Did you mean {alike[0]}?", True, err=True):
        return _named(alike[0])
    if ask:
        return Company(name=name)
    raise click.ClickException(
        f'{name}: not in the catalogue; did you mean {" or ".join(alike)}? To watch "{name}" all the same, write it '
        "into watchlist.toml after `init`"
    )


def _kinds(text: str) -> tuple[str, ...]:
    from monitor.proposals import tagged

    tags = tuple(_split(text.lower()))
    if tags and (unknown := [tag for tag in tags if not tagged(_shipped(), [tag]).feeds]):
        raise click.UsageError(f"no feed is of the kind {', '.join(unknown)}; there are: {_tags()}")
    return tags


def _channel(text: str) -> str:
    """An address that some service knows; "" for this terminal."""
    if text in ("", "console", "console://") or text.startswith("env:"):
        return "" if text.startswith("console") else text
    if "://" not in text:
        raise click.UsageError("that is no address; write one such as slack://... or mailtos://..., or env:NAME")
    from monitor import notify
    from monitor.errors import DeliveryError

    try:
        notify.check(text)
    except DeliveryError as error:
        raise click.UsageError(error.what) from None
    return text


def _zone(text: str) -> str:
    """The zone of that name, or of that city; "" for none given."""
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    wanted = text.lower().replace(" ", "_")
    zones = {zone.lower(): zone for zone in available_timezones()}
    cities = {zone.rpartition("/")[2]: name for zone, name in sorted(zones.items(), reverse=True) if "/" in zone}
    if not wanted or wanted in zones or wanted in cities:
        return zones.get(wanted) or cities.get(wanted, "")
    close = get_close_matches(wanted, [*zones, *cities], n=1)
    hint = f"did you mean {zones.get(close[0]) or cities[close[0]]}?" if close else "use a name such as Europe/Berlin"
    raise click.UsageError(f'"{text}" is not a time zone; {hint}')


def _machine_zone() -> str:
    """The time zone of this machine; UTC where it does not tell."""
    from zoneinfo import available_timezones

    link = Path("/etc/localtime")
    told = os.environ.get("TZ", "") or (str(link.resolve()).partition("zoneinfo/")[2] if link.is_symlink() else "")
    return told if told in available_timezones() and not told.startswith("Etc/") else "UTC"


# --- what is written --------------------------------------------------------------------------------------------------


def _shipped() -> tuple[FeedConfig, ...]:
    from monitor.config import load_feeds, seed

    return load_feeds(seed("feeds.toml"))


def _tags() -> str:
    return ", ".join(sorted({tag for feed in _shipped() for tag in feed.tags}))


def _feeds(answers: _Answers) -> Proposal:
    """The feeds of the chosen kinds; else those that fit the companies; else all."""
    from monitor.proposals import propose, tagged

    if answers.tags or not answers.companies:
        return tagged(_shipped(), answers.tags or ("all",))
    return propose(_shipped(), answers.companies)


def _write(folder: Path, answers: _Answers, proposal: Proposal) -> None:
    texts = (_settings(answers), _feeds_text(proposal), _watchlist_text(answers.companies))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in zip(FILES, texts, strict=True):
            (folder / name).write_text(text, encoding="utf-8")
        if answers.channel and not answers.channel.startswith("env:"):
            secret = folder / SECRET
            secret.touch(mode=0o600)
            secret.write_text(answers.channel + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or folder}: cannot be written ({error.strerror}); name another folder"
        ) from None


def _watchlist_text(companies: tuple[Company, ...]) -> str:
    """The starter list; or its explanations with the named companies."""
    from monitor.cli.companies import entry
    from monitor.config import seed
    from monitor.config.editing import table

    text = seed("watchlist.toml").read_text(encoding="utf-8")
    if not companies:
        return text
    head = text.partition("\n[[companies]]")[0].partition("#\n# Short names")[0].rstrip("\n") + "\n\n"
    return head + "\n".join(table("companies", entry(company, ())) for company in companies)


def _feeds_text(proposal: Proposal) -> str:
    """The starter list; or its explanations with the chosen feeds."""
    from monitor.config import seed
    from monitor.config.editing import table

    text = seed("feeds.toml").read_text(encoding="utf-8")
    if len(proposal.feeds) == len(_shipped()):
        return text
    head = text.partition("# ---")[0]
    rows = [f.model_dump(include={"url", "title", "tags", "full_text"}, exclude_defaults=True) for f in proposal.feeds]
    return head + "\n".join(table("feeds", row) for row in rows)


def _settings(answers: _Answers) -> str:
    from monitor.config import seed

    text = seed("monitor.toml").read_text(encoding="utf-8")
    text = text.replace('time_zone = "UTC"', f'time_zone = "{answers.time_zone or _machine_zone()}"', 1)
    if answers.channel:
        kept = answers.channel if answers.channel.startswith("env:") else f"file:{SECRET}"
        text = text.replace(
            'name = "console"\nurl = "console://"', f'name = "desk"\nurl = "{kept}"  # keep it to yourself', 1
        )
    return text


def _test(folder: Path, run: str) -> bool:
    """The test alert; True if it arrived."""
    from monitor.cli.setup import send_tests
    from monitor.config import load_config

    (row,) = send_tests(load_config(folder))
    if row["ok"]:
        output.say(f"{row['name']}: {row['what']}")
        return True
    output.say(f"{row['name']}: the test alert FAILED: {row['what']}")
    output.say(f"correct the address in {folder / SECRET}, then: {run} check --send")
    return False
