"""The command line: what commands print, their exit codes, and the formats that other programs rely on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from monitor.cli import COMMANDS, cli
from monitor.config import load_config
from monitor.store import open_store
from tests.conftest import Command
from tests.pipelines import DEAL, NOISE, Desk, item, serve_feed, serve_page
from tests.servers import LoopbackServer, answer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# --- help, README, errors --------------------------------------------------------------------------------------------


def all_commands() -> list[tuple[str, click.Command]]:
    """(words, command) of every command and subcommand."""
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        one = cli.get_command(click.Context(cli), name)  # type: ignore[attr-defined]
        found.append((name, one))
        found += [(f"{name} {sub}", c) for sub, c in getattr(one, "commands", {}).items()]
    return found


@pytest.mark.parametrize(("words", "one"), all_commands(), ids=[words for words, _ in all_commands()])
def test_every_command_has_help_an_example_and_a_place_in_the_readme(words: str, one: click.Command) -> None:
    text = one.help or ""
    assert "Example:" in text, f"{words}: the help shows no example"
    assert all(option.help for option in one.params if isinstance(option, click.Option)), (
        f"{words}: an option lacks help"
    )
    assert f"deal-monitor {words}" in README or f"`{words}`" in README, f"{words}: not in README.md"


def test_the_list_of_commands_says_what_they_say() -> None:
    for name, (_, line) in COMMANDS.items():
        one = cli.get_command(click.Context(cli), name)  # type: ignore[attr-defined]
        own = (one.help or "").partition("\n\n")[0].replace("\n", " ").strip()
        assert own.startswith(line.rstrip(".")), f"{name}: the list says {line!r}, the command {own!r}"


def test_help_answers_at_once() -> None:
    """No heavy module is loaded for it: a figure in seconds would be the machine's."""
    code = (
        "import sys; sys.argv = ['deal-monitor', '--help']\n"
        "from monitor.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'prefect', 'polars', 'pydantic', 'rich', 'aiohttp', 'apprise', 'lxml'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "Watches the news" in done.stdout


@pytest.mark.parametrize("words", [["poll", "--plain"], ["events"], ["check"], ["feeds"], ["alerts"], ["status"]])
def test_a_typo_is_one_line_and_nothing_runs(
    words: list[str], command: Command, site: LoopbackServer, tmp_path: Path
) -> None:
    Desk(tmp_path).write([serve_feed(site, "/feed", [])])
    file = tmp_path / "watchlist.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("name", "nmae"), encoding="utf-8")
    code, out, err = command("--config", tmp_path, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f'{file}: companies[1].nmae (line 2): unknown key "nmae"; did you mean "name"?' in err
    assert site.hits == []
    assert not (tmp_path / "state").exists()


def test_wrong_use_is_exit_code_2_with_a_hint(command: Command) -> None:
    code, _, err = command("evnts")
    assert (code, "Did you mean 'events'?" in err) == (2, True)


def test_a_rule_file_with_a_mistake_stops_everything(command: Command, watchlist: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("[[trigers]]\n", encoding="utf-8")
    code, out, err = command("detect", "--watchlist", watchlist, "--rules", tmp_path / "rules.toml", stdin="")
    assert (code, out) == (2, "")
    assert "rules.toml" in err


# --- first steps -----------------------------------------------------------------------------------------------------


def test_check_online_and_send_say_what_fails(command: Command, site: LoopbackServer, tmp_path: Path) -> None:
    good = serve_feed(site, "/feed", [item(1, DEAL, site.url("/deal"))])
    hook = site.on("/hook", answer(b"ok")).removeprefix("http://")
    channels = f'[[channels]]\nname = "hook"\nurl = "json://{hook}"\nallow_private = true\n'
    Desk(tmp_path).write([good, site.url("/dead")], channels=channels)
    code, out, _ = command("--config", tmp_path, "check", "--online", "--send")
    assert code == 1
    assert f"ok    {good}: 1 entry, rss" in out
    assert "FAIL" in out
    assert "404" in out
    assert "ok    hook: a test alert was sent" in out
    assert b"Channel hook takes alerts" in next(h.body for h in site.hits if h.path == "/hook")


def test_check_says_which_channel_would_get_a_sample_deal_and_why(command: Command, tmp_path: Path) -> None:
    assert command("init", tmp_path)[0] == 0
    with (tmp_path / "monitor.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[channels]]\nname = "firm"\nurl = "console://"\nstatuses = ["announced"]\n')
    code, _, err = command("--config", tmp_path, "check")
    assert code == 0
    assert "goes\n  to console: at once; the channel takes every deal\n  not to firm: status is rumour" in err
    deal = ("--company", "Nvidia", "--type", "supply contract", "--status", "announced", "--value", "$3 million")
    _, _, err = command("--config", tmp_path, "check", *deal)
    assert 'a made-up alert, "New deal: supply contract between Nvidia and Example Ltd, $3 million", goes' in err
    assert "to firm: at once; fits statuses" in err
    assert "Acme is not on the watchlist" in command("--config", tmp_path, "check", "--company", "Acme")[2]


def test_check_refuses_an_address_that_no_service_knows(command: Command, tmp_path: Path) -> None:
    Desk(tmp_path).write([], channels='[[channels]]\nname = "desk"\nurl = "slak://T/B/C"\n')
    code, _, err = command("--config", tmp_path, "check")
    assert (code, "channels[1].url" in err, "T/B/C" in err) == (2, True, False)


# --- after a poll ----------------------------------------------------------------------------------------------------


def test_events_alerts_feeds_and_explain_after_a_poll(command: Command, polled: Desk) -> None:
    at = ("--config", polled.folder)
    (event,) = lines(command(*at, "events", "--json")[1])
    assert (event["parties"], event["deal_type"], event["change"]) == (["Meta", "Midjourney"], "licensing", "new")
    assert "lookup" not in event
    (sent,) = lines(command(*at, "alerts", "--json")[1])
    assert (sent["state"], sent["channel"], sent["event_id"]) == ("sent", "console", event["event_id"])
    health = {f["url"].rpartition("/")[2]: f["health"] for f in lines(command(*at, "feeds", "--json")[1])}
    assert health == {"feed": "ok", "dead": "failing"}
    (why,) = lines(command(*at, "explain", event["event_id"], "--json")[1])
    assert (why["title"], why["claims"][0]["parties"]) == (DEAL, ["Meta", "Midjourney"])
    assert lines(command(*at, "explain", event["url"], "--json")[1])[0]["article_id"] == why["article_id"]
    for words in (["events"], ["events", event["event_id"]], ["alerts"], ["explain", event["event_id"]]):
        code, out, _ = command(*at, *words)
        assert (code, "Midjourney" in out) == (0, True), words
    for kind in (None, "console", "slack", "mail", "teams", "ntfy"):
        assert "Midjourney" in command(*at, "alerts", "preview", *(["--channel", kind] if kind else []))[1]
    page = polled.folder / "mail.html"
    assert command(*at, "alerts", "preview", event["event_id"], "--channel", "mail", "--html", page)[0] == 0
    assert "<h1" in page.read_text(encoding="utf-8")
    code, _, err = command(*at, "alerts", "preview", "--channel", "pigeon")
    assert (code, "there are: console, text, mail" in err) == (2, True)
    code, out, _ = command(*at, "feeds", "--failing")
    assert (code, "/dead" in out.replace("\n", ""), "404" in out) == (0, True, True)


def test_deals_go_out_in_the_formats_of_others(command: Command, polled: Desk) -> None:
    marks = {
        "csv": b"event_id,", "jsonl": b'{"event_id"', "parquet": b"PAR1", "atom": b"<?xml", "jsonfeed": b"{",
        "ical": b"BEGIN:VCALENDAR",
    }  # fmt: skip
    for name, start in marks.items():
        file = polled.folder / f"out.{name}"
        code, out, _ = command("--config", polled.folder, "export", name, "--out", file)
        assert (code, out.endswith(f"written to {file}\n")) == (0, True)
        assert file.read_bytes().lstrip().startswith(start), name
        if name not in ("ical", "parquet"):
            assert b"Midjourney" in file.read_bytes(), name


def test_events_can_be_narrowed(command: Command, polled: Desk) -> None:
    at = ("--config", polled.folder, "events", "--json")
    for words, count in (
        (["--company", "midjourney"], 1),
        (["--company", "Facebook"], 0),  # no name of Meta's on this watchlist
        (["--company", "Google"], 0),
        (["--company", "Google", "--company", "META"], 1),
        (["--type", "licensing"], 1),
        (["--type", "Joint Venture"], 0),
        (["--status", "announced", "--since", "1h"], 1),
        (["--since", "2100-01-01"], 0),
    ):
        assert len(lines(command(*at, *words)[1])) == count, words
    file = polled.folder / "watchlist.toml"
    file.write_text(file.read_text(encoding="utf-8") + 'aliases = ["Facebook"]\n', encoding="utf-8")
    assert len(lines(command(*at, "--company", "facebook")[1])) == 1


def test_poll_json_is_for_programs(command: Command, polled: Desk) -> None:
    code, out, err = command("--config", polled.folder, "poll", "--plain", "--json")
    (report,) = lines(out)
    assert (code, err, report["feeds"], report["feeds_not_modified"], report["sent"]) == (0, "", 2, 1, 0)
    assert [p["kind"] for p in report["problems"]] == ["not_found"]


def test_a_second_run_gives_way(command: Command, polled: Desk) -> None:
    with open_store(str(polled.folder / "state")).lock():
        code, _, err = command("--config", polled.folder, "poll", "--plain")
    assert (code, err.count("\n")) == (75, 1)


def test_status_tells_trouble_by_its_exit_code(command: Command, polled: Desk) -> None:
    code, out, _ = command("--config", polled.folder, "status")
    assert (code, "TROUBLE: 1 of 2 feeds fail" in out) == (1, True)
    (state,) = lines(command("--config", polled.folder, "status", "--json")[1])
    assert (state["pages_waiting"], state["changes_day"]) == (1, {"new": 1})


def test_metrics_are_what_prometheus_reads(command: Command, polled: Desk) -> None:
    file = polled.folder / "monitor.toml"
    file.write_text('metrics = "out/deals.prom"\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    code, out, _ = command("--config", polled.folder, "metrics")
    assert code == 0
    assert 'deal_monitor_feeds{health="ok"} 1' in out
    assert 'deal_monitor_feeds_failing{kind="not_found"} 1' in out
    assert 'deal_monitor_changes_day{change="new"} 1' in out
    command("--config", polled.folder, "poll", "--plain")
    written = (polled.folder / "out" / "deals.prom").read_text(encoding="utf-8")
    assert 'deal_monitor_run_seconds{stage="poll"}' in written
    for line in written.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [-+.\de]+', line), line


def test_mute_silences_and_is_undone(command: Command, site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write([serve_feed(site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL))])])
    code, out, _ = command("--config", tmp_path, "mute", "pair", "Midjourney", "Meta", "--until", "2100-01-01")
    assert (code, out) == (0, "muted until 2100-01-01: pair Midjourney and Meta\n")
    assert desk.poll().sent == 0
    (held,) = lines(command("--config", tmp_path, "alerts", "--all", "--json", "--since", "2020-01-01")[1])
    assert (held["state"], "muted until 2100-01-01" in held["detail"]) == ("skipped", True)
    assert "Midjourney and Meta" in command("--config", tmp_path, "mute")[1]
    assert command("--config", tmp_path, "mute", "pair", "Midjourney", "Meta", "--off")[0] == 0
    assert load_config(tmp_path).mutes == ()


def test_the_tables_are_cared_for(command: Command, polled: Desk, tmp_path: Path) -> None:
    at = ("--config", polled.folder)
    assert command(*at, "maintain")[:2] == (0, "0 rumours expired, 0 old rows dropped, 6 tables compacted\n")
    assert command(*at, "compact")[0] == 0
    assert command(*at, "doctor")[1] == "all tables are sound\n"
    code, out, _ = command("copy", polled.folder / "state", tmp_path / "elsewhere")
    assert (code, "files copied" in out) == (0, True)
    store = open_store(str(tmp_path / "elsewhere"))
    assert len(store.load("events", store.scan("events"))) == 1


def test_replay_says_what_other_companies_would_bring(command: Command, polled: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[[companies]]\nname = "Nokia"\n', encoding="utf-8")
    code, out, err = command("--config", polled.folder, "replay", "--watchlist", other)
    assert (code, out.startswith("- Meta and Midjourney: licensing")) == (0, True), out + err
    assert command("--config", polled.folder, "replay")[1] == ""


# --- lists -----------------------------------------------------------------------------------------------------------


def test_feeds_are_added_found_removed_and_exchanged(command: Command, site: LoopbackServer, tmp_path: Path) -> None:
    feed = serve_feed(site, "/feed.xml", [item(1, DEAL, site.url("/deal"))])
    home = b"<html><head><link rel='alternate' type='application/rss+xml' href='/feed.xml'></head><body></body></html>"
    site.on("/news", answer(home, headers={"Content-Type": "text/html"}))
    Desk(tmp_path).write([])
    at = ("--config", tmp_path, "feeds")
    code, out, err = command(*at, "add", site.url("/news"), "--tag", "wires")
    assert (code, out) == (0, f"{feed}: Test, 1 entries; added to feeds.toml\n"), err
    assert load_config(tmp_path).feeds[0].tags == ("wires",)
    assert command(*at, "add", feed)[0] == 1
    assert command(*at, "add", "--offline", "https://example.org/other.xml")[0] == 0
    opml = tmp_path / "list.opml"
    opml.write_text(command(*at, "export")[1], encoding="utf-8")
    assert command(*at, "remove", feed)[0] == 0
    assert [f.url for f in load_config(tmp_path).feeds] == ["https://example.org/other.xml"]
    assert command(*at, "import", opml)[1] == "1 feeds added to feeds.toml, 1 were there already\n"
    assert [f.url for f in load_config(tmp_path).feeds] == ["https://example.org/other.xml", feed]


def test_companies_come_from_the_catalogue(command: Command, tmp_path: Path) -> None:
    Desk(tmp_path).write([], companies=[])
    assert lines(command("companies", "search", "whatsapp", "--json")[1])[0]["name"] == "Meta"
    assert command("--config", tmp_path, "companies", "add", "Facebook")[1] == "Meta: added to watchlist.toml\n"
    assert load_config(tmp_path).watchlist[0].name == "Meta"
    assert command("--config", tmp_path, "companies", "add", "Meta")[0] == 1
    assert command("--config", tmp_path, "companies", "add", "No Such Firm Whatever")[0] == 1


# --- formats that other programs rely on -----------------------------------------------------------------------------


def jsonl(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_detect_answers_each_text_in_order(command: Command, watchlist: Path) -> None:
    given = jsonl(
        {"id": "b", "title": DEAL, "text": f"{DEAL}\nThe companies said so.", "published": "2026-01-01", "more": 1},
        {"id": "a", "title": NOISE, "text": ""},
        {"id": 7, "title": "", "text": "Meta acquires Rivos for $2 billion."},
    )
    code, out, err = command("detect", "-", "--json", "--watchlist", watchlist, stdin=given)
    answers = lines(out)
    assert (code, err, [a["id"] for a in answers]) == (0, "", ["b", "a", 7])
    assert answers[1] == {"id": "a", "events": []}
    (deal,) = answers[0]["events"]
    assert set(deal) == {
        "parties", "roles", "deal_type", "status", "sourcing", "origin", "value", "evidence", "rules",
    }  # fmt: skip
    assert (deal["parties"], deal["deal_type"], deal["status"]) == (["Meta", "Midjourney"], "licensing", "announced")
    (bought,) = answers[2]["events"]
    assert bought["roles"] == {"Meta": "acquirer", "Rivos": "target"}
    assert "billion" in bought["value"]


def test_detect_tells_only_of_deals_of_watched_companies(command: Command, watchlist: Path) -> None:
    """Also where the "headline" is the whole first paragraph, as programs that have none hand it in."""
    lead = (
        "Meta is reportedly exploring partnerships with rivals Google and OpenAI to bring their models into its own "
        "applications. The news, based on a report from The Information, suggests that its leaders have been "
        "in talks with both of them to power some of the features of its chatbot, people familiar with the matter said."
    )
    given = jsonl({"id": 1, "title": lead, "text": f"{lead}\nA spokesman declined to comment."})
    _, out, _ = command("detect", "--json", "--watchlist", watchlist, stdin=given)
    parties = [set(deal["parties"]) for deal in lines(out)[0]["events"]]
    assert {"Meta", "Google"} in parties
    assert all("Meta" in pair for pair in parties)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{bad", "line 2: this is not JSON"),
        ("[1]", "line 2: this is not a JSON object"),
        ('{"title": "x"}', 'line 2: the key "id" is missing'),
        ('{"id": 1}', 'line 2: neither "title" nor "text" holds anything'),
        ('{"id": 1, "title": 5}', 'line 2: "title" is not a text'),
        ('{"id": 1, "title": "x", "published": "soon"}', 'line 2: "published" is "soon", which is no time'),
    ],
)
def test_a_bad_line_is_named_after_the_good_ones_were_answered(
    line: str, told: str, command: Command, watchlist: Path
) -> None:
    given = jsonl({"id": 1, "title": DEAL}) + line + "\n"
    code, out, err = command("detect", "--json", "--watchlist", watchlist, stdin=given)
    assert (code, len(lines(out)), err.count("\n")) == (2, 1, 1)
    assert told in err


def test_backfill_takes_articles_in_the_order_of_their_time(command: Command, watchlist: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    file.write_text(
        jsonl(
            {
                "id": "late",
                "title": "Meta and Midjourney end their licensing deal",
                "published": "2026-03-02T10:00:00Z",
            },
            {"id": "early", "title": DEAL, "published": "2026-03-01"},
            {"id": "echo", "title": DEAL, "published": "Mon, 02 Mar 2026 09:00:00 GMT"},
        ),
        encoding="utf-8",
    )
    code, out, _ = command("backfill", file, "--json", "--dry-run", "--watchlist", watchlist)
    changes = lines(out)
    assert code == 0
    assert [(c["article_id"], c["change"], c["status_before"], c["status"]) for c in changes] == [
        ("early", "new", "", "announced"),
        ("late", "terminated", "announced", "terminated"),
    ]
    assert set(changes[0]) == {
        "article_id", "change", "event_id", "parties", "deal_type", "status_before", "status",
    }  # fmt: skip
    assert changes[0]["event_id"] == changes[1]["event_id"]


def test_backfill_keeps_history_and_alerts_nobody(
    command: Command, site: LoopbackServer, tmp_path: Path, watchlist: Path
) -> None:
    desk = Desk(tmp_path)
    desk.write([serve_feed(site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL))])])
    old = tmp_path / "old.jsonl"
    old.write_text(jsonl({"id": "x", "title": DEAL, "published": "2026-03-01"}), encoding="utf-8")
    code, out, err = command("backfill", old, "--json", "--watchlist", watchlist)
    assert (code, len(lines(out)), "dry run" in err) == (0, 1, True)
    assert not (tmp_path / "state").exists()
    assert len(lines(command("--config", tmp_path, "backfill", old, "--json", "--dry-run")[1])) == 1
    assert not (tmp_path / "state").exists()
    assert len(lines(command("--config", tmp_path, "backfill", old, "--json")[1])) == 1
    assert lines(command("--config", tmp_path, "backfill", old, "--json")[1]) == [], "the second time is no news"
    report = desk.poll()
    assert (report.articles, report.sent, desk.alerts) == (1, 0, []), "what history knows is no news"


def test_a_file_that_is_not_there_or_not_text_is_named(command: Command, watchlist: Path, tmp_path: Path) -> None:
    code, _, err = command("detect", tmp_path / "none.jsonl", "--watchlist", watchlist)
    assert (code, "none.jsonl: cannot be read" in err) == (2, True)
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": 1, "title": "caf\xe9"}\n')
    code, _, err = command("detect", tmp_path / "latin.jsonl", "--watchlist", watchlist)
    assert (code, "not UTF-8" in err) == (2, True)
