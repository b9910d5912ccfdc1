"""Values written in another way, and documents of the older format: the text before and after."""

from __future__ import annotations

from textwrap import dedent

import pytest
from fixing import compiled_steps, examined, offered, refactored, selected

HEAD = """\
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
    config:
"""


def rewritten(marked: str, title: str) -> str:
    """The last lines after the refactoring; the steps mean what they meant."""
    text = refactored(HEAD + marked, title)
    assert text.startswith(HEAD)
    assert compiled_steps(text) == compiled_steps(selected(HEAD + marked)[0])
    return text[len(HEAD) :]


QUOTES = "Write it in quotes"
BLOCK = "Write the SQL as a block of lines"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("      query: SELECT <|>1, 2 # both\n", '      query: "SELECT 1, 2" # both\n'),
        ("      query: SELECT <|>'a\"b'\n", '      query: "SELECT \'a\\"b\'"\n'),
        ("      query: SELECT 1\n    description: <|>no\n", '      query: SELECT 1\n    description: "no"\n'),
        ("      query: SELECT 1\n    x-day: 2024<|>-01-01\n", '      query: SELECT 1\n    x-day: "2024-01-01"\n'),
    ],
)
def test_a_plain_text_gets_quotes(before: str, after: str) -> None:
    assert rewritten(before, QUOTES) == after


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("      query: 'SELECT <|>1'\n", id="has them"),
        pytest.param("      query: SELECT 1\n    timeout: <|>5\n", id="is a number"),
        pytest.param(
            "      query: SELECT 1\n    description: <|>daily orders\n", id="cannot be taken for anything else"
        ),
        pytest.param("      query: SELECT 1,\n        2<|>\n", id="goes on over lines"),
    ],
)
def test_a_value_that_gets_no_quotes(lines: str) -> None:
    assert QUOTES not in offered(HEAD + lines)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "      query: <|>SELECT id, name, price, price * 1.2 AS gross FROM df_extract # all\n",
            "      query: |- # all\n        SELECT id, name, price, price * 1.2 AS gross FROM df_extract\n",
        ),
        (
            "      query: 'SELECT <|>id\n        FROM df_extract\n\n        LIMIT 1'\n    timeout: 5\n",
            "      query: |-\n        SELECT id FROM df_extract\n        LIMIT 1\n    timeout: 5\n",
        ),
        (
            '      query: "<|>SELECT id\\nFROM df_extract\\n\\n  LIMIT 1\\n"',
            "      query: |\n        SELECT id\n        FROM df_extract\n\n          LIMIT 1\n",
        ),
    ],
)
def test_sql_becomes_a_block(before: str, after: str) -> None:
    assert rewritten(before, BLOCK) == after


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("      query: <|>SELECT 1\n", id="short"),
        pytest.param("      query: |\n        SELECT <|>1\n", id="a block already"),
        pytest.param('      query: "<|> SELECT 1\\n, 2"\n', id="starting with a blank"),
        pytest.param('      query: "<|>SELECT 1\\t\\n, 2"\n', id="with an escape that a block cannot say"),
        pytest.param('      {query: "<|>SELECT 1\\n, 2"}\n', id="in braces"),
    ],
)
def test_sql_that_stays_as_it_is(lines: str) -> None:
    assert BLOCK not in offered(HEAD + lines)


def test_windows_line_ends_stay() -> None:
    lines = '      query: "<|>SELECT id\\nFROM df_extract"\n'

    text = refactored((HEAD + lines).replace("\n", "\r\n"), BLOCK)

    assert text.endswith("      query: |-\r\n        SELECT id\r\n        FROM df_extract\r\n")


# -- the older format


def test_a_document_of_the_older_format_is_migrated_at_once() -> None:
    before = """
        # ours
        version: "1.0"
        name: orders
        connectors:   # once here
          db: {type: mysql}
        tasks<|>:
          - id: extract   # first
            uses: filesystem.csv_extractor@1.0
            mode: extract
            with: {path: data/orders.csv}
          - id: store
            uses: filesystem.csv_writer
            mode: load
            with:
              path: out/orders.csv
        outputs: [store]
        """
    after = """
        # ours
        oml_version: 0.1.0
        name: orders
        x-connectors:   # once here
          db: {type: mysql}
        steps:
          - id: extract   # first
            component: filesystem.csv_extractor
            mode: read
            config: {path: data/orders.csv}
          - id: store
            component: filesystem.csv_writer
            mode: write
            config:
              path: out/orders.csv
        x-outputs: [store]
        """

    text = refactored(before, "Migrate the pipeline to OML 0.1.0")

    assert text == dedent(after.lstrip("\n"))
    assert examined(text).diagnostics == ()


def test_a_document_of_today_is_not_migrated() -> None:
    assert not [title for title in offered(HEAD + "      query: SELECT <|>1\n") if title.startswith("Migrate")]
