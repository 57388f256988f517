"""Each defence is broken on purpose, in a copy; the test that guards it must then fail.

A row that no test catches is a defence nobody would miss: the run names it. Takes a minute or two.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# (file below monitor/, what it says, what the bug says, the test that must notice)
BUGS = [
    ("fetch/body.py", "if not all(inflater.finished for inflater in inflaters):", "if False:",
     "test_fetch_wire.py::test_a_cut_body_is_never_taken_for_whole"),
    ("fetch/body.py", "        if self._out > self._limit:", "        if False:",
     "test_fetch_wire.py::test_a_bomb_is_stopped_long_before_it_is_unpacked"),
    ("fetch/body.py", "        if wire > max_wire:", "        if False:",
     "test_fetch_wire.py::test_bytes_that_unpack_to_nothing_count_on_the_wire"),
    ("fetch/body.py", "self._z.decompress(data, STEP)", "self._z.decompress(data)",
     "test_fetch_wire.py::test_a_bomb_is_stopped_long_before_it_is_unpacked"),
    ("fetch/client.py", "            trip.left -= time.monotonic() - start", "            pass",
     "test_fetch.py::test_total_time_counts_over_the_whole_chain"),
    ("fetch/client.py", 'if url.scheme == "https" and target.scheme == "http":', "if False:",
     "test_fetch.py::test_https_is_never_left"),
    ("fetch/client.py", "trip.permanent and answer.status in _PERMANENT", "answer.status in _PERMANENT",
     "test_fetch.py::test_a_move_is_permanent_only_if_every_hop_is"),
    ("fetch/client.py", "CIMultiDict(answer.headers)", "dict(answer.headers)",
     "test_fetch.py::test_validators_go_back_byte_for_byte"),
    ("fetch/client.py", "            if host.paused is not None:", "            if False:",
     "test_fetch.py::test_a_host_that_wants_peace_gets_it"),
    ("fetch/client.py", "async with host.turns, self._places.place():", "async with self._places.place():",
     "test_fetch.py::test_never_more_than_two_at_once_on_one_host"),
    ("fetch/client.py", "        if self._stools > 0:", "        if False:" ,
     "test_fetch.py::test_tarpits_do_not_hold_up_the_others"),
    ("fetch/client.py", "await self._open.wait()", "pass",
     "test_fetch.py::test_a_slow_consumer_slows_fetching_down"),
    ("fetch/body.py", "await turn.enter_async_context(turn_of_long())", "pass",
     "test_fetch.py::test_many_long_bodies_do_not_fill_the_memory"),
    ("fetch/client.py", "time.monotonic() - host.since > self._settings.host_seconds", "False",
     "test_fetch.py::test_a_slow_host_gets_its_share_of_a_run_and_no_more"),
    ("fetch/threaded.py", "call_soon_threadsafe(self._task.cancel)", "call_soon_threadsafe(print)",
     "test_fetch.py::test_stopping_early_leaves_nothing_running"),
    ("fetch/client.py", "cookie_jar=aiohttp.DummyCookieJar()", "cookie_jar=aiohttp.CookieJar(unsafe=True)",
     "test_fetch.py::test_cookies_are_not_kept"),
    ("fetch/client.py", "trust_env=False", "trust_env=True",
     "test_fetch.py::test_proxies_of_the_environment_are_ignored"),
    ("fetch/guard.py", "raise failure(url, \"forbidden_address\", str(address))", "return",
     "test_fetch_guard.py::test_names_that_point_inside"),
    ("fetch/guard.py", "self._vouched.add(text.partition(\"%\")[0])", "self._names.add(text)",
     "test_fetch_guard.py::test_allowed_name_may_point_inside"),
    ("addresses.py", "address = address.ipv4_mapped", "pass", "test_fetch_guard.py::test_boundaries_of_networks"),
    ("fetch/wire.py", 'r"//[^/?#\\s]*@"', 'r"//nothing@"',
     "test_fetch.py::test_password_in_the_url_is_used_and_not_shown"),
    ("fetch/wire.py", "    (zlib.error, \"bad_encoding\"),", "",
     "test_fetch_wire.py::test_every_foreign_exception_has_a_kind"),
    ("sandbox.py", "worker.deadline <= now]", "False]",
     "test_sandbox.py::test_a_frozen_worker_is_stopped_from_outside"),
    ("sandbox.py", "    resource.setrlimit(resource.RLIMIT_AS, (size, size))", "",
     "test_sandbox.py::test_each_fault_is_named_and_neighbours_are_served"),
    ("feeds/parse.py", "feedparser.parse(io.BytesIO(body),", "feedparser.parse(body.decode('latin-1'),",
     "test_feeds.py::test_a_feed_is_never_taken_for_a_file_or_url"),
    ("feeds/xml.py", "resolve_entities=False", "resolve_entities=True",
     "test_feeds.py::test_entities_and_doctypes_resolve_nothing"),
    ("feeds/identity.py", "        if link and not front and len(titles[link]) == 1:", "        if link:",
     "test_feeds.py::test_links_to_a_front_page_are_no_identity"),
    ("feeds/records.py", "and not _CUT.search(text[-120:])", "",
     "test_feeds.py::test_content_counts_when_it_is_the_whole_article"),
    ("markup.py", "markup = _TAG.sub(_replace_known, markup)", "pass",
     "test_feeds.py::test_titles_are_plain_text_on_one_line"),
    ("extract.py", "    if _mostly_consent(low, rules.consent):", "    if False:",
     "test_extract.py::test_what_is_no_article"),
    ("extract.py", "    if wall and len(text) >= SHORT:", "    if False:",
     "test_extract.py::test_the_part_before_a_paywall_is_kept_and_marked"),
    ("schedule.py", "or state.polled_at > now:", "or False:", "test_schedule.py::test_clock_jumps"),
    ("schedule.py", " and _host(state) not in paused", "",
     "test_schedule.py::test_a_host_that_wants_peace_is_left_alone_by_all_its_feeds"),
    ("schedule.py", "    if before.failures:\n        return replace(after, detail=before.detail)",
     "    after = replace(after, failures=0)", "test_schedule.py::test_a_304_does_not_heal"),
    ("schedule.py", " >= manners.moved_after", " >= 0", "test_schedule.py::test_moves_are_kept_once_they_have_stood"),
    ("schedule.py", "and not state.failures else (\"\", \"\")", "else (\"\", \"\")",
     "test_schedule.py::test_validators_are_not_sent_to_a_source_that_fails"),
    ("schedule.py", "min(answer.retry_after or 0.0, manners.longest_retry_after)", "0.0",
     "test_schedule.py::test_wait"),
    ("schedule.py", "min(answer.fresh_for, manners.longest)", "0.0", "test_schedule.py::test_wait"),
    ("schedule.py", "return quiet if quiet > max(usual, manners.silent_least) else 0.0", "return 0.0",
     "test_schedule.py::test_watchdog_of_silence"),
    ("pipeline/polling.py", "if key not in seen", "if key",
     "test_pipeline.py"),
    ("pipeline/polling.py", "e.published and e.published < old", "False",
     "test_clock.py::test_what_a_feed_shows_for_years"),
    ("pipeline/reading.py", "claim for key, claim in claims.items() if key not in seen",
     "claim for claim in claims.values()",
     "test_crashes.py::test_no_crash_point_loses_or_repeats"),
    ("pipeline/reading.py", "attempts >= run.config.fetch.page_attempts", "True",
     "test_pipeline.py::test_a_page_that_fails_is_asked_again"),
    ("pipeline/reading.py", " | (when > run.now + LONGEST)", "", "test_clock.py::test_a_page_that_failed"),
    ("pipeline/upkeep.py", "return int(days.item()) >= DAYS", "return True", "test_clock.py::test_upkeep_under"),
    ("pipeline/delivering.py", "return rows if same else []", "return rows",
     "test_kills.py::test_four_pollers_at_once_tell_each_deal_once"),
    ("pipeline/delivering.py", 'run.store.append("deliveries", todo.rows)', "pass",
     "test_pipeline.py::test_what_was_muted_stays_untold"),
    ("pipeline/delivering.py", "(*(d for d in newest.values() if d.state in WAITING), *recent)", "recent",
     "test_clock.py::test_off_for_weeks_with_alerts_waiting"),
    ("pipeline/digesting.py", "return min(usual, last) - OVERLAP", "return min(usual, last)",
     "test_digest.py::test_a_poll_that_began_before_the_digest_and_ended_after_it"),
    ("pipeline/digesting.py", "return min(usual, last) - OVERLAP", "return usual",
     "test_digest.py::test_a_digest_that_was_missed_is_made_up_for"),
    ("alerts/outbox.py", "return min(self.now, max(rows)) -", "return self.now -",
     "test_clock.py::test_off_for_weeks_after"),
    ("alerts/outbox.py", "now < until <= now + timedelta(hours=settings.promise_hours, seconds=settings.skew_seconds)",
     "now < until", "test_clock.py::test_an_alert_that_failed"),
    ("alerts/outbox.py", "-settings.skew_seconds <= age", "True", "test_clock.py::test_an_alert_in_mid_send"),
    ("alerts/escape.py", "return str(escape(inert(text)))", "return inert(text)", "test_alerts_hostile.py"),
    ("notify/door.py", "retry_after=wait)", "retry_after=None)", "test_notify.py::test_answers"),
    ("store/places.py", "            os.link(temporary, target)", "            os.replace(temporary, target)",
     "test_store_writers.py"),
    ("store/places.py", "                _sync(self.root)", "                pass",
     "test_store_crash.py::at_some_effects"),
    ("store/places.py", "view = view[os.write(handle, view) :]\n        os.fsync(handle)",
     "view = view[os.write(handle, view) :]", "test_store_crash.py::at_some_effects"),
    ("store/segments.py", "if sha256(file, found.at) != found.sha256:", "if False:",
     "test_store_damage.py::test_a_flipped_bit_never_gives_a_wrong_answer"),
    ("store/doctor.py", "if part in superseded([*healthy, part]):", "if False:",
     "test_store_damage.py::test_mending_what_a_base_replaced"),
    ("store/compaction.py", "kept | pl.col(table.dated).is_null()", "kept", "test_store_compaction.py::test_retention"),
    ("store/lock.py", ' <= time.time() + 2 * LEASE', "", "test_store_s3.py::test_the_lease"),
    ("config/editing.py", 'beside = file.with_name(f".{file.name}.new")', "beside = file",
     "test_config.py::test_a_list_is_never"),
]  # fmt: skip


IDS = [f"{number}-{bug[0]}" for number, bug in enumerate(BUGS)]


def run(copy: Path, test: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "", *_chosen(test)]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=120, check=False)


def _chosen(test: str) -> list[str]:
    """A file, or the tests of a file whose names begin so."""
    file, _, name = test.partition("::")
    return [f"tests/{file}", *(["-k", name] if name else [])]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded")
    shutil.copytree(ROOT / "monitor", folder / "monitor")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "tests").symlink_to(ROOT / "tests")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("file", "right", "wrong", "test"), BUGS, ids=IDS)
def test_seeded_bug_is_caught(copy: Path, file: str, right: str, wrong: str, test: str) -> None:
    path = copy / "monitor" / file
    text = path.read_text()
    assert text.count(right) >= 1, f"{file} does not say {right!r} any more: bring this row up to date"
    path.write_text(text.replace(right, wrong))
    try:
        done = run(copy, test)
    finally:
        path.write_text(text)
    assert done.returncode == 1, f"no test noticed: {done.stdout[-1500:]}{done.stderr[-500:]}"
    assert "FAILURES" in done.stdout  # and no error of collecting


@pytest.mark.slow
def test_the_copy_itself_is_sound(copy: Path) -> None:
    assert run(copy, "test_fetch_wire.py").returncode == 0
