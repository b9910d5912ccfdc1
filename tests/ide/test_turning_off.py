"""Switching a code off in ``osiris.yaml``: the text before and after, which is read as meant."""

from __future__ import annotations

import pytest
from fixing import applied

from osiris.core.config_file import parse_config
from osiris.ide.fixes.turn_off import turn_off_edit


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "diagnostics:\n  severity:\n    OML111: off\n"),
        ("# ours\n", "# ours\ndiagnostics:\n  severity:\n    OML111: off\n"),
        ("on_failure: stop # at once\n", "on_failure: stop # at once\ndiagnostics:\n  severity:\n    OML111: off\n"),
        ("diagnostics:\n", "diagnostics:\n  severity:\n    OML111: off\n"),
        ("diagnostics:\n  severity:\n", "diagnostics:\n  severity:\n    OML111: off\n"),
        (
            "diagnostics:\n  severity:\n    OML330: error\n",
            "diagnostics:\n  severity:\n    OML330: error\n    OML111: off\n",
        ),
        ("diagnostics: {severity: {OML330: error}}\n", "diagnostics: {severity: {OML330: error, OML111: off}}\n"),
        ("diagnostics: {severity: {}}\r\n", "diagnostics: {severity: {OML111: off}}\r\n"),
        ("diagnostics: {}\n", "diagnostics: {severity: {OML111: off}}\n"),
    ],
)
def test_a_code_is_switched_off(before: str, after: str) -> None:
    edit = turn_off_edit(before, "OML111")

    assert edit is not None
    assert applied(before, [edit]) == after
    assert parse_config(after).severities["OML111"] is None
    assert parse_config(after).diagnostics == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("", "OML301", id="that is always an error"),
        pytest.param("diagnostics: {severity: {OML111: hint}}\n", "OML111", id="that has a severity"),
        pytest.param("diagnostics: {severity: [OML330]}\n", "OML111", id="in settings of a wrong form"),
        pytest.param("diagnostics: {severity\n", "OML111", id="in broken settings"),
    ],
)
def test_a_code_is_not_switched_off(text: str, code: str) -> None:
    assert turn_off_edit(text, code) is None
