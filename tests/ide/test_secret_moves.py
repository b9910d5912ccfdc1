"""The line that keeps a secret in ``.env``: it is read back as it was, and nothing else changes."""

from __future__ import annotations

import pytest
from fixing import applied
from hypothesis import given
from hypothesis import strategies as st

from osiris.core.env_loader import parse_dotenv
from osiris.ide.fixes.secret_moves import dotenv_edit


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("", "plain", "NEW=plain\n"),
        ("A=1", "plain", "A=1\nNEW=plain\n"),
        ("A=1\r\n", "two words", "A=1\r\nNEW='two words'\r\n"),
        ("# mine\n", "it's # $x", '# mine\nNEW="it\'s # $x"\n'),
        ("", 'a"b', "NEW='a\"b'\n"),
        ("", "a\\b", "NEW='a\\b'\n"),
        ("NEW=plain\n", "plain", "NEW=plain\n"),
    ],
)
def test_the_line_at_the_end(before: str, value: str, after: str) -> None:
    edits = dotenv_edit(before, "NEW", value)

    assert edits is not None
    assert applied(before, edits) == after


@given(st.text("ab'\"\\#$= \n\r\té", min_size=1, max_size=12), st.sampled_from(["", "A=1", "A='x'\n", "# a\r\n"]))
def test_any_value_is_read_back(value: str, before: str) -> None:
    edits = dotenv_edit(before, "NEW", value)

    if edits is not None:
        values, problems = parse_dotenv(applied(before, edits))
        assert values == {**parse_dotenv(before)[0], "NEW": value}
        assert problems == []
