"""Finding things by a few letters of their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import analysed

from osiris.ide.navigation.workspace_symbols import likeness, named_like

PIPELINE = """\
name: daily-revenue
params: {since: x, least: 3}
steps:
  - id: extract-orders
  - id: extract-refunds
  - id: revenue-by-day
  - mode: read
"""


def found(query: str, text: str = PIPELINE) -> list[str]:
    things = sorted(named_like(analysed(text), query, "p.oml"), key=lambda thing: thing.score)
    return [thing.name for thing in things]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("extract", ["extract-orders", "extract-refunds"]),
        ("refunds", ["extract-refunds"]),
        ("EXORD", ["extract-orders"]),
        ("rev", ["revenue-by-day", "daily-revenue"]),
        ("sinc", ["since"]),
        ("daily orders", ["extract-orders"]),
        ("zebra", []),
    ],
)
def test_letters_in_their_order(query: str, expected: list[str]) -> None:
    assert found(query)[: len(expected)] == expected
    assert bool(found(query)) == bool(expected)


def test_nothing_typed_finds_everything() -> None:
    assert sorted(found("")) == [
        "daily-revenue",
        "extract-orders",
        "extract-refunds",
        "least",
        "revenue-by-day",
        "since",
    ]


def test_a_pipeline_without_a_name_goes_by_its_file() -> None:
    assert found("p.oml", "steps:\n  - id: a\n") == ["p.oml", "a"]


@given(st.text("ab-", max_size=8), st.text("ab-", max_size=12))
def test_a_score_says_that_the_letters_are_there(letters: str, name: str) -> None:
    rest = iter(name)

    assert (likeness(letters, name) is not None) == all(letter in rest for letter in letters)


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    for thing in named_like(analysed(text), "", "p.oml"):
        assert thing.name
        assert 0 <= thing.span.start <= thing.span.end <= len(text)
