"""Whatever is suggested anywhere in a real pipeline, taking it does what it says and harms nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from marked import ENVIRONMENT, accept, analysed

from osiris.ide.completion import complete
from osiris.ide.cursor import cursor_at
from osiris.ide.suggestion import ItemKind
from osiris.syntax.document import Document, parse
from osiris.syntax.tree import Mapping, Node, Plain, Sequence, to_plain

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))


def steps_of(document: Document) -> list[Plain]:
    return [to_plain(placed.part.node) for placed in document.steps]


def at_path(document: Document, path: tuple[str | int, ...]) -> Node | None:
    node: Node | None = document.root()
    for part in path:
        if isinstance(part, int):
            node = node.items[part] if isinstance(node, Sequence) and part < len(node.items) else None
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
    return node


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_taking_any_suggestion_keeps_the_other_steps_and_lands_where_it_is_meant(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    analysis = analysed(text)
    before = steps_of(analysis.document)
    whole = not any(d.code.startswith("OML0") for d in analysis.document.diagnostics)
    assert whole, "the examples are valid YAML"
    taken = 0

    for offset in range(len(text) + 1):
        found = complete(analysis, ENVIRONMENT, offset)
        if found is None:
            continue
        cursor = cursor_at(analysis.document, offset)
        if cursor.has_colon:
            continue  # another key in place of one that is there: it is meant to change what the value means
        # The first, the middle and the last stand for all: items of one list are made alike.
        chosen = {0, len(found.items) // 2, len(found.items) - 1}
        for item in (found.items[index] for index in sorted(chosen)):
            document = parse(accept(text, found, item))
            after = steps_of(document)
            taken += 1

            where = f"{item.label!r} at {offset} of {example.name}"
            here = cursor.step
            others = before if here is None else before[:here] + before[here + 1 :]
            added = len(after) - len(before)
            assert added in (0, 1), where
            if added == 0:
                kept = after if here is None else after[:here] + after[here + 1 :]
                assert kept == others, where
            if item.kind is ItemKind.VALUE and found.span == cursor.token:
                value = at_path(document, cursor.path)
                assert value is not None, where
                meant = json.loads(item.label) if item.label.startswith('"') else item.label
                assert str(to_plain(value)).lower() in (meant.lower(), f"['{meant}']"), where

    assert taken > 50
