"""Suggested references: parameters wherever they may stand, paths inside the project, codes in comments."""

from __future__ import annotations

from textwrap import dedent

import pytest
from marked import ENVIRONMENT, accept, labels, split, take

from osiris.ide.completion.complete import complete
from osiris.language.analysis import analyse
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment


def doc(text: str) -> str:
    return dedent(text.lstrip("\n"))


# -- parameters

STEP = "params: {region: EU, least: 3}\nsteps:\n  - id: a\n    component: filesystem.csv_extractor\n    config:\n      "


@pytest.mark.parametrize(
    ("typed", "label", "taken"),
    [
        ("path: <|>", "${params.region}", 'path: "${params.region}"'),
        ("limit: <|>", "${params.least}", 'limit: "${params.least}"'),
        ("path: '<|>'", "${params.region}", "path: '${params.region}'"),
        ('path: "data/${<|>"', "params.region", 'path: "data/${params.region}"'),
        ('path: "data/${pa<|>', "params.region", 'path: "data/${params.region}'),
        ("path: ${params.<|>", "params.region", "path: ${params.region}"),
        ("path: ${<|>}", "params.region", "path: ${params.region}"),
        ("columns: [<|>]", "${params.region}", 'columns: ["${params.region}"]'),
        ("columns: ['${p<|>']", "params.region", "columns: ['${params.region}']"),
        ("columns:\n        - <|>", "${params.region}", 'columns:\n        - "${params.region}"'),
        ("path: >\n        data/${<|>", "params.region", "path: >\n        data/${params.region}"),
        ('path: "a\n        ${<|>"', "params.region", 'path: "a\n        ${params.region}"'),
    ],
)
def test_a_parameter_may_stand_in_any_value_of_a_config(typed: str, label: str, taken: str) -> None:
    assert take(STEP + typed, label) == STEP + taken


@pytest.mark.parametrize(
    "place",
    ["component: ${<|>", "mode: <|>", "id: ${<|>", "needs: ['${<|>']", "config:\n      query: |\n        SELECT <|>"],
)
def test_a_parameter_is_not_offered_where_it_means_nothing(place: str) -> None:
    found = labels(f"params: {{x: 1}}\nsteps:\n  - id: first\n  - component: duckdb.processor\n    {place}")

    assert not [label for label in found if "params." in label]


def test_a_value_from_the_environment_is_not_shown() -> None:
    text, offset = split(STEP + "path: <|>")
    found = complete(analyse(text, ENVIRONMENT, environ={"OSIRIS_PARAM_REGION": "US-7"}), ENVIRONMENT, offset)

    assert found is not None
    details = {item.label: item.detail for item in found.items}
    assert details["${params.region}"] == "from the environment"
    assert "US-7" not in str(found)


# -- paths

PROJECT = StaticEnvironment(
    files=frozenset(
        ["data/orders.csv", "data/notes.md", "data/old/may.csv", "data/shop.db", "out/totals.csv", "osiris.yaml"]
    ),
    connections=parse_connections(
        "connections:\n"
        "  filesystem:\n"
        "    data: {base_dir: data}\n"
        "    out: {base_dir: '${OUT:-out}'}\n"
        "    lake: {base_dir: '${LAKE}'}\n"
    ),
    variables={"LAKE": "environment"},
)


def paths(component: str, config: str) -> list[str]:
    text, offset = split(f"steps:\n  - component: {component}\n    config:\n      {config}")
    found = complete(analyse(text, PROJECT), PROJECT, offset)
    return [item.label for item in found.items if item.kind.value in ("file", "folder")] if found else []


def test_what_is_read_comes_folder_by_folder_files_of_the_right_kind_first() -> None:
    assert paths("filesystem.csv_extractor", "path: <|>") == ["data/", "out/", "osiris.yaml"]
    assert paths("filesystem.csv_extractor", "path: data/<|>") == [
        "data/orders.csv",
        "data/old/",
        "data/notes.md",
        "data/shop.db",
    ]
    assert paths("sqlite.extractor", 'path: "data/<|>"')[0] == "data/shop.db"


def test_what_is_written_gets_folders_only() -> None:
    assert paths("filesystem.csv_writer", "path: <|>") == ["data/", "out/"]


def test_a_path_starts_from_the_folder_of_the_connection_or_of_the_step() -> None:
    assert paths("filesystem.csv_extractor", 'connection: "@filesystem.data"\n      path: <|>')[0] == "orders.csv"
    assert paths("filesystem.csv_extractor", 'connection: "@filesystem.out"\n      path: <|>') == ["totals.csv"]
    assert paths("filesystem.csv_extractor", "base_dir: data/old\n      path: <|>") == ["may.csv"]
    assert paths("filesystem.csv_extractor", "base_dir: data/<|>") == ["data/old/"]


def test_nothing_is_offered_where_only_a_run_knows_the_folder_or_outside_the_project() -> None:
    assert paths("filesystem.csv_extractor", 'connection: "@filesystem.lake"\n      path: <|>') == []
    assert paths("filesystem.csv_extractor", "path: ../<|>") == []
    assert paths("filesystem.csv_extractor", "path: /<|>") == []
    assert paths("filesystem.csv_extractor", "path: data/../../<|>") == []
    assert paths("filesystem.csv_extractor", 'path: "${params.x}/<|>"') == []


def test_a_path_in_quotes_and_one_that_needs_them() -> None:
    env = StaticEnvironment(files=frozenset(["it's: #1.csv"]))

    def taken(path: str) -> str:
        text, offset = split(f"steps:\n  - component: filesystem.csv_extractor\n    config:\n      path: {path}")
        found = complete(analyse(text, env), env, offset)
        assert found is not None
        return accept(text, found, found.items[0]).rpartition("path: ")[2]

    assert taken("<|>") == '"it\'s: #1.csv"'
    assert taken("'<|>'") == "'it''s: #1.csv'"


# -- codes in comments that suppress findings

SECRET = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"


def test_the_codes_of_a_line_are_offered_in_its_comment() -> None:
    line = f"name: Orders {SECRET} # osiris: ignore[%s"

    assert labels(line % "<|>") == ["OML111", "OML504"]
    assert take(line % "O<|>", "OML504") == line % "OML504]"
    assert take(line % "OML111, <|>]", "OML504") == line % "OML111, OML504]"


def test_a_comment_of_its_own_holds_for_the_line_below() -> None:
    assert labels("# osiris: ignore[<|>\nname: Big Orders\n") == ["OML111"]


def test_a_comment_in_sql_holds_for_its_line() -> None:
    query = doc("""
        steps:
          - id: a
            component: sqlite.extractor
          - id: b
            component: duckdb.processor
            config:
              query: |
                SELECT * FROM df_a,""")

    assert labels(query + " df_nothing -- osiris: ignore[<|>") == ["OML405"]


def test_findings_that_cannot_be_ignored_are_not_offered() -> None:
    assert labels("steps: 1 # osiris: ignore[<|>]") == []
