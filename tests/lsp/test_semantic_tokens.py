"""Semantic tokens on the wire: whole, as changes, and for a range; all three agree in every encoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsp_client import ABLE, Client, edit

from osiris.lsp.capabilities import semantic_tokens_legend
from osiris.lsp.token_data import changes

TEXT = """\
name: x
params:
  least: 3
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config: {query: "SELECT '😀é', a FROM t WHERE a > ${params.least}"}
  - id: total
    component: duckdb.processor
    mode: transform
    config:
      query: |
        /* 😀
           two lines */ SELECT "é" FROM df_orders
"""


def decoded(data: list[int], legend: dict[str, list[str]], text: str, encoding: str = "utf-16") -> list[str]:
    """``line:column kind text`` of each token; the column counts what the encoding counts."""
    unit = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    lines = [line.encode(encoding + ("" if unit == 1 else "-le")) for line in text.split("\n")]
    found, line, column = [], 0, 0
    for down, right, length, kind, modifiers in zip(*(iter(data),) * 5, strict=True):
        line, column = line + down, right if down else column + right
        raw = lines[line][column * unit : (column + length) * unit]
        assert len(raw) == length * unit
        names = [legend["tokenTypes"][kind]]
        names += [name for bit, name in enumerate(legend["tokenModifiers"]) if modifiers >> bit & 1]
        found.append(f"{line}:{column} {'.'.join(names)} {raw.decode(encoding + ('' if unit == 1 else '-le'))}")
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_places_are_those_of_the_encoding_agreed_on(client: Client, project: Path, encoding: str) -> None:
    declared = client.initialize(project, {**ABLE, "general": {"positionEncodings": [encoding]}})
    uri = (project / "p.oml").as_uri()
    client.open(uri, TEXT)

    answer = client.request("textDocument/semanticTokens/full", {"textDocument": {"uri": uri}})

    legend = declared["semanticTokensProvider"]["legend"]
    width = {"utf-8": 6, "utf-16": 3, "utf-32": 2}[encoding]
    here = [t for t in decoded(answer["data"], legend, TEXT, encoding) if t.startswith(("7:", "13:", "14:"))]
    assert here == [
        "7:4 property config",
        "7:13 property query",
        "7:21 keyword SELECT",
        "7:28 string '😀é'",
        f"7:{32 + width} variable a",
        f"7:{34 + width} keyword FROM",
        f"7:{39 + width} variable t",
        f"7:{41 + width} keyword WHERE",
        f"7:{47 + width} variable a",
        f"7:{49 + width} operator >",
        f"7:{51 + width} macro ${{params.",
        f"7:{60 + width} parameter least",
        f"7:{65 + width} macro }}",
        "13:8 comment /* 😀",
        "14:11 comment two lines */",
        "14:24 keyword SELECT",
        '14:31 variable "é"',
        f"14:{36 if encoding == 'utf-8' else 35} keyword FROM",
        f"14:{41 if encoding == 'utf-8' else 40} variable.readonly df_orders",
    ]


def full(client: Client, uri: str) -> dict[str, Any]:
    return client.request("textDocument/semanticTokens/full", {"textDocument": {"uri": uri}})


def delta(client: Client, uri: str, previous: str) -> dict[str, Any]:
    asked = {"textDocument": {"uri": uri}, "previousResultId": previous}
    return client.request("textDocument/semanticTokens/full/delta", asked)


def applied(data: list[int], edits: list[dict[str, Any]]) -> list[int]:
    for one in sorted(edits, key=lambda one: -one["start"]):
        data = data[: one["start"]] + one["data"] + data[one["start"] + one["deleteCount"] :]
    return data


def test_changes_lead_from_one_answer_to_the_next(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, TEXT)
    before = full(editor, uri)

    nothing = delta(editor, uri, before["resultId"])
    editor.change(uri, 2, edit(6, 10, 14, "write"), edit(7, 13, 13, "x-a: 1, "))
    changed = delta(editor, uri, nothing["resultId"])

    assert nothing["edits"] == []
    [one] = changed["edits"]
    assert len(one["data"]) < len(before["data"]) / 2
    assert applied(before["data"], changed["edits"]) == full(editor, uri)["data"]


def test_an_answer_that_is_not_known_any_more_is_followed_by_all_tokens(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, TEXT)

    answer = delta(editor, uri, "of long ago")

    assert answer["data"] == full(editor, uri)["data"]


def test_a_range_gives_the_same_tokens_as_the_whole(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, TEXT)
    legend = semantic_tokens_legend()
    whole = decoded(full(editor, uri)["data"], legend, TEXT)

    asked = {"start": {"line": 5, "character": 0}, "end": {"line": 8, "character": 6}}
    some = editor.request("textDocument/semanticTokens/range", {"textDocument": {"uri": uri}, "range": asked})

    assert decoded(some["data"], legend, TEXT) == [
        token for token in whole if 5 <= int(token.split(":")[0]) <= 7 or token.startswith("8:4 ")
    ]


def test_documents_that_are_no_pipeline_have_none(editor: Client, project: Path) -> None:
    uri = (project / "osiris.yaml").as_uri()
    editor.open(uri, "{}\n", language="yaml")

    assert full(editor, uri) is None
    assert delta(editor, uri, "1") is None


tokens = st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), max_size=8).map(
    lambda rows: [n for row in rows for n in row]
)


@given(tokens, tokens)
def test_applying_the_changes_gives_the_new_tokens(before: list[int], after: list[int]) -> None:
    edits = changes(before, after)

    assert applied(before, edits) == after
    assert all(one["start"] % 5 == one["deleteCount"] % 5 == len(one["data"]) % 5 == 0 for one in edits)
