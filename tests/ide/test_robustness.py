"""Editor features never raise, whatever stands in the document and wherever the cursor is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import ENVIRONMENT, analysed

from osiris.components.registry import ComponentRegistry
from osiris.core.secrets_masking import mask_secrets
from osiris.ide import documentation
from osiris.ide.completion.complete import complete, documentation_of
from osiris.ide.cursor import cursor_at
from osiris.ide.fixes.more_fixes import more_fixes
from osiris.ide.fixes.quick_fixes import fix_all, quick_fixes
from osiris.ide.fixes.suppress import ignore
from osiris.ide.hover.hover import hover
from osiris.ide.navigation.document_symbols import symbols
from osiris.ide.refactoring.catalogue import refactorings
from osiris.syntax.document import parse
from osiris.syntax.text import Span

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))


def ask_everything(text: str, offset: int) -> None:
    analysis = analysed(text)
    found = complete(analysis, ENVIRONMENT, offset)
    for item in found.items[:3] if found else ():
        if item.topic is not None:
            documentation_of(item.topic, ENVIRONMENT)
    hover(analysis, ENVIRONMENT, offset)
    symbols(analysis)
    list(quick_fixes(analysis, Span(offset, offset)))
    fix_all(analysis, text, analysed)
    for refactoring in refactorings(analysis, ENVIRONMENT, Span(offset, min(offset + 3, len(text))), lambda _: True):
        refactoring.edits()
    for diagnostic in analysis.diagnostics:
        ignore(analysis, diagnostic)
        list(more_fixes(analysis, diagnostic))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_while_an_example_is_typed_from_its_start(example: Path) -> None:
    text = example.read_text(encoding="utf-8")

    for end in range(0, len(text), 23):
        ask_everything(text[:end], end)


PIECES = ["steps:", "- ", "-", "id", ": ", ":", "\n", "  ", "    ", "[", "]", "{", "}", ",", '"', "'", "|", ">", "#"]
WORDS = [
    "config",
    "needs",
    "mode",
    "component: sqlite.extractor",
    "params",
    "${params.",
    "@sqlite.",
    "&a",
    "*a",
    "\t",
    "é",
]


@given(st.lists(st.sampled_from(PIECES + WORDS), max_size=40).map("".join), st.data())
def test_in_any_heap_of_yaml_pieces(text: str, data: st.DataObject) -> None:
    ask_everything(text, data.draw(st.integers(0, len(text))))


@given(st.lists(st.sampled_from(PIECES + WORDS), max_size=40).map("".join))
def test_a_cursor_stands_in_its_token(text: str) -> None:
    document = parse(text)
    for offset in range(len(text) + 1):
        cursor = cursor_at(document, offset)

        assert 0 <= cursor.token.start <= cursor.token.end <= len(text)
        assert cursor.text == text[cursor.token.start : cursor.token.end]


def test_masking_changes_no_word_of_the_documentation() -> None:
    for spec in ComponentRegistry.builtin().specs():
        texts = [documentation.of_component(spec)]
        texts += [documentation.of_key(("steps", 0, "config", key), spec) or "" for key in spec.properties]
        for text in texts:
            assert mask_secrets(text) == text
