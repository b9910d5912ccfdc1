"""The shape of the document and of its steps."""

import pytest

import planned
from osiris.syntax.diagnostic import Severity

HEAD = "oml_version: 0.1.0\nname: orders\n"
STEPS = """\
steps:
  - id: extract
    component: filesystem.csv_extractor
    mode: read
    config: {path: data/orders.csv}
"""
GOOD = HEAD + STEPS
A = "- id: a\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}\n"


def test_a_good_pipeline_has_no_findings(check):
    assert check(GOOD).ok


def test_missing_keys_are_added_where_the_others_stand(mend):
    text = "  x-a: 1\nname: demo\nsteps: []\n"
    assert mend(text, "OML103") == "oml_version: 0.1.0\n" + text


@pytest.mark.parametrize(
    "text",
    [
        "«OML101»",
        "«OML101»# only a comment\n",
        "«OML102 - id: a»\n- id: b\n",
        "«OML004 orders»\n",
        "«OML102 42»\n",
        "«OML103+OML103 oml_version»: 0.1.0\n",
        "«OML103 name»: orders\n" + STEPS,
        "oml_version: «OML104 0.1»\nname: orders\n" + STEPS,
        "oml_version: «OML104 [0.1.0]»\nname: orders\n" + STEPS,
        "«OML104 oml_version»:\nname: orders\n" + STEPS,
        "oml_version: «OML105 9.9.9»\nname: orders\n" + STEPS,
        "oml_version: «OML106 0.1.3»\nname: orders\n" + STEPS,
        'oml_version: "0.1.0"\nname: orders\n' + STEPS,
        "oml_version: 0.1.0\nname: «OML104 5»\n" + STEPS,
        "oml_version: 0.1.0\nname: «OML104 true»\n" + STEPS,
        "oml_version: 0.1.0\nname: no\n" + STEPS,
        "oml_version: 0.1.0\nname: «OML110 a/b»\n" + STEPS,
        "oml_version: 0.1.0\nname: «OML110 ..»\n" + STEPS,
        "oml_version: 0.1.0\nname: «OML110 con»\n" + STEPS,
        "oml_version: 0.1.0\nname: «OML111 Daily Orders»\n" + STEPS,
        "oml_version: 0.1.0\nname: «OML111 příliš»\n" + STEPS,
        HEAD + "steps: «OML104 3»\n",
        HEAD + "steps: «OML104 {a: 1}»\n",
        HEAD + "«OML113 steps»: []\n",
        HEAD + "«OML113 steps»:\n",
        HEAD + "metadata: «OML104 x»\nschedule: «OML104 [1]»\ndescription: «OML104 [a]»\n" + STEPS,
        HEAD + "metadata: {owner: me}\nschedule: {cron: '0 5 * * *'}\nx-team: [a]\n" + STEPS,
        HEAD + "«OML107 owner»: me\n" + STEPS,
        HEAD + "«OML108 descriptoin»: me\n" + STEPS,
        "oml_version: 0.1.0\n«OML108 nmae»: orders\n" + STEPS,
    ],
)
def test_top_level(check, text):
    check(text)


def test_legacy_keys_of_a_step(check):
    check.steps("- id: a\n  «OML109 uses»: filesystem.csv_extractor@1\n  mode: read\n  «OML109 with»: {path: a.csv}")


def test_legacy_keys_are_migrated(check, mend):
    text = check(
        "«OML109 version»: 1\nname: orders\n«OML109 connectors»:\n  a: 1\n«OML109 tasks»:\n"
        "  - id: extract\n    uses: filesystem.csv_extractor@1.0\n    mode: extract\n"
        "    with: {path: data/orders.csv}\n«OML109 outputs»: [a]\n"
    ).document.text
    while found := [d for d in check.analyse(text).diagnostics if d.code in ("OML109", "OML125")]:
        text = mend(text, found[0].code)
    assert text == (
        "oml_version: 0.1.0\nname: orders\nsteps:\n  - id: extract\n    component: filesystem.csv_extractor\n"
        "    mode: read\n    config: {path: data/orders.csv}\n"
    )
    check(text)


@pytest.mark.parametrize(
    "step",
    [
        "- «OML120 extract»",
        "- «OML120 [1, 2]»",
        "«OML120 -»",
        "- «OML121 description»: nothing else",
        "- id: «OML104 [1]»\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}",
        "- id: «OML104 7»\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}",
        "- «OML104 id»:\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}",
        "- id: a\n  component: «OML104 {x: 1}»\n  mode: «OML104 [read]»",
        "- id: a\n  component: «OML124 filesystem.csv_extracter»\n  mode: read\n  config: {whatever: 1}",
        "- id: a\n  component: «OML124 nothing.like_it»\n  mode: read",
        "- id: a\n  component: filesystem.csv_extractor\n  mode: «OML125 reed»\n  config: {path: a.csv}",
        "- id: a\n  component: filesystem.csv_extractor\n  mode: «OML126 transform»\n  config: {path: a.csv}",
        "- id: a\n  component: filesystem.csv_extractor\n  mode: read\n  config: «OML104 [path]»",
        A + "  needs: «OML104 {b: c}»",
        A + "  needs: [«OML104 [b]»]",
        A + "  description: «OML104 3»",
        "- id: a\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}\n  «OML107 owner»: me",
        "- id: a\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: a.csv}\n  x-owner: me",
        "- id: a\n  component: filesystem.csv_extractor\n  «OML108 moed»: read\n  config: {path: a.csv}",
    ],
)
def test_one_step(check, step):
    check.steps(step)


@pytest.mark.parametrize(
    "value",
    [
        "retry: 3",
        "retry: {attempts: 3, delay: 5, max_delay: 1m}",
        "timeout: 300",
        "timeout: 5m",
        "timeout: 1.5h",
        "retry: «OML127 0»",
        "retry: «OML127 yes»",
        "retry: «OML127 2.5»",
        "retry: {attempts: «OML127 many»}",
        "retry: {attempts: 3, delay: «OML127 soon»}",
        "retry: {«OML108 atempts»: 3}",
        "retry: {delay: 5s, max_delay: «OML127 1s»}",
        "retry: {max_delay: «OML127 0.5»}",
        "retry: {delay: 5, max_delay: 5}",
        "retry: {delay: 2m}",
        "retry: «OML127 [3]»",
        "timeout: «OML128 0»",
        "timeout: «OML128 -5»",
        "timeout: «OML128 5 minutes»",
        "timeout: «OML128 .nan»",
        "timeout: «OML128 true»",
        "timeout: «OML128 99999d»",
        "timeout: «OML128 [5]»",
    ],
)
def test_retry_and_timeout(check, value):
    check.steps(f"- id: a\n  component: filesystem.csv_extractor\n  mode: read\n  config: {{path: a.csv}}\n  {value}")


@pytest.mark.parametrize(
    "step_id",
    [
        "a",
        "1st",
        "extract-orders",
        "a.b.c",
        "A_b-C.9",
        "«OML122 ../../x»",
        "«OML122 a/b»",
        "«OML122 a b»",
        "«OML122 .hidden»",
        "«OML122 a..b»",
        "«OML122 con»",
        "«OML122 NUL.txt»",
        "«OML122 end.»",
        "«OML122 params»",
        "«OML122 žluť»",
        '«OML122 "a\\nb"»',
        f"«OML122 {'x' * 101}»",
        "«OML316 ${params.x}»",
        '«OML122 "C:"»',
    ],
)
def test_ids_are_safe_as_file_names(check, step_id):
    check.steps(f"- id: {step_id}\n  component: filesystem.csv_extractor\n  mode: read\n  config: {{path: a.csv}}")


def test_ids_are_unique_also_when_case_is_ignored(check):
    step = "- id: {}\n  component: filesystem.csv_extractor\n  mode: read\n  config: {{path: a.csv}}\n"
    marked = step.format("«OML123 a»") + step.format("b") + step.format("«OML123 a»") + step.format("«OML123 A»")
    found = check.steps(marked).diagnostics
    at = {d.span.start: n for n, d in enumerate(found)}
    assert [[at[r.span.start] for r in d.related] for d in found] == [[1, 2], [0], [0]]
    assert found[0].message == "The id `a` is also that of step 3 and 1 more. Give this step another id."
    assert found[1].message == "The id `a` is taken by step 1. Give this step another id."
    assert "not told apart" in found[2].message


def test_a_name_of_another_pipeline_is_a_warning(check):
    check.env.pipelines = {"orders": ("pipelines/old.oml",)}
    (found,) = check("oml_version: 0.1.0\nname: «OML112 orders»\n" + STEPS).diagnostics
    assert found.message.startswith("`pipelines/old.oml` has the name `orders`, too: both compile")


def test_a_name_of_several_other_pipelines(check):
    check.env.pipelines = {"orders": ("a.oml", "b.oml")}
    (found,) = check("oml_version: 0.1.0\nname: «OML112 orders»\n" + STEPS).diagnostics
    assert found.message.startswith("`a.oml`, `b.oml` have the name `orders`, too: all compile")


@pytest.mark.parametrize(
    ("text", "code", "mended"),
    [
        ("oml_version: 0.1\nname: orders\n" + STEPS, "OML104", 'oml_version: "0.1.0"\nname: orders\n' + STEPS),
        ("oml_version:\nname: orders\n" + STEPS, "OML104", GOOD),
        ("name: orders\n" + STEPS, "OML103", GOOD),
        ("oml_version: 0.1.0\n" + STEPS, "OML103", HEAD.replace("orders", "my-pipeline") + STEPS),
        ("oml_version: 0.1.0\nname: Daily Orders\n" + STEPS, "OML111", HEAD.replace("orders", "daily-orders") + STEPS),
        (HEAD + "nmae: x\n" + STEPS, "OML108", None),
        (GOOD.replace("mode: read", "mode: write"), "OML126", GOOD),
        (GOOD.replace("mode: read", "mode: extract"), "OML125", GOOD),
        (GOOD.replace("    mode: read\n", ""), "OML121", GOOD),
        (GOOD.replace("csv_extractor", "csv_extactor"), "OML124", GOOD),
        (GOOD.replace("component:", "componet:"), "OML108", GOOD),
        (GOOD + "    needs: extract\n", "OML104", GOOD + "    needs: [extract]\n"),
        (GOOD.replace("id: extract", "id: ../ex tract"), "OML122", GOOD.replace("id: extract", "id: ex-tract")),
    ],
)
def test_fixes(check, mend, text, code, mended):
    if mended is None:
        assert not next(d for d in check.analyse(text).diagnostics if d.code == code).fixes
    else:
        assert mend(text, code) == mended


def test_several_missing_keys_are_one_finding_with_one_fix(check, mend):
    text = check(HEAD + "steps:\n  - id: «OML121 extract»\n    config: {path: a.csv}\n").document.text
    assert mend(text, "OML121") == text.replace(
        "    config", "    component: filesystem.csv_extractor\n    mode: read\n    config"
    )


def test_a_missing_id_comes_first(mend):
    assert mend(GOOD.replace("id: extract\n    ", ""), "OML121") == GOOD.replace(
        "id: extract", "id: read-csv_extractor"
    )


def test_keys_beside_config_are_moved_into_it(check, mend):
    step = "  - id: a\n    component: filesystem.csv_extractor\n    mode: read\n    config:\n"
    marked = "    «OML108 path»: a.csv\n    «OML108 columns»:\n      - a\n    needs: []\n"
    text = check(f"{HEAD}steps:\n{step}{marked}").document.text
    mended = mend(text, "OML108")
    assert mended == f"{HEAD}steps:\n{step}      path: a.csv\n      columns:\n        - a\n    needs: []\n"
    check(mended)


@pytest.mark.parametrize(
    "text",
    ["", "# nothing yet", "# nothing yet\n", "\ufeff# nothing yet", "---\n# nothing yet\n...\n", "# one\r\n# two"],
)
def test_the_skeleton_for_an_empty_file_is_a_good_pipeline(check, mend, text):
    mended = mend(text, "OML101")

    assert check.analyse(mended).ok
    assert mended.replace("\r\n", "").count("\n") == (0 if "\r" in text else mended.count("\n"))


@pytest.mark.parametrize("steps", ["steps: []", "steps:"])
def test_the_first_step_is_added_where_it_fits(check, mend, steps):
    indented = "    " + HEAD.replace("\n", "\n    ") + steps + "\n"

    assert check.analyse(mend(indented, "OML113")).ok


def test_a_document_in_braces_gets_no_first_step_in_block_style(check):
    [found] = [d for d in check.analyse("{oml_version: 0.1.0, name: x, steps: []}\n").diagnostics if d.code == "OML113"]

    assert not found.fixes


@pytest.mark.parametrize(
    "text",
    [HEAD + "steps:\n", HEAD + "steps:", HEAD, HEAD.rstrip(), "name: orders", HEAD + "...\n", HEAD.replace("\n", "\r")],
)
def test_missing_parts_are_added_until_the_pipeline_is_good(check, mend, text):
    while errors := [d for d in check.analyse(text).diagnostics if d.fixes]:
        text = mend(text, errors[0].code)
    assert check(text).ok


def test_line_ends_of_the_file_are_kept_by_fixes(mend):
    assert mend(GOOD.replace("    mode: read\n", "").replace("\n", "\r\n"), "OML121") == GOOD.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD + "steps:\n  - id: a\n    compo\n    mode: read\n", "OML004"),
        (GOOD.replace("{path: data/orders.csv}", "\n      header: true\n      pa"), "OML004"),
        (GOOD.replace("{path: data/orders.csv}", "\n      pa"), "OML104"),
        ("oml_version: 0.1.0\nnam\n" + STEPS, "OML004"),
    ],
)
def test_a_half_typed_key_is_one_finding(check, text, code):
    assert [d.code for d in check.analyse(text).diagnostics] == [code]


@pytest.mark.parametrize(
    ("component", "runs"),
    [("filesystem.csv_extractor", True), ("posthog.extractor", True), ("acme.writer", False)],
)
def test_a_component_that_no_driver_runs_has_a_hint(check, severities, component, runs):
    severities({})
    check.env.registry = planned.registry()
    text = f"oml_version: 0.1.0\nname: orders\nsteps:\n  - {{id: a, component: {component}, mode: write}}\n"
    analysis = check.analyse(text)
    hints = [d for d in analysis.diagnostics if d.code == "OML129"]
    assert [text[d.span.start : d.span.end] for d in hints] == ([] if runs else [component])
    assert all(d.severity is Severity.HINT for d in hints)


def test_the_hint_that_nothing_runs_a_component_can_be_suppressed(check, severities):
    severities({"OML129": Severity.WARNING})
    check.env.registry = planned.registry()
    read = "- id: r\n  component: filesystem.csv_extractor\n  mode: read\n  config: {{path: a.csv}}\n"
    step = read + "- id: a\n  component: {} # osiris: ignore[OML129]\n  mode: write\n  config: {{table: t}}\n"
    check.steps(step.format("acme.writer"))


KEYS = "component: filesystem.csv_extractor\n  mode: read\n"


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        (
            "  config:\n  «OML005 path»: a.csv\n    delimiter: ;\n    header: true",
            "  config:\n    path: a.csv\n    delimiter: ;\n    header: true",
        ),
        (
            "  config:\n  «OML005 path»: a.csv\n    delimiter: ;\n  retry: 3",
            "  config:\n    path: a.csv\n    delimiter: ;\n  retry: 3",
        ),
        (
            "  config:\n   «OML005 path»: a.csv\n    delimiter: ;\n    header: true",
            "  config:\n    path: a.csv\n    delimiter: ;\n    header: true",
        ),
        (
            "  config:\n    delimiter: ;\n  «OML005 path»: a.csv\n    header: true",
            "  config:\n    delimiter: ;\n    path: a.csv\n    header: true",
        ),
    ],
)
def test_one_key_too_far_left_is_the_only_finding_and_goes_to_its_neighbours(check, mend, written, mended):
    analysis = check.steps(f"- id: a\n  {KEYS}{written}")
    text = mend(analysis.document.text, "OML005")
    assert text.endswith("".join(f"  {line}\n" for line in mended.split("\n")))
    assert check.analyse(text).ok


def test_a_component_that_no_driver_runs_is_told_of_once(check, severities):
    severities({})
    check.env.registry = planned.registry()
    step = "  - {{id: {}, component: acme.writer, mode: write}}\n"
    text = "oml_version: 0.1.0\nname: orders\nsteps:\n" + step.format("a") + step.format("b")
    assert len([d for d in check.analyse(text).diagnostics if d.code == "OML129"]) == 1
