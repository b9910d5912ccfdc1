"""From an index in a scalar's text to the place in the source, in every style."""

from __future__ import annotations

import pytest

from osiris.syntax.block import SourceMap
from osiris.syntax.document import parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Scalar

# In each text, `here` stands once; behind it what the scalar is worth.
WRITTEN = {
    "plain": ("x: a here b\n", "a here b"),
    "plain over lines": ("x: a\n   b\n\n   here\n", "a b\nhere"),
    "single quotes": ("x: 'it''s here'\n", "it's here"),
    "single quotes over lines": ("x: 'a  \n\n\n   it''s here  '\n", "a\n\nit's here  "),
    "double quotes": ('x: "\\u00e9\\x41\\U0001F600\\t\\"here"\n', 'éA😀\t"here'),
    "double quotes over lines": ('x: "a\\\n   \\  b\n\n   here"\n', "a  b\nhere"),
    "double quotes with an escaped empty line": ('x: "a \\\n\n   here"\n', "a \nhere"),
    "literal": ("x: |\n  a\n\n    b\n  here\n", "a\n\n  b\nhere\n"),
    "literal, stripped": ("x: |-\n  a\n  here\n\n\n", "a\nhere"),
    "literal, kept": ("x: |+\n  a\n  here\n\n\n", "a\nhere\n\n\n"),
    "literal with an indicator": ("x: |2\n    a\n  here\n", "  a\nhere\n"),
    "literal that starts with empty lines": ("x: |\n\n\n  here\n", "\n\nhere\n"),
    "literal with blanks at line ends": ("x: |\n  a  \n  here \n", "a  \nhere \n"),
    "folded": ("x: >\n  a\n  b\n\n  c\n    d\n  here\n", "a b\nc\n  d\nhere\n"),
    "folded, stripped": ("x: >-\n  a\n  here\n", "a here"),
    "literal at the end of the file": ("x: |\n  a\n  here", "a\nhere"),
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_place_in_the_text_is_found_in_the_source_and_back(name: str, line_end: str) -> None:
    written, expected = WRITTEN[name]
    source, scalar = scalar_of(written.replace("\n", line_end))
    places = SourceMap(scalar, source)
    index, offset = scalar.text.index("here"), source.index("here")

    assert scalar.text == expected
    assert places.span(index, index + 4) == Span(offset, offset + 4)
    for step in range(4):
        assert places.to_source(index + step) == offset + step
        assert places.to_text(offset + step) == index + step


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("name", WRITTEN)
def test_every_letter_of_the_text_stands_at_its_place_in_the_source(name: str, line_end: str) -> None:
    source, scalar = scalar_of(WRITTEN[name][0].replace("\n", line_end))
    places = SourceMap(scalar, source)

    for index, char in enumerate(scalar.text):
        stands = source[places.to_source(index)]
        assert stands == char or stands == "\\" or (char in " \n" and stands in "\r\n"), (index, char, stands)


def test_an_escape_is_one_place() -> None:
    source, scalar = scalar_of('x: "a\\u0041b"\n')
    places = SourceMap(scalar, source)

    assert scalar.text == "aAb"
    assert places.span(1, 2) == Span(5, 11)
    assert [places.to_text(offset) for offset in range(4, 13)] == [0, 1, 1, 1, 1, 1, 1, 2, 3]


def test_a_range_over_lines_ends_with_its_last_letter() -> None:
    source, scalar = scalar_of("x: |\n    SELECT a\n    FROM t\n")
    span = SourceMap(scalar, source).span(0, len("SELECT a\nFROM t"))

    assert source[span.start : span.end] == "SELECT a\n    FROM t"


def test_places_outside_of_the_text_are_clamped() -> None:
    source, scalar = scalar_of("x: 'abc'\n")
    places = SourceMap(scalar, source)

    assert (places.to_source(-5), places.to_source(99)) == (4, 7)
    assert (places.to_text(0), places.to_text(99)) == (0, 3)


def test_what_comes_from_an_alias_stands_at_the_alias() -> None:
    [placed] = parse("x: [&a 'long text', *a]\n").sections
    assert isinstance(placed.part.node, Mapping)
    alias = placed.part.node.entries[0].value.items[1]  # type: ignore[union-attr]

    assert SourceMap(alias, placed.part.text).span(2, 6).start == alias.span.start


def test_the_text_of_an_unclosed_quote_has_places_too() -> None:
    source, scalar = scalar_of("x: 'a here\ny: 1\n")
    places = SourceMap(scalar, source)

    assert scalar.text == "a here"
    assert places.span(2, 6) == Span(6, 10)


def scalar_of(text: str) -> tuple[str, Scalar]:
    placed = parse(text).sections[0]
    assert isinstance(placed.part.node, Mapping)
    scalar = placed.part.node.entries[0].value
    assert isinstance(scalar, Scalar)
    return placed.part.text, scalar
