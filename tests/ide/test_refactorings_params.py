"""Values that become parameters, and parameters that become values: the text before and after. What the steps compile
into stays as it was."""

from __future__ import annotations

from textwrap import dedent

import pytest
from fixing import compiled_steps, offered, refactored, selected


def check(marked: str, title: str, expected: str) -> None:
    """The refactoring at the marker makes the expected text, and the steps mean the same."""
    before = selected(marked)[0]
    after = refactored(marked, title)
    assert after == dedent(expected.lstrip("\n"))
    assert compiled_steps(after) == compiled_steps(before)


HEAD = "oml_version: 0.1.0\nname: orders\n"


def reader(config: str, head: str = HEAD) -> str:
    step = "  - id: extract\n    component: filesystem.csv_extractor\n    mode: read\n"
    return f"{head}steps:\n{step}    config: {config}\n"


def test_a_value_becomes_a_parameter() -> None:
    check(
        """
        oml_version: 0.1.0
        name: orders

        # What is done
        # each day
        steps:
          - id: extract
            component: filesystem.csv_extractor
            mode: read
            config:
              path: data/<|>orders.csv  # the whole day
              limit: 1000
        """,
        "Extract to the parameter `path`",
        """
        oml_version: 0.1.0
        name: orders

        params:
          path: data/orders.csv
        # What is done
        # each day
        steps:
          - id: extract
            component: filesystem.csv_extractor
            mode: read
            config:
              path: "${params.path}"  # the whole day
              limit: 1000
        """,
    )


@pytest.mark.parametrize(
    ("config", "declared"),
    [
        ("{path: a.csv, limit: <|>1000}", "limit: 1000"),
        ("{path: a.csv, header: <|>false}", "header: false"),
        ("{path: a.csv, header: <|>no}", "header: false"),
        ('{path: a.csv, delimiter: <|>";"}', 'delimiter: ";"'),
        ("{path: a.csv, delimiter: <|>'\"'}", "delimiter: '\"'"),
        ("{path: <|>2024-01-01.csv}", "path: 2024-01-01.csv"),
        ("{path: <|>2024-01-01}", 'path: "2024-01-01"'),
        ("{path: a.csv, columns: [<|>id, name]}", "columns: id"),
    ],
)
def test_a_value_keeps_its_type(config: str, declared: str) -> None:
    marked = reader(config)
    name = declared.partition(":")[0]

    after = refactored(marked, f"Extract to the parameter `{name}`")

    assert f"\nparams:\n  {declared}\nsteps:" in after
    assert compiled_steps(after) == compiled_steps(selected(marked)[0])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("params: {day: 1}\n", "params: {day: 1, limit: 10}\n"),
        ("params: {}\n", "params: {limit: 10}\n"),
        ("params:\n", "params:\n  limit: 10\n"),
        ("params:\n  day: 1 # first\n\n", "params:\n  day: 1 # first\n  limit: 10\n\n"),
        ("params:\n  limit: {type: integer}\n", "params:\n  limit: {type: integer}\n  extract_limit: 10\n"),
        ("params:\n  Limit: 1\n", "params:\n  Limit: 1\n  extract_limit: 10\n"),
    ],
)
def test_it_is_declared_beside_the_others(before: str, after: str) -> None:
    marked = reader("{path: a.csv, limit: <|>10}", HEAD + before)
    name = "extract_limit" if "extract_limit" in after else "limit"

    text = refactored(marked, f"Extract to the parameter `{name}`")

    assert text == reader(f'{{path: a.csv, limit: "${{params.{name}}}"}}', HEAD + after)


def test_all_equal_values_under_one_key_become_one_parameter() -> None:
    check(
        """
        oml_version: 0.1.0
        name: orders
        steps:
          - id: a
            component: filesystem.csv_extractor
            mode: read
            config: {path: a.csv, limit: <|>10}
          - id: b
            component: filesystem.csv_extractor
            mode: read
            config:
              path: b.csv
              limit: 10
          - id: c
            component: filesystem.csv_extractor
            mode: read
            config: {path: c.csv, limit: 11}
        """,
        "Extract to the parameter `limit`, all 2",
        """
        oml_version: 0.1.0
        name: orders
        params:
          limit: 10
        steps:
          - id: a
            component: filesystem.csv_extractor
            mode: read
            config: {path: a.csv, limit: "${params.limit}"}
          - id: b
            component: filesystem.csv_extractor
            mode: read
            config:
              path: b.csv
              limit: "${params.limit}"
          - id: c
            component: filesystem.csv_extractor
            mode: read
            config: {path: c.csv, limit: 11}
        """,
    )


def query(sql: str, head: str = HEAD) -> str:
    step = "  - id: total\n    component: duckdb.processor\n    mode: transform\n    config:\n      query: "
    return f"{reader('{path: data/orders.csv}', head)}{step}{sql}\n"


@pytest.mark.parametrize(
    ("before", "after", "declared"),
    [
        ("SELECT 1 WHERE region = 'no<|>rth'", "SELECT 1 WHERE region = '${params.region}'", "region: north"),
        (
            "SELECT 1 WHERE x.region IN (<|>'a b', 'c')",
            "SELECT 1 WHERE x.region IN ('${params.region}', 'c')",
            "region: a b",
        ),
        ("'SELECT 1 WHERE name = <|>''it''''s'''", "'SELECT 1 WHERE name = ''${params.name}'''", 'name: "it\'s"'),
        ("SELECT 1 LIMIT <|1|>0", None, ""),
        ("SELECT 1 LIMIT <|10|>", "SELECT 1 LIMIT ${params.limit}", "limit: 10"),
        ("SELECT 1 WHERE share > 0.2<|>5", "SELECT 1 WHERE share > ${params.share}", "share: 0.25"),
        ("SELECT <|>1", "SELECT ${params.value}", "value: 1"),
        (
            "|\n        SELECT *\n        FROM df\n        LIMIT 5<|>",
            "|\n        SELECT *\n        FROM df\n        LIMIT ${params.limit}",
            "limit: 5",
        ),
    ],
)
def test_a_literal_in_sql_becomes_a_parameter(before: str, after: str | None, declared: str) -> None:
    marked = query(before)
    if after is None:
        marked = marked.replace("<|1|>0", "<|10|>")
        after, declared = "SELECT 1 LIMIT ${params.limit}", "limit: 10"
    name = declared.partition(":")[0]

    text = refactored(marked, f"Extract to the parameter `{name}`")

    assert text == query(after, f"{HEAD}params:\n  {declared}\n")
    assert compiled_steps(text) == compiled_steps(selected(marked)[0])


def test_all_equal_literals_of_a_query_become_one_parameter() -> None:
    marked = query("SELECT 'a' AS x WHERE region = '<|>a' OR region = 'b'")

    text = refactored(marked, "Extract to the parameter `region`, all 2 of this query")

    sql = "SELECT '${params.region}' AS x WHERE region = '${params.region}' OR region = 'b'"
    assert text == query(sql, HEAD + "params:\n  region: a\n")
    assert compiled_steps(text) == compiled_steps(selected(marked)[0])


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param(reader("{path: a.csv, li<|>mit: 10}"), id="on a key"),
        pytest.param(reader('{path: "<|>${params.x}"}', HEAD + "params: {x: a.csv}\n"), id="where a parameter is"),
        pytest.param(reader("{path: a.csv, limit: }").replace("limit: ", "limit: <|>"), id="without a value"),
        pytest.param(reader("{path: a.csv, limit: .nan<|>}"), id="of no number"),
        pytest.param(reader("{path: <|>a.csv"), id="in broken text"),
        pytest.param(reader("{path: a.csv, encoding: &e <|>utf-8}"), id="of an anchor"),
        pytest.param(reader("{path: a.csv}").replace("extract\n", "ex<|>tract\n"), id="that is an id"),
        pytest.param(reader("{path: <|>q7Rk2vT9xLw4Zp8Ns3Yd6Hb1}"), id="that may be a secret"),
        pytest.param(query("SELECT 1 WHERE price > 1.50<|>"), id="that SQL would get in another form"),
        pytest.param(query("SELECT <|>price"), id="that is a name"),
        pytest.param(query("SELECT 1 -- 5<|>"), id="in a comment"),
        pytest.param(query("SELECT E'a<|>'"), id="with escapes"),
    ],
)
def test_nothing_is_extracted(marked: str) -> None:
    assert not [title for title in offered(marked) if title.startswith("Extract")]


# -- inline ------------------------------------------------------------------------------------------------------------


def test_a_parameter_is_put_in_everywhere() -> None:
    check(
        """
        oml_version: 0.1.0
        name: orders
        params:
          # which day
          <|>day: 2024-01-01
          region: it's   # for the filter
        steps:
          - id: extract
            component: filesystem.csv_extractor
            mode: read
            config:
              path: "data/${params.day}.csv"
          - id: total
            component: duckdb.processor
            mode: transform
            config:
              query: |
                SELECT *
                FROM df_extract
                WHERE day = '${params.day}' AND region = '${params.region}'
        """,
        "Inline the parameter `day`",
        """
        oml_version: 0.1.0
        name: orders
        params:
          # which day
          region: it's   # for the filter
        steps:
          - id: extract
            component: filesystem.csv_extractor
            mode: read
            config:
              path: "data/2024-01-01.csv"
          - id: total
            component: duckdb.processor
            mode: transform
            config:
              query: |
                SELECT *
                FROM df_extract
                WHERE day = '2024-01-01' AND region = '${params.region}'
        """,
    )


@pytest.mark.parametrize(
    ("declared", "config", "inlined"),
    [
        ("10", '{path: a.csv, limit: "${params.x<|>}"}', "{path: a.csv, limit: 10}"),
        ("{type: integer, default: 10}", '{path: a.csv, limit: "${params.x<|>}"}', "{path: a.csv, limit: 10}"),
        ("[a, b]", '{path: a.csv, columns: "${params.x<|>}"}', '{path: a.csv, columns: ["a", "b"]}'),
        ("yes", '{path: "${params.x<|>}"}', '{path: "yes"}'),
        ("it's", "{path: 'data/${params.x<|>}.csv'}", "{path: 'data/it''s.csv'}"),
        ('"a - b #"', "\n      path: ${params.x<|>}.csv", '\n      path: "a - b #.csv"'),
        ("'\"'", '{path: "${params.x<|>}.csv"}', '{path: "\\".csv"}'),
        ("1", "\n      path: ${params.x<|>}${params.x}", '\n      path: "11"'),
    ],
)
def test_a_parameter_at_the_cursor_is_put_in(declared: str, config: str, inlined: str) -> None:
    marked = reader(
        config,
        f"{HEAD}params: {{x: {declared}}}\n" if ": b" not in declared else f'{HEAD}params: {{x: "{declared}"}}\n',
    )

    text = refactored(marked, "Inline the parameter `x`")

    assert text == reader(inlined)
    assert compiled_steps(text) == compiled_steps(selected(marked)[0])


@pytest.mark.parametrize(
    ("value", "sql", "inlined"),
    [
        ("it's", "SELECT '${params.x<|>}'", "SELECT 'it''s'"),
        ("[1, 2]", "SELECT 1 WHERE a IN ${params.x<|>}", "SELECT 1 WHERE a IN (1, 2)"),
        ("5", "SELECT 1 LIMIT ${params.x<|>}", "SELECT 1 LIMIT 5"),
        ("price", "SELECT ${params.x<|>} FROM df", "SELECT price FROM df"),
    ],
)
def test_in_sql_it_stands_as_it_was_compiled(value: str, sql: str, inlined: str) -> None:
    marked = query(sql, f"{HEAD}params:\n  x: {value}\n")

    text = refactored(marked, "Inline the parameter `x`")

    assert compiled_steps(text) == compiled_steps(selected(marked)[0])
    assert text in (query(inlined), query(f'"{inlined}"'))


def test_a_comment_in_sql_tells_the_value() -> None:
    marked = query("SELECT 1 /* ${params.x} */ + <|>${params.x}", f"{HEAD}params: {{x: 5}}\n")

    assert refactored(marked, "Inline the parameter `x`") == query("SELECT 1 /* 5 */ + 5")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("params: {x: {type: string, sensitive: true}}\n", "It is sensitive: its value must not stand in a pipeline."),
        ("params: {x: {type: string}}\n", "It has no default: its value is given when the pipeline runs."),
        ("params: {x: a}\nprofiles: {prod: {params: {x: b}}}\n", "The profile `prod` gives it another value."),
        (
            "x-all: &all {x: a}\nparams: *all\n",
            "Its declaration cannot be taken out: it stands behind an alias, or in braces on its own.",
        ),
    ],
)
def test_why_a_parameter_cannot_be_put_in(head: str, reason: str) -> None:
    assert offered(reader('{path: "<|>${params.x}"}', HEAD + head)) == [f"Inline the parameter `x`: {reason}"]
