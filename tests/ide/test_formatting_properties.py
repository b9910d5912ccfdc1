"""What formatting promises for every text: it says the same, comments and all, and formatting again changes nothing."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osiris.core.compiler_v0 import compile_text
from osiris.core.error_taxonomy import CompilationError
from osiris.core.manifest import manifest_bytes
from osiris.core.project import Project
from osiris.ide.formatting.documents import Formatting, format_document, format_range
from osiris.language.edits import applied
from osiris.syntax.document import Document, parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Node, Scalar, Sequence
from yaml_texts import EXAMPLES, FILES, SAMPLES, SOAK, YAML_TEXT, bounded, documents, edited

BLANKS = " \t\r\n\f"


def checked(text: str, *, whole: bool = True) -> str:
    """``text`` after formatting, with every promise kept."""
    document = parse(text)
    found = format_document(document)
    result = applied(text, found.edits)
    again = parse(result)

    assert_only_blanks_change(text, found)
    assert meaning(again.root()) == meaning(document.root())
    assert comments(again) == comments(document)
    assert [one.code for one in again.diagnostics] == [one.code for one in document.diagnostics]
    assert format_document(again).edits == () or found.left_alone
    if whole and not any(one.severity == 1 for one in document.diagnostics):
        assert found.left_alone == (), "the safety net was needed"
    return result


def assert_only_blanks_change(text: str, found: Formatting) -> None:
    at = 0
    for edit in found.edits:
        before = text[edit.span.start : edit.span.end]
        assert edit.span.start >= at, "the edits are sorted and apart"
        assert not before.strip(BLANKS)
        assert not edit.new_text.strip(BLANKS)
        assert before != edit.new_text, "every edit changes something"
        at = edit.span.end


def meaning(node: Node) -> object:
    """Values with their styles, without their places."""
    if isinstance(node, Scalar):
        return (node.text, node.style, node.synthetic)
    if isinstance(node, Sequence):
        return (node.flow, [meaning(item) for item in node.items])
    return (node.flow, [(meaning(entry.key), meaning(entry.value)) for entry in node.entries])


def comments(document: Document) -> list[str]:
    return [document.text[span.start : span.end].rstrip(BLANKS) for span in document.comments()]


@bounded(150)
@given(documents(), st.sampled_from(["\n", "\n", "\r\n", "\r"]))
def test_a_valid_document_says_the_same(text: str, line_end: str) -> None:
    checked(text.replace("\n", line_end))


@bounded(100)
@given(edited())
def test_an_edited_document_says_the_same(versions: list[str]) -> None:
    for text in versions:
        checked(text)


@bounded(150)
@given(YAML_TEXT | st.text())
def test_any_text_says_the_same(text: str) -> None:
    checked(text, whole=False)


@pytest.mark.parametrize("sample", range(len(SAMPLES + FILES)))
def test_every_prefix_says_the_same(sample: int) -> None:
    text = (SAMPLES + FILES)[sample]
    for end in range(0, len(text) + 1, 1 if SOAK > 1 else max(1, len(text) // 100)):
        checked(text[:end])


@bounded(60)
@given(edited(), st.data())
def test_a_selection_says_the_same_and_changes_nothing_else(versions: list[str], data: st.DataObject) -> None:
    text = versions[-1]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    document = parse(text)
    found = format_range(document, Span(start, end))
    again = parse(applied(text, found.edits))

    assert_only_blanks_change(text, found)
    assert meaning(again.root()) == meaning(document.root())
    assert comments(again) == comments(document)


# -- the examples, written carelessly


def careless(text: str, seed: int) -> str:
    """``text`` with other blanks: between keys and values, at the ends of lines, as empty lines, as indentation."""
    chance = random.Random(seed)
    head, steps = text.split("steps:\n")
    lines: list[str] = []
    query = 0
    for line in steps.split("\n"):
        indent = len(line) - len(line.lstrip())
        query = query if not line or indent >= query else 0
        if not query and line:
            if chance.random() < 0.2:
                lines += ["   "] if not lines or lines[-1].strip() else []
                lines += [""] if lines[-1] == "   " else []
            if chance.random() < 0.5:
                line = re.sub(r"^( *(?:- )?\w+): ", r"\1 :  ", line)
            line = re.sub(r"^( *)- ", r"\1-   ", line) if chance.random() < 0.3 and "- id" not in line else line
            line += " " * chance.randrange(3) if not line.endswith("|") else ""
        lines.append(line[2:])  # the dashes of the steps below the `s` of `steps`
        if line.endswith("|"):
            query = indent + 2
    return head.replace("\n\n", "\n\n\n") + "steps:\n" + "\n".join(lines)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("sample", range(len(FILES)))
def test_an_example_written_carelessly_becomes_the_example(sample: int, line_end: str) -> None:
    original = FILES[sample].replace("\n", line_end)
    for seed in range(20 * SOAK):
        written = careless(FILES[sample], seed).replace("\n", line_end)

        assert written != original
        assert without_empty_lines(checked(written)) == without_empty_lines(original)


def without_empty_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def insert_comments(text: str, seed: int) -> str:
    chance = random.Random(seed)
    lines = text.split("\n")
    for _ in range(12):
        lines.insert(chance.randrange(len(lines)), " " * chance.randrange(12) + f"# comment {chance.random()}")
    return "\n".join(lines)


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=25 * SOAK, derandomize=SOAK == 1)
@given(st.integers(0, len(FILES) - 1), st.integers(0, 10_000), st.booleans())
def test_the_compiled_manifest_keeps_its_bytes(sample: int, seed: int, with_comments: bool) -> None:
    text = careless(FILES[sample], seed)
    text = insert_comments(text, seed) if with_comments else text

    before = manifest(text)
    assert manifest(checked(text)) == before
    assert before or with_comments or sample == 0, "all examples but the broken one compile"


def manifest(text: str) -> bytes | None:
    project = Project(EXAMPLES / "shop")
    try:
        return manifest_bytes(compile_text(text, Path("x.oml.yaml"), project=project)[0])
    except CompilationError:
        return None


# -- where PyYAML comes without libyaml

FORMAT = """
import sys
sys.modules["yaml._yaml"] = None
import json, yaml
from osiris.ide.formatting.documents import format_document
from osiris.language.edits import applied
from osiris.syntax.document import parse
assert not yaml.__with_libyaml__
texts = json.load(sys.stdin)
json.dump([applied(text, format_document(parse(text)).edits) for text in texts], sys.stdout)
"""


def test_the_layout_is_the_same_without_libyaml() -> None:
    texts = [*SAMPLES, *(careless(text, seed) for seed, text in enumerate(FILES))]

    done = subprocess.run(
        [sys.executable, "-c", FORMAT], input=json.dumps(texts), capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == [checked(text) for text in texts]
