"""Growing a selection: each line is what the next press of the key selects."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import analysed, split

from osiris.ide.selection import selections

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))


def grown(marked: str) -> list[str]:
    text, offset = split(marked)
    return [text[span.start : span.end] for span in selections(analysed(text), offset)]


def test_from_a_word_in_quotes_to_the_document() -> None:
    assert grown(
        """
        name: x
        steps:
          - id: a
            config: {path: "data/or<|>ders.csv"}
          - id: b
        """
    ) == [
        "orders",
        "data/orders.csv",
        '"data/orders.csv"',
        'path: "data/orders.csv"',
        '{path: "data/orders.csv"}',
        'config: {path: "data/orders.csv"}',
        'id: a\n    config: {path: "data/orders.csv"}',
        '- id: a\n    config: {path: "data/orders.csv"}',
        '- id: a\n    config: {path: "data/orders.csv"}\n  - id: b',
        'steps:\n  - id: a\n    config: {path: "data/orders.csv"}\n  - id: b',
        'name: x\nsteps:\n  - id: a\n    config: {path: "data/orders.csv"}\n  - id: b',
        'name: x\nsteps:\n  - id: a\n    config: {path: "data/orders.csv"}\n  - id: b\n',
    ]


def test_inside_a_query_from_token_to_parentheses_to_clause() -> None:
    text = "SELECT sum(a.x + 1) FROM (SELECT 1 AS one) WHERE x > ${params.least}"

    def first(query: str) -> list[str]:
        found = grown(f"steps:\n  - config:\n      query: |\n        {query}\n")
        return found[: found.index(text) + 1]

    assert first(text.replace("x +", "x<|> +")) == [
        "x",
        "a.x + 1",
        "(a.x + 1)",
        "SELECT sum(a.x + 1)",
        text,
    ]
    assert first(text.replace("AS one", "AS o<|>ne")) == [
        "one",
        "SELECT 1 AS one",
        "(SELECT 1 AS one)",
        "FROM (SELECT 1 AS one)",
        text,
    ]
    assert first(text.replace("least", "le<|>ast")) == [
        "least",
        "${params.least}",
        "WHERE x > ${params.least}",
        text,
    ]


def test_a_key_grows_to_its_entry() -> None:
    assert grown("steps:\n  - i<|>d: a\n")[:4] == ["id", "id: a", "- id: a", "steps:\n  - id: a"]
    assert grown("st<|>eps:\n  - id: a\n")[:2] == ["steps", "steps:\n  - id: a"]


def test_in_half_typed_steps() -> None:
    assert grown('steps:\n  - id: a\n    co<|>mpo\n  - id: "b\n')[:3] == [
        "compo",
        "id: a\n    compo",
        "- id: a\n    compo",
    ]


def test_between_words_and_in_nothing() -> None:
    assert grown("name: x\n<|>\nsteps: []\n") == ["name: x\n\nsteps: []", "name: x\n\nsteps: []\n"]
    assert grown("<|>") == [""]


def check(text: str, offset: int) -> None:
    chain = selections(analysed(text), offset)
    assert chain
    for span in chain:
        assert 0 <= span.start <= offset <= span.end <= len(text)
    for inner, outer in pairwise(chain):
        assert outer.start <= inner.start <= inner.end <= outer.end
        assert outer != inner


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_beginning_of_an_example(example: Path) -> None:
    text = example.read_text(encoding="utf-8")

    for end in range(0, len(text) + 1, 13):
        check(text[:end], end)
        check(text[:end], end * 2 // 3)


PIECES = ["steps:", "- ", "id: a", "config: ", "query: |", "\n", "\n  ", "\n    ", "SELECT ", "(", ")", "${params.x}"]


MARKS = ["[", "]", "{", "}", '"', "'", "&a", "*a"]


@given(st.lists(st.sampled_from([*PIECES, *MARKS]), max_size=40).map("".join), st.data())
def test_any_heap_of_pieces(text: str, data: st.DataObject) -> None:
    check(text, data.draw(st.integers(0, len(text))))
