"""What is broken can mostly be mended by a machine, and means what it meant."""

from __future__ import annotations

import pytest

from osiris.syntax.document import parse
from osiris.syntax.tree import Plain
from syntax.broken_lines import LINES
from syntax.broken_words import WORDS
from syntax.marked_text import FIRST, LAST, apply, preferred_fixes, steps_of, unmark

BROKEN_STEPS = WORDS | LINES
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
        "a comma in a text without quotes in braces",
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
