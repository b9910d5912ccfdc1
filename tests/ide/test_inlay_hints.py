"""Inlay hints: the source with each hint where it is shown, in ``⟨ ⟩``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import analysed

from osiris.ide.inlay_hints import Hint, implicit_needs, param_values
from osiris.language.analysis import Analysis
from osiris.syntax.text import Span

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))
Hints = Callable[[Analysis, Span], Iterator[Hint]]


def hinted(source: str, hints: Hints = implicit_needs) -> str:
    text = dedent(source).lstrip("\n")
    analysis = analysed(text)
    for hint in sorted(hints(analysis, Span(0, len(text))), key=lambda hint: -hint.offset):
        text = f"{text[: hint.offset]} ⟨{hint.before}{hint.name}⟩{text[hint.offset :]}"
    return text


def test_a_step_that_does_not_say_what_it_needs() -> None:
    assert hinted(
        """
        steps:
          - id: orders
            mode: read
          - id: total  # a remark
            mode: transform
          - id: refunds
            needs: []
          - component: duckdb.processor
            id: "again"
          - mode: write
          - id: last
        """
    ) == dedent(
        """\
        steps:
          - id: orders
            mode: read
          - id: total ⟨needs: orders⟩  # a remark
            mode: transform
          - id: refunds
            needs: []
          - component: duckdb.processor
            id: "again" ⟨needs: refunds⟩
          - mode: write ⟨needs: again⟩
          - id: last
        """
    )


def test_the_hint_can_be_written_into_the_document() -> None:
    text = "steps:\n  - id: a\n    mode: read\n  - id: b\n    mode: transform\n    config: {}\n"
    [hint] = implicit_needs(analysed(text), Span(0, len(text)))

    assert text[slice(*hint.target or ())] == "a"
    assert hint.edit is not None
    start, end = hint.edit.span
    assert text[:start] + hint.edit.new_text + text[end:] == text.replace("transform\n", "transform\n    needs: [a]\n")


def test_the_tooltip_names_the_table_where_there_is_data() -> None:
    reader = "  - id: get-orders\n    component: sqlite.extractor\n    mode: read\n"
    text = f"steps:\n{reader}  - id: b\n    component: duckdb.processor\n    mode: transform\n"

    [hint] = implicit_needs(analysed(text), Span(0, len(text)))

    assert "`df_get_orders`" in hint.tooltip


def test_only_the_wanted_part() -> None:
    text = "steps:\n" + "".join(f"  - id: s{number}\n" for number in range(9))
    within = Span(text.index("s3"), text.index("s5") + 2)

    assert [hint.name for hint in implicit_needs(analysed(text), within)] == ["s2", "s3", "s4"]


def test_values_of_parameters() -> None:
    assert hinted(
        """
        params:
          least: 3
          region: EU
          key: {sensitive: true, default: x}
          none: {type: string}
        steps:
          - config: {path: "${params.region}/${params.key}/${params.none}/${params.other}"}
          - config:
              query: |
                SELECT ${params.least}
        """,
        param_values,
    ) == dedent(
        """\
        params:
          least: 3
          region: EU
          key: {sensitive: true, default: x}
          none: {type: string}
        steps:
          - config: {path: "${params.region} ⟨= EU⟩/${params.key}/${params.none}/${params.other}"}
          - config:
              query: |
                SELECT ${params.least} ⟨= 3⟩
        """
    )


def test_flow_style_and_steps_that_are_half_typed() -> None:
    assert hinted("steps: [{id: a}, {id: b}]\n") == "steps: [{id: a}, {id: b ⟨needs: a⟩}]\n"
    assert hinted('steps:\n  - id: a\n  - id: "b\n') == 'steps:\n  - id: a\n  - id: "b ⟨needs: a⟩\n'
    assert hinted("steps:\n  - id: a\n  - \n") == "steps:\n  - id: a\n  -  ⟨needs: a⟩\n"


def check(text: str, start: int, end: int) -> None:
    analysis = analysed(text)
    for hints in (implicit_needs, param_values):
        for hint in hints(analysis, Span(start, end)):
            assert start <= hint.offset <= end
            assert hint.name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_beginning_of_an_example(example: Path) -> None:
    text = example.read_text(encoding="utf-8")

    for end in range(0, len(text) + 1, 13):
        check(text[:end], end // 3, end)


PIECES = ["steps:", "- ", "id: a", "id: b", "config: ", "query: |", "\n", "\n  ", "\n    ", "${params.x}", "params:"]


@given(st.lists(st.sampled_from([*PIECES, "[", "]", "{", "}", '"', "'", "&a", "*a"]), max_size=40).map("".join))
def test_any_heap_of_pieces(text: str) -> None:
    check(text, len(text) // 4, len(text))
