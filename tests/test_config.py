"""The user's files: what a mistake in each looks like, and what comes out when there is none."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from monitor.config import load_config, load_feeds, load_operator, load_watchlist
from monitor.config.editing import append_table, cut_table
from monitor.errors import ConfigError

DATA = Path(__file__).parent / "data" / "config"
FILES = ("monitor.toml", "feeds.toml", "watchlist.toml")

# file, what stands there, what is put in its place, what the user reads after the file's name
MISTAKES = [
    ("monitor.toml", "concurrency", "concurency",
     'fetch.concurency (line 5): unknown key "concurency"; did you mean "concurrency"?'),
    ("monitor.toml", "= 50", "= 0",
     "fetch.concurrency (line 5): 0 will not do: it should be greater than or equal to 1; correct the value"),
    ("monitor.toml", "[fetch]", "[retention]\ndeliveries_days = 7\n[fetch]",
     "retention.deliveries_days (line 5): rows that young say what was told already; write at"
     " least 30, or 0 for ever"),
    ("monitor.toml", "[fetch]", "[fetchh]", 'fetchh (line 4): unknown key "fetchh"; did you mean "fetch"?'),
    ("monitor.toml", "Europe/Berlin", "Europe/Berln",
     'time_zone (line 1): "Europe/Berln" is not a time zone; did you mean "Europe/Berlin"?'),
    ("monitor.toml", 'name = "desk"', 'name = "console"',
     'channels[2] (line 11): the channel "console" stands here twice, first in line 7; remove one'),
    ("monitor.toml", 'name = "desk"', "", 'channels[2].name (line 11): the key "name" is missing; add name = ...'),
    ("monitor.toml", '"digest"', '"digets"', 'channels[2].mode (line 14): "digets" is not known here; '
     'did you mean "digest"?'),
    ("monitor.toml", '["Meta"]', '["Mtea"]', 'channels[2].companies (line 15): "Mtea" is no company of the watchlist; '
     'did you mean "Meta"?'),
    ("monitor.toml", '["Meta"]', '"Meta"', 'channels[2].companies (line 15): "Meta" is a text, not a list; '
     'write ["Meta"]'),
    ("monitor.toml", '"22:00"', '"2200"',
     'channels[2].quiet_hours.start (line 18): "2200" is not a time of day; write it as "22:00"'),
    ("monitor.toml", 'start = "22:00"', "", 'channels[2].quiet_hours.start (line 17): the key "start" is missing; '
     "add start = ..."),
    ("monitor.toml", "slack://", "token", "channels[2].url (line 13): this is not an address; "
     'write "console://", an apprise address such as "slack://...", or "env:NAME"'),
    ("monitor.toml", '"slack://T/B/secret"', '"env:DEAL_MONITOR_NOT_SET"', "channels[2].url (line 13): "
     "the environment variable DEAL_MONITOR_NOT_SET is not set; set DEAL_MONITOR_NOT_SET to the channel's address"),
    ("monitor.toml", 'operator = "desk"', 'operator = "dask"', 'operator (line 2): "dask" is no channel; '
     'did you mean "desk"?'),
    ("monitor.toml", "[fetch]", "[fetch", "line 4, column 7: this is not TOML: expected ']' at the end of a table "
     "declaration; texts want quotes, lists want brackets"),
    ("feeds.toml", "https://", "", 'feeds[1].url (line 2): "example.org/feed.xml" is not a web address; '
     'write it in full, such as "https://example.org/feed.xml"'),
    ("feeds.toml", "two.example.org", "example.org", 'feeds[2] (line 5): the feed "https://example.org/feed.xml" '
     "stands here twice, first in line 1; remove one"),
    ("watchlist.toml", "tickers", "ticker", 'companies[1].ticker (line 4): unknown key "ticker"; '
     'did you mean "tickers"?'),
    ("watchlist.toml", '["META"]', '"META"', 'companies[1].tickers (line 4): "META" is a text, not a list; '
     'write ["META"]'),
    ("watchlist.toml", '"Google"', '" "', "companies[2].name (line 7): an empty text; fill it in, or remove it"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize(("name", "old", "new", "told"), MISTAKES, ids=[m[3][:50] for m in MISTAKES])
def test_a_mistake_is_told_with_file_place_problem_and_remedy(
    folder: Path, name: str, old: str, new: str, told: str
) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text, "the fixture lost what this case changes"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(folder)
    assert str(caught.value) == f"{file}: {told}"
    assert "\n" not in str(caught.value)


def test_good_files_become_one_frozen_config(folder: Path) -> None:
    config = load_config(folder)
    assert config.folder == folder.resolve()
    assert config.state == str(folder.resolve() / "state")
    assert [c.name for c in config.watchlist] == ["Meta", "Google"]
    assert config.watchlist[0].tickers == ("META",)
    assert [f.url for f in config.feeds] == ["https://example.org/feed.xml", "https://two.example.org/feed.xml"]
    console, desk = config.channels
    assert (console.time_zone, desk.time_zone) == ("Europe/Berlin", "Asia/Tokyo")
    assert desk.quiet_hours is not None
    assert (desk.quiet_hours.start, desk.quiet_hours.end) == (time(22), time(7))
    assert "expired" not in console.changes
    with pytest.raises(ValueError, match="frozen"):
        config.state = "elsewhere"  # type: ignore[misc]


def test_no_secret_is_shown(folder: Path) -> None:
    config = load_config(folder)
    assert "T/B/secret" not in repr(config)
    assert config.channels[1].url.get_secret_value() == "slack://T/B/secret"


def test_a_secret_may_be_kept_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "monitor.toml"
    text = file.read_text(encoding="utf-8")
    monkeypatch.setenv("DESK_URL", "slack://from/the/environment")
    file.write_text(text.replace("slack://T/B/secret", "env:DESK_URL"), encoding="utf-8")
    assert load_config(folder).channels[1].url.get_secret_value() == "slack://from/the/environment"
    (folder / "key").write_text("slack://from/a/file\n", encoding="utf-8")
    file.write_text(text.replace("slack://T/B/secret", "file:key"), encoding="utf-8")
    assert load_config(folder).channels[1].url.get_secret_value() == "slack://from/a/file"


def test_the_config_is_found_by_option_variable_or_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEAL_MONITOR_CONFIG", raising=False)
    assert load_config(folder / "monitor.toml").folder == folder.resolve()
    monkeypatch.chdir(folder)
    assert load_config().folder == folder.resolve()
    monkeypatch.chdir("/")
    with pytest.raises(ConfigError, match="deal-monitor init"):
        load_config()
    monkeypatch.setenv("DEAL_MONITOR_CONFIG", str(folder))
    assert load_config().folder == folder.resolve()


def test_a_missing_or_unreadable_file_is_named(folder: Path) -> None:
    (folder / "feeds.toml").unlink()
    with pytest.raises(ConfigError, match=r"feeds\.toml: there is no such file; correct the path"):
        load_config(folder)
    (folder / "feeds.toml").write_bytes(b'[[feeds]]\nurl = "https://caf\xe9.example.org"\n')
    with pytest.raises(ConfigError, match=r"feeds\.toml: line 2: this is not UTF-8 text; save the file as UTF-8"):
        load_feeds(folder / "feeds.toml")


def test_a_byte_order_mark_and_an_empty_list_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "watchlist.toml"
    file.write_bytes(b'\xef\xbb\xbf[[companies]]\nname = "Meta"\n')
    assert [c.name for c in load_watchlist(file)] == ["Meta"]
    file.write_text("", encoding="utf-8")
    assert load_watchlist(file) == ()


def test_lists_are_edited_without_touching_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "feeds.toml"
    first = '# mine\n[[feeds]]\nurl = "https://a.example.org/"  # the first\ntags = [\n  "x",\n]\n\n'
    second = '# about b\n[[feeds]]\nurl = "https://b.example.org/"\n'
    file.write_text(first + second, encoding="utf-8")
    append_table(file, "feeds", {"url": 'https://c.example.org/?q="1"', "tags": ["a\\b"], "enabled": False})
    assert [f.url for f in load_feeds(file)][-1] == 'https://c.example.org/?q="1"'
    assert load_feeds(file)[-1].tags == ("a\\b",)
    assert file.read_text(encoding="utf-8").startswith(first + second)
    assert cut_table(file, "feeds", "url", "https://a.example.org/")
    assert not cut_table(file, "feeds", "url", "https://a.example.org/")
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# mine\n# about b\n[[feeds]]"), "comments of others stay"
    assert [f.url for f in load_feeds(file)] == ["https://b.example.org/", 'https://c.example.org/?q="1"']


def test_a_list_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll may read it at any moment, and a disk may be full."""
    file = tmp_path / "feeds.toml"
    append_table(file, "feeds", {"url": "https://a.example/"})
    before = file.read_text(encoding="utf-8")
    link = tmp_path / "link.toml"
    link.symlink_to(file)

    def full(self: Path, text: str, **_: object) -> None:
        self.write_bytes(text[: len(text) // 2].encode())
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(ConfigError, match="No space left on device"):
            append_table(link, "feeds", {"url": "https://b.example/"})
        with pytest.raises(ConfigError, match="No space left on device"):
            cut_table(file, "feeds", "url", "https://a.example/")
    assert file.read_text(encoding="utf-8") == before
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["feeds.toml", "link.toml"]
    append_table(link, "feeds", {"url": "https://b.example/"})
    assert link.is_symlink()
    assert "b.example" in file.read_text(encoding="utf-8")


def test_the_operator_is_found_in_files_that_are_wrong(tmp_path: Path) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text(
        'operator = "ops"\nbogus = 1\n[[channels]]\nname = "desk"\nurl = "nonsense"\n'
        '[[channels]]\nname = "ops"\nurl = "json://127.0.0.1:9/"\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError):
        load_config(tmp_path)
    config = load_operator(tmp_path)
    assert (config.operator, [c.name for c in config.channels]) == ("ops", ["ops"])
    file.write_text("operator = [", encoding="utf-8")
    assert load_operator(tmp_path).channels == ()
