"""``${params.x}`` beside ``config``: in what a step is, what it waits for, and how it is run."""

import pytest

from osiris.core.manifest_build import build_manifest
from osiris.language.analysis import Analyzer
from osiris.language.symbols import symbols
from osiris.syntax.document import PartCache, parse


def manifest_of(analysis):
    assert analysis.ok, [d.message for d in analysis.diagnostics]
    return build_manifest(analysis, connections=None, on_failure="continue", profile=analysis.values.profile)


def step(keys, params, rest=""):
    """A pipeline whose only step has these keys, beside those of a CSV reader."""
    body = "".join(f"    {line}\n" for line in keys.split("\n"))
    return (
        f"oml_version: 0.1.0\nname: orders\nparams: {params}\n{rest}steps:\n  - id: extract\n"
        f"    component: filesystem.csv_extractor\n    mode: read\n    config: {{path: a.csv}}\n{body}"
    )


@pytest.mark.parametrize(
    ("keys", "params", "compiled"),
    [
        ('timeout: "${params.t}"', "{t: 300}", {"timeout": 300.0}),
        ("timeout: ${params.t}", "{t: 5m}", {"timeout": 300.0}),
        ("timeout: ${params.t}m", "{t: 5}", {"timeout": 300.0}),
        ("retry: ${params.n}", "{n: 4}", {"retry": {"attempts": 4, "delay": 1.0, "max_delay": 60.0}}),
        (
            "retry: {attempts: '${params.n}', delay: '${params.d}', max_delay: '${params.m}'}",
            "{n: 4, d: 2s, m: 1.5m}",
            {"retry": {"attempts": 4, "delay": 2.0, "max_delay": 90.0}},
        ),
        (
            "retry: ${params.again}",
            "{again: {type: map, default: {attempts: 2, delay: 5}}}",
            {"retry": {"attempts": 2, "delay": 5.0, "max_delay": 60.0}},
        ),
        ("description: Orders of ${params.day}.", "{day: Monday}", {"description": "Orders of Monday."}),
        ("timeout: ${params.t}", "{t: {type: integer, default: null}}", {}),
        ("description: As it is.", "{}", {"description": "As it is."}),
    ],
)
def test_the_manifest_holds_the_value(check, keys, params, compiled):
    (found,) = manifest_of(check(step(keys, params)))["steps"]
    written = {key: found[key] for key in ("timeout", "retry", "description") if key in found}
    assert written == compiled


@pytest.mark.parametrize(
    ("keys", "params"),
    [
        ("timeout: «OML128 ${params.t}»", "{t: soon}"),
        ("timeout: «OML128 ${params.t}»", "{t: 0}"),
        ("timeout: ${params.«OML311 tt»}", "{}"),
        ("retry: «OML127 ${params.n}»", "{n: 0}"),
        ("retry: «OML127 ${params.n}»", "{n: '4'}"),
        ("retry: {attempts: '${params.n}', delay: «OML127 '${params.d}'»}", "{n: 4, d: soon}"),
        ("retry: {delay: '${params.d}', max_delay: «OML127 1»}", "{d: 5}"),
        ("description: For ${params.«OML311 day»}.", "{}"),
        ("description: For «OML315 ${params.days}».", "{days: [1, 2]}"),
        ("description: For «OML316 ${params.key}».", "{key: {type: string, sensitive: true}}"),
        ("timeout: «OML316 ${params.t}»", "{t: {type: integer}}"),
        ("x-note: ${params.nothing}", "{}"),
    ],
)
def test_what_does_not_fit_is_found(check, keys, params):
    check(step(keys, params))


def test_a_value_that_a_profile_gives_is_checked_as_well(check):
    text = step(
        "timeout: «OML128 ${params.t}»\nretry: ${params.n}",
        "{t: 5m, n: 2}",
        rest="profiles: {prod: {params: {t: soon}}}\n",
    )
    (found,) = check(text).diagnostics
    assert found.message.endswith("(With the profile `prod`.)")


def test_a_profile_may_give_a_value_that_is_there_for_it_alone(check):
    text = step("timeout: ${params.t}", "{t: {type: integer}}", rest="profiles: {prod: {params: {t: 60}}}\n")
    (found,) = manifest_of(check(text, profile="prod"))["steps"]
    assert found["timeout"] == 60.0


TWO = """\
oml_version: 0.1.0
name: orders
params: {params}
{profiles}steps:
  - id: orders
    component: filesystem.csv_extractor
    mode: read
    config: {{path: a.csv}}
  - id: customers
    component: filesystem.csv_extractor
    mode: read
    config: {{path: b.csv}}
  - id: save
    component: {component}
    mode: {mode}
    needs: {needs}
    config: {{path: out.csv}}
"""


def two(params="{}", component="filesystem.csv_writer", mode="write", needs="[orders]", profiles=""):
    return TWO.format(params=params, component=component, mode=mode, needs=needs, profiles=profiles)


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"params": "{c: filesystem.parquet_writer}", "component": "'${params.c}'"}, "filesystem.parquet_writer"),
        ({"params": "{f: parquet}", "component": "filesystem.${params.f}_writer"}, "filesystem.parquet_writer"),
        ({"params": "{m: write}", "mode": "${params.m}"}, "write"),
        ({"params": "{up: customers}", "needs": "['${params.up}']"}, ["customers"]),
        ({"params": "{up: [customers]}", "needs": "${params.up}"}, ["customers"]),
    ],
)
def test_what_a_step_is_and_needs_may_come_from_a_parameter(check, given, changed):
    assert changed in manifest_of(check(two(**given)))["steps"][2].values()


@pytest.mark.parametrize(
    "marked",
    [
        two("{c: filesystem.csv_wrtier}", component="«OML124 ${params.c}»"),
        two("{c: 5}", component="«OML104 ${params.c}»"),
        two("{m: wirte}", mode="«OML125 ${params.m}»"),
        two("{m: read}", mode="«OML126 ${params.m}»"),
        two("{up: order}", needs="[«OML301 '${params.up}'»]"),
        two("{up: orders}", needs="«OML104 ${params.up}»"),
        two("{up: {type: string}}", needs="['«OML316 ${params.up}»']"),
        two("{c: {type: string}}", component="«OML316 ${params.c}»"),
        two("{c: {sensitive: true}}", component="«OML316 ${params.c}»"),
        two("{}", component="${params.«OML311 c»}"),
        two("{}", needs="[orders]\n    inputs: {df: '«OML316 ${params.up}»'}"),
        two("{up: orders}", needs="[orders]\n    inputs: {df: '«OML316 ${params.up}»'}"),
        two("{x: orders}").replace("{path: out.csv}", "{path: '${params.x}', «OML202+OML316 '${params.x}'»: 1}"),
    ],
)
def test_findings_about_them_stand_at_the_parameter(check, marked):
    check(marked)


def test_a_profile_under_which_the_steps_are_others_is_checked_in_full(check):
    text = two(
        "{c: filesystem.csv_writer, up: orders}",
        component="«OML124 ${params.c}»",
        needs="[«OML301 '${params.up}'»]",
        profiles="profiles:\n  prod: {params: {c: filesystem.cvs_writer}}\n  test: {params: {up: order}}\n",
    )
    found = check(text).diagnostics
    assert ["prod" in d.message for d in found] == [True, False]
    assert not any(d.fixes for d in found)


def test_the_config_is_checked_with_the_component_of_its_profile(check):
    text = two(
        "{c: filesystem.csv_writer, out: out.csv}",
        component="${params.c}",
        profiles="profiles:\n  prod: {params: {c: sqlite.writer}}\n",
    ).replace("{path: out.csv}", "{path: out.db, table: orders}")
    (found,) = [d for d in check.analyse(text).diagnostics if d.code == "OML202"]
    assert "table" in found.message
    assert "prod" not in found.message


def test_an_edit_of_the_default_changes_what_the_step_is(check):
    analyzer, cache = Analyzer(check.env.registry), PartCache()
    texts = [two(f"{{c: filesystem.{name}_writer}}", component="${params.c}") for name in ("csv", "parquet", "csv")]
    specs = [analyzer.analyse(parse(text, cache), check.env).specs[2] for text in texts]
    assert [spec.name for spec in specs] == [f"filesystem.{name}_writer" for name in ("csv", "parquet", "csv")]


def test_such_places_are_found_as_references_and_count_as_used(check):
    keys = "timeout: ${params.t}\nretry: {attempts: '${params.n}'}\ndescription: On ${params.d}."
    names = symbols(check(step(keys, "{t: 1, n: 2, d: 3}")))
    found = [s.name for s in names if s.kind == "param" and not s.definition]
    assert found == ["t", "n", "d"]


@pytest.mark.parametrize("half_typed", ["${params.day}", "${params.none}", "[${params.day}]", "'SELECT ${params.day}'"])
def test_a_step_that_is_nothing_but_a_parameter_hides_no_other(check, half_typed):
    text = step("timeout: 5m", "{day: monday}") + f"  - {half_typed}\n  - id: extract\n"

    assert "OML123" in {d.code for d in check.analyse(text).diagnostics}  # the id that two other steps have
