"""Comments that suppress findings, and severities that a project chooses."""

import pytest

from osiris.syntax.diagnostic import Severity

HEAD = "oml_version: 0.1.0\nname: orders\nsteps:\n"
READ = "  - id: a\n    component: filesystem.csv_extractor\n    mode: read\n    config: {path: a.csv}\n"
RANDOM = "q7Rk2vT9xLw4Zp8Ns3Yd6Hb1"
SQL = "  - id: t\n    component: duckdb.processor\n    mode: transform\n    config:\n"


@pytest.mark.parametrize(
    "lines",
    [
        f"    description: {RANDOM} # osiris: ignore[OML504]\n",
        f"    # osiris: ignore[OML504]\n    description: {RANDOM}\n",
        f"    # some words; osiris: ignore[OML504]\n    description: «OML504 {RANDOM}»\n",
        f"    description: {RANDOM} #osiris:ignore [ OML504 , «OML190 OML330» ]\n",
        f"    # osiris: ignore[«OML190 OML504»]\n    timeout: 5m\n    description: «OML504 {RANDOM}»\n",
        f"    description: «OML504 {RANDOM}» # osiris: ignore[«OML190 OML330»]\n",
        f"    description: «OML504 {RANDOM}» # osiris: ignore[«OML191 OML999»]\n",
        '    description: "# osiris: ignore[OML504]"\n',
        f"    description: | # osiris: ignore[OML504]\n      one\n\n      {RANDOM}\n    x-b: «OML504 {RANDOM}»\n",
        f"    # osiris: ignore[OML504]\n    description: >-\n      one\n      {RANDOM}\n",
        "    «OML107 owner»: me # osiris: ignore[OML104]\n".replace("OML104]", "«OML191 OML104»]"),
    ],
)
def test_comments(check, lines):
    check(HEAD + READ + lines)


@pytest.mark.parametrize(
    "lines",
    [
        "      query: SELECT * FROM df_x # osiris: ignore[OML405]\n",
        "      query: |\n        SELECT * -- osiris: ignore[OML405]\n        FROM «OML405 df_x»\n".replace(
            "[OML405]", "[«OML190 OML405»]"
        ),
        "      query: |\n        SELECT *\n        FROM df_x -- osiris: ignore[OML405]\n",
        "      query: |\n        SELECT *\n        -- osiris: ignore[OML405]\n        FROM df_x\n",
    ],
)
def test_comments_in_sql(check, lines):
    check(HEAD + READ + SQL + lines)


def test_an_error_that_is_certain_cannot_be_suppressed(check):
    check(HEAD + READ + "    timeout: «OML128 soon» # osiris: ignore[«OML191 OML128»]\n")


def test_a_project_chooses_severities(check, severities):
    severities({"OML107": Severity.ERROR, "OML504": None, "OML104": None})
    analysis = check(HEAD + READ + f"    «OML107 owner»: me\n    description: {RANDOM}\n    needs: «OML104 {{}}»\n")
    assert [d.severity for d in analysis.diagnostics] == [Severity.ERROR, Severity.ERROR]


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("# osiris: ignore[OML330]", ""),
        ("# osiris: ignore[OML330, OML504]", " # osiris: ignore[OML504]"),
        ("# osiris: ignore[OML504, OML330]", " # osiris: ignore[OML504]"),
        ("# osiris: ignore[OML504 OML330 ]", " # osiris: ignore[OML504 ]"),
    ],
)
def test_the_fix_of_an_unused_code_leaves_the_others(mend, comment, left):
    step = f"    description: {RANDOM}"
    assert mend(f"{HEAD}{READ}{step} {comment}\n", "OML190") == f"{HEAD}{READ}{step}{left}\n"
