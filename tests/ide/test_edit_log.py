"""Rounds of edits, told as one."""

from __future__ import annotations

from fixing import applied
from hypothesis import given
from hypothesis import strategies as st

from osiris.ide.fixes.edit_log import EditLog
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span


def edit(start: int, end: int, text: str) -> TextEdit:
    return TextEdit(Span(start, end), text)


def test_what_one_round_put_in_the_next_may_change() -> None:
    log = EditLog("mode: raed")

    log.apply([edit(6, 10, "reda")])
    log.apply([edit(8, 10, "ad")])

    assert log.text == "mode: read"
    assert log.edits() == (edit(6, 10, "read"),)


def test_edits_far_apart_stay_apart() -> None:
    log = EditLog("abcdef")

    log.apply([edit(0, 1, "A")])
    log.apply([edit(5, 6, "F")])

    assert log.edits() == (edit(0, 1, "A"), edit(5, 6, "F"))


def test_what_is_taken_back_is_no_edit() -> None:
    log = EditLog("abc")

    log.apply([edit(1, 2, "x")])
    log.apply([edit(1, 2, "b")])

    assert log.edits() == ()


@given(st.text("abc", max_size=12), st.data())
def test_the_edits_make_the_text(text: str, data: st.DataObject) -> None:
    log = EditLog(text)
    for _ in range(3):
        cuts = sorted(data.draw(st.sets(st.integers(0, len(log.text)), max_size=6)))
        pairs = zip(cuts[::2], cuts[1::2], strict=False)
        log.apply([edit(start, end, data.draw(st.text("XY", max_size=3))) for start, end in pairs])

    assert applied(text, log.edits()) == log.text
