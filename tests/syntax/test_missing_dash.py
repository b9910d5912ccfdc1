"""Steps that lost their dash, and keys that stand at the margin: the other steps stay whole, and one thing is said.

The range of each finding stands between ⟦ and ⟧; ``mended`` is the text after all fixes.
"""

from __future__ import annotations

import re

import pytest

from osiris.syntax.document import Document, PartCache, parse
from osiris.syntax.tree import to_plain

READ = {"id": "read", "component": "a.b", "mode": "read"}
SAVE = {"id": "save", "component": "c.d", "mode": "write", "needs": ["read"]}
LAST = {"id": "last", "component": "e.f", "mode": "read"}

TOP = "name: demo\nsteps:\n"
GOOD = """\
name: demo
steps:
  - id: read
    component: a.b
    mode: read
  - id: save
    component: c.d
    mode: write
    needs:
      - read
  - id: last
    component: e.f
    mode: read
"""


def check(marked: str, codes: list[str]) -> Document:
    text = re.sub("[⟦⟧]", "", marked)
    document = parse(text)
    shown = text
    for found in sorted(document.diagnostics, key=lambda one: one.span, reverse=True):
        shown = f"{shown[: found.span.start]}⟦{text[slice(*found.span)]}⟧{shown[found.span.end :]}"
    assert shown == marked
    assert [found.code for found in document.diagnostics] == codes
    return document


def mended(document: Document) -> str:
    edits = sorted((e for d in document.diagnostics for e in d.fixes[0].edits), key=lambda e: e.span, reverse=True)
    text = document.text
    for edit in edits:
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text


def steps(document: Document) -> list[object]:
    return [to_plain(placed.part.node) for placed in document.steps]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("  - id: save", "    ⟦id⟧: save"),
        ("  - id: save", "  ⟦id⟧: save"),
        ("  - id: read", "    ⟦id⟧: read"),
        ("  - id: last", "    ⟦id⟧: last"),
        ("  - id: last\n    component: e.f", "   ⟦id⟧: last\n    component: e.f"),
    ],
)
def test_a_step_without_its_dash_is_a_step(right: str, wrong: str) -> None:
    document = check(GOOD.replace(right, wrong), ["OML015"])
    assert steps(document) == [READ, SAVE, LAST]
    assert mended(document) == GOOD


def test_keys_at_the_place_of_the_dash_are_moved() -> None:
    wrong = GOOD.replace("  - id: save", "  ⟦id⟧: save").replace(
        "    component: c.d\n    mode: w", "  component: c.d\n  mode: w"
    )
    wrong = wrong.replace("    needs:\n      - read", "  needs:\n    - read")
    document = check(wrong, ["OML015"])
    assert steps(document) == [READ, SAVE, LAST]
    assert mended(document) == GOOD


@pytest.mark.parametrize("list_indent", ["", "  "])
def test_dashes_at_the_margin(list_indent: str) -> None:
    good = re.sub("^  ", "", GOOD, flags=re.MULTILINE).replace("  - read", f"  {list_indent}- read")
    document = check(good.replace("- id: save", "  ⟦id⟧: save"), ["OML015"])
    assert steps(document) == [READ, SAVE, LAST]
    assert mended(document) == good


def test_every_step_without_its_dash_is_told_once() -> None:
    document = check(GOOD.replace("  - id", "    ⟦id⟧"), ["OML015"] * 3)
    assert steps(document) == [READ, SAVE, LAST]
    assert mended(document) == GOOD


def test_a_broken_step_behind_a_missing_dash_is_told_apart() -> None:
    document = check(
        GOOD.replace("  - id: save", "    ⟦id⟧: save").replace("mode: write", "⟦mod⟧"), ["OML015", "OML004"]
    )
    assert steps(document)[::2] == [READ, LAST]


@pytest.mark.parametrize(
    "twice",
    [
        "  - id: read\n    ⟦id⟧: again\n    component: a.b\n    mode: read\n",
        "  - id: read\n    component: a.b\n    mode: read\n    ⟦id⟧: again\n",
        "  - id: read\n    component: a.b\n    ⟦id⟧: again\n    mode: read\n",
    ],
)
def test_an_id_that_is_merely_there_twice_is_no_step(twice: str) -> None:
    document = check(TOP + twice, ["OML006"])
    assert steps(document) == [READ]


@pytest.mark.parametrize(
    ("key", "code"),
    [("⟦comp⟧", "OML005"), ("⟦note⟧:", "OML005"), ("⟦note⟧: [a]", "OML005"), ("⟦params⟧: {x: 1}", "OML005")],
)
def test_a_key_at_the_margin_leaves_the_steps_behind_it(key: str, code: str) -> None:
    document = check(GOOD.replace("  - id: save", f"{key}\n  - id: save"), [code])
    assert steps(document) == [READ, SAVE, LAST]


def test_a_character_that_is_not_allowed_is_told_also_in_a_key_at_the_margin() -> None:
    check(GOOD.replace("  - id: save", "⟦note⟧: a⟦\x07⟧b\n  - id: save"), ["OML005", "OML011"])


def test_a_key_of_a_step_at_the_margin_stays_in_its_step() -> None:
    document = check(GOOD.replace("    mode: write", "⟦mode⟧: write"), ["OML005"])
    assert steps(document) == [READ, SAVE, LAST]
    assert mended(document) == GOOD


@pytest.mark.parametrize(
    "section",
    ["x-templates:", "metadata:", "description: |", "note: |", "note: 'text"],
)
def test_a_list_that_a_key_may_have_is_its_value(section: str) -> None:
    text = f"{TOP}  - id: read\n    component: a.b\n    mode: read\n{section}\n  - id: save\n    component: c.d\n"
    assert steps(parse(text)) == [READ]


def test_a_list_of_other_things_is_the_value_of_its_key() -> None:
    document = check(
        f"{TOP}  - id: read\n    component: a.b\n    mode: read\nnote:\n  - id: save\n    text: hello\n", []
    )
    assert steps(document) == [READ]


@pytest.mark.parametrize("items", ["  - read\n", "  - read\n  - other\n"])
def test_a_step_at_the_margin_keeps_a_list_that_stands_where_the_other_steps_do(items: str) -> None:
    moved = "⟦-⟧ id: save\n  component: c.d\n  mode: write\n  needs:\n" + items + "  description: x\n"
    rest = GOOD[GOOD.index("  - id: last") :]
    document = check(TOP + GOOD[len(TOP) : GOOD.index("  - id: save")] + moved + rest, ["OML005"])
    needs = [item.strip(" -") for item in items.splitlines()]
    assert steps(document) == [READ, SAVE | {"needs": needs, "description": "x"}, LAST]
    assert parse(mended(document)).diagnostics == ()


def test_an_edit_leaves_the_other_steps_as_they_were() -> None:
    cache = PartCache()
    wrong = GOOD.replace("  - id: save", "    id: save")
    before = parse(wrong, cache)
    after = parse(wrong.replace("e.f", "e.g"), cache)
    assert [a.part is b.part for a, b in zip(before.steps, after.steps, strict=True)] == [True, True, False]
