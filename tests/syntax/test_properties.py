"""What holds for every text: it is read, positions fit, and what is valid YAML means what YAML says it means."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from osiris.syntax.block import SourceMap
from osiris.syntax.document import Document, PartCache, parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style
from yaml_texts import FILES, SAMPLES, SOAK, YAML_TEXT, bounded, documents, edited


@bounded(300)
@given(YAML_TEXT | st.text())
@example("\x85: ")
@example("a: &a\n- *a")
def test_any_text_is_read_and_all_positions_fit(text: str) -> None:
    check_positions(parse(text))


@pytest.mark.parametrize("sample", range(len(SAMPLES + FILES)))
def test_every_prefix_of_a_document_is_read(sample: int) -> None:
    text = (SAMPLES + FILES)[sample]
    cache = PartCache()
    step = 1 if SOAK > 1 else max(1, len(text) // 150)

    for end in range(0, len(text) + 1, step):
        check_positions(parse(text[:end], cache))


@bounded(150)
@given(edited())
def test_a_version_read_with_the_parts_of_the_last_one_is_as_if_read_anew(versions: list[str]) -> None:
    cache = PartCache()
    for text in versions:
        again, fresh = parse(text, cache), parse(text)
        check_positions(again)

        assert shape(again.root()) == shape(fresh.root())
        assert again.diagnostics == fresh.diagnostics
        assert [(one.base, one.part.text) for one in again.steps] == [(one.base, one.part.text) for one in fresh.steps]


# The tree of valid YAML is that of libyaml.


@bounded(300)
@given(edited())
def test_an_edited_document_is_valid_when_libyaml_says_so_and_then_has_its_tree(versions: list[str]) -> None:
    for text in versions:
        assume(not any(mark in text for mark in ("<<", "=======", ">>>>>>>", "\ufeff", "\x0c")))
        compare(text)


@bounded(80)
@given(documents(), st.sampled_from(["\n", "\n", "\r\n"]))
def test_a_valid_document_has_the_tree_of_libyaml(text: str, line_end: str) -> None:
    compare(text.replace("\n", line_end))


@bounded(50)
@given(documents())
@example("steps:\n- |\n  a\n   ")
@example("steps:\n- >\n  a\n    \n\n \nb: |\n  a  \n\n")
def test_the_source_of_every_scalar_decodes_to_its_text(text: str) -> None:
    document = parse(text)
    for placed in (*document.sections, *document.steps):
        for scalar in scalars_of(placed.part.node):
            places = SourceMap(scalar, placed.part.text)
            offsets = [places.to_source(index) for index in range(len(scalar.text) + 1)]
            assert offsets == sorted(offsets)
            for index, char in enumerate(scalar.text):
                stands = placed.part.text[offsets[index]] if offsets[index] < len(placed.part.text) else "\n"
                assert stands == char or stands == "\\" or (char in " \n" and stands in "\r\n")


ODD = "\x85\u2028\u2029"
STAND_INS = "\ue000\ue001\ue002"


def compare(text: str) -> None:
    """Check ``text`` against libyaml; only where libyaml deviates from the promises of the tree nothing is checked."""
    document = parse(text)
    codes = {one.code for one in document.diagnostics}
    if codes & {"OML007", "OML011", "OML012"} or set(STAND_INS) & set(text):
        return
    problem = ""
    try:
        expected = yaml.compose(text.translate(str.maketrans(ODD, STAND_INS)), yaml.CSafeLoader)
    except yaml.YAMLError as error:
        problem = str(error)
    if problem:
        # What YAML 1.2 allows, or what does no harm.
        tab = "\t" in text and "cannot start any token" in problem
        tab |= "found a tab character" in problem and not re.search(r"^ *\t[ \t]*[^ \t\r\n]", text, re.MULTILINE)
        accepted = tab or "duplicate anchor" in problem or "single document" in problem
        assert accepted or codes & {"OML001", "OML002", "OML003", "OML004", "OML005", "OML013"}, problem
        return
    if isinstance(expected, yaml.ScalarNode) or expected is None:
        return  # a lone word is a key that is still being typed
    # Steps that are meant as such, where YAML sees keys of another one, are read as steps.
    if not codes & {"OML005", "OML013", "OML015"}:
        assert codes <= {"OML001", "OML006"}
        assert all(
            one.severity > 1 for one in document.diagnostics if one.code == "OML001" and "tag" not in one.message
        )
        assert shape(document.root(), positions=False) == reference(expected)


def reference(node: yaml.Node) -> object:
    """libyaml's tree in the form of ``shape``."""
    if isinstance(node, yaml.ScalarNode):
        return node.value.translate(str.maketrans(STAND_INS, ODD))
    if isinstance(node, yaml.SequenceNode):
        return [reference(item) for item in node.value]
    return {"entries": [(reference(key), reference(value)) for key, value in node.value]}


def shape(node: Node, *, positions: bool = True) -> object:
    """The tree as plain data that can be compared."""
    if isinstance(node, Scalar):
        return (node.text, node.style, node.span, node.content, repr(node.value)) if positions else node.text
    if isinstance(node, Sequence):
        items: list[object] = [shape(item, positions=positions) for item in node.items]
        return [*items, node.span] if positions else items
    pairs = [(shape(e.key, positions=positions), shape(e.value, positions=positions)) for e in node.entries]
    return {"entries": pairs, "span": node.span} if positions else {"entries": pairs}


def scalars_of(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars_of(item)
    else:
        for entry in node.entries:
            yield entry.key
            yield from scalars_of(entry.value)


def check_positions(document: Document) -> None:
    """All spans lie in the text and in each other, and a plain word stands where its span says."""
    size = len(document.text)
    for finding in document.diagnostics:
        edits = [edit.span for fix in finding.fixes for edit in fix.edits]
        for span in (finding.span, *edits, *(related.span for related in finding.related)):
            assert 0 <= span.start <= span.end <= size
    for placed in (*document.sections, *document.steps):
        assert document.text.startswith(placed.part.text, placed.base)
        check_node(placed.part.node, placed.part.text, Span(0, len(placed.part.text)))
    list(document.comments())


def check_node(node: Node, text: str, outer: Span) -> None:
    span = node.span
    assert outer.start <= span.start <= span.end <= outer.end
    if isinstance(node, Scalar):
        assert span.start <= node.content.start <= node.content.end <= span.end
        written = text[span.start : span.end]
        if node.style is Style.PLAIN and not node.synthetic and not {"\n", "\r", "\x0c"} & set(written):
            assert written == node.text
    elif isinstance(node, Sequence):
        for item in node.items:
            check_node(item, text, span)
    else:
        for entry in node.entries:
            check_entry(entry, text, span)


def check_entry(entry: Entry, text: str, outer: Span) -> None:
    span = entry.span
    assert outer.start <= span.start <= span.end <= outer.end
    check_node(entry.key, text, span)
    check_node(entry.value, text, span)
    if not entry.synthetic:
        assert entry.key.span.end <= entry.value.span.start


def test_the_examples_are_among_the_samples() -> None:
    assert len(FILES) >= 3
    assert all(isinstance(parse(text).root(), Mapping) for text in FILES)
