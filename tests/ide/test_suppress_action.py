"""Suppressing a finding: the comment stands where it is one, and nothing but the finding goes."""

from __future__ import annotations

from collections import Counter

import pytest
from fixing import applied, examined

from osiris.ide.fixes.suppress import ignore
from osiris.language.analysis import Analysis, analyse
from osiris.syntax.code_examples import EXAMPLES
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.tree import to_plain

HEAD = """\
oml_version: 0.1.0
name: orders
steps:
  - id: extract
    component: filesystem.csv_extractor
    mode: read
    config: {path: data/orders.csv}
"""


PIPELINES = [code for code, text in EXAMPLES.items() if not text.startswith(("connections:", "# .env"))]


def ignored(steps: str, code: str) -> str:
    """The steps after the first finding with the code was suppressed, and it is gone."""
    analysis = analyse(HEAD + steps)
    finding = next(d for d in analysis.diagnostics if d.code == code)
    action = ignore(analysis, finding)
    assert action is not None, "it cannot be suppressed"
    text = applied(HEAD + steps, [action.edit])
    assert all(d.code not in (code, "OML190") for d in analyse(text).diagnostics)
    assert text.startswith(HEAD)
    return text[len(HEAD) :]


def test_the_comment_stands_at_the_end_of_the_line() -> None:
    assert ignored("    owner: finance\n    timeout: 5m\n", "OML107") == (
        "    owner: finance  # osiris: ignore[OML107]\n    timeout: 5m\n"
    )


def test_it_goes_behind_a_comment_that_is_there() -> None:
    assert ignored("    owner: finance # see wiki   \n", "OML107") == (
        "    owner: finance # see wiki  # osiris: ignore[OML107]   \n"
    )


def test_it_joins_the_comment_on_the_line() -> None:
    assert ignored("    owner: q7Rk2vT9xLw4Zp8Ns3Yd6Hb1 # osiris: ignore[OML504]\n", "OML107") == (
        "    owner: q7Rk2vT9xLw4Zp8Ns3Yd6Hb1 # osiris: ignore[OML504, OML107]\n"
    )


def test_it_joins_the_comment_above_the_line() -> None:
    assert ignored("    # osiris: ignore[OML504 ]\n    owner: q7Rk2vT9xLw4Zp8Ns3Yd6Hb1\n", "OML107") == (
        "    # osiris: ignore[OML504, OML107 ]\n    owner: q7Rk2vT9xLw4Zp8Ns3Yd6Hb1\n"
    )


def test_in_a_block_of_text_it_stands_at_the_header() -> None:
    step = "  - id: total\n    component: duckdb.processor\n    mode: transform\n    config:\n"

    assert ignored(step + "      query: |\n        SELECT *\n        FROM df_extrct\n", "OML405") == (
        step + "      query: |  # osiris: ignore[OML405]\n        SELECT *\n        FROM df_extrct\n"
    )


def test_above_a_text_in_quotes_that_goes_on_over_several_lines() -> None:
    step = "  - id: total\n    component: duckdb.processor\n    mode: transform\n    config:\n"

    assert ignored(step + "      query: 'SELECT *\n        FROM df_extrct\n        LIMIT 1'\n", "OML405") == (
        step + "      # osiris: ignore[OML405]\n      query: 'SELECT *\n        FROM df_extrct\n        LIMIT 1'\n"
    )


def test_above_plain_text_of_several_lines() -> None:
    assert ignored("    owner: finance\n      and sales\n", "OML107") == (
        "    # osiris: ignore[OML107]\n    owner: finance\n      and sales\n"
    )


def test_behind_the_line_inside_brackets_of_several_lines() -> None:
    step = "  - {id: total, component: duckdb.processor, mode: transform,\n"

    assert ignored(step + "     owner: finance,\n     config: {query: SELECT 1}}\n", "OML107") == (
        step + "     owner: finance,  # osiris: ignore[OML107]\n     config: {query: SELECT 1}}\n"
    )


def test_windows_line_ends_stay() -> None:
    text = (HEAD + "    owner: finance\n      and sales\n").replace("\n", "\r\n")
    analysis = analyse(text)

    action = ignore(analysis, analysis.diagnostics[0])

    assert action is not None
    assert "\r\n    # osiris: ignore[OML107]\r\n    owner: finance\r\n" in applied(text, [action.edit])


def test_in_a_file_without_a_line_end_at_its_end() -> None:
    assert ignored("    owner: finance", "OML107") == "    owner: finance  # osiris: ignore[OML107]"


def kinds(found: Analysis) -> Counter[tuple[str, str]]:
    return Counter((d.code, d.message) for d in found.diagnostics)


def check_everywhere(text: str, analysis: Analysis, reanalyse: object) -> None:
    for finding in analysis.diagnostics:
        action = ignore(analysis, finding)
        if not CODES[finding.code].configurable or finding.code in ("OML190", "OML191"):
            assert action is None
        elif action is not None:
            after = reanalyse(applied(text, [action.edit]))  # type: ignore[operator]
            same = {(d.code, d.message): d for d in analysis.diagnostics if is_suppressed_with(d, finding, analysis)}
            assert kinds(after) == kinds(analysis) - Counter({key: kinds(analysis)[key] for key in same})
            assert to_plain(after.document.root()) == to_plain(analysis.document.root())


def is_suppressed_with(other: Diagnostic, finding: Diagnostic, analysis: Analysis) -> bool:
    """One comment takes the findings of one code on one line."""
    lines = analysis.document.lines
    return other.code == finding.code and lines.line_of(other.span.start) == lines.line_of(finding.span.start)


@pytest.mark.parametrize("code", PIPELINES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_in_every_example_the_finding_goes_and_nothing_else_changes(code: str, line_end: str) -> None:
    text = EXAMPLES[code].replace("\n", line_end)

    check_everywhere(text, examined(text), examined)


@pytest.mark.parametrize("code", [code for code in PIPELINES if CODES[code].configurable])
def test_every_finding_that_can_be_configured_can_be_suppressed(code: str) -> None:
    analysis = examined(EXAMPLES[code])
    finding = next(d for d in analysis.diagnostics if d.code == code)

    assert (ignore(analysis, finding) is not None) == (code not in ("OML190", "OML191"))
