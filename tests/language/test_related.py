"""Places that explain a finding, and findings about what has no effect or is out of date."""

import pytest

from osiris.syntax.diagnostic import Severity

TOP = "oml_version: 0.1.0\nname: orders\n"
READ = "  - id: {}\n    component: filesystem.csv_extractor\n    mode: read\n    config: {{path: {}.csv}}\n"
WRITE = "  - id: {}\n    component: filesystem.csv_writer\n    mode: write\n    config: {{path: out/{}.csv}}\n"
SQL = "  - id: {}\n    component: duckdb.processor\n    mode: transform\n    config: {{query: SELECT 1}}\n"
A, B, T = READ.format("a", "a"), READ.format("b", "b"), SQL.format("t")
W, W2 = WRITE.format("w", "a"), WRITE.format("w2", "b")


@pytest.mark.parametrize(
    ("text", "code", "places"),
    [
        ("steps:\n" + A + B.replace("id: b", "id: a"), "OML123", ["8: Step 2 has the id `a`."]),
        (
            "steps:\n" + A + W + "    needs: [a, a]\n",
            "OML304",
            ["12: `a` stands here first."],
        ),
        (
            "steps:\n" + A + "    needs: [t]\n" + T + "    needs: [w]\n" + W + "    needs: [a]\n",
            "OML303",
            ["13: `t` needs `w`.", "18: `w` needs `a`."],
        ),
        ("steps:\n" + A + W + W2, "OML308", ["8: `w` writes."]),
        (
            "steps:\n" + A + B + W + "    needs: [a, b]\n",
            "OML309",
            ["4: `a` hands on data.", "8: `b` hands on data."],
        ),
        (
            "steps:\n" + A + A.replace("id: a", "id: A") + T + "    needs: [a, A]\n",
            "OML310",
            ["4: `a` is the table `df_A`.", "8: `A` is the table `df_A`."],
        ),
        (
            "steps:\n" + A + B + T + "    inputs: {x: '${a.df}', X: '${b.df}'}\n",
            "OML310",
            ["16: `x` stands here."],
        ),
        ("steps:\n" + A + W + W2.replace("w2", "z\n    inputs: {df: '${w.df}'}"), "OML307", ["8: `w` is a writer."]),
        ("steps:\n" + A + "    retry: {delay: 5, max_delay: 1}\n", "OML127", ["8: The first wait."]),
        (
            "params:\n  a-b: 1\n  a_b: 2\nsteps:\n" + A,
            "OML141",
            ["4: `a-b` is here."],
        ),
        (
            "params:\n  x: 1\nprofiles:\n  prod: {params: {x: many}}\nsteps:\n" + A,
            "OML142",
            ["4: `x` is declared here."],
        ),
        (
            "steps:\n" + A.replace("mode: read", "id: z\n    mode: read"),
            "OML006",
            ["4: The key `id` is first set here."],
        ),
        (
            "steps:\n" + A + W + WRITE.format("w2", "a"),
            "OML334",
            ["11: The step `w` writes the file here."],
        ),
    ],
)
def test_a_finding_leads_to_what_it_is_about(check, text, code, places):
    analysis = check.analyse(TOP + text)
    found = next(d for d in analysis.diagnostics if d.code == code)
    lines = analysis.document.lines
    assert [f"{lines.line_column(r.span.start)[0] + 1}: {r.message}" for r in found.related] == places


def test_two_default_connections_lead_to_each_other(check_connections):
    text = "connections:\n  sqlite:\n    a: {path: a.db, default: true}\n    b: {path: b.db, «OML326 default»: true}\n"
    (found,) = check_connections(text)
    assert [(r.span.start, r.message) for r in found.related] == [(text.index("a: {"), "`a` is the default, too.")]


def test_a_circle_of_many_steps_is_told_briefly(check):
    steps = "".join(READ.format(f"s{n}", n) + f"    needs: [s{(n + 1) % 200}]\n" for n in range(200))
    (found,) = [d for d in check.analyse(TOP + "steps:\n" + steps).diagnostics if d.code == "OML303"]
    assert "s5 -> ... -> s195" in found.message
    assert len(found.related) < 60


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("params: {x: 1}\nsteps:\n" + A, "OML144"),
        ("steps:\n" + A + "    # osiris: ignore[OML111]\n", "OML190"),
        ("owner: me\nsteps:\n" + A, "OML107"),
        ("steps:\n" + A + W + "    needs: [a, a]\n", "OML304"),
        ("steps:\n" + A + B + "    inputs: {df: '${a.df}'}\n", "OML314"),
    ],
)
def test_what_has_no_effect_is_marked_as_unnecessary(check, text, code):
    (found,) = [d for d in check.analyse(TOP + text).diagnostics if d.code == code]
    assert (found.unnecessary, found.deprecated) == (True, False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("steps:\n" + A.replace("a.csv", "a.csv, chunk_size: 1000"), "OML209"),
        ("steps:\n" + A.replace("component", "uses"), "OML109"),
        ("outputs: {}\nsteps:\n" + A, "OML109"),
        ("version: 1\nsteps:\n" + A, "OML109"),
    ],
)
def test_what_has_been_replaced_is_marked_as_deprecated(check, text, code):
    (found,) = [d for d in check.analyse(TOP + text).diagnostics if d.code == code]
    assert (found.unnecessary, found.deprecated) == (False, True)


def test_a_severity_of_the_project_keeps_the_marks(check, severities):
    severities({"OML209": Severity.ERROR})
    (found,) = check.analyse(TOP + "steps:\n" + A.replace("a.csv", "a.csv, chunk_size: 1000")).diagnostics
    assert (found.severity, found.deprecated) == (Severity.ERROR, True)
