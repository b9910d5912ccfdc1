"""Fixes: which are offered where, and what "fix all" applies."""

from __future__ import annotations

import pytest
from fixing import applied
from marked import analysed

from osiris.ide.fixes.quick_fixes import fix_all, quick_fixes, repeated
from osiris.syntax.text import Span

WRONG = """\
oml_version: "0.1.0"
name: shop
steps:
  - id: a
    component: sqlite.extracter
    mode: raed
    config: {connection: "@sqlite.shop", table: t}
"""


def test_the_fixes_of_a_finding_are_offered_where_it_stands() -> None:
    at = WRONG.index("extracter")

    [found] = quick_fixes(analysed(WRONG), Span(at, at))

    assert applied(WRONG, found.fix.edits) == WRONG.replace("extracter", "extractor")


def test_nothing_is_offered_elsewhere() -> None:
    at = WRONG.index("name")

    assert list(quick_fixes(analysed(WRONG), Span(at, at))) == []


def test_fix_all_applies_the_preferred_fixes_that_do_not_overlap() -> None:
    found = fix_all(analysed(WRONG))

    assert found is not None
    assert applied(WRONG, found.edits) == WRONG.replace("extracter", "extractor").replace("raed", "read")


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        ('["a', '["a"]'),
        ("{df: ['a", "{df: ['a']}"),
        ('["a, "b', '["a, ",b]'),
    ],
)
def test_fix_all_closes_what_is_open_from_the_inside_out(written: str, mended: str) -> None:
    text = f"oml_version: '0.1.0'\nname: shop\nsteps:\n  - id: a\n    x-note: {written}\n    mode: read\n"

    found = fix_all(analysed(text))

    assert found is not None
    assert f"x-note: {mended}\n" in applied(text, found.edits)


def test_a_document_without_fixes_has_no_fix_all() -> None:
    assert fix_all(analysed("just a text")) is None


def test_one_fix_all_does_what_the_next_would_do() -> None:
    # Only when the component is known does its config show a mistake.
    text = WRONG.replace("table: t", "tabel: t")

    found = fix_all(analysed(text), text, analysed)

    assert found is not None
    mended = applied(text, found.edits)
    assert mended == text.replace("extracter", "extractor").replace("raed", "read").replace("tabel", "table")
    assert fix_all(analysed(mended), mended, analysed) is None


def test_all_findings_of_one_code_are_mended_together() -> None:
    text = WRONG + WRONG[WRONG.index("  - id") :].replace("id: a", "id: b")
    at = text.index("raed")

    [found] = repeated(analysed(text), Span(at, at))
    fixes = fix_all(analysed(text), text, analysed, code=found.diagnostic.code)

    assert (found.diagnostic.code, found.count) == ("OML125", 2)
    assert fixes is not None
    assert applied(text, fixes.edits) == text.replace("raed", "read")


def test_a_finding_that_stands_alone_is_not_offered_as_several() -> None:
    assert list(repeated(analysed(WRONG), Span(0, len(WRONG)))) == []


def test_what_takes_a_choice_is_never_applied_unasked() -> None:
    text = WRONG.replace("extracter", "extractor").replace("raed", "read").replace("name: shop", "name: The Shop")

    assert [found.fix.title for found in quick_fixes(analysed(text), Span(0, len(text)))] == ["Rename to `the-shop`"]
    assert fix_all(analysed(text), text, analysed) is None
