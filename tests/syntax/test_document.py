"""How a document is cut into parts, what stands where, and what a new version shares with the last one."""

from __future__ import annotations

import pytest

from osiris.syntax.document import Document, PartCache, parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Scalar, Sequence, Style, to_plain

PIPELINE = """\
# a comment
oml_version: "0.1.0"
name: demo

steps:
  # the first one
  - id: a
    component: duckdb.processor
    config:
      query: |
        SELECT 1 # no comment

        FROM t

  - id: b  # a comment
    needs: [a]
schedule: daily
"""


def test_top_level_entries_and_steps_are_parts() -> None:
    document = parse(PIPELINE)

    assert [to_plain(placed.part.node) for placed in document.sections] == [
        {"oml_version": "0.1.0"},
        {"name": "demo"},
        {"schedule": "daily"},
    ]
    assert [to_plain(placed.part.node) for placed in document.steps] == [
        {"id": "a", "component": "duckdb.processor", "config": {"query": "SELECT 1 # no comment\n\nFROM t\n"}},
        {"id": "b", "needs": ["a"]},
    ]
    assert all(placed.part.intact for placed in (*document.sections, *document.steps))
    assert document.diagnostics == ()


def test_a_parts_text_is_the_source_from_its_base_on() -> None:
    document = parse(PIPELINE)

    for placed in (*document.sections, *document.steps):
        assert PIPELINE.startswith(placed.part.text, placed.base)


def test_spans_end_with_their_text_not_with_blank_lines_or_comments() -> None:
    document = parse(PIPELINE)
    first = document.steps[0]
    node = first.part.node
    assert isinstance(node, Mapping)

    assert slice_of(document, first.span(node.span)).startswith("id: a")
    assert slice_of(document, first.span(node.span)).endswith("FROM t")
    config = node.get("config")
    assert isinstance(config, Mapping)
    query = config.get("query")
    assert isinstance(query, Scalar)
    assert slice_of(document, first.span(query.span)).startswith("|\n")
    assert slice_of(document, first.span(query.content)) == "        SELECT 1 # no comment\n\n        FROM t"


def test_the_steps_entry_spans_all_steps() -> None:
    document = parse(PIPELINE)
    assert document.steps_entry is not None
    base, entry = document.steps_entry

    assert isinstance(entry.value, Sequence)
    assert entry.value.items == ()
    assert slice_of(document, entry.key.span.shift(base)) == "steps"
    assert slice_of(document, entry.value.span.shift(base)).startswith("- id: a")
    assert slice_of(document, entry.value.span.shift(base)).endswith("needs: [a]")


def test_comments_are_found_outside_of_strings_only() -> None:
    text = PIPELINE + "x: 'a # b' # c\ny: a#b\n"

    assert [text[span.start : span.end] for span in parse(text).comments()] == [
        "# a comment",
        "# the first one",
        "# a comment",
        "# c",
    ]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("steps: [{id: a}, {id: b}]\n", [{"id": "a"}, {"id": "b"}]),
        ("steps: [\n{id: a},\n{id: b},\n]\nname: x\n", [{"id": "a"}, {"id": "b"}]),
        ("steps:\n- id: a\n- id: b\n", [{"id": "a"}, {"id": "b"}]),
        ("steps: # all\n    -   id: a\n        x: 1\n    -\n        id: b\n", [{"id": "a", "x": 1}, {"id": "b"}]),
        ("'steps':\n  - id: a\n  - id: b\n", [{"id": "a"}, {"id": "b"}]),
        ("steps: &all\n  - id: a\n  - id: b\n", [{"id": "a"}, {"id": "b"}]),
        ('{"steps": [{"id": "a"},\n{"id": "b"}]}', [{"id": "a"}, {"id": "b"}]),
        ("  name: x\n  steps:\n    - id: a\n    - id: b\n", [{"id": "a"}, {"id": "b"}]),
        ("---\nsteps:\n  - id: a\n  - id: b\n...\n", [{"id": "a"}, {"id": "b"}]),
        ("%YAML 1.2\n---\nsteps:\n  - id: a\n  - id: b\n", [{"id": "a"}, {"id": "b"}]),
        ("--- # start\nsteps:\n  - id: a\n  - id: b\n", [{"id": "a"}, {"id": "b"}]),
        ("&x {steps: [{id: a}, {id: b}]}", [{"id": "a"}, {"id": "b"}]),
    ],
)
def test_every_layout_of_steps_gives_one_part_for_each(text: str, items: list[object]) -> None:
    document = parse(text)

    assert [to_plain(placed.part.node) for placed in document.steps] == items
    assert document.steps_entry is not None
    assert document.diagnostics == ()


@pytest.mark.parametrize("text", ["steps: 3", "steps:", "steps: {a: b}", "steps: x\n"])
def test_steps_that_are_no_list_are_kept_as_written(text: str) -> None:
    document = parse(text)

    assert document.steps == ()
    assert document.steps_entry is not None
    base, entry = document.steps_entry
    assert base == 0
    assert to_plain(entry.value) == {"steps: 3": 3, "steps:": None, "steps: {a: b}": {"a": "b"}}.get(text, "x")


@pytest.mark.parametrize(("text", "top"), [("- a\n- b: c\n", ["a", {"b": "c"}]), ("two words", "two words"), ("3", 3)])
def test_a_top_level_that_is_no_mapping_is_said_to_be_so(text: str, top: object) -> None:
    document = parse(text)

    assert document.top is not None
    assert to_plain(document.top) == top
    assert (document.sections, document.steps, document.steps_entry) == ((), (), None)


@pytest.mark.parametrize("text", ["", "\n", "  \n", "# only this\n", "\ufeff", "---\n", "\r\n"])
def test_a_document_without_content_is_empty(text: str) -> None:
    document = parse(text)

    assert document.empty
    assert document.diagnostics == ()


def test_a_quoted_text_may_span_what_looks_like_parts() -> None:
    document = parse('steps:\n  - id: a\n    x: "one\n  - two\nthree: 3\n"\n  - id: b\nname: x\n')

    assert [to_plain(placed.part.node) for placed in document.steps] == [
        {"id": "a", "x": "one - two three: 3 "},
        {"id": "b"},
    ]
    assert document.diagnostics == ()


def test_a_missing_value_stands_right_behind_its_colon() -> None:
    document = parse("steps:\n  - id:   # none\n    flow: {a: , b}\n")
    node = document.steps[0].part.node
    assert isinstance(node, Mapping)
    flow = node.get("flow")
    assert isinstance(flow, Mapping)
    text = document.steps[0].part.text

    assert [text[: entry.value.span.start].split()[-1] for entry in (node.entries[0], *flow.entries)] == [
        "id:",
        "{a:",
        "b",
    ]
    assert [entry.has_colon for entry in flow.entries] == [True, False]


def test_a_repeated_key_is_an_error_at_its_second_place() -> None:
    text = "name: a\nparams: {}\nname: b\n"
    [finding] = parse(text).diagnostics

    assert (finding.code, finding.span) == ("OML006", Span(19, 23))
    assert [related.span for related in finding.related] == [Span(0, 4)]


def test_the_first_of_two_steps_lists_counts() -> None:
    document = parse("steps:\n  - id: a\nsteps:\n  - id: b\n")

    assert [to_plain(placed.part.node) for placed in document.steps] == [{"id": "a"}]
    assert [finding.code for finding in document.diagnostics] == ["OML006"]


def test_only_the_first_document_of_a_file_is_read() -> None:
    text = "name: a\n---\nname: b\n"
    document = parse(text)

    assert to_plain(document.root()) == {"name": "a"}
    assert [(one.code, slice_of(document, one.span)) for one in document.diagnostics] == [("OML012", "---")]


@pytest.mark.parametrize("end", ["---  b: 2", "...  - id: x", "... b"])
def test_what_stands_on_the_line_that_ends_a_document_is_not_lost_in_silence(end: str) -> None:
    document = parse(f"name: a\n{end}\n")

    assert to_plain(document.root()) == {"name": "a"}
    assert [(one.code, one.span.start) for one in document.diagnostics] == [("OML012", 8)]


def test_a_key_that_is_no_text_is_an_error() -> None:
    text = "steps:\n  - ? [a, b]\n    : c\n"
    document = parse(text)

    assert [(one.code, slice_of(document, one.span)) for one in document.diagnostics] == [("OML013", "[a, b]")]
    assert to_plain(document.steps[0].part.node) == {"[a, b]": "c"}


# What a new version of a document shares with the last one.


def test_an_edit_of_one_step_keeps_all_other_parts() -> None:
    cache = PartCache()
    text = "name: x\nsteps:\n" + "".join(f"  - id: s{n}\n    mode: read\n" for n in range(50)) + "schedule: daily\n"
    before = parse(text, cache)
    after = parse(text.replace("id: s20\n", "id: edited\n"), cache)

    same = [old.part is new.part for old, new in zip(before.steps, after.steps, strict=True)]
    assert same == [True] * 20 + [False] + [True] * 29
    assert [old.part is new.part for old, new in zip(before.sections, after.sections, strict=True)] == [True, True]


def test_a_broken_edit_of_one_step_keeps_all_other_parts() -> None:
    cache = PartCache()
    text = "name: x\nsteps:\n" + "".join(f"  - id: s{n}\n    mode: read\n" for n in range(9))
    before = parse(text, cache)
    for edited in ("id: 's4", 'id: "s4', "id: [s4", "comp", "\tid: s4"):
        after = parse(text.replace("id: s4", edited), cache)
        same = [old.part is new.part for old, new in zip(before.steps, after.steps, strict=True)]
        assert same == [True] * 4 + [False] + [True] * 4
        before = parse(text, cache)


def test_a_step_that_moves_keeps_its_part() -> None:
    cache = PartCache()
    before = parse("steps:\n  - id: a\n  - id: b\n", cache)
    after = parse("# new\nsteps:\n  - id: new\n  - id: b\n  - id: a\n", cache)

    assert after.steps[1].part is before.steps[1].part
    assert [placed.part.text for placed in after.steps] == ["  - id: new\n", "  - id: b\n", "  - id: a\n"]


# Characters.


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_all_line_ends_of_the_protocol_end_a_line(line_end: str) -> None:
    document = parse(PIPELINE.replace("\n", line_end))

    assert to_plain(document.root()) == to_plain(parse(PIPELINE).root())
    assert len(document.steps) == 2


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
def test_other_line_ends_are_text(char: str) -> None:
    text = f"name: a{char}b\nsteps:\n  - id: 'x{char}y'\n    q: |\n      1{char}2\n    d: \"a{char}b\"\n"
    document = parse(text)

    assert to_plain(document.root()) == {
        "name": f"a{char}b",
        "steps": [{"id": f"x{char}y", "q": f"1{char}2\n", "d": f"a{char}b"}],
    }
    assert len(document.lines.starts) == 7
    assert document.diagnostics == ()


def test_a_byte_order_mark_is_no_part_of_the_text_but_counts_in_offsets() -> None:
    text = "\ufeffname: x\nsteps:\n  - id: a\n"
    document = parse(text)
    [name] = document.sections

    assert (name.base, name.part.text) == (1, "name: x\n")
    assert to_plain(document.root()) == {"name": "x", "steps": [{"id": "a"}]}
    assert document.diagnostics == ()


def test_an_emoji_is_one_code_point() -> None:
    text = "name: 😀 b\nsteps:\n  - id: a\n"
    [name] = parse(text).sections
    assert isinstance(name.part.node, Mapping)

    assert name.part.node.entries[0].value.span == Span(6, 9)


def test_a_form_feed_between_lines_is_white_space() -> None:
    document = parse("name: x\n\x0c\nsteps:\n  - id: a\n")

    assert to_plain(document.root()) == {"name": "x", "steps": [{"id": "a"}]}
    assert document.diagnostics == ()


def test_a_tab_on_an_empty_line_or_before_a_comment_is_no_indentation() -> None:
    document = parse("\t# start\nname: x\n\t\nsteps:\n  - id: a\n\t\n  \t# why\n    mode: read\n\t")

    assert to_plain(document.root()) == {"name": "x", "steps": [{"id": "a", "mode": "read"}]}
    assert document.diagnostics == ()


@pytest.mark.parametrize("char", ["\0", "\x07", "\x1b", "\x7f", "\ud800", "\ufffe", "\ufeff"])
def test_a_character_that_yaml_forbids_is_reported_and_kept(char: str) -> None:
    text = f"name: a{char}b\nsteps:\n  - id: a\n"
    document = parse(text)

    assert [(one.code, one.span) for one in document.diagnostics] == [("OML011", Span(7, 8))]
    assert to_plain(document.root()) == {"name": f"a{char}b", "steps": [{"id": "a"}]}


def test_scalars_know_how_they_are_written() -> None:
    document = parse("steps:\n  - a: b\n    c: 'd'\n    e: \"f\"\n    g: |\n      h\n    i: >\n      j\n")
    node = document.steps[0].part.node
    assert isinstance(node, Mapping)
    values = [entry.value for entry in node.entries]

    assert [value.style for value in values if isinstance(value, Scalar)] == list(Style)
    assert [document.steps[0].part.text[v.content.start : v.content.end] for v in values if isinstance(v, Scalar)] == [
        "b",
        "d",
        "f",
        "      h",
        "      j",
    ]


def slice_of(document: Document, span: Span) -> str:
    return document.text[span.start : span.end]


def test_a_key_that_is_not_there_is_not_there_twice() -> None:
    text = "name: x\n: a\n: b\nsteps:\n  - id: a\n    : 1\n    : 2\n"
    assert [found.code for found in parse(text).diagnostics] == ["OML013"] * 4


def test_a_key_without_text_that_stands_there_twice_is_called_that() -> None:
    (found,) = parse("steps:\n  - '': 1\n    \"\": 2\n").diagnostics
    assert found.message.startswith("A key without text stands here a second time")


@pytest.mark.parametrize("text", ["a: 1\n--- #\x00", "- a\n... # \x07\n", "a: 1\n---\n# \x07\n"])
def test_a_character_that_is_not_allowed_is_told_behind_the_end_as_well(text: str) -> None:
    assert [found.code for found in parse(text).diagnostics] == ["OML011"]
