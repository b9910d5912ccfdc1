"""Bytes of a file to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.syntax.document import decode


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_in_the_encodings_people_save_in(encoding: str) -> None:
    assert decode("name: größe 😀\r\n".encode(encoding)) == ("name: größe 😀\r\n", None)


def test_an_empty_file_is_empty_text() -> None:
    assert decode(b"") == ("", None)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"name: gr\xf6\xdfe", "byte 8 (0xf6) is not valid UTF-8"),
        (b"\xef\xbb\xbfa\xff", "byte 4 (0xff)"),
        (b"SQLite format 3\0more", "byte 15 is a NUL"),
        (b"\x89PNG\r\n", "byte 0 (0x89)"),
        (b"\xff\xfea\0\0\xd8", "byte 4 (0x00) is not valid UTF-16"),
        (b"\xff\xfea", "byte 2 (0x61) is not valid UTF-16"),
    ],
)
def test_what_is_no_text_is_said_with_its_first_bad_byte(data: bytes, part: str) -> None:
    text, finding = decode(data)

    assert finding is not None
    assert finding.code == "OML014"
    assert part in finding.message
    assert finding.span.start <= len(text)


@given(st.binary())
def test_any_bytes_give_some_text(data: bytes) -> None:
    text, finding = decode(data)

    assert isinstance(text, str)
    assert (finding is None) or (0 <= finding.span.start <= finding.span.end <= len(text) + 1)
