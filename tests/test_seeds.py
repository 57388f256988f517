"""What a newcomer starts from: every file loads, every address is a good one, every name stands once."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from monitor.config import load_config, load_feeds, load_watchlist, schema
from monitor.models import Company

SEEDS = Path(__file__).parent.parent / "seeds"
SOURCES = SEEDS.parent.parent / "shared" / "seeds"
WORDS_IN_A_ROW = 9  # of a source article that no text of ours may repeat


def test_the_settings_load_and_are_the_defaults_where_they_speak(tmp_path: Path) -> None:
    ours = load_config(SEEDS / "monitor.toml")
    (tmp_path / "monitor.toml").write_text("feeds = []\nwatchlist = []\n")
    bare = load_config(tmp_path)
    for name in (
        "time_zone",
        "detection",
        "fetch",
        "run",
        "retention",
        "first_poll",
        "baseline_alert_hours",
        "channels",
    ):
        assert getattr(ours, name) == getattr(bare, name), name


def test_every_example_that_is_commented_out_in_the_settings_is_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take the # away from every line that holds TOML: the result must load (secrets and files given)."""
    lines = (SEEDS / "monitor.toml").read_text().splitlines()
    for name in ("SLACK", "MAIL", "TEAMS", "SECRET", "TOKEN"):
        monkeypatch.setenv(f"DEAL_MONITOR_{name}", "json://127.0.0.1/hook")
    text = "\n".join(_uncomment(line) for line in lines)
    for name in ("feeds.toml", "watchlist.toml"):
        (tmp_path / name).write_text((SEEDS / name).read_text())
    (tmp_path / "my-rules.toml").write_text("")
    (tmp_path / "my-templates").mkdir()
    (tmp_path / "monitor.toml").write_text(text)
    config = load_config(tmp_path)
    assert [c.name for c in config.channels] == [
        "console", "desk-slack", "ma-mail", "rumours-of-my-companies", "morning-digest",
    ]  # fmt: skip
    assert config.channels[1].quiet_hours is not None
    assert config.run.dask_address
    assert config.fetch.allow_hosts
    assert config.retention.articles_days == 180


@pytest.mark.parametrize(
    "section",
    [
        schema.Settings,
        schema.ChannelConfig,
        schema.QuietHours,
        schema.DetectionConfig,
        schema.FetchConfig,
        schema.RunConfig,
        schema.RetentionConfig,
        schema.PageConfig,
    ],
)
def test_every_setting_is_shown_in_the_settings(section: type[schema.Section]) -> None:
    text = (SEEDS / "monitor.toml").read_text()
    for name in section.model_fields:
        assert re.search(rf"^(# )?\[*(channels\.)?{name}\b", text, re.MULTILINE), f"{section.__name__}.{name}"


def _uncomment(line: str) -> str:
    bare = line.removeprefix("# ")
    if line.startswith("# ") and (bare.startswith("[") or (" = " in bare and bare.split(" = ")[0].isidentifier())):
        return bare
    return line


def test_the_feeds_are_many_https_unique_and_labelled() -> None:
    feeds = load_feeds(SEEDS / "feeds.toml")
    assert len(feeds) >= 60
    for feed in feeds:
        parts = urlsplit(feed.url)
        assert parts.scheme == "https", feed.url
        assert parts.hostname, feed.url
        assert "." in parts.hostname, feed.url
        assert not parts.username, feed.url
        assert feed.title, feed.url
        assert feed.tags, feed.url
        assert feed.enabled, feed.url
    bare = Counter(feed.url.lower().replace("://www.", "://").rstrip("/") for feed in feeds)
    assert [url for url, times in bare.items() if times > 1] == []
    assert [title for title, times in Counter(f.title for f in feeds).items() if times > 1] == []
    tags = Counter(tag for feed in feeds for tag in feed.tags)
    assert {"business", "technology", "telecom", "pharma", "energy", "chips", "media", "releases"} <= set(tags)


def test_the_feed_list_says_that_it_was_not_fetched() -> None:
    head = (SEEDS / "feeds.toml").read_text().split("[[feeds]]\nurl")[0]
    assert "NOT fetched" in head
    assert "check --online" in head


def test_the_watchlist_names_each_company_once_under_each_name() -> None:
    companies = load_watchlist(SEEDS / "watchlist.toml")
    assert len(companies) >= 300
    assert {"Meta", "Google", "OpenAI", "Microsoft", "Apple", "Amazon", "Nvidia"} <= {c.name for c in companies}
    assert _clashes(companies) == {}
    assert all(c.groups for c in companies)


def test_the_demos_watchlist_names_each_company_once_under_each_name() -> None:
    assert _clashes(load_watchlist(SEEDS / "world" / "watchlist.toml")) == {}


def test_a_clash_would_be_seen() -> None:
    one, two = Company(name="One", products=("Thing",)), Company(name="Two", aliases=("thing",))
    assert _clashes((one, two)) == {"thing": ["One", "Two"]}


def _clashes(companies: tuple[Company, ...]) -> dict[str, list[str]]:
    owners: dict[str, list[str]] = {}
    for company in companies:
        for name in (company.name, *company.aliases, *company.products):
            owners.setdefault(name.casefold(), []).append(company.name)
    return {name: who for name, who in owners.items() if len(set(who)) > 1}


def test_no_file_of_ours_is_cut_short_or_holds_tabs() -> None:
    for path in SEEDS.rglob("*.toml"):
        text = path.read_text(encoding="utf-8")
        tomllib.loads(text)
        assert "\t" not in text, path.name
        assert text.endswith("\n"), path.name


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the three source articles are not beside this checkout")
def test_the_articles_tell_the_sources_in_words_of_our_own() -> None:
    theirs: set[tuple[str, ...]] = set()
    for source in SOURCES.glob("*.txt"):
        theirs |= _runs(source.read_text(encoding="utf-8"))
    assert len(theirs) > 500
    for folder in (SEEDS / "world" / "articles", SEEDS.parent / "tests" / "data" / "stories"):
        for path in folder.glob("*.toml"):
            assert not _runs(path.read_text(encoding="utf-8")) & theirs, path.name


def _runs(text: str) -> set[tuple[str, ...]]:
    words = [w.strip(".,:;'\"’“”()").lower() for w in text.split()]
    return {tuple(words[n : n + WORDS_IN_A_ROW]) for n in range(len(words) - WORDS_IN_A_ROW + 1)}
