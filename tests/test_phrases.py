"""Phrases are found as words, wherever they stand, and nowhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.phrases import Phrases, lower

PHRASES = ("arm", "at&t", "at t", "arm holdings", ".net", "yahoo!", "société générale", "3i")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("arm", ["arm"]),
        ("alarm, harmony, charm and army", []),
        ("“arm” rose", ["arm"]),
        ("arm-based", ["arm"]),
        ("arm_based", ["arm"]),  # a boundary here; what it means is for others to say
        ("arm holdings plc", ["arm", "arm holdings"]),
        ("arm arm", ["arm", "arm"]),
        ("at&t", ["at&t"]),
        ("at t", ["at t"]),
        ("at-t", []),
        ("the .net team, asp.net", [".net"]),
        ("yahoo! yahoo", ["yahoo!"]),
        ("la société générale—3i", ["société générale", "3i"]),
        ("", []),
    ],
)
def test_finds_words_only(text: str, found: list[str]) -> None:
    phrases = Phrases(PHRASES)
    assert sorted(phrase for phrase, _, _ in phrases.find(text)) == sorted(found)


@given(st.lists(st.text("ab&.é —'", min_size=1, max_size=4), max_size=6), st.text("ab&.é —'_1", max_size=30))
def test_finds_what_a_pattern_per_phrase_would_find(phrases: list[str], text: str) -> None:
    """The plain way, one regular expression a phrase, is slow and right."""
    phrases = [phrase for phrase in phrases if phrase[0].isalnum() and phrase[-1].isalnum()]
    wanted = {
        (phrase, match.start(), match.start() + len(phrase))
        for phrase in phrases
        for match in re.finditer(rf"(?<![^\W_])(?={re.escape(phrase)}(?![^\W_]))", text)
    }
    assert set(Phrases(phrases).find(text)) == wanted


@pytest.mark.parametrize("text", ["İstanbul", "STRASSE", "ǅ", "plain"])
def test_lower_case_keeps_every_place(text: str) -> None:
    assert len(lower(text)) == len(text)


def test_no_phrases_find_nothing() -> None:
    assert Phrases(()).find("\x00 anything") == []
