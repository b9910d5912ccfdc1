"""One broken step: what of it is kept, and what is said where. Ranges of findings stand between ⟦ and ⟧."""

from __future__ import annotations

import re

import pytest

from osiris.syntax.diagnostic import Diagnostic, Fix
from osiris.syntax.document import Document, parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Plain, to_plain

FIRST = "name: demo\nsteps:\n  - id: first\n    component: a.b\n"
LAST = "  - id: last\n    mode: read\n"

BROKEN_STEPS = {
    "a half-typed key": (
        """\
  - id: x
    ⟦comp⟧
    mode: read
""",
        {"id": "x", "comp": None, "mode": "read"},
        ["OML004"],
    ),
    "a half-typed key at the end": (
        """\
  - id: x
    mode: read
    ⟦need⟧
""",
        {"id": "x", "mode": "read", "need": None},
        ["OML004"],
    ),
    "a key without its colon above nested keys": (
        """\
  - id: x
    ⟦config⟧
      query: 1
    mode: read
""",
        {"id": "x", "config": {"query": 1}, "mode": "read"},
        ["OML004"],
    ),
    "a key without its colon before a value": (
        """\
  - id: x
    ⟦mode⟧ read
    needs: [first]
""",
        {"id": "x", "mode": "read", "needs": ["first"]},
        ["OML004"],
    ),
    "a first key without its colon": (
        """\
  - ⟦id⟧ x
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML004"],
    ),
    "a half-typed first key": (
        """\
  - ⟦i⟧
    mode: read
""",
        {"i": None, "mode": "read"},
        ["OML004"],
    ),
    "a half-typed key below a key of config": (
        """\
  - id: x
    config:
      query: 1
      ⟦con⟧
    mode: read
""",
        {"id": "x", "config": {"query": 1, "con": None}, "mode": "read"},
        ["OML004"],
    ),
    "no space behind a colon": (
        """\
  - id: x
    ⟦mode⟧:read
    needs: [first]
""",
        {"id": "x", "mode": "read", "needs": ["first"]},
        ["OML004"],
    ),
    "an unclosed double quote": (
        """\
  - id: x
    component: ⟦"⟧abc
    mode: read
""",
        {"id": "x", "component": "abc", "mode": "read"},
        ["OML003"],
    ),
    "an unclosed double quote above text in double quotes": (
        """\
  - id: x
    component: ⟦"⟧abc
    mode: "read"
""",
        {"id": "x", "component": "abc", "mode": "read"},
        ["OML003"],
    ),
    "an unclosed single quote": (
        """\
  - id: x
    component: ⟦'⟧abc
    mode: read
    description: 'it is'
""",
        {"id": "x", "component": "abc", "mode": "read", "description": "it is"},
        ["OML003"],
    ),
    "a quote that opens before a key": (
        """\
  - ⟦"⟧id: x
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML003"],
    ),
    "text behind a closing quote": (
        """\
  - id: x
    description: 'it'⟦s here'⟧
    mode: read
""",
        {"id": "x", "description": "it", "mode": "read"},
        ["OML001"],
    ),
    "an unclosed quote over several lines": (
        """\
  - id: x
    query: ⟦"⟧SELECT
      1
      FROM t
    mode: read
""",
        {"id": "x", "query": "SELECT 1 FROM t", "mode": "read"},
        ["OML003"],
    ),
    "an unclosed [": (
        """\
  - id: x
    needs: ⟦[⟧a, b
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML003"],
    ),
    "an unclosed [ over several lines": (
        """\
  - id: x
    needs: ⟦[⟧
      a,
      b
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML003"],
    ),
    "an unclosed {": (
        """\
  - id: x
    config: ⟦{⟧a: 1, b: c
    mode: read
""",
        {"id": "x", "config": {"a": 1, "b": "c"}, "mode": "read"},
        ["OML003"],
    ),
    "two unclosed brackets": (
        """\
  - id: x
    config: [⟦{⟧a: 1
    mode: read
""",
        {"id": "x", "config": [{"a": 1}], "mode": "read"},
        ["OML003"],
    ),
    "the wrong closing bracket": (
        """\
  - id: x
    needs: [a⟦}⟧
    mode: read
""",
        {"id": "x", "needs": ["a"], "mode": "read"},
        ["OML003"],
    ),
    "an unclosed quote in a list": (
        """\
  - id: x
    needs: [a, ⟦"⟧b, c]
    mode: read
""",
        {"id": "x", "needs": ["a", "b", "c"], "mode": "read"},
        ["OML003"],
    ),
    "a mapping that is just being typed": (
        """\
  - id: x
    inputs: ⟦{⟧df:
    mode: read
""",
        {"id": "x", "inputs": {"df": None}, "mode": "read"},
        ["OML003"],
    ),
    "a list that is just being typed": (
        """\
  - id: x
    needs: ⟦[⟧
    mode: read
""",
        {"id": "x", "needs": [], "mode": "read"},
        ["OML003"],
    ),
    "a placeholder without quotes in brackets": (
        """\
  - id: x
    inputs: {df: ⟦${a.df}⟧, n: 1}
    mode: read
""",
        {"id": "x", "inputs": {"df": "${a.df}", "n": 1}, "mode": "read"},
        ["OML001"],
    ),
    "a missing comma": (
        """\
  - id: x
    needs: ["a" ⟦"⟧b"]
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML001"],
    ),
    "a tab": (
        """\
  - id: x
⟦\t⟧component: a.b
    mode: read
""",
        {"id": "x", "component": "a.b", "mode": "read"},
        ["OML002"],
    ),
    "tabs below a key": (
        """\
  - id: x
    config:
⟦\t\t⟧query: 1
    mode: read
""",
        {"id": "x", "config": {"query": 1}, "mode": "read"},
        ["OML002"],
    ),
    "tabs throughout": (
        """\
  - id: x
⟦\t⟧config:
⟦\t\t⟧query: 1
⟦\t⟧mode: read
""",
        {"id": "x", "config": {"query": 1}, "mode": "read"},
        ["OML002", "OML002", "OML002"],
    ),
    "an over-indented key": (
        """\
  - id: x
    component: a.b
      ⟦mode⟧: read
    needs: [first]
""",
        {"id": "x", "component": "a.b", "mode": "read", "needs": ["first"]},
        ["OML005"],
    ),
    "an under-indented key": (
        """\
  - id: x
   ⟦component⟧: a.b
    mode: read
""",
        {"id": "x", "component": "a.b", "mode": "read"},
        ["OML005"],
    ),
    "a key at the place of the dash": (
        """\
  - id: x
    config:
      a: 1
  ⟦mode⟧: read
    needs: [first]
""",
        {"id": "x", "config": {"a": 1}, "mode": "read", "needs": ["first"]},
        ["OML005"],
    ),
    "a key between two levels goes to its nearest neighbours": (
        """\
  - id: x
    config:
      a: 1
     ⟦b⟧: 2
    mode: read
""",
        {"id": "x", "config": {"a": 1, "b": 2}, "mode": "read"},
        ["OML005"],
    ),
    "a step's key between two levels goes to the step": (
        """\
  - id: x
    config:
      a: 1
     ⟦needs⟧: [first]
    mode: read
""",
        {"id": "x", "config": {"a": 1}, "needs": ["first"], "mode": "read"},
        ["OML005"],
    ),
    "a bare @": (
        """\
  - id: x
    connection: ⟦@⟧a.b  # why
    mode: read
""",
        {"id": "x", "connection": "@a.b", "mode": "read"},
        ["OML001"],
    ),
    "a bare ]": (
        """\
  - id: x
    connection: ⟦]⟧
    mode: read
""",
        {"id": "x", "connection": "]", "mode": "read"},
        ["OML001"],
    ),
    "a bare %": (
        """\
  - id: x
    connection: ⟦%⟧a
    mode: read
""",
        {"id": "x", "connection": "%a", "mode": "read"},
        ["OML001"],
    ),
    "a bare backtick": (
        """\
  - id: x
    table: ⟦`⟧a b`
    mode: read
""",
        {"id": "x", "table": "`a b`", "mode": "read"},
        ["OML001"],
    ),
    "two colons in one line": (
        """\
  - id: x
    description: a⟦:⟧ b: c
    mode: read
""",
        {"id": "x", "description": "a: b: c", "mode": "read"},
        ["OML001"],
    ),
    "a colon without a key": (
        """\
  - id: x
    ⟦:⟧ x
    mode: read
""",
        {"id": "x", "": "x", "mode": "read"},
        ["OML013"],
    ),
    "text behind a block header": (
        """\
  - id: x
    config:
      query: |⟦foo⟧
        SELECT 1
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\n"}, "mode": "read"},
        ["OML001"],
    ),
    "text on the line of a block header, and none below": (
        """\
  - id: x
    config:
      query: | ⟦SELECT 1⟧
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1"}, "mode": "read"},
        ["OML001"],
    ),
    "an empty block above a half-typed key": (
        """\
  - id: x
    config:
      query: |
    ⟦mode⟧
""",
        {"id": "x", "config": {"query": ""}, "mode": None},
        ["OML004"],
    ),
    "an under-indented line of a block": (
        """\
  - id: x
    config:
      query: |
        SELECT 1
       ⟦FROM x⟧
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\nFROM x\n"}, "mode": "read"},
        ["OML005"],
    ),
    "a block at the margin of its key": (
        """\
  - id: x
    config:
      query: |
      ⟦SELECT 1⟧
      FROM x
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\nFROM x\n"}, "mode": "read"},
        ["OML005"],
    ),
    "a line of a block at the margin of the keys": (
        """\
  - id: x
    config:
      query: |
        SELECT 1
    ⟦FROM x⟧
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\n"}, "mode": "read"},
        ["OML001"],
    ),
    "two colons in a text of several lines": (
        """\
  - id: x
    query: SELECT a⟦:⟧ b
      FROM t
    mode: read
""",
        {"id": "x", "query": "SELECT a: b FROM t", "mode": "read"},
        ["OML001"],
    ),
    "an unknown escape": (
        """\
  - id: x
    path: "C:⟦\\d⟧ata"
    mode: read
""",
        {"id": "x", "path": "C:\\data", "mode": "read"},
        ["OML001"],
    ),
    "a list on the line of its key": (
        """\
  - id: x
    needs: ⟦-⟧ a
    mode: read
""",
        {"id": "x", "needs": "- a", "mode": "read"},
        ["OML001"],
    ),
    "no space behind a dash": (
        """\
  - id: x
    needs:
    - a
    ⟦-⟧b
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML004"],
    ),
    "a stray bracket": (
        """\
  - id: x
    ⟦}⟧
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML001"],
    ),
    "a repeated key": (
        """\
  - id: x
    ⟦id⟧: y
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML006"],
    ),
    "two defects": (
        """\
  - id: ⟦"⟧x
    ⟦comp⟧
    mode: read
""",
        {"id": "x", "comp": None, "mode": "read"},
        ["OML003", "OML004"],
    ),
    "both sides of a merge": (
        """\
  - id: x
⟦<<<<<<< HEAD⟧
    mode: read
=======
    mode: write
>>>>>>> topic
    needs: [first]
""",
        {"id": "x", "mode": "read", "needs": ["first"]},
        ["OML001"],
    ),
}

ACCEPTED_STEPS = {
    "a half-typed first key is YAML's text": ("  - i\n", "i"),
    "a lone dash": ("  -\n", None),
    "a key without a value": ("  - id:\n    mode: read\n", {"id": None, "mode": "read"}),
    "a block that is still empty": ("  - id: x\n    query: |\n", {"id": "x", "query": ""}),
}


def unmark(marked: str, base: int) -> tuple[str, list[Span]]:
    """The text without its marks, and the marked ranges in a document where it starts at ``base``."""
    spans: list[Span] = []
    start = 0
    for removed, mark in enumerate(re.finditer("[⟦⟧]", marked)):
        at = mark.start() - removed + base
        if mark.group() == "⟦":
            start = at
        else:
            spans.append(Span(start, at))
    return re.sub("[⟦⟧]", "", marked), spans


def steps_of(document: Document) -> list[Plain]:
    return [to_plain(placed.part.node) for placed in document.steps]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", BROKEN_STEPS)
def test_what_is_kept_of_a_broken_step_and_what_is_said_where(name: str, line_end: str) -> None:
    marked, kept, codes = BROKEN_STEPS[name]
    first = FIRST.replace("\n", line_end)
    broken, spans = unmark(marked.replace("\n", line_end), len(first))
    document = parse(first + broken + LAST.replace("\n", line_end))

    assert steps_of(document) == [{"id": "first", "component": "a.b"}, kept, {"id": "last", "mode": "read"}]
    assert [(one.code, one.span) for one in document.diagnostics] == list(zip(codes, spans, strict=True))


@pytest.mark.parametrize("name", ACCEPTED_STEPS)
def test_what_is_unfinished_but_valid_yaml_is_read_as_yaml(name: str) -> None:
    step, expected = ACCEPTED_STEPS[name]
    document = parse(FIRST + step + LAST)

    assert steps_of(document)[1] == expected
    assert document.diagnostics == ()


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("name", BROKEN_STEPS)
def test_a_broken_step_leaves_all_other_steps_intact(name: str, place: str) -> None:
    broken, _ = unmark(BROKEN_STEPS[name][0], 0)
    whole = [
        f"  - id: step-{n}\n    component: a.b\n    config:\n      query: |\n        SELECT {n}\n" for n in range(4)
    ]
    at = {"first": 0, "middle": 2, "last": 4}[place]
    steps = [*whole[:at], broken, *whole[at:]]
    document = parse("name: demo\nsteps:\n" + "".join(steps) + "schedule: daily\n")

    assert len(document.steps) == 5
    for number, placed in enumerate([*document.steps[:at], *document.steps[at + 1 :]]):
        assert placed.part.intact
        assert to_plain(placed.part.node) == {
            "id": f"step-{number}",
            "component": "a.b",
            "config": {"query": f"SELECT {number}\n"},
        }
    assert [to_plain(placed.part.node) for placed in document.sections] == [{"name": "demo"}, {"schedule": "daily"}]


def preferred_fixes(document: Document) -> list[Fix]:
    return [fix for one in document.diagnostics for fix in one.fixes if fix.preferred]


def apply(text: str, fixes: list[Fix]) -> str:
    edits = sorted((edit for fix in fixes for edit in fix.edits), key=lambda edit: edit.span, reverse=True)
    for edit in edits:
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text


MENDED = [name for name, (marked, _, _) in BROKEN_STEPS.items() if preferred_fixes(parse(FIRST + unmark(marked, 0)[0]))]


@pytest.mark.parametrize("name", MENDED)
def test_the_fixes_make_the_step_valid_and_keep_its_meaning(name: str) -> None:
    marked, kept, _ = BROKEN_STEPS[name]
    text = FIRST + unmark(marked, 0)[0] + LAST
    mended = parse(apply(text, preferred_fixes(parse(text))))

    assert mended.diagnostics == ()
    assert steps_of(mended)[1] == kept


def test_most_defects_can_be_mended_by_a_machine() -> None:
    unmendable = sorted(set(BROKEN_STEPS) - set(MENDED))

    assert unmendable == [
        "a colon without a key",
        "a line of a block at the margin of the keys",
        "a list on the line of its key",
        "a repeated key",
        "a stray bracket",
        "both sides of a merge",  # a choice, so no fix is preferred
        "text behind a block header",
        "text behind a closing quote",
        "text on the line of a block header, and none below",
    ]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Keep the first side", {"id": "x", "mode": "read", "needs": ["first"]}),
        ("Keep the second side", {"id": "x", "mode": "write", "needs": ["first"]}),
    ],
)
def test_a_merge_conflict_is_resolved_to_either_side(title: str, expected: Plain) -> None:
    text = FIRST + unmark(BROKEN_STEPS["both sides of a merge"][0], 0)[0] + LAST
    [finding] = parse(text).diagnostics
    resolved = parse(apply(text, [fix for fix in finding.fixes if fix.title == title]))

    assert resolved.diagnostics == ()
    assert steps_of(resolved)[1] == expected


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("steps:\n    - id: a\n  - id: b\n  - id: c\n", ["OML005"]),
        ("steps:\n  - id: a\n   - id: b\n  - id: c\n", ["OML005"]),
        ("steps:\n  - id: a\n - id: b\n  - id: c\n", ["OML005"]),
        ("steps:\n  - id: a\n  -id: b\n  - id: c\n", ["OML004"]),
        ("steps:\n  - id: a\n    - id: b\n  - id: c\n", ["OML005"]),
    ],
    ids=[
        "the first too far right",
        "one too far right",
        "one too far left",
        "one without its space",
        "one below the keys",
    ],
)
def test_a_step_whose_dash_stands_wrong_is_still_a_step(text: str, codes: list[str]) -> None:
    document = parse(text)

    assert steps_of(document) == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert [one.code for one in document.diagnostics] == codes
    assert parse(apply(text, preferred_fixes(document))).diagnostics == ()


def test_quotes_go_around_all_of_a_value_that_starts_with_a_reference() -> None:
    text = "config: {path: ${params.folder}/orders.csv, header: true}\n"
    document = parse(text)

    assert [one.code for one in document.diagnostics] == ["OML001"]
    assert apply(text, preferred_fixes(document)) == text.replace(
        "${params.folder}/orders.csv", '"${params.folder}/orders.csv"'
    )


@pytest.mark.parametrize("start", ["   - ", " - ", "- ", "  -", "  -  "])
def test_a_step_whose_first_line_stands_wrong_has_one_finding(start: str) -> None:
    text = f"steps:\n  - id: a\n    mode: read\n{start}id: b\n    mode: read\n    config:\n      x: 1\n  - id: c\n"
    document = parse(text)

    assert steps_of(document) == [
        {"id": "a", "mode": "read"},
        {"id": "b", "mode": "read", "config": {"x": 1}},
        {"id": "c"},
    ]
    assert len(document.diagnostics) == 1
    mended = apply(text, preferred_fixes(document))
    assert mended == text.replace(f"{start}id: b", "  - id: b")


@pytest.mark.parametrize(
    ("first", "mended"),
    [
        ("  oml_version: 0.1.0\n", "oml_version: 0.1.0\n"),
        ("    x-a:\n      b: 1\n", "x-a:\n  b: 1\n"),
        ("# why\n\n  x-a: 1\n", "# why\n\nx-a: 1\n"),
    ],
)
def test_an_indented_first_key_leaves_the_others_alone(first: str, mended: str) -> None:
    rest = "name: demo\nsteps:\n  - id: a\n  - id: b\n"
    document = parse(first + rest)

    assert steps_of(document) == [{"id": "a"}, {"id": "b"}]
    assert [one.code for one in document.diagnostics] == ["OML005"]
    assert apply(first + rest, preferred_fixes(document)) == mended + rest


@pytest.mark.parametrize(
    ("text", "kept", "codes"),
    [
        ("na", {"na": None}, ["OML004"]),
        ("name: x\nst\n", {"name": "x", "st": None}, ["OML004"]),
        ('name: "x\nsteps:\n  - id: a\n', {"name": "x", "steps": [{"id": "a"}]}, ["OML003"]),
        ("params: {a: 1\nsteps:\n  - id: a\n", {"params": {"a": 1}, "steps": [{"id": "a"}]}, ["OML003"]),
        ("steps\n  - id: a\n  - id: b\nname: x\n", {"steps": [{"id": "a"}, {"id": "b"}], "name": "x"}, ["OML004"]),
        ("steps: [{id: a}, {id: b\nname: x\n", {"steps": [{"id": "a"}, {"id": "b"}], "name": "x"}, ["OML003"]),
        ("steps: x\n  - id: a\n    b: c\nname: x\n", {"steps": [{"id": "a", "b": "c"}], "name": "x"}, ["OML001"]),
        ("steps:\n\t- id: a\nname: x\n", {"steps": [{"id": "a"}], "name": "x"}, ["OML002"]),
    ],
)
def test_a_broken_top_level_key_hides_no_other(text: str, kept: Plain, codes: list[str]) -> None:
    document = parse(text)

    assert to_plain(document.root()) == kept
    assert [one.code for one in document.diagnostics] == codes


def test_a_text_between_items_that_stands_in_no_map_is_read() -> None:
    document = parse("steps:\n  - {'\n'}\n  - x\n  -")

    assert to_plain(document.root()) == {"steps": [{" ": None}, None, "x"]}
    assert [one.code for one in document.diagnostics] == ["OML005", "OML001"]


def test_what_only_the_yaml_reader_finds_is_said_in_plain_words() -> None:
    [finding] = parse("steps:\n  - id: x\n    a: !<tag:x y\n").diagnostics

    assert finding.code == "OML001"
    assert finding.message.startswith("This is not valid YAML: ")


def test_a_finding_says_what_is_wrong_and_what_to_do() -> None:
    messages = {one.code: one for name in BROKEN_STEPS for one in findings_of(name)}

    for finding in messages.values():
        assert len(re.findall(r"[.!?](?:\s|$)", finding.message)) >= 1
        assert finding.message.endswith(".")


def findings_of(name: str) -> tuple[Diagnostic, ...]:
    return parse(FIRST + unmark(BROKEN_STEPS[name][0], 0)[0]).diagnostics
