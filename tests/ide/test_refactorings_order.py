"""Refactorings of the order of steps: the text before and after; the compiled steps stay as they were."""

from __future__ import annotations

from textwrap import dedent

import pytest
from fixing import compiled_steps, offered, refactored, selected

ALL = "Say what every step needs (2 steps)"
SORT = "Sort the steps by what they need"

CHAIN = """\
oml_version: 0.1.0
name: orders
steps:
  - id: extract
    component: filesystem.csv_extractor
    mode: read
    config: {path: data/orders.csv}
  - id: total
    component: duckdb.processor
    mode: <|>transform
    config: {query: SELECT 1}
  - {id: 'no', component: filesystem.csv_writer, mode: write, config: {path: out/a.csv}}
"""


def check(marked: str, title: str, expected: str) -> None:
    before = selected(marked)[0]
    after = refactored(marked, title)
    assert after == dedent(expected.lstrip("\n"))
    assert compiled_steps(after) == compiled_steps(before)


def test_what_a_step_needs_is_said() -> None:
    check(
        CHAIN,
        "Say that `total` needs `extract`",
        """
        oml_version: 0.1.0
        name: orders
        steps:
          - id: extract
            component: filesystem.csv_extractor
            mode: read
            config: {path: data/orders.csv}
          - id: total
            component: duckdb.processor
            mode: transform
            needs: [extract]
            config: {query: SELECT 1}
          - {id: 'no', component: filesystem.csv_writer, mode: write, config: {path: out/a.csv}}
        """,
    )


def test_what_every_step_needs_is_said() -> None:
    check(
        CHAIN,
        ALL,
        """
        oml_version: 0.1.0
        name: orders
        steps:
          - id: extract
            component: filesystem.csv_extractor
            mode: read
            config: {path: data/orders.csv}
          - id: total
            component: duckdb.processor
            mode: transform
            needs: [extract]
            config: {query: SELECT 1}
          - {id: 'no', component: filesystem.csv_writer, mode: write, needs: [total], config: {path: out/a.csv}}
        """,
    )


def test_a_key_without_value_gets_its_value() -> None:
    marked = CHAIN.replace("    config: {query", "    needs: # whom?\n    config: {query")

    after = refactored(marked, "Say that `total` needs `extract`")

    assert "    mode: transform\n    needs: [extract] # whom?\n    config" in after


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(CHAIN.replace("<|>", "").replace("id: extract", "id: <|>extract"), id="of the first step"),
        pytest.param(CHAIN.replace("<|>", "").replace("SELECT", "SEL<|>ECT"), id="in a config"),
        pytest.param(CHAIN.replace("<|>", "").replace("id: 'no'", "id: 'no<|>', needs: [total]"), id="said already"),
        pytest.param(CHAIN.replace("{query: SELECT 1}", "{query: SELECT 1"), id="of a broken step"),
    ],
)
def test_no_need_is_offered(text: str) -> None:
    assert not [title for title in offered(text) if title.startswith("Say that")]


MIXED = """\
oml_version: 0.1.0
name: orders
steps:
  # where it ends
  - id: store<|>
    component: filesystem.csv_writer
    mode: write
    needs: [total]
    config: {path: out/a.csv}
    # not yet: timeout: 5m

  - id: extract   # where it starts
    component: filesystem.csv_extractor
    mode: read
    needs: []
    config: {path: data/orders.csv}
  - id: total
    component: duckdb.processor
    mode: transform
    config:
      query: |
        SELECT *

        FROM df_extract

  # a step to come

params: {}
"""


def test_steps_are_sorted_with_their_comments() -> None:
    check(
        MIXED,
        SORT,
        """
        oml_version: 0.1.0
        name: orders
        steps:
          - id: extract   # where it starts
            component: filesystem.csv_extractor
            mode: read
            needs: []
            config: {path: data/orders.csv}

          - id: total
            component: duckdb.processor
            mode: transform
            config:
              query: |
                SELECT *

                FROM df_extract
          # where it ends
          - id: store
            component: filesystem.csv_writer
            mode: write
            needs: [total]
            config: {path: out/a.csv}
            # not yet: timeout: 5m

          # a step to come

        params: {}
        """,
    )


def test_what_a_step_waits_for_is_said_when_another_comes_before_it() -> None:
    check(
        """
        oml_version: 0.1.0
        name: orders
        steps<|>:
        - {id: a, component: filesystem.csv_extractor, mode: read, config: {path: a.csv}}
        - {id: total, component: duckdb.processor, mode: transform, needs: [late], config: {query: SELECT 1}}
        - {id: copy, component: filesystem.csv_writer, mode: write, config: {path: out/a.csv}}
        - {id: late, component: filesystem.csv_extractor, mode: read, needs: [], config: {path: b.csv}}
        """,
        SORT,
        """
        oml_version: 0.1.0
        name: orders
        steps:
        - {id: a, component: filesystem.csv_extractor, mode: read, config: {path: a.csv}}
        - {id: late, component: filesystem.csv_extractor, mode: read, needs: [], config: {path: b.csv}}
        - {id: total, component: duckdb.processor, mode: transform, needs: [late], config: {query: SELECT 1}}
        - {id: copy, component: filesystem.csv_writer, mode: write, config: {path: out/a.csv}}
        """,
    )


def test_a_first_step_that_comes_to_stand_behind_another_waits_for_none() -> None:
    text = """
        oml_version: 0.1.0
        name: orders
        steps<|>:
          - id: a
            component: filesystem.csv_extractor
            mode: read
            needs: [b]
            config: {path: a.csv}
          - id: b
            component: filesystem.csv_extractor
            mode: read
            needs: []
            config: {path: b.csv}
          - id: c
            component: filesystem.csv_extractor
            mode: read
            config: {path: c.csv}
        """
    check(
        text,
        SORT,
        """
        oml_version: 0.1.0
        name: orders
        steps:
          - id: b
            component: filesystem.csv_extractor
            mode: read
            needs: []
            config: {path: b.csv}
          - id: a
            component: filesystem.csv_extractor
            mode: read
            needs: [b]
            config: {path: a.csv}
          - id: c
            component: filesystem.csv_extractor
            mode: read
            needs: [b]
            config: {path: c.csv}
        """,
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(CHAIN, id="that are in order"),
        pytest.param(MIXED.replace("needs: []", "needs: [store]"), id="that wait for each other"),
        pytest.param(MIXED.replace("id: total", "id: extract"), id="with one id twice"),
        pytest.param(MIXED.replace("query: |", "query: |+"), id="with lines that count"),
        pytest.param(MIXED.replace("    needs: []", "    x-note: &a 1\n    needs: []"), id="with anchors"),
        pytest.param(MIXED.replace("{path: data/orders.csv}", "{path: data/orders.csv"), id="that are broken"),
    ],
)
def test_steps_are_not_sorted(text: str) -> None:
    assert SORT not in offered(text)
