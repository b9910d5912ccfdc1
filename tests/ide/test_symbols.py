"""The outline of a document."""

from __future__ import annotations

from marked import analysed

from osiris.ide.navigation.document_symbols import Symbol, symbols


def outline(text: str) -> list[str]:
    found: list[str] = []

    def add(symbol: Symbol, depth: int) -> None:
        assert symbol.span.start <= symbol.name_span.start <= symbol.name_span.end <= symbol.span.end
        found.append(
            "  " * depth + " | ".join(part for part in (symbol.name, symbol.kind.value, symbol.detail) if part)
        )
        for child in symbol.children:
            assert symbol.span.start <= child.span.start <= child.span.end <= symbol.span.end
            add(child, depth + 1)

    for symbol in symbols(analysed(text)):
        add(symbol, 0)
    return found


def test_parameters_profiles_and_steps_with_their_components() -> None:
    assert outline(
        "name: x\n"
        "params:\n  since: {type: string}\n  least: 3\n"
        "profiles:\n  prod: {params: {least: 9}}\n"
        "steps:\n"
        "  - id: a\n    component: sqlite.extractor\n    mode: read\n"
        "  - id: b\n    component: duckdb.processor\n"
    ) == [
        "params | group",
        "  since | param | string",
        "  least | param | integer",
        "profiles | group",
        "  prod | profile",
        "steps | group",
        "  a | step | sqlite.extractor · read",
        "  b | step | duckdb.processor",
    ]


def test_a_broken_step_keeps_its_place_and_hides_no_other() -> None:
    assert outline('steps:\n  - id: a\n    mo\n  - component: "x\n  - id: c\n') == [
        "steps | group",
        "  a | step",
        "  step 2 | step | x",
        "  c | step",
    ]


def test_a_document_without_anything_has_no_outline() -> None:
    assert outline("") == outline("steps: 3") == outline("- a") == []


def test_no_name_is_empty() -> None:
    assert outline('params: {"": 1}\nprofiles: {"": {}}\nsteps:\n  - id: ""\n  - id: " "\n') == [
        "params | group",
        '  "" | param | integer',
        "profiles | group",
        '  "" | profile',
        "steps | group",
        "  step 1 | step",
        '  " " | step',
    ]
