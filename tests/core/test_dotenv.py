"""What is said about a `.env` file; « » marks the places. No value is ever repeated."""

from __future__ import annotations

import pytest

from osiris.core.dotenv_checks import dotenv_findings


def marked(text: str, params: list[str] | None = None) -> str:
    """The text with « » around its findings, each with its code."""
    for item in sorted(dotenv_findings(text, params), key=lambda d: d.span, reverse=True):
        start, end = item.span
        text = f"{text[:start]}«{item.code} {text[start:end]}»{text[end:]}"
    return text


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n\nA=1\nexport B='two words' # and a remark\n",
        "A=1\n«OML337 B: 2»\nC=3\n",
        "«OML337 my var»=1\r\nB=2\r\n",
        '«OML337 A="1»\nB=2\n',
        "«OML337 A='1' 2»\n",
        "«OML338 A»=1\nB='\nA=\n'\nA=2\n",
        "OSIRIS_PARAM_REGION=EU\n«OML339 OSIRIS_PARAM_REGOIN»=EU\nREGOIN=EU\n",
    ],
)
def test_the_findings_of_a_file(text: str) -> None:
    plain = text
    for code in ("OML337", "OML338", "OML339"):
        plain = plain.replace(f"«{code} ", "")
    assert marked(plain.replace("»", ""), ["region"]) == text


def test_parameters_are_not_judged_where_nobody_knows_them_all() -> None:
    assert dotenv_findings("OSIRIS_PARAM_X=1\n") == ()


def test_the_line_that_does_not_count_can_be_removed() -> None:
    text = "A=1\r\nB=2\r\nA=3\r\n"
    [found] = dotenv_findings(text)
    [edit] = found.fixes[0].edits

    assert found.message == "A is set again in line 3, and the last line counts. Remove this one."
    assert text[: edit.span.start] + edit.new_text + text[edit.span.end :] == "B=2\r\nA=3\r\n"


def test_no_value_is_repeated() -> None:
    text = "A=s3cr3t\nA=s3cr3t\ns3cr3t\nB='s3cr3t' s3cr3t\nOSIRIS_PARAM_X=s3cr3t\n"

    assert "s3cr3t" not in str([(d.message, d.fixes, d.related) for d in dotenv_findings(text, [])])
