"""Texts made to hurt: each is read to its end, or refused with one clear finding."""

from __future__ import annotations

import pytest

from osiris.syntax.document import MAX_BYTES, MAX_DEPTH, PartCache, parse

N = 100_000

HURTFUL = {
    "brackets": "[" * N,
    "braces": "{" * N,
    "nested pairs": "{a: " * N,
    "brackets in a step": "steps:\n  - x: " + "[" * N + "\n  - id: b\n",
    "closing brackets": "]" * N,
    "dashes": "- " * N,
    "dashes in a step": "steps:\n  - " + "- " * N,
    "question marks": "? " * N,
    "keys in one line": "a: " * N,
    "colons": ":" * N,
    "deeper and deeper keys": "".join(" " * n + "a:\n" for n in range(2000)),
    "deeper and deeper broken keys": "steps:\n  -" + "".join(" " * n + "a:\n" for n in range(1500)) + "comp",
    "one long word": "x" * N,
    "one long plain text": "steps:\n  - a: " + "x " * N,
    "one long quote that is not closed": 'steps:\n  - a: "' + "x " * N,
    "one long quote that is not closed, with slashes": 'steps:\n  - a: "' + "\\" * N,
    "many quotes": "steps:\n  - a: " + "'" * N,
    "many quotes that are not closed": "steps:\n" + "  - a: '\n" * 10_000,
    "many brackets that are not closed": "steps:\n" + "  - a: [\n" * 10_000,
    "blanks": "steps:\n  - a" + " " * N + "b",
    "tabs": "\t" * N,
    "tabs before a key": "steps:\n  - a: b\n" + "\t" * N + "c: d",
    "empty lines": "\n" * N,
    "carriage returns": "\r" * N,
    "comments": "#\n" * N,
    "anchors": "".join(f"a{n}: &a{n} x\n" for n in range(5_000)),
    "aliases of nothing": "x: [" + "*a, " * 10_000 + "]",
    "one key again and again": "a: 1\n" * 5_000,
    "markers": "---\n" * N,
    "conflict markers": "<<<<<<<\n=======\n>>>>>>>\n" * 5_000,
    "open conflict markers": "<<<<<<<\n" * 10_000,
    "nulls": "\0" * N,
    "surrogates": "\ud800" * N,
    "every odd character": "".join(map(chr, range(0x3000))),
    "half keys": "steps:\n" + "  - id\n    comp\n" * 3_000,
    "flow that lacks commas": "steps:\n  - a: [" + '"b" ' * 10_000,
    "numbers": "x: " + "9" * N,
    "a bad header": "steps:\n  - a: |" + "9" * N,
    "percent signs": "%" * N,
}


@pytest.mark.parametrize("name", HURTFUL)
def test_a_hurtful_text_is_read(name: str) -> None:
    text = HURTFUL[name]
    document = parse(text, PartCache())

    assert document.text == text
    assert all(0 <= one.span.start <= one.span.end <= len(text) for one in document.diagnostics)
    assert len(document.diagnostics) <= 1000
    document.root()
    list(document.comments())


@pytest.mark.parametrize(
    "text",
    [
        "x: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "- " * (MAX_DEPTH + 1) + "a",
        "steps:\n  - " + "- " * 99 + "@",
    ],
)
def test_deep_nesting_is_refused_where_it_is_too_deep(text: str) -> None:
    assert [one.code for one in parse(text).diagnostics if one.code == "OML009"] == ["OML009"]


def test_nesting_up_to_the_limit_is_read() -> None:
    depth = MAX_DEPTH - 1
    assert parse("x: " + "[" * depth + "]" * depth).diagnostics == ()


def test_a_file_that_is_too_large_is_refused_at_its_first_line() -> None:
    document = parse("name: x\n" + "#" * MAX_BYTES)

    assert [(one.code, one.span) for one in document.diagnostics] == [("OML010", (0, 7))]
    assert document.sections == ()
