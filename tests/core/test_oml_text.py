"""Pipelines given as data: the text that is made of them says exactly the same."""

from __future__ import annotations

import datetime
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from osiris.core.oml_text import oml_text
from osiris.syntax.document import parse
from osiris.syntax.tree import to_plain

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(TEXTS, PLAIN, min_size=1, max_size=5))
@example(
    {"steps": [{"id": "a", "config": {}}, [], [[1], [2]]], "a": "0o14", "b": "1e3", "c": "no", "d": "# x", "e": "\x00"}
)
@example({"steps": {"a": [1]}, "x": "\u2028\x85\ufeff\uffff\x7f😀", "": " ", " a ": "- b", "<<": "x", "*a": "&b"})
@example({"a": 1e22, "b": -0.0, "c": 5e-324, "d": float("inf"), "e": 2**70, "f": [[], {}, ""]})
def test_the_text_reads_back_as_the_data(data: dict[str, object]) -> None:
    document = parse(oml_text(data))
    assert document.diagnostics == ()
    assert to_plain(document.root()) == data


def test_what_yaml_readers_make_of_dates_becomes_text() -> None:
    day = datetime.date(2024, 1, 2)
    data = {"day": day, "at": datetime.datetime(2024, 1, 2, 3, 4), "path": Path("a/b"), "pair": (1, 2)}
    assert to_plain(parse(oml_text(data)).root()) == {
        "day": "2024-01-02",
        "at": "2024-01-02T03:04:00",
        "path": "a/b",
        "pair": [1, 2],
    }
