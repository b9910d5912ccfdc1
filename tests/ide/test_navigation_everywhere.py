"""Navigation and rename never raise, whatever stands in the document and wherever the cursor is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import ENVIRONMENT, analysed

from osiris.ide.navigation.call_hierarchy import incoming, outgoing, step_node_at
from osiris.ide.navigation.connection_places import alias_span, connection_at
from osiris.ide.navigation.definitions import definition_of, highlights
from osiris.ide.navigation.document_links import document_links
from osiris.ide.rename.check import RenameRefused
from osiris.ide.rename.connection import connection_under, rename_alias
from osiris.ide.rename.document import renamable, rename
from osiris.language.connections import parse_connections
from osiris.language.symbols import symbol_at, symbols

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))


def ask_everything(text: str, offset: int) -> None:
    analysis = analysed(text)
    spans = [link.span for link in document_links(analysis, ENVIRONMENT)]
    spans += [place.span for place in highlights(analysis, offset)]
    found = definition_of(analysis, ENVIRONMENT, offset)
    spans += [found.origin] if found is not None else []
    node = step_node_at(analysis, offset)
    for call in (*incoming(analysis, node.index), *outgoing(analysis, node.index)) if node is not None else ():
        spans += (call.node.span, call.node.name_span, *call.places)
    with suppress(RenameRefused):
        if connection_under(analysis, ENVIRONMENT, offset) is None and renamable(analysis, offset) is not None:
            spans += [edit.span for edit in rename(analysis, ENVIRONMENT, offset, "new-name")]
    assert all(0 <= start <= end <= len(text) for start, end in spans)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_while_an_example_is_typed_from_its_start(example: Path) -> None:
    text = example.read_text(encoding="utf-8")

    for end in range(0, len(text), 41):
        ask_everything(text[:end], end)
        ask_everything(text[:end] + text[end + 7 :], end)


PIECES = [
    "steps:\n",
    "  - ",
    "id: a",
    "id: b",
    ": ",
    "\n",
    "    ",
    "[",
    "]",
    "{",
    "}",
    ",",
    '"',
    "'",
    "|\n",
    "&x ",
    "*x",
]
WORDS = [
    "needs: [a]",
    "component: duckdb.processor",
    "config: {query: 'SELECT * FROM df_a, df_b'}",
    "inputs: {df: '${a.df}'}",
    "params: {p: 1}\n",
    "profiles: {q: {params: {p: 2}}}\n",
    "${params.p}",
    '"@sqlite.shop"',
    "connection: ",
    "🚀",
    "\r\n",
    "<<: *x",
]


@given(st.lists(st.sampled_from(PIECES + WORDS), max_size=40).map("".join), st.data())
def test_in_any_text(text: str, data: st.DataObject) -> None:
    ask_everything(text, data.draw(st.integers(0, len(text))))


@given(st.lists(st.sampled_from(PIECES + WORDS), max_size=40).map("".join))
def test_every_symbol_is_found_at_its_place(text: str) -> None:
    analysis = analysed(text)

    for symbol in symbols(analysis):
        assert 0 <= symbol.span.start <= symbol.span.end <= len(text)
        found = symbol_at(analysis, symbol.span.start)
        assert found is not None
        assert found.span.touches(symbol.span.start)


CONNECTION_PIECES = [
    "connections:",
    "\n",
    "  ",
    "    ",
    "sqlite:",
    "shop:",
    "{",
    "}",
    "path: x",
    '"',
    "'",
    "&x ",
    "*x",
    "<<: *x",
]


@given(st.lists(st.sampled_from(CONNECTION_PIECES), max_size=30).map("".join))
def test_in_any_connections_file(text: str) -> None:
    connections = parse_connections(text)
    for offset in range(len(text) + 1):
        found = connection_at(connections, offset)
        if found is not None:
            assert alias_span(connections, found).touches(offset)
            with suppress(RenameRefused):
                rename_alias(connections, found, "new")
