"""What a person does by hand: the corner cases that neither the commands' tests nor the page's reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.desk import mutes
from monitor.desk.corrections import correct, send_again
from monitor.errors import ConfigError, NotKnown
from monitor.events import fold
from monitor.models import Status
from tests.deals import SETTINGS, claim, on
from tests.webs import NOW, delivered, desk, learn, state, story


@pytest.mark.parametrize(("day", "status"), [(5, "denied"), (20, "announced")])
def test_a_correction_stands_against_older_news_only(tmp_path: Path, day: float, status: Status) -> None:
    store = state(tmp_path)
    event = learn(store, story())[0]
    corrected = correct(store, event.event_id, "denied", NOW)
    later = claim("Vela:acquirer, Orm:target", "acquisition", "announced", day=day)
    assert fold([corrected], [later], on(30), SETTINGS)[-1].status == status


def test_an_unknown_deal_cannot_be_corrected(tmp_path: Path) -> None:
    with pytest.raises(NotKnown, match="no deal has this id"):
        correct(state(tmp_path), "nothing", "denied", NOW)


@pytest.mark.parametrize("waiting", ["failed", "sending", "skipped"])
def test_what_is_on_its_way_is_not_sent_again(tmp_path: Path, waiting: str) -> None:
    store = state(tmp_path)
    row = delivered(learn(store, story())[0], state=waiting)
    store.append("deliveries", [row])
    with pytest.raises(NotKnown):
        send_again(store, row.delivery_key, NOW)


def test_a_mute_that_would_break_the_file_is_taken_back(tmp_path: Path) -> None:
    config = load_config(desk(tmp_path))
    with pytest.raises(ConfigError):
        mutes.mute(config, "company", ["x" * 300])
    assert not (tmp_path / "mutes.toml").exists()
    mutes.mute(config, "company", ["Vela"])
    before = (tmp_path / "mutes.toml").read_text("utf-8")
    with pytest.raises(ConfigError):
        mutes.mute(config, "planet", ["Mars"])
    assert (tmp_path / "mutes.toml").read_text("utf-8") == before
