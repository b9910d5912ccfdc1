"""The table of codes: every code is explained, and its example shows it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import planned
from osiris.components.registry import ComponentRegistry
from osiris.core.dotenv_checks import dotenv_findings
from osiris.core.schema_lock_reader import read_lock
from osiris.language.analysis import analyse
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.connection_checks import variable_findings
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.syntax.code_examples import CONNECTIONS, FILES, FOUND, LOCKED, PIPELINES
from osiris.syntax.codes import CODES
from osiris.syntax.codes_markdown import diagnostics_markdown

# A file of 20 MB, and one that is not text.
WITHOUT_EXAMPLE = {"OML010", "OML014"}
WITH_EXAMPLE = [code for code in CODES if code < "OML6" and code not in WITHOUT_EXAMPLE]


def reading(tables):
    columns = {("", table): tuple(Column(name, "TEXT") for name in names) for table, names in tables.items()}
    infos = [TableInfo("", name) for name in tables]
    return Catalog("@sqlite.shop", "sqlite", infos, columns, read_at=datetime.now(UTC) - timedelta(minutes=1))


def findings(example):
    if example.startswith("connections:"):
        read = parse_connections(example, ComponentRegistry.builtin())
        return [*read.diagnostics, *variable_findings(read.document, {"MYSQL_PASSWORD"}.__contains__)]
    if example.startswith("{"):
        return read_lock(example)[1]
    if example.startswith("# .env"):
        return dotenv_findings(example, ["region"])
    first = example.partition("\n")[0]
    connections = None if first == "# no connections file" else parse_connections(CONNECTIONS)
    # Examples may use components that cannot run yet; that hint has an example of its own.
    hidden = {} if example == CODES["OML129"].example else {"OML129": None}
    env = StaticEnvironment(
        registry=planned.registry(),
        connections=connections,
        files=frozenset(FILES),
        pipelines=PIPELINES,
        severities=hidden,
        schemas={"@sqlite.shop": SchemaKnowledge(reading(LOCKED), reading(FOUND))},
    )
    options = {}
    if first.startswith("# --profile "):
        options["profile"] = first.split()[2]
    if first.startswith("# --param "):
        name, _, value = first.split()[2].partition("=")
        options["params"] = {name: value}
    return analyse(example, env, **options).diagnostics


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_the_example_of_a_code_shows_that_code_alone(code):
    found = findings(CODES[code].example)
    assert {d.code for d in found} == {code}
    assert all(d.message and not d.message.startswith(code) for d in found)


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_a_finding_that_can_be_mended_is_gone_after_its_preferred_fix(code):
    example = CODES[code].example
    for finding in findings(example):
        for fix in finding.fixes:
            if not fix.preferred or fix.path is not None:
                continue
            mended = example
            for edit in sorted(fix.edits, key=lambda e: e.span, reverse=True):
                mended = mended[: edit.span.start] + edit.new_text + mended[edit.span.end :]
            left = [d for d in findings(mended) if d.code == code]
            assert len(left) < len(findings(example)), mended


def test_codes_are_in_order_and_complete():
    assert list(CODES) == sorted(CODES)
    for code in CODES.values():
        assert code.title
        assert code.explanation.endswith((".", "...", "?", "`"))
        assert code.anchor == f"docs/diagnostics.md#{code.code.lower()}"


def test_certain_errors_outside_sql_are_not_configurable():
    assert not CODES["OML501"].configurable
    assert CODES["OML405"].configurable
    assert CODES["OML503"].configurable
    assert CODES["OML330"].configurable


def test_the_documentation_is_up_to_date():
    page = Path(__file__).parents[2] / "docs" / "diagnostics.md"
    assert page.read_text(encoding="utf-8") == diagnostics_markdown(), (
        "run: python -m osiris.syntax.codes_markdown > docs/diagnostics.md"
    )
