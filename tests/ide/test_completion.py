"""What is suggested at a cursor ``<|>``, in which order, and what the document looks like once it is taken."""

from __future__ import annotations

from textwrap import dedent

import pytest
from marked import labels, suggestions, take

from osiris.ide.completion.suggestion import ItemKind


def doc(text: str) -> str:
    return dedent(text.lstrip("\n"))


# -- keys


@pytest.mark.parametrize(
    "place",
    [
        "<|>",
        "params:\n  day:\n    <|>",
        "profiles:\n  prod:\n    <|>",
        "params: {day: 1}\nprofiles:\n  prod:\n    params:\n      <|>",
        "steps:\n  - <|>",
        "steps:\n  - id: a\n    component: filesystem.csv_extractor\n  - id: b\n    <|>",
        "steps:\n  - id: a\n    component: filesystem.csv_extractor\n    config:\n      <|>",
        "steps:\n  - id: a\n    component: sqlite.writer\n    config:\n      <|>",
        "steps:\n  - id: a\n    component: duckdb.processor\n    config: {<|>}",
        "steps:\n  - {id: a, <|>}",
        "steps:\n  - id: a\n    retry:\n      <|>",
    ],
)
def test_a_key_asks_for_more_suggestions_where_there_are_some_and_nowhere_else(place: str) -> None:
    found = suggestions(place)
    assert found is not None

    told = {item.label: item.again for item in found.items if item.kind is ItemKind.KEY}

    assert told == {label: there_is_more(place, label) for label in told}
    assert told


def there_is_more(place: str, label: str) -> bool:
    taken = take(place, label, snippet=True)
    end = taken.index("<0>") if "<0>" in taken else len(taken) - len(place.partition("<|>")[2])
    return labels(taken[:end] + "<|>" + taken[end:].removeprefix("<0>")) != []


def test_an_empty_document_gets_a_whole_pipeline_and_the_required_keys_first() -> None:
    assert labels("<|>")[:5] == ["pipeline", "oml_version", "name", "steps", "description"]
    assert take("<|>", "pipeline", snippet=True) == doc("""
        oml_version: "0.1.0"
        name: <1:my-pipeline>

        steps:
          - id: <2:step-id>
            component: <3>
            mode: <4|read,transform,write|><0>""")


def test_keys_of_the_top_level_bring_what_they_hold() -> None:
    assert take("name: x\n<|>", "oml_version", snippet=True) == 'name: x\noml_version: "0.1.0"<0>'
    assert take("name: x\n<|>", "params", snippet=True) == "name: x\nparams:\n  <1:name>: <2:value>"
    assert take("name: x\n<|>", "profiles", snippet=True) == doc("""
        name: x
        profiles:
          <1:prod>:
            params:
              <0>""")
    assert take("name: x\n<|>", "steps") == "name: x\nsteps:\n  - "


def test_keys_that_are_there_are_left_out_also_below_the_cursor() -> None:
    found = labels("""
        oml_version: "0.1.0"
        <|>
        name: x
        steps: []
        """)

    assert found == ["description", "params", "profiles", "schedule", "metadata"]


def test_a_half_typed_key_of_a_step() -> None:
    before, after = "steps:\n  - id: a\n    ", "\n  - id: b\n"

    assert take(f"{before}comp<|>{after}", "component") == f"{before}component: {after}"


def test_a_key_that_has_its_colon_keeps_its_value() -> None:
    assert take("steps:\n  - id: a\n    mo<|>: read", "mode") == "steps:\n  - id: a\n    mode: read"


def test_a_dash_gets_the_keys_of_a_step_and_a_whole_step() -> None:
    assert labels("steps:\n  - <|>")[:4] == ["step", "id", "component", "mode"]
    assert take("steps:\n  - <|>", "step", snippet=True) == doc("""
        steps:
          - id: <1:step-id>
            component: <2>
            mode: <3|read,transform,write|><0>""")


def test_a_whole_step_of_a_component_with_its_connection_and_a_fresh_id() -> None:
    before = "steps:\n  - id: extract-sqlite\n  "

    found = labels(before + "<|>")
    assert found[0] == "step"
    assert {"read sqlite.extractor", "transform duckdb.processor", "write postgres.writer"} < set(found)
    assert take(before + "<|>", "read sqlite.extractor", snippet=True) == before + doc("""
        - id: <1:extract-sqlite-2>
            component: sqlite.extractor
            mode: read
            config:
              connection: <2|"@sqlite.shop","@sqlite.reports"|>
              table: <3>""")
    assert take("steps:\n- <|>", "transform duckdb.processor", snippet=True) == doc("""
        steps:
        - id: <1:transform>
          component: duckdb.processor
          mode: transform
          config:
            query: |
              <2>""")


def test_a_dash_without_a_blank_gets_one() -> None:
    assert take("steps:\n  -<|>", "id") == "steps:\n  - id: "


def test_the_column_of_the_dashes_gets_a_new_step_with_its_dash() -> None:
    assert take("steps:\n  - id: a\n  <|>", "step") == "steps:\n  - id: a\n  - id: "


def test_a_key_typed_too_deep_is_put_into_its_column() -> None:
    assert take("steps:\n  - id: a\n        mo<|>", "mode") == "steps:\n  - id: a\n    mode: "


def test_config_brings_what_the_component_needs() -> None:
    assert take(
        """
        steps:
          - id: a
            component: sqlite.extractor
            <|>
        """,
        "config",
        snippet=True,
    ) == doc("""
        steps:
          - id: a
            component: sqlite.extractor
            config:
              connection: <1|"@sqlite.shop","@sqlite.reports"|>
              table: <2>
        """)


def test_config_of_a_query_opens_a_block() -> None:
    assert take("steps:\n  - component: duckdb.processor\n    <|>", "config", snippet=True) == doc("""
        steps:
          - component: duckdb.processor
            config:
              query: |
                <1>""")


def test_config_keys_come_from_the_component_required_ones_first() -> None:
    found = labels("""
        steps:
          - component: filesystem.csv_extractor
            config:
              delimiter: ";"
              <|>
        """)

    assert found[:2] == ["path", "connection"]
    assert "delimiter" not in found
    assert "chunk_size" not in found, "it has no effect any more"


def test_config_keys_in_a_step_that_is_half_typed() -> None:
    before = "steps:\n  - id: a\n    component: duckdb.processor\n    mo\n    config:\n      "
    after = "\n  - id: b\n"

    assert take(f"{before}<|>{after}", "query") == f"{before}query: |\n        {after}"


def test_keys_in_braces_stay_on_the_line() -> None:
    assert take("steps:\n  - component: duckdb.processor\n    config: {<|>}", "query") == doc("""
        steps:
          - component: duckdb.processor
            config: {query: }""")


def test_the_keys_of_a_parameter() -> None:
    assert labels("params:\n  x:\n    <|>")[:3] == ["type", "default", "description"]


def test_the_parameters_of_a_profile() -> None:
    assert labels("params:\n  x: 1\n  y: 2\nprofiles:\n  prod:\n    params:\n      x: 3\n      <|>") == ["y"]


# -- components


def test_a_component_brings_its_mode_and_what_its_config_needs() -> None:
    assert take("steps:\n  - id: a\n    component: sq<|>\n", "sqlite.extractor", snippet=True) == doc("""
        steps:
          - id: a
            component: sqlite.extractor
            mode: read
            config:
              connection: <1|"@sqlite.shop","@sqlite.reports"|>
              table: <2>
        """)


def test_the_only_connection_is_put_in_without_a_question() -> None:
    assert take("steps:\n  - component: <|>\n    mode: read\n", "mysql.extractor", snippet=True) == doc("""
        steps:
          - component: mysql.extractor
            config:
              connection: "@mysql.crm"
              query: <1>
            mode: read
        """).replace("query: <1>", "query: |\n        <1>")


@pytest.mark.parametrize(
    "place",
    [
        "steps:\n  - component: <|>\n    mode: read\n    config: {}\n",
        "steps:\n  - component: <|> # the reader\n",
        "steps:\n  - {component: <|>}\n",
        "steps:\n  - component: '<|>'\n",
    ],
    ids=["all is there", "a comment follows", "in braces", "in quotes"],
)
def test_a_component_comes_alone_where_nothing_can_be_added(place: str) -> None:
    assert take(place, "mysql.extractor", snippet=True) == place.replace("<|>", "mysql.extractor")


def test_a_component_typed_in_full_comes_alone_so_that_enter_breaks_the_line() -> None:
    half, whole = "steps:\n  - component: duckdb.proc<|>\n", "steps:\n  - component: duckdb.processor<|>\n"

    assert "mode: transform" in take(half, "duckdb.processor", snippet=True)
    assert take(whole, "duckdb.processor", snippet=True) == whole.replace("<|>", "")
    found = suggestions(half)
    assert found is not None
    assert found.incomplete, "the editor must ask again when more is typed"


# -- values


def test_components_that_allow_the_mode_come_first() -> None:
    found = labels("steps:\n  - mode: transform\n    component: <|>")

    assert found[0] == "duckdb.processor"
    assert "sqlite.extractor" in found


def test_modes_are_those_of_the_component() -> None:
    assert labels("steps:\n  - component: sqlite.writer\n    mode: <|>") == ["write"]
    assert labels("steps:\n  - mode: <|>") == ["read", "transform", "write"]


def test_a_value_directly_behind_the_colon_gets_its_blank() -> None:
    assert take("steps:\n  - mode:<|>", "read") == "steps:\n  - mode: read"
    assert take("steps:\n  - {mode:<|>}", "read") == "steps:\n  - {mode: read}"


def test_a_value_replaces_the_whole_word_under_the_cursor() -> None:
    assert take("steps:\n  - mode: tr<|>ansfer # move\n", "transform") == "steps:\n  - mode: transform # move\n"


def test_allowed_values_booleans_and_the_default() -> None:
    config = "steps:\n  - component: filesystem.csv_extractor\n    config:\n      "

    assert labels(config + "encoding: <|>") == ["utf-8", "utf-16", "ascii", "latin-1", "iso-8859-1"]
    assert labels(config + "skip_blank_lines: <|>") == ["true", "false"]
    assert labels(config + "limit: <|>") == []
    assert labels(config + "skip_rows: <|>") == ["0"]


def test_a_value_is_quoted_where_yaml_needs_it() -> None:
    config = "steps:\n  - component: filesystem.csv_extractor\n    config:\n      delimiter: "

    assert take(config + "<|>", ";") == config + '";"'
    assert take(config + '"<|>"', ";") == config + '";"'


def test_connections_are_those_of_the_family_the_default_first() -> None:
    marked = "steps:\n  - component: sqlite.extractor\n    config:\n      connection: <|>"

    assert labels(marked) == ["@sqlite.shop", "@sqlite.reports"]
    assert take(marked, "@sqlite.shop") == marked.replace("<|>", '"@sqlite.shop"')
    assert take(marked.replace("<|>", '"@<|>"'), "@sqlite.shop") == marked.replace("<|>", '"@sqlite.shop"')


def test_without_a_component_all_connections_are_offered() -> None:
    assert labels("steps:\n  - id: a\n    config:\n      connection: <|>") == [
        "@mysql.crm",
        "@sqlite.reports",
        "@sqlite.shop",
    ]


# -- references

CHAIN = """
    steps:
      - id: first
        component: sqlite.extractor
      - id: second
        component: duckdb.processor
        needs: [first]
      - id: third
        component: sqlite.extractor
        needs: []
      - id: fourth
        component: duckdb.processor
        needs: [third, second]
    """


def test_needs_offers_no_step_that_waits_for_this_one() -> None:
    assert labels(CHAIN.replace("needs: [first]", "needs: [<|>]")) == ["first", "third"]


def test_needs_offers_the_nearest_step_first_and_none_twice() -> None:
    assert labels(CHAIN.replace("[third, second]", "[third, <|>]")) == ["second", "first"]


def test_needs_without_brackets_gets_them() -> None:
    text = CHAIN.replace("needs: [first]", "needs: <|>")

    assert take(text, "first") == doc(CHAIN)


def test_needs_as_a_list_of_dashes() -> None:
    assert take("steps:\n  - id: a\n  - id: b\n    needs:\n      <|>", "a") == doc("""
        steps:
          - id: a
          - id: b
            needs:
              - a""")


def test_inputs_come_from_steps_that_hand_on_data() -> None:
    steps = "steps:\n  - id: a\n    mode: read\n  - id: w\n    mode: write\n  - id: b\n    inputs:"

    assert labels(steps + "\n      <|>") == ["df", "df_a"]
    assert labels(steps + "\n      df: <|>") == ["${a.df}"]
    assert labels(steps + " {df: '${<|>'}") == ["a.df"]


def test_inputs_name_the_table_and_the_data_of_a_step() -> None:
    assert labels("steps:\n  - id: get-it\n  - id: b\n    inputs:\n      <|>") == ["df", "df_get_it"]
    assert take('steps:\n  - id: a\n  - id: b\n    inputs:\n      df: "${<|>"', "a.df") == doc("""
        steps:
          - id: a
          - id: b
            inputs:
              df: "${a.df}\"""")


PARAMS = """
    params:
      region: EU
      key: {sensitive: true}
    steps:
      - id: a
        component: duckdb.processor
        config:
          query: |
            SELECT * FROM df WHERE region = '%s'
    """


def test_parameters_inside_sql() -> None:
    assert take(PARAMS % "${pa<|>", "params.region") == doc(PARAMS % "${params.region}")
    assert take(PARAMS % "${<|>params.x}", "params.region") == doc(PARAMS % "${params.region}")


def test_a_parameter_shows_its_value_unless_it_is_secret() -> None:
    found = suggestions(PARAMS % "${<|>")

    assert found is not None
    assert [(item.label, item.detail) for item in found.items] == [("params.region", "`EU`"), ("params.key", "secret")]


def test_a_step_below_an_unclosed_quote_is_completed_as_its_lines_say() -> None:
    broken = "steps:\n  ' id: read\n  - id: write\n    "

    assert "duckdb.processor" in labels(broken + "component: <|>\n")
    assert labels(broken + "needs: [<|>]\n") == []


# -- nothing to suggest


def test_nothing_is_suggested_in_sql_comments_and_names() -> None:
    assert labels("steps:\n  - component: duckdb.processor\n    config:\n      query: |\n        SELECT '<|>") == []
    assert labels("name: x # <|>") == []
    assert labels("name: <|>") == []
    assert labels("steps:\n  - id: <|>") == []


def test_more_than_300_are_marked_as_incomplete_and_narrowed_by_what_is_typed() -> None:
    steps = "".join(f"  - id: s{number}\n    needs: []\n" for number in range(400))

    everything = suggestions(f"steps:\n{steps}  - id: last\n    needs: [<|>]\n")
    narrowed = suggestions(f"steps:\n{steps}  - id: last\n    needs: [s39<|>]\n")

    assert everything is not None
    assert (len(everything.items), everything.incomplete) == (300, True)
    assert narrowed is not None
    assert (len(narrowed.items), narrowed.incomplete) == (11, False)


def test_of_keys_that_exclude_each_other_the_second_is_not_suggested() -> None:
    step = "steps:\n  - id: a\n    component: sqlite.extractor\n    config:\n      {written}<|>\n"

    assert {"table", "query"} <= set(labels(step.replace("{written}", "")))
    assert "query" not in labels(step.replace("{written}", "table: t\n      "))
    assert "query" in labels(step.replace("{written}", "que"))
