"""Semantic tokens: under each line of the source, what its words are."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import analysed

from osiris.ide.semantic_tokens.kinds import KINDS, MODIFIERS, Modifier, TokenKind
from osiris.ide.semantic_tokens.tokens import Token, semantic_tokens, stretches
from osiris.syntax.text import LineIndex, Span

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))


def named(token: Token) -> str:
    return ".".join([token.kind.value, *(MODIFIERS[bit] for bit in range(4) if token.modifiers & 1 << bit)])


def coloured(source: str) -> str:
    """The source; under each line with tokens ``>`` and, in order, what each token is with its text."""
    text = dedent(source).lstrip("\n")
    tokens = semantic_tokens(analysed(text))
    shown: list[str] = []
    starts = LineIndex(text).starts
    for start, end in zip(starts, [*starts[1:], len(text) + 1], strict=True):
        shown.append(text[start:end].rstrip("\n"))
        here = [f"{named(t)} {text[t.start : t.end]}" for t in tokens if start <= t.start < end]
        if here:
            shown.append("> " + " | ".join(here))
    return "\n".join(shown).strip() + "\n"


def golden(expected: str) -> None:
    """Check a source that has its tokens written under its lines."""
    expected = dedent(expected).lstrip("\n")
    source = "\n".join(line for line in expected.split("\n") if not line.startswith("> "))
    assert coloured(source) == expected


def test_a_pipeline() -> None:
    golden(
        """
        # A comment is the grammar's business.
        oml_version: "0.1.0"
        > property oml_version
        name: daily
        > property name
        owner: nobody knows this key
        params:
        > property params
          least: 3
        > parameter.declaration least
          since: {type: string, default: x}
        > parameter.declaration since | property type | enumMember string | property default
        profiles:
        > property profiles
          prod: {params: {least: 9}}
        > namespace.declaration prod | property params | parameter least
        steps:
        > property steps
          - id: get-orders
        > property id | function.declaration get-orders
            component: sqlite.extractor
        > property component | class.defaultLibrary sqlite.extractor
            mode: read
        > property mode | enumMember read
            config:
        > property config
              connection: "@sqlite.shop"
        > property connection | interface @sqlite.shop
              table: orders_${params.since}
        > property table | macro ${params. | parameter since | macro }
              tabel: orders
          - id: total
        > property id | function.declaration total
            component: nobody.knows
        > property component | class nobody.knows
            mode: raed
        > property mode
            needs: [get-orders, "other"]
        > property needs | function get-orders | function other
            inputs: {df: "${get-orders.df}"}
        > property inputs | variable.readonly df | macro ${ | function get-orders | macro .df}
            retry: {attempts: 3, dealy: 1}
        > property retry | property attempts
        """
    )


def test_sql_in_every_way_to_write_it() -> None:
    golden(
        """
        steps:
        > property steps
          - id: orders
        > property id | function.declaration orders
            component: sqlite.extractor
        > property component | class.defaultLibrary sqlite.extractor
          - id: total
        > property id | function.declaration total
            component: duckdb.processor
        > property component | class.defaultLibrary duckdb.processor
            mode: transform
        > property mode | enumMember transform
            config:
        > property config
              query: |
        > property query
                -- How much?
        > comment -- How much?
                SELECT o.region AS "the region", sum(o.amount)::DECIMAL(10, 2),
        > keyword SELECT | variable o | variable region | keyword AS | variable "the region" | \
function.defaultLibrary sum | variable o | variable amount | operator :: | type.defaultLibrary DECIMAL | number 10 | \
number 2
                       cast(x AS timestamp with time zone), year, df.date
        > keyword cast | variable x | keyword AS | type.defaultLibrary timestamp | keyword with | keyword time | \
keyword zone | variable year | variable.readonly df | variable date
                FROM df_orders o LEFT JOIN other ON left(o.a, 1) <> 'it''s ${params.x}, yes'
        > keyword FROM | variable.readonly df_orders | variable o | keyword LEFT | keyword JOIN | variable other | \
keyword ON | function.defaultLibrary left | variable o | variable a | number 1 | operator <> | string 'it''s  | \
macro ${params. | parameter x | macro } | string , yes'
                WHERE at >= ${params.least} /* several
        > keyword WHERE | variable at | operator >= | macro ${params. | parameter least | macro } | \
comment /* several
                  lines */ LIMIT 10
        > comment lines */ | keyword LIMIT | number 10
          - id: again
        > property id | function.declaration again
            component: duckdb.processor
        > property component | class.defaultLibrary duckdb.processor
            config: {query: "SELECT 'a\\n', \\"b\\" FROM df_total"}
        > property config | property query | keyword SELECT | string 'a\\n' | variable \\"b\\" | keyword FROM | \
variable.readonly df_total
        """
    )


def test_sql_of_other_databases_names_tables_of_theirs() -> None:
    golden(
        """
        steps:
        > property steps
          - component: mysql.extractor
        > property component | class.defaultLibrary mysql.extractor
            config:
        > property config
              query: >
        > property query
                SELECT "text" FROM df # a comment
        > keyword SELECT | string "text" | keyword FROM | variable df | comment # a comment
        """
    )


def test_half_typed_sql_and_half_typed_steps() -> None:
    golden(
        """
        steps:
        > property steps
          - id: orders
        > property id | function.declaration orders
            compo
          - id: "total
        > property id | function.declaration total
            component: duckdb.processor
        > property component | class.defaultLibrary duckdb.processor
            config:
        > property config
              query: |
        > property query
                SELECT 'open, count(* FROM
        > keyword SELECT | string 'open, count(* FROM
                df_orders WHERE (
        > variable df_orders | keyword WHERE
          - config:
        > property config
              sql: SELECT 1 FROM df_total
        > keyword SELECT | number 1 | keyword FROM | variable.readonly df_total
        """
    )


def test_a_key_without_effect_is_deprecated() -> None:
    from osiris.components.registry import ComponentRegistry

    spec, key = next((s, k) for s in ComponentRegistry.builtin().specs() for k in sorted(s.deprecated_keys))
    text = f"steps:\n  - component: {spec.name}\n    config: {{{key}: 1}}\n"

    assert "property.deprecated " + key in coloured(text)


def test_what_comes_from_an_alias_or_a_merge_is_coloured_where_it_was_written() -> None:
    golden(
        """
        steps:
        > property steps
          - &a
            id: a
        > property id | function.declaration a
            config: {query: select 1}
        > property config | keyword select | number 1
          - <<: *a
            id: b
        > property id | function.declaration b
            needs: *a
        > property needs
        """
    )


def test_flow_style_from_top_to_bottom() -> None:
    golden(
        """
        {name: x, steps: [{id: a, mode: read}, {needs: [a]}]}
        > property name | property steps | property id | function.declaration a | property mode | enumMember read | \
property needs | function a
        """
    )


def test_only_the_wanted_part() -> None:
    text = "name: x\nsteps:\n  - id: a\n    mode: read\n  - id: b\n    mode: read\n"
    within = Span(text.index("mode"), text.index("id: b") + 2)

    found = [text[t.start : t.end] for t in semantic_tokens(analysed(text), within)]

    assert found == ["mode", "read", "id"]


def test_an_edit_in_one_step_leaves_the_tokens_of_the_others_as_they_are() -> None:
    from osiris.components.registry import ComponentRegistry
    from osiris.language.analysis import Analyzer
    from osiris.language.environment import StaticEnvironment
    from osiris.syntax.document import PartCache, parse

    text = "name: x\nsteps:\n  - id: a\n    mode: read\n  - id: b\n    mode: read\n"
    analyzer, parts = Analyzer(ComponentRegistry.builtin()), PartCache()
    before, after = (
        list(stretches(analyzer.analyse(parse(version, parts), StaticEnvironment())))
        for version in (text, text.replace("id: a", "id: abc"))
    )

    assert [new.tokens is old.tokens for new, old in zip(after, before, strict=True)][2:] == [False, True]
    assert after[-1].base == before[-1].base + 2


def test_the_legend_is_in_the_order_of_the_kinds_and_bits() -> None:
    assert list(KINDS) == [kind.value for kind in TokenKind]
    assert [flag.name for flag in Modifier if flag] == ["DECLARATION", "READONLY", "DEFAULT_LIBRARY", "DEPRECATED"]


# -- in any document


def check(text: str) -> None:
    at = 0
    for token in semantic_tokens(analysed(text)):
        assert at <= token.start < token.end <= len(text)
        assert "\n" not in text[token.start : token.end]
        assert "\r" not in text[token.start : token.end]
        at = token.end


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_beginning_of_an_example(example: Path) -> None:
    text = example.read_text(encoding="utf-8")

    for end in range(0, len(text) + 1, 7):
        check(text[:end])
        check(text[:end].replace("\n", "\r\n"))


PIECES = ["steps:", "- ", "id: a", "config: ", "query: ", "sql: |", "\n", "\n  ", "\n    ", "\n      ", "[", "]", "{"]
WORDS = [
    "}",
    '"',
    "'",
    "SELECT ",
    "df_a",
    "${params.x}",
    "/*",
    "*/",
    "--",
    "$$",
    "&a",
    "*a",
    "<<: *a",
    "params:",
    "é😀",
]


@given(st.lists(st.sampled_from(PIECES + WORDS), max_size=40).map("".join))
def test_any_heap_of_pieces(text: str) -> None:
    check(text)
