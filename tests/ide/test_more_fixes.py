"""Fixes that only an editor offers: the line before and after, and what else they put in."""

from __future__ import annotations

import pytest
from fixing import applied, examined

from osiris.ide.fixes.more_fixes import more_fixes
from osiris.syntax.code_examples import EXAMPLES

STEPS = """\
steps:
  - id: extract
    component: filesystem.csv_extractor
    mode: read
"""


def mended(code: str, text: str) -> str:
    """The text after the one fix for the finding with this code, which is gone."""
    analysis = examined(text)
    [fix] = [fix for found in analysis.diagnostics if found.code == code for fix in more_fixes(analysis, found)]
    after = applied(text, fix.edits)
    assert code not in {found.code for found in examined(after).diagnostics}, after
    return after


HEAD = "oml_version: 0.1.0\nname: orders\n"


@pytest.mark.parametrize(
    ("config", "declared"),
    [
        ('{path: a.csv, limit: "${params.most}"}', "most: {type: integer}"),
        ('{path: "data/${params.day}.csv"}', "day: {type: string}"),
        ('{path: a.csv, columns: "${params.some}"}', "some: {type: list}"),
    ],
)
def test_an_unknown_parameter_is_declared_with_the_type_that_is_wanted(config: str, declared: str) -> None:
    text = f"{HEAD}{STEPS}    config: {config}\n"

    assert mended("OML311", text) == f"{HEAD}params:\n  {declared}\n{STEPS}    config: {config}\n"


def test_a_variable_becomes_a_parameter_that_the_environment_may_give() -> None:
    text = f"{HEAD}{STEPS}    config: {{path: '${{DATA_DIR:-data}}/a.csv'}}\n"

    assert mended("OML312", text) == (
        f"{HEAD}params:\n  data_dir: data\n{STEPS}    config: {{path: '${{params.data_dir}}/a.csv'}}\n"
    )


def test_a_parameter_that_a_profile_gives_is_declared() -> None:
    profile = "profiles:\n  prod: {params: {limit: 5}}\n"
    config = "    config: {path: a.csv}\n"

    after = mended("OML143", HEAD + profile + STEPS + config)

    assert after == f"{HEAD}{profile}params:\n  limit: {{type: integer}}\n{STEPS}{config}"


def test_the_key_that_does_not_count_goes() -> None:
    text = f"{HEAD}{STEPS}    config: {{path: a.csv}}\n    mode: write # no\n    timeout: 5\n"

    assert mended("OML006", text) == f"{HEAD}{STEPS}    config: {{path: a.csv}}\n    timeout: 5\n"


@pytest.mark.parametrize("code", [code for code, text in EXAMPLES.items() if text.startswith("oml_version")])
def test_in_every_example_the_finding_is_mended_and_nothing_is_broken(code: str) -> None:
    analysis = examined(EXAMPLES[code])
    for found in analysis.diagnostics:
        for fix in more_fixes(analysis, found):
            after = examined(applied(EXAMPLES[code], fix.edits))
            codes = [one.code for one in after.diagnostics]
            assert codes.count(found.code) < [one.code for one in analysis.diagnostics].count(found.code)
            new = set(codes) - {one.code for one in analysis.diagnostics}
            assert new <= {"OML144"}  # what a profile sets and no step uses
