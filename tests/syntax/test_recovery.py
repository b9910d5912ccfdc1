"""One broken step: what of it is kept, and what is said where."""

from __future__ import annotations

import re

import pytest

from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.document import parse
from osiris.syntax.tree import Plain, to_plain
from syntax.broken_lines import LINES
from syntax.broken_words import WORDS
from syntax.marked_text import FIRST, LAST, steps_of, unmark

BROKEN_STEPS = WORDS | LINES
ACCEPTED_STEPS = {
    "a half-typed first key is YAML's text": ("  - i\n", "i"),
    "a lone dash": ("  -\n", None),
    "a key without a value": ("  - id:\n    mode: read\n", {"id": None, "mode": "read"}),
    "a block that is still empty": ("  - id: x\n    query: |\n", {"id": "x", "query": ""}),
}


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
    assert [one.code for one in document.diagnostics] == ["OML004", "OML005", "OML001"]


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
