"""Every fix of every finding in the examples of all codes: it mends the finding, and breaks nothing."""

from __future__ import annotations

from collections import Counter

import pytest
from fixing import applied, findings

from osiris.ide.fixes.quick_fixes import fix_all
from osiris.syntax.code_examples import EXAMPLES
from osiris.syntax.diagnostic import Diagnostic, Severity

# What no machine can know: another name or value, or what was meant.
WITHOUT_FIX = {
    "OML006": "which of two equal keys was meant; removing the one that does not count is an action of the editor",
    "OML007": "what the alias should repeat",
    "OML008": "which aliases can go",
    "OML009": "how to say it in a flatter way",
    "OML012": "where the other documents belong",
    "OML013": "what the key should be",
    "OML112": "another name for one of the two pipelines",
    "OML120": "what the step should do",
    "OML127": "how often; a count in quotes or with a word behind it has a fix",
    "OML129": "nothing is wrong: the component has no driver yet",
    "OML140": "the type; those of other languages have a fix",
    "OML142": "another value; one of the wrong type that can be read in the right one has a fix",
    "OML143": "whether to declare the parameter, which is an action of the editor; a misspelt one has a fix",
    "OML145": "it was chosen from outside",
    "OML146": "it was given from outside",
    "OML203": "another value; one of the wrong type that can be read in the right one has a fix",
    "OML206": "a value of the right form",
    "OML207": "which of the keys was meant",
    "OML212": "a number",
    "OML213": "what the component's schema wants",
    "OML307": "which other step was meant",
    "OML311": "whether to declare the parameter, which is an action of the editor; a misspelt one has a fix",
    "OML312": "whether to make it a parameter, which is an action of the editor",
    "OML315": "a parameter of another type",
    "OML316": "what the name should be",
    "OML324": "the connection; `osiris init` makes the file",
    "OML325": "how the connection should look",
    "OML327": "where the variable ends",
    "OML332": "another value; a number in quotes has a fix",
    "OML333": "another file",
    "OML334": "another file",
    "OML336": "the value of the variable",
    "OML401": "the query",
    "OML402": "what the second statement is for",
    "OML403": "a query instead; a misspelt keyword has a fix",
    "OML404": "how the data comes into the pipeline",
    "OML408": "where the text ends",
    "OML409": "another value",
    "OML412": "nothing is wrong in the file: an action of the editor updates osiris.schema.json",
    "OML413": "nothing is wrong in the file: an action of the editor updates osiris.schema.json",
    "OML420": "what the file should say: an action of the editor writes it anew",
    "OML505": "a file of the project",
    "OML509": "another file",
}

# Fixes that bring to light what could not be checked before: the finding itself is gone.
BRINGS_TO_LIGHT = {
    "OML002": {"OML201"},  # with its lines in one column the step can be read, and has no path
    "OML102": {"OML121"},  # the list is read as steps, which have no component
}


def errors(found: tuple[Diagnostic, ...]) -> Counter[str]:
    return Counter(d.code for d in found if d.severity is Severity.ERROR)


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_fix_mends_its_finding_and_breaks_nothing(code: str) -> None:
    text = EXAMPLES[code]
    before = findings(text)
    for finding in before:
        for fix in finding.fixes:
            assert fix.path is None
            mended = applied(text, fix.edits)
            after = findings(mended, like=text)
            counts = (Counter(d.code for d in before), Counter(d.code for d in after))
            assert counts[1][finding.code] < counts[0][finding.code], (fix.title, mended)
            assert set(errors(after) - errors(before)) <= BRINGS_TO_LIGHT.get(code, set()), (fix.title, mended)


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_finding_has_at_most_one_preferred_fix(code: str) -> None:
    for finding in findings(EXAMPLES[code]):
        assert sum(fix.preferred for fix in finding.fixes) <= 1


def test_which_findings_have_no_fix() -> None:
    without = {code for code, text in EXAMPLES.items() if not any(d.fixes for d in findings(text) if d.code == code)}

    assert without == set(WITHOUT_FIX), without ^ set(WITHOUT_FIX)


@pytest.mark.parametrize("code", EXAMPLES)
def test_fix_all_comes_to_an_end(code: str) -> None:
    text = EXAMPLES[code]

    class Found:
        def __init__(self, changed: str) -> None:
            self.diagnostics = findings(changed, like=text)

    found = fix_all(Found(text), text, Found)
    mended = applied(text, found.edits) if found else text

    assert fix_all(Found(mended), mended, Found) is None


@pytest.mark.parametrize("written", ["Tr0ub4dor", "12345678", "no", "AKIA" + "IOSFODNN7EXAMPLE"])
@pytest.mark.parametrize("code", [code for code in EXAMPLES if "Tr0ub4dor" in EXAMPLES[code]])
def test_no_fix_repeats_a_secret(code: str, written: str) -> None:
    text = EXAMPLES[code].replace("Tr0ub4dor", written)

    for finding in findings(text):
        for fix in finding.fixes:
            assert all(written not in edit.new_text.split('"') for edit in fix.edits), (finding.code, fix)
            assert written not in fix.title
