"""Rename of a connection: in its file and in pipelines, what is refused, and what no rename finds."""

from __future__ import annotations

from typing import Any

import pytest
from marked import ENVIRONMENT, analysed, split

from osiris.ide.rename.check import RenameRefused
from osiris.ide.rename.connection import connection_under, edits_of, rename_alias
from osiris.language.analysis import analyse
from osiris.language.connections import parse_connections
from osiris.language.edits import applied
from osiris.language.environment import Environment

CONNECTIONS = """\
connections:
  sqlite:  # files
    'shop': {path: data/shop.db}
    reports: {path: out/reports.db}
    default: {path: x.db}
"""


def moved(old: str, new: str, pipeline: str) -> tuple[str, str]:
    """The connections file and a pipeline after the rename of a connection of the family ``sqlite``."""
    connections = parse_connections(CONNECTIONS)
    connection = connections.get("sqlite", old)
    assert connection is not None
    found = rename_alias(connections, connection, new)
    env = project_environment(connections=connections)
    edits = edits_of(found, analyse(pipeline, env), env)
    return applied(CONNECTIONS, [found.edit]), applied(pipeline, edits)


def project_environment(**known: Any) -> Environment:
    from osiris.language.environment import StaticEnvironment

    return StaticEnvironment(**known)


STEP = '- {id: a, component: sqlite.extractor, mode: read, config: {table: t, connection: "%s"}}'


def test_a_connection_is_renamed_in_its_file_and_in_a_pipeline() -> None:
    connections, pipeline = moved(
        "shop", "store", f"params: {{x: '@sqlite.shop'}}\nsteps:\n  {STEP % '@sqlite.shop'}\n"
    )

    assert connections == CONNECTIONS.replace("'shop'", "'store'")
    assert pipeline == f"params: {{x: '@sqlite.shop'}}\nsteps:\n  {STEP % '@sqlite.store'}\n"


def test_a_parameter_that_is_used_as_the_connection_is_changed_as_well() -> None:
    text = f"params: {{db: '@sqlite.shop'}}\nsteps:\n  {STEP % '${params.db}'}\n"

    assert moved("shop", "store", text)[1] == text.replace("@sqlite.shop", "@sqlite.store")


def test_an_alias_that_would_be_no_text_is_quoted_in_the_file() -> None:
    assert '"1": {path: out/reports.db}' in moved("reports", "1", "steps: []\n")[0]
    assert "'1': {path: data/shop.db}" in moved("shop", "1", "steps: []\n")[0]


@pytest.mark.parametrize(
    ("new_name", "message"),
    [
        ("reports", "There is a connection `@sqlite.reports` already."),
        ("a.b", "`a.b` cannot stand in `@sqlite.alias`: use letters, digits, `_` and `-`."),
        ("", "`` cannot stand in `@sqlite.alias`: use letters, digits, `_` and `-`."),
        ("@mysql.shop", "`@mysql.shop` cannot stand in `@sqlite.alias`: use letters, digits, `_` and `-`."),
    ],
)
def test_an_alias_that_cannot_be_used_is_refused(new_name: str, message: str) -> None:
    with pytest.raises(RenameRefused) as refused:
        moved("shop", new_name, "steps: []\n")

    assert str(refused.value) == message
    assert refused.value.bad_name


@pytest.mark.parametrize(
    ("old", "pipeline"),
    [
        ("shop", f"params: {{which: shop}}\nsteps:\n  {STEP % '@sqlite.${params.which}'}\n"),
        ("default", "steps:\n  - {id: a, component: sqlite.extractor, mode: read, config: {table: t}}\n"),
    ],
)
def test_a_use_of_a_connection_that_does_not_spell_it_out_is_found_by_its_consequence(old: str, pipeline: str) -> None:
    with pytest.raises(RenameRefused, match="After this rename the pipeline would no longer be the same"):
        moved(old, "new", pipeline)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("@sqlite.no<|>", "osiris_connections.yaml has no connection `@sqlite.no`, so there is nothing to rename."),
        ("@sql<|>ite.shop", "`sqlite` is the family of the connection, which its components decide: only `shop`"),
    ],
)
def test_what_is_no_alias_of_the_file_is_refused(reference: str, message: str) -> None:
    text, offset = split(f"steps:\n  {STEP % reference}\n")

    with pytest.raises(RenameRefused) as refused:
        connection_under(analysed(text), ENVIRONMENT, offset)

    assert str(refused.value).startswith(message)


def test_only_the_alias_of_a_reference_is_offered() -> None:
    text, offset = split(f"steps:\n  {STEP % '@sqlite.sh<|>op'}\n")
    found = connection_under(analysed(text), ENVIRONMENT, offset)

    assert found is not None
    assert text[slice(*found[0].span)] == found[0].name == "shop"
