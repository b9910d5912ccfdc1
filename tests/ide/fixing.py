"""Applying edits as editors do, and checking the examples of the codes in the project that they are written for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from textwrap import dedent
from typing import Any

import planned
from osiris.components.registry import ComponentRegistry
from osiris.core.dotenv_checks import dotenv_findings
from osiris.core.manifest_build import build_manifest
from osiris.core.schema_lock import parse_lock
from osiris.ide.refactoring.catalogue import refactorings
from osiris.language import edits as edits_module
from osiris.language.analysis import Analysis, analyse
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.connection_checks import variable_findings
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.syntax.code_examples import CONNECTIONS, FILES, FOUND, LOCKED, PIPELINES
from osiris.syntax.diagnostic import Diagnostic, TextEdit
from osiris.syntax.text import Span


def applied(text: str, edits: Iterable[TextEdit]) -> str:
    """As editors do it: edits refer to the text as it was, and those that overlap are refused."""
    found = sorted(edits, key=lambda e: e.span)
    assert all(one.span.end <= other.span.start for one, other in pairwise(found)), found
    assert not found or found[-1].span.end <= len(text)
    return edits_module.applied(text, found)


def example_environment(text: str) -> StaticEnvironment:
    """The project around an example of ``osiris.syntax.code_examples``."""
    alone = text.startswith("# no connections file")
    connections = None if alone else parse_connections(CONNECTIONS)
    known = SchemaKnowledge(_reading(LOCKED), _reading(FOUND))
    return StaticEnvironment(
        planned.registry(), connections, files=frozenset(FILES), pipelines=PIPELINES, schemas={"@sqlite.shop": known}
    )


def _reading(tables: Mapping[str, tuple[str, ...]]) -> Catalog:
    columns = {("", table): tuple(Column(name, "TEXT") for name in names) for table, names in tables.items()}
    infos = [TableInfo("", name) for name in tables]
    return Catalog("@sqlite.shop", "sqlite", infos, columns, read_at=datetime.now(UTC) - timedelta(minutes=1))


def examined(text: str, like: str | None = None) -> Analysis:
    """The analysis of an example, or of a variant of one, in its project and with the options in its first line.

    ``like``: the example that ``text`` was made from; else its own first line counts.
    """
    example = text if like is None else like
    first = example.splitlines()[0] if example else ""
    profile = first.split()[2] if first.startswith("# --profile ") else None
    params = dict([first.split()[2].split("=")]) if first.startswith("# --param ") else None
    return analyse(text, example_environment(example), profile=profile, params=params)


def findings(text: str, like: str | None = None) -> tuple[Diagnostic, ...]:
    """The findings of an example of any kind; ``like``: the example that ``text`` was made from."""
    example = text if like is None else like
    if example.startswith("connections:"):
        read = parse_connections(text, ComponentRegistry.builtin())
        return (*read.diagnostics, *variable_findings(read.document, {"MYSQL_PASSWORD"}.__contains__))
    if example.startswith("{"):
        return parse_lock(text).diagnostics
    if example.startswith("# .env"):
        return dotenv_findings(text, ["region"])
    return examined(text, example).diagnostics


def selected(marked: str) -> tuple[str, Span]:
    """The text without its markers, and the cursor ``<|>`` or the selection ``<|...|>``."""
    text = dedent(marked.lstrip("\n"))
    if "<|>" in text:
        at = text.index("<|>")
        return text.replace("<|>", ""), Span(at, at)
    start = text.index("<|")
    end = text.index("|>") - 2
    return text.replace("<|", "").replace("|>", ""), Span(start, end)


def everything(_: str) -> bool:
    """All kinds of refactorings are wanted."""
    return True


def offered(marked: str) -> list[str]:
    """The titles of the refactorings at the marker, those that are refused with the reason."""
    text, span = selected(marked)
    found = refactorings(examined(text), example_environment(text), span, everything)
    return [f"{one.title}: {one.refused}" if one.refused else one.title for one in found]


def refactored(marked: str, title: str) -> str:
    """The text after the refactoring with this title was chosen at the marker. It has no finding that was not there."""
    text, span = selected(marked)
    before = examined(text)
    found = {one.title: one for one in refactorings(before, example_environment(text), span, everything)}
    assert title in found, list(found)
    after = applied(text, found[title].edits())
    assert {d.code for d in examined(after).diagnostics} <= {d.code for d in before.diagnostics}, after
    return after


def compiled_steps(text: str) -> Any:
    """The steps of the manifest that an example compiles into."""
    analysis = examined(text)
    assert analysis.ok, analysis.diagnostics
    return build_manifest(analysis, connections=parse_connections(CONNECTIONS), on_failure="stop", profile=None)[
        "steps"
    ]
