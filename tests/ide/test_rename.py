"""Rename at the cursor ``<|>``: what the document says afterwards, what is refused, and that nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import ENVIRONMENT, analysed, split

from osiris.core.compiler_v0 import compile_oml
from osiris.core.project import Project
from osiris.ide.rename.check import RenameRefused
from osiris.ide.rename.document import renamable, rename
from osiris.language.analysis import Analysis, analyse
from osiris.language.edits import applied
from osiris.language.naming import table_name
from osiris.language.symbols import symbols

EXAMPLES = Path(__file__).parents[2] / "examples"


def renamed(marked: str, new_name: str) -> str:
    """The text after the rename."""
    text, offset = split(marked)
    return applied(text, rename(analysed(text), ENVIRONMENT, offset, new_name))


def changed(marked: str, new_name: str) -> list[str]:
    """The lines that a rename changes, as they are afterwards."""
    before, after = split(marked)[0].splitlines(), renamed(marked, new_name).splitlines()
    assert len(before) == len(after)
    return [new.strip() for old, new in zip(before, after, strict=True) if old != new]


def refusal(marked: str, new_name: str = "new") -> str:
    with pytest.raises(RenameRefused) as refused:
        renamed(marked, new_name)
    return str(refused.value)


def test_a_step_is_renamed_where_it_is_needed_taken_in_and_queried() -> None:
    assert renamed(
        """
        steps:
          # The orders.
          - id: "extract-or<|>ders"   # df_extract_orders
            component: sqlite.extractor
            mode: read
            config: {connection: "@sqlite.shop", table: extract-orders}
          - id: total
            component: duckdb.processor
            mode: transform
            needs: ['extract-orders']
            config:
              query: |
                SELECT DF_EXTRACT_ORDERS.id, 'df_extract_orders' AS s, count(*) -- df_extract_orders
                FROM df_extract_orders JOIN "Df_Extract_Orders" AS o USING (id)
          - id: both
            component: duckdb.processor
            mode: transform
            inputs: {df_extract_orders: "${extract-orders.df}", t: "${ total.df }"}
            config: {query: "SELECT * FROM \\"df_extract_orders\\", t"}
        """,
        "1st",
    ) == dedent("""\
        steps:
          # The orders.
          - id: "1st"   # df_extract_orders
            component: sqlite.extractor
            mode: read
            config: {connection: "@sqlite.shop", table: extract-orders}
          - id: total
            component: duckdb.processor
            mode: transform
            needs: ['1st']
            config:
              query: |
                SELECT DF__1ST.id, 'df_extract_orders' AS s, count(*) -- df_extract_orders
                FROM df__1st JOIN "df__1st" AS o USING (id)
          - id: both
            component: duckdb.processor
            mode: transform
            inputs: {df__1st: "${1st.df}", t: "${ total.df }"}
            config: {query: "SELECT * FROM \\"df__1st\\", t"}
        """)


def test_a_rename_can_start_in_sql() -> None:
    assert changed(
        """
        steps:
          - {id: orders, component: sqlite.extractor, mode: read, config: {table: orders}}
          - id: total
            component: duckdb.processor
            mode: transform
            config: {query: SELECT * FROM df_ord<|>ers}
        """,
        "sales",
    ) == [
        "- {id: sales, component: sqlite.extractor, mode: read, config: {table: orders}}",
        "config: {query: SELECT * FROM df_sales}",
    ]


def test_the_name_to_start_typing_from_is_the_id_also_in_sql() -> None:
    text, offset = split("""
        steps:
          - {id: raw-orders, component: sqlite.extractor, mode: read}
          - {id: total, component: duckdb.processor, mode: transform, config: {query: SELECT * FROM df_raw_<|>orders}}
        """)
    found = renamable(analysed(text), offset)

    assert found is not None
    assert found.name == "raw-orders"
    assert text[slice(*found.span)] == "df_raw_orders"


def test_a_parameter_is_renamed_in_its_declaration_the_profiles_and_all_text() -> None:
    assert changed(
        """
        params:
          min: {type: integer, default: 1}
        profiles:
          prod: {params: {min: 2, max: 3}}
        steps:
          - id: min
            component: duckdb.processor
            mode: transform
            description: "at least ${params.min}"
            config: {query: "SELECT ${params.m<|>in} AS min, '${ params.min }' -- ${params.min}"}
        """,
        "at_least",
    ) == [
        "at_least: {type: integer, default: 1}",
        "prod: {params: {at_least: 2, max: 3}}",
        'description: "at least ${params.at_least}"',
        "config: {query: \"SELECT ${params.at_least} AS min, '${ params.at_least }' -- ${params.at_least}\"}",
    ]


def test_a_profile_is_renamed_and_quoted_where_that_is_needed() -> None:
    assert changed("profiles:\n  pr<|>od: {}\n", "2025") == ['"2025": {}']
    assert changed("profiles:\n  'pr<|>od': {}\n", "it's") == ["'it''s': {}"]
    assert changed("profiles:\n  pr<|>od: {}\n", "on") == ['"on": {}']


def test_an_id_that_would_be_read_as_a_number_is_put_in_quotes() -> None:
    assert changed("steps:\n  - id: orders<|>\n  - {id: b, needs: [orders]}\n", "1e3") == [
        '- id: "1e3"',
        '- {id: b, needs: ["1e3"]}',
    ]


def test_of_two_equal_ids_each_can_be_renamed_by_itself() -> None:
    first = "steps:\n  - id: a<|>\n  - id: a\n  - {id: b, needs: [a]}\n"
    second = "steps:\n  - id: a\n  - id: a<|>\n  - {id: b, needs: [a]}\n"

    assert renamed(first, "new") == "steps:\n  - id: new\n  - id: a\n  - {id: b, needs: [new]}\n"
    assert renamed(second, "new") == "steps:\n  - id: a\n  - id: new\n  - {id: b, needs: [a]}\n"


def test_a_change_of_case_alone_is_a_rename_as_well() -> None:
    assert changed("steps:\n  - id: Ord<|>ers\n  - {id: b, needs: [Orders]}\n", "orders") == [
        "- id: orders",
        "- {id: b, needs: [orders]}",
    ]


def test_in_a_broken_document_what_can_be_read_is_renamed() -> None:
    assert changed(
        """
        steps:
          - id: orders
            component: sqlite.extractor
            config: {table: "orders
          - id: total
            needs: [ord<|>ers
            mode
          - id: last
            needs: [orders, tot
        """,
        "sales",
    ) == ["- id: sales", "needs: [sales", "needs: [sales, tot"]


def test_windows_line_ends_emoji_and_escapes_stay_as_they_are() -> None:
    text = (
        "steps:\r\n  - id: orders # 🚀\r\n    component: sqlite.extractor\r\n    mode: read\r\n"
        "  - id: t\r\n    component: duckdb.processor\r\n    mode: transform\r\n    config:\r\n"
        '      query: "SELECT \'\\U0001F680\\t\'\r\n\r\n        FROM \\"df_orders\\" AS o"\r\n'
    )
    edits = rename(analysed(text), ENVIRONMENT, text.index("orders"), "a.b")

    assert applied(text, edits) == text.replace("id: orders", "id: a.b").replace("df_orders", "df_a_b")


# -- refusals


TWO = """
    params: {max_rows: 1, old: 2}
    profiles: {prod: {}, test: {}}
    steps:
      - {id: a-b, component: sqlite.extractor, mode: read, config: {table: t, connection: "@sqlite.shop"}}
      - {id: other, component: sqlite.extractor, mode: read, needs: [], config: {table: "${params.old}"}}
      - id: both
        component: duckdb.processor
        mode: transform
        needs: [a-b, other]
        config: {query: "WITH df_cte AS (SELECT 1) SELECT * FROM df_a_b, df_other, df_cte"}
    """


@pytest.mark.parametrize(
    ("place", "new_name", "message"),
    [
        ("id: oth<|>er", "a b", "`a b` contains a space. Ids name files: use letters, digits, `_`, `-` and `.`."),
        ("id: oth<|>er", "", "The new id is empty. Ids name files: use letters, digits, `_`, `-` and `.`."),
        ("id: oth<|>er", "params", "`params` is taken by `${params...}`. Ids name files"),
        ("id: oth<|>er", "nul", "`nul` is a reserved file name on Windows"),
        ("id: oth<|>er", "Both", "There is a step `both` already, in line 6. (Capital letters make no difference.)"),
        ("id: oth<|>er", "a.b", "The step `both` would see two tables `df_a_b`: one more is that of `a-b`."),
        ("id: oth<|>er", "cte", "The SQL of the step `both` uses the name `df_cte` already, for something of its own."),
        ("o<|>ld: 2", "1st", "`1st` is no name for a parameter: use a letter or `_`"),
        ("o<|>ld: 2", "max_rows", "There is a parameter `max_rows` already."),
        (
            "o<|>ld: 2",
            "MAX-rows",
            "`MAX-rows` and the parameter `max_rows` would both be given by OSIRIS_PARAM_MAX_ROWS.",
        ),
        ("o<|>ld: 2", "x-old", "`x-old` cannot be the name of a parameter: keys that start with `x-` are notes."),
        ("te<|>st: {}", "Prod", "There is a profile `prod` already. (Capital letters make no difference.)"),
        ("te<|>st: {}", "a/b", "`a/b` contains `/`, so it cannot name the folder `build/<name>/<profile>/`."),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_reason(place: str, new_name: str, message: str) -> None:
    assert refusal(TWO.replace(place.replace("<|>", ""), place), new_name).startswith(message)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            "steps:\n  - component: sqlite.<|>extractor\n",
            "`sqlite.extractor` cannot be renamed: it is the name of an installed component. Write another one",
        ),
        ("steps:\n  - {id: a, needs: [nob<|>ody]}\n", "There is no step `nobody` in this file, so there is nothing to"),
        (
            "steps:\n  - {config: {a: '${params.n<|>o}'}}\n",
            "There is no parameter `no` in this file, so there is nothing",
        ),
        ("steps:\n  - mo<|>de: read\n", "There is nothing to rename here. Put the cursor on a name."),
        (
            "steps:\n  - id: a\n    component: sqlite.extractor\n    mode: read\n  - id: b\n"
            "    component: duckdb.processor\n    mode: transform\n    config: {query: SELECT * FROM d<|>f}\n",
            "`df` is no name of its own: it stands for the data of `a`. Rename that step.",
        ),
        (
            "steps:\n  - id: a\n  - {id: b, needs: &n [a]}\n  - {id: c, needs: *n<|>}\n",
            "`a` comes from somewhere else in the file. Rename it where it is written.",
        ),
    ],
)
def test_what_cannot_be_renamed_says_why(marked: str, message: str) -> None:
    assert refusal(marked).startswith(message)


def test_a_name_that_sql_gives_a_meaning_of_its_own_too_is_refused() -> None:
    message = refusal("""
        steps:
          - {id: a<|>, component: sqlite.extractor, mode: read}
          - id: b
            component: duckdb.processor
            mode: transform
            config:
              query: |
                WITH df_a AS (SELECT * FROM df_a)
                SELECT * FROM df_a
        """)

    assert message.startswith("The SQL of the step `b` also uses `df_a` as a name of its own, in line 8.")


def test_a_use_that_no_rename_finds_is_found_by_its_consequence() -> None:
    message = refusal("x-all: &all [a]\nsteps:\n  - id: a<|>\n  - {id: b, needs: *all}\n")

    assert message.startswith("After this rename the pipeline would no longer be the same: There is no step `a`.")


@pytest.mark.parametrize(
    "where", ["params: {table: df_a}", "profiles: {prod: {params: {table: df_a}}}\nparams: {table: df}"]
)
def test_a_table_that_sql_takes_from_a_parameter_is_refused(where: str) -> None:
    steps = """
steps:
  - {id: a<|>, component: sqlite.extractor, mode: read}
  - {id: b, component: duckdb.processor, mode: transform, config: {query: "SELECT * FROM ${params.table}"}}
"""

    assert refusal(where + steps).startswith("The SQL of the step `b` takes the name `df_a` from a parameter.")


def test_an_anchor_among_the_needs_is_renamed_once_for_all_its_aliases() -> None:
    assert changed("steps:\n  - id: a<|>\n  - {id: b, needs: &n [a]}\n  - {id: c, needs: *n}\n", "z") == [
        "- id: z",
        "- {id: b, needs: &n [z]}",
    ]


# -- the meaning stays


def outcome(analysis: Analysis) -> list[tuple[str, int]]:
    """The findings without their words, in which names may stand."""
    lines = analysis.document.lines
    return [(d.code, lines.line_of(d.span.start)) for d in analysis.diagnostics]


PLACES = [
    (path, symbol.kind, symbol.name, symbol.span.start)
    for path in sorted(EXAMPLES.rglob("*.oml.yaml"))
    for symbol in symbols(analyse(path.read_text(encoding="utf-8"), Project.find(path).environment(path)))
    if symbol.kind in ("step", "param", "profile") and symbol.spelling != "another"
]


@given(
    st.sampled_from(PLACES),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True) | st.sampled_from(["1e3", "a.b", "2025-01", "N-o"]),
)
def test_renaming_anything_in_an_example_changes_names_alone(place: tuple[Path, str, str, int], new_name: str) -> None:
    path, kind, old_name, offset = place
    env = Project.find(path).environment(path)
    text = path.read_text(encoding="utf-8")
    before = analyse(text, env)
    try:
        edits = rename(before, env, offset, new_name)
    except RenameRefused:
        return
    after_text = applied(text, edits)
    after = analyse(after_text, env)

    assert outcome(after) == outcome(before)
    moved = sum(len(e.new_text) - (e.span.end - e.span.start) for e in edits if e.span.start < offset)
    back = rename(after, env, offset + moved + 1, old_name)
    assert plain(applied(after_text, back)) == plain(text)
    if before.ok:
        assert manifest(after_text, path) == renamed_manifest(manifest(text, path), kind, old_name, new_name)


def plain(text: str) -> str:
    """A text without quotes, of which a number-like name needed some, and without case, which SQL passes over."""
    return text.replace('"', "").lower()


def manifest(text: str, path: Path) -> Any:
    made = compile_oml(text, project=Project.find(path), environ={})
    return {key: value for key, value in made.items() if not key.startswith("fingerprint")}


def renamed_manifest(made: Any, kind: str, old: str, new: str) -> Any:
    """A manifest in which a name is another one: values and keys that are the name, and the table in texts."""
    if kind == "profile":
        return made
    if kind == "param":
        return {**made, "params": {new if name == old else name: value for name, value in made["params"].items()}}
    return {**made, "steps": [_renamed_step(step, old, new) for step in made["steps"]]}


def _renamed_step(step: Any, old: str, new: str) -> Any:
    def table(text: str) -> str:
        return text.replace(table_name(old), table_name(new))

    made = {**step, "id": new if step["id"] == old else step["id"]}
    made["needs"] = [new if need == old else need for need in step["needs"]]
    made["inputs"] = {table(name): new if source == old else source for name, source in step["inputs"].items()}
    if "query" in step["config"] and "df_" in step["config"]["query"]:
        made["config"] = {**step["config"], "query": table(step["config"]["query"])}
    return json.loads(json.dumps(made))


@pytest.mark.parametrize(
    "text",
    [
        "steps: [{id: <|>a, component: sqlite.extractor, mode: read, config: {table: t}},\n"
        "  {id: b, component: duckdb.processor, mode: transform, needs: [a], config: {query: SELECT 1 FROM df_a}}]\n",
        "{name: x, steps: [{id: <|>a, component: sqlite.extractor, mode: read, config: {table: t}},\n"
        "  {id: b, component: duckdb.processor, mode: transform, needs: [a], config: {query: SELECT 1 FROM df_a}}]}\n",
    ],
    ids=["a list in brackets", "a document in braces"],
)
def test_any_step_in_flow_style_is_renamed(text: str) -> None:
    expected = text.replace("<|>a", "new").replace("[a]", "[new]").replace("df_a", "df_new")

    assert renamed(text, "new") == expected
