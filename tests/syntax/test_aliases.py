"""Anchors, aliases and merge keys: expanded in the tree, within limits."""

from __future__ import annotations

from osiris.syntax.document import PartCache, parse
from osiris.syntax.tree import Mapping, to_plain

SHARED = """\
x-defaults: &defaults
  mode: read
  component: a.b
steps:
  - <<: *defaults
    id: a
    mode: write
  - id: b
    config: *defaults
"""


def test_aliases_and_merges_are_expanded_across_parts() -> None:
    document = parse(SHARED)

    assert [to_plain(placed.part.node) for placed in document.steps] == [
        {"id": "a", "mode": "write", "component": "a.b"},
        {"id": "b", "config": {"mode": "read", "component": "a.b"}},
    ]
    assert document.diagnostics == ()


def test_what_an_alias_brings_is_synthetic_and_stands_at_the_alias() -> None:
    first, second = parse(SHARED).steps
    assert isinstance(first.part.node, Mapping)
    assert isinstance(second.part.node, Mapping)
    merged = first.part.node.entry("component")
    copied = second.part.node.get("config")
    assert merged is not None
    assert copied is not None

    assert merged.synthetic
    assert first.part.text[merged.span.start : merged.span.end] == "*defaults"
    assert copied.synthetic
    assert second.part.text[copied.span.start : copied.span.end] == "*defaults"


def test_merged_entries_stand_last_and_repeat_no_written_key() -> None:
    [step] = parse("steps:\n  - <<: [{a: 1, b: 2}, {b: 3, c: 4}]\n    a: 0\n").steps

    assert list(to_plain(step.part.node).items()) == [("a", 0), ("b", 2), ("c", 4)]  # type: ignore[union-attr]


def test_an_edited_anchor_changes_the_steps_that_use_it_and_no_others() -> None:
    cache = PartCache()
    text = SHARED + "  - id: c\n"
    before = parse(text, cache)
    again = parse(text + "# a comment\nname: x\n", cache)
    assert [old.part is new.part for old, new in zip(before.steps, again.steps, strict=True)] == [True, True, False]

    before = parse(text, cache)
    after = parse(text.replace("a.b", "c.d"), cache)
    assert [old.part is new.part for old, new in zip(before.steps, after.steps, strict=True)] == [False, False, True]
    assert to_plain(after.steps[1].part.node) == {"id": "b", "config": {"mode": "read", "component": "c.d"}}


def test_a_broken_step_still_has_what_it_merges() -> None:
    [_, step] = parse("x: &d {mode: read}\nsteps:\n  - id: z\n  - <<: *d\n    id: a\n    comp\n").steps

    assert to_plain(step.part.node) == {"id": "a", "comp": None, "mode": "read"}


def test_an_unknown_alias_is_an_error_at_the_alias() -> None:
    text = "steps:\n  - id: a\n    config: *nothing\n"
    [finding] = parse(text).diagnostics

    assert (finding.code, text[finding.span.start : finding.span.end]) == ("OML007", "*nothing")


def test_an_alias_inside_its_own_anchor_is_an_error() -> None:
    [finding] = parse("a: &a [1, *a]\n").diagnostics

    assert finding.code == "OML007"


def test_merging_what_is_no_mapping_is_an_error() -> None:
    text = "steps:\n  - <<: 5\n    id: a\n"
    [finding] = parse(text).diagnostics

    assert (finding.code, text[finding.span.start : finding.span.end]) == ("OML001", "5")


def test_an_alias_bomb_is_defused_within_one_part() -> None:
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    found = parse("bomb:\n" + "".join(f"  {level}\n" for level in levels)).diagnostics

    assert {one.code for one in found} == {"OML008"}


def test_an_alias_bomb_is_defused_across_parts() -> None:
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    found = parse("\n".join(levels)).diagnostics

    assert {one.code for one in found} == {"OML008"}


def test_an_alias_tower_is_not_deeper_than_the_limit() -> None:
    levels = ["l0: &l0 [x]", *(f"l{n}: &l{n} [[[[[[[[*l{n - 1}]]]]]]]]" for n in range(1, 200))]
    found = parse("\n".join(levels)).diagnostics

    assert {one.code for one in found} == {"OML009"}
