"""Writing YAML by hand: which text needs quotes, and edits of a text applied."""

from __future__ import annotations

import pytest
import yaml

from osiris.language.edits import applied, newline_of, scalar_text
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.document import parse
from osiris.syntax.text import Span
from osiris.syntax.tree import to_plain


@pytest.mark.parametrize("text", ["orders", "01-extract", "2024-01-01.csv", "a b", "eu/west", "v1.2"])
def test_text_that_no_reader_takes_for_something_else_stays_plain(text: str) -> None:
    assert scalar_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01",
        "1e3",
        "0x1F",
        "012",
        "1_000",
        "1.5",
        "no",
        "Y",
        "null",
        "",
        "-",
        "a: b",
        "a #b",
        " a",
        "*x",
        "{",
        "\t",
    ],
)
def test_other_text_is_quoted(text: str) -> None:
    written = scalar_text(text)

    assert written[0] == written[-1] == '"'
    assert yaml.safe_load(written) == text
    assert to_plain(parse(f"key: {written}\n").root()) == {"key": text}


@pytest.mark.parametrize(
    ("text", "newline"), [("a", "\n"), ("a\nb\r\n", "\n"), ("a\r\nb\n", "\r\n"), ("a\rb\n", "\r"), ("\n\r", "\n")]
)
def test_new_lines_end_like_the_first_one(text: str, newline: str) -> None:
    assert newline_of(text) == newline


def test_edits_refer_to_the_text_as_it_was() -> None:
    edits = [TextEdit(Span(4, 5), "E"), TextEdit(Span(0, 2), ""), TextEdit(Span(3, 3), "1"), TextEdit(Span(3, 3), "2")]

    assert applied("abcdef", edits) == "c12dEf"
