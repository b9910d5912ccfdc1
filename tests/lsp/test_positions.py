"""Offsets to positions and back, for any text, against the plain definition."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from osiris.lsp.documents import OpenDocument
from osiris.lsp.positions import ENCODINGS, Encoding, PositionCodec
from osiris.syntax.text import LineIndex

ODD_TEXTS = st.text(alphabet="aé€😀\t \n\r\u2028\u2029\x85\x0b\x0c\x1c", max_size=30)
SIZES = {"utf-8": lambda s: len(s.encode()), "utf-16": lambda s: len(s.encode("utf-16-le")) // 2, "utf-32": len}


def boundaries(text: str) -> list[int]:
    """The offsets that a position can mean: all but those between the two characters of a Windows line end."""
    return [i for i in range(len(text) + 1) if text[i - 1 : i + 1] != "\r\n" or i == 0]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=ODD_TEXTS)
def test_a_position_is_the_line_and_the_units_before_it(encoding: Encoding, text: str) -> None:
    codec, lines = PositionCodec(encoding), LineIndex(text)

    for offset in boundaries(text):
        before = re.split(r"\r\n|\r|\n", text[:offset])
        expected = (len(before) - 1, SIZES[encoding](before[-1]))
        assert codec.to_position(text, lines, offset) == expected
        assert codec.to_offset(text, lines, *expected) == offset


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=ODD_TEXTS, line=st.integers(-1, 9), character=st.integers(-1, 99))
def test_any_position_means_some_place_of_the_text(encoding: Encoding, text: str, line: int, character: int) -> None:
    offset = PositionCodec(encoding).to_offset(text, LineIndex(text), line, character)

    assert 0 <= offset <= len(text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=ODD_TEXTS, changes=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), ODD_TEXTS), max_size=6))
def test_edits_change_what_their_positions_mean(
    encoding: Encoding, text: str, changes: list[tuple[int, int, str]]
) -> None:
    codec = PositionCodec(encoding)
    document = OpenDocument("untitled:x", "oml", 1, text, codec)

    for start, length, new in changes:
        places = boundaries(text)
        begin = places[start % len(places)]
        end = places[min(start % len(places) + length, len(places) - 1)]
        lines = LineIndex(text)
        positions = [types.Position(*codec.to_position(text, lines, offset)) for offset in (begin, end)]
        document.change(2, [types.TextDocumentContentChangePartial(range=types.Range(*positions), text=new)])
        text = text[:begin] + new + text[end:]

    assert document.text == text
