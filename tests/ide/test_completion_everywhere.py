"""Whatever is suggested anywhere in a real pipeline, taking it does what it says and harms nothing else."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from marked import ENVIRONMENT, accept, expanded

from osiris.core.project import Project
from osiris.ide.completion.complete import complete
from osiris.ide.completion.suggestion import Completions, Item, ItemKind
from osiris.ide.cursor import Cursor, Role, cursor_at
from osiris.language.analysis import Analyzer
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.connections import Connection, Connections
from osiris.language.environment import Environment
from osiris.syntax.document import Document, PartCache, parse
from osiris.syntax.tree import Mapping, Node, Plain, Sequence, to_plain

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))
SOAK = bool(os.environ.get("OSIRIS_SOAK"))


ODD_NAMES = ("orders", "full name", "null", "a: b", "it's", 'say "x"', "#1", "12", "日本", "back\\slash")
ODD = Catalog(
    "@x.y",
    "sqlite",
    [TableInfo(schema, name) for schema in ("", "other") for name in ODD_NAMES],
    lambda info: tuple(Column(name, "TEXT") for name in ODD_NAMES),
    read_at=datetime.now(UTC),
)


WITH_DATABASES = """\
oml_version: "0.1.0"
name: odd
steps:
  - id: read-orders
    component: sqlite.extractor
    mode: read
    config:
      table: orders
      columns: ["12", 'it''s', orders]
  - id: more-orders
    component: sqlite.extractor
    mode: read
    config: {connection: "@sqlite.shop", table: 'full name', columns: [orders, "full name"]}
  - id: people
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.crm"
      schema: other
      table: "orders"
      columns:
        - orders
        - "a: b"
      limit: 3
  - id: store
    component: sqlite.writer
    mode: write
    config:
      table: orders
      primary_key: orders
"""


@dataclass
class Knowing:
    """The environment of a project in which a database full of odd names is known behind every connection."""

    project: Environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self.project, name)

    @property
    def connections(self) -> Connections:
        return ENVIRONMENT.connections

    def schema_of(self, connection: Connection) -> SchemaKnowledge:
        return SchemaKnowledge(None, ODD)


@dataclass
class Typist:
    """Takes suggestions in versions of one document and looks at what comes of them."""

    path: Path
    known: bool = False

    def __post_init__(self) -> None:
        project: Environment = Project.find(self.path).environment(self.path)
        self.environment = cast("Environment", Knowing(project)) if self.known else project
        self.analyzer = Analyzer(self.environment.registry)
        self.cache = PartCache()
        self.taken: Counter[ItemKind] = Counter()

    def take_all(self, text: str, offset: int, *, every: bool = False) -> None:
        analysis = self.analyzer.analyse(parse(text, self.cache), self.environment)
        found = complete(analysis, self.environment, offset)
        if found is None:
            return
        cursor = cursor_at(analysis.document, offset)
        before = analysis.document
        # The first, the middle and the last of each kind stand for all: items of one list are made alike.
        for kind in ItemKind:
            items = [item for item in found.items if item.kind is kind]
            chosen: list[int] = sorted({0, len(items) // 2, len(items) - 1}) if items else []
            if every and kind in (ItemKind.TABLE, ItemKind.COLUMN):  # of odd names each is a case of its own
                chosen = list(range(len(items)))
            for item in [items[i] for i in chosen]:
                self.taken[kind] += 1
                for version in {item.text, expanded(item.snippet) if item.snippet is not None else item.text}:
                    self.check(before, cursor, found, item, version)

    def check(self, before: Document, cursor: Cursor, found: Completions, item: Item, new_text: str) -> None:
        text = accept(before.text, found, item, new_text=new_text)
        after = parse(text)
        where = (
            f"{item.label!r} at {cursor.offset} of {self.path.name}: "
            f"{before.text[max(0, cursor.offset - 60) : cursor.offset]!r} became "
            f"{text[max(0, cursor.offset - 60) :][:200]!r}"
        )
        assert not (new := errors(after) - errors(before)), f"{new} after {where}"
        if cursor.has_colon:
            return  # another key in place of one that is there: it is meant to change what the value means
        if cursor.role in (Role.KEY, Role.DASH):  # the word that was begun is no neighbour
            before = parse(before.text[: cursor.token.start] + before.text[cursor.token.end :])
        assert_neighbours_stay(before, after, cursor, where)
        assert_it_landed(after, cursor, found, item, where)


def errors(document: Document) -> Counter[str]:
    return Counter(d.code for d in document.diagnostics if d.code.startswith("OML0"))


def assert_neighbours_stay(before: Document, after: Document, cursor: Cursor, where: str) -> None:
    here, old, new = cursor.step, steps_of(before), steps_of(after)
    added = len(new) - len(old)
    assert added in (0, 1), where
    if here is not None:
        old, new = old[:here] + old[here + 1 :], new[:here] + new[here + 1 :]
    assert [step for step in new if step in old] == old, where
    old_top, new_top = sections_of(before), sections_of(after)
    for key, value in old_top.items():
        if cursor.path[:1] != (key,) and key in new_top:
            assert new_top[key] == value, where


def assert_it_landed(after: Document, cursor: Cursor, found: Completions, item: Item, where: str) -> None:
    if item.kind is ItemKind.SNIPPET:
        if item.label != "pipeline":
            index = len(after.steps) if cursor.step is None else cursor.step + 1
            assert any("id" in step for step in steps_of(after)[:index] if isinstance(step, dict)), where
        return
    if item.kind is ItemKind.KEY:
        holder = at_path(after, cursor.path)
        if isinstance(holder, Sequence):  # a new item of a list
            holder = holder.items[-1]
        assert isinstance(holder, Mapping), where
        assert holder.entry(item.label) is not None, where
        return
    value = at_path(after, cursor.path)
    assert value is not None, where
    landed = to_plain(value)
    if found.within_sql:  # the query goes on as it did; what was taken stands in it
        assert isinstance(landed, str), where
        assert item.text.replace("''", "'") in landed.replace("''", "'"), where
        return
    meant = json.loads(item.label) if item.label.startswith('"') else item.label
    if item.kind is ItemKind.PARAM:
        assert meant in str(landed), where
    elif found.span == cursor.token and "${" not in meant:
        shown = [landed] if not isinstance(landed, list) else landed
        assert meant.lower() in [str(one).lower() for one in shown], where


def steps_of(document: Document) -> list[Plain]:
    return [to_plain(placed.part.node) for placed in document.steps]


def sections_of(document: Document) -> dict[str, Plain]:
    nodes = (placed.part.node for placed in document.sections)
    return {e.key.text: to_plain(e.value) for node in nodes if isinstance(node, Mapping) for e in node.entries}


def at_path(document: Document, path: tuple[str | int, ...]) -> Node | None:
    node: Node | None = document.root()
    for part in path:
        if isinstance(part, int):
            node = node.items[part] if isinstance(node, Sequence) and part < len(node.items) else None
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
    return node


@pytest.mark.hypothesis
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_taking_any_suggestion_keeps_the_rest_and_lands_where_it_is_meant(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    typist = Typist(example)

    for offset in range(0, len(text) + 1, 1 if SOAK else 11):
        typist.take_all(text, offset)

    assert {ItemKind.KEY, ItemKind.VALUE, ItemKind.COMPONENT, ItemKind.STEP, ItemKind.CONNECTION} <= set(typist.taken)


@pytest.mark.hypothesis
def test_the_same_where_a_database_of_odd_names_is_known() -> None:
    text = WITH_DATABASES
    typist = Typist(EXAMPLES[0], known=True)

    for offset in range(0, len(text) + 1, 1 if SOAK else 3):
        typist.take_all(text, offset, every=True)
        typist.take_all(text[:offset], offset)

    assert {ItemKind.TABLE, ItemKind.COLUMN} <= set(typist.taken)


@pytest.mark.hypothesis
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_same_while_the_pipeline_is_written_from_its_start(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    typist = Typist(example)

    for end in range(0, len(text) + 1, 1 if SOAK else 11):
        typist.take_all(text[:end], end)

    assert typist.taken[ItemKind.KEY] > 10


@pytest.mark.hypothesis
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_same_where_a_new_line_was_begun(example: Path) -> None:
    """Behind the end of each line: an empty line at the same column, one with a blank more, and a half-typed word."""
    text = example.read_text(encoding="utf-8")
    typist = Typist(example)
    lines = list(re.finditer(r"^( *(?:- )?).*$", text, re.MULTILINE))

    for line in lines if SOAK else lines[::6]:
        column = " " * len(line.group(1))
        for begun in ("\n" + column, "\n" + column + "  ", "\n" + column + "c"):
            typist.take_all(text[: line.end()] + begun + text[line.end() :], line.end() + len(begun))

    assert typist.taken[ItemKind.KEY] > 10
