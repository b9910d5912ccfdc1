"""A step's config against the schema of its component."""

import pytest

TOP = "oml_version: 0.1.0\nname: orders\nparams: {n: 5}\nsteps:\n"


def csv(config, *, marked_key="config"):
    lines = "".join(f"      {line}\n" for line in config.split("\n"))
    step = "  - id: extract\n    component: filesystem.csv_extractor\n    mode: read\n"
    return f"oml_version: 0.1.0\nname: orders\nsteps:\n{step}    {marked_key}:\n{lines}"


@pytest.mark.parametrize(
    "config",
    [
        "path: a.csv",
        "path: a.csv\nlimit: 5\nheader: false\ndelimiter: ;\nencoding: utf-8\ncolumns: [a, b]",
        "path: a.csv\nheader: 2",
        'path: a.csv\ndelimiter: "\\t"',
        "path: 2026-01-01.csv",
        "path: a.csv\nlimit: «OML203 ten»",
        "path: a.csv\nlimit: «OML203 1.5»",
        "path: a.csv\nlimit: «OML203 [1]»",
        "path: a.csv\nlimit: «OML205 0»",
        "path: a.csv\nlimit: «OML212 .inf»",
        "path: a.csv\nencoding: «OML204 klingon»",
        "path: a.csv\ncolumns: [a, «OML203 5»]",
        "path: a.csv\ncolumns:\n  - a\n  - «OML203 {b: c}»",
        "path: a.csv\ncolumns: «OML213 [a, a]»",
        "path: a.csv\ncolumns: «OML203 a»",
        "path: «OML203 5»",
        "path: «OML205 ''»",
        "«OML203 path»:",
        "path: a.csv\n«OML202 delimitr»: ;",
        "path: a.csv\n«OML202 nonsense»: ;",
        "path: a.csv\n«OML202 needs»: []",
        "path: a.csv\nheader: «OML208 yes»",
        "path: a.csv\nheader: «OML208 OFF»",
        "path: a.csv\nheader: «OML203 'yes'»",
        "path: a.csv\ncomment: n",
        "path: a.csv\n«OML209 chunk_size»: 1000",
    ],
)
def test_values_and_keys(check, config):
    check(csv(config))


def test_a_missing_required_key_points_at_config(check):
    check(csv("header: true", marked_key="«OML201 config»"))


@pytest.mark.parametrize("config", ["", "\n    «OML201 config»:", "\n    «OML201 config»: {}"])
def test_a_missing_config_lacks_every_required_key(check, config):
    component = "filesystem.csv_extractor" if config else "«OML201 filesystem.csv_extractor»"
    check(f"oml_version: 0.1.0\nname: orders\nsteps:\n  - id: a\n    component: {component}\n    mode: read{config}\n")


def test_nothing_is_said_about_the_config_of_an_unknown_component(check):
    check.steps("- id: a\n  component: «OML124 acme.reader»\n  mode: read\n  config: {limit: ten, password: x}")


def test_keys_that_contradict_each_other(check):
    check.steps(
        "- id: a\n  component: sqlite.extractor\n  mode: read\n"
        "  config:\n    path: a.db\n    table: orders\n    query: «OML207 SELECT 1»"
    )


@pytest.mark.parametrize(
    ("before", "code", "after"),
    [
        ("path: a.csv\ndelimitr: ;", "OML202", "path: a.csv\ndelimiter: ;"),
        ("path: a.csv\nsep: ;", "OML202", "path: a.csv\ndelimiter: ;"),
        ("path: a.csv\nseperator: ;", "OML202", "path: a.csv\ndelimiter: ;"),
        ("path: a.csv\nheader: yes", "OML208", "path: a.csv\nheader: true"),
        ("path: a.csv\nencoding: utf8", "OML204", "path: a.csv\nencoding: utf-8"),
        ("path: 5", "OML203", 'path: "5"'),
        ("path: a.csv\nlimit: '5'", "OML203", "path: a.csv\nlimit: 5"),
        ("path: a.csv\nheader: 'true'", "OML203", "path: a.csv\nheader: true"),
        ("path: a.csv\ncolumns: id, total", "OML203", "path: a.csv\ncolumns: [id, total]"),
        ("header: true", "OML201", "header: true\npath: data/orders.csv"),
        ("path: a.csv\nchunk_size: 5", "OML209", "path: a.csv"),
    ],
)
def test_fixes(mend, before, code, after):
    assert mend(csv(before), code) == csv(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\n", "\n    config:\n      path: data/orders.csv\n"),
        ("\n    config:\n", "\n    config:\n      path: data/orders.csv\n"),
        ("\n    config: {}\n", "\n    config: {path: data/orders.csv}\n"),
        ("\n    config: {header: true}\n", "\n    config: {header: true, path: data/orders.csv}\n"),
    ],
)
def test_a_missing_key_is_inserted_in_the_style_of_the_step(mend, before, after):
    head = (
        "oml_version: 0.1.0\nname: orders\nsteps:\n  - id: a\n    component: filesystem.csv_extractor\n    mode: read"
    )
    assert mend(head + before, "OML201") == head + after


@pytest.mark.parametrize(
    ("params", "profiles", "value"),
    [
        ("{n: 5}", "", '"${params.n}"'),
        ("{n: 0}", "", '«OML205 "${params.n}"»'),
        ('{n: "5"}', "", '«OML203 "${params.n}"»'),
        ("{n: 5}", "", '«OML203 "${params.n}0"»'),
        ("{n: {type: integer}}", "", '"${params.n}"'),
        ("{n: {type: integer, sensitive: true}}", "", '"${params.n}"'),
        ("{n: 5}", "{prod: {params: {n: 0}}}", '«OML205 "${params.n}"»'),
        ("{n: {type: integer}}", "{prod: {params: {n: 0}}}", '«OML205 "${params.n}"»'),
        ("{n: 0}", "{prod: {params: {n: 0}}, dev: {params: {n: 5}}}", '«OML205 "${params.n}"»'),
    ],
)
def test_parameters_keep_their_type_in_every_profile(check, params, profiles, value):
    text = csv(f"path: a.csv\nlimit: {value}")
    check(text.replace("steps:", f"params: {params}\nprofiles: {profiles or '{}'}\nsteps:"))


def test_a_finding_of_another_profile_names_it(check):
    text = csv('path: a.csv\nlimit: «OML205 "${params.n}"»')
    analysis = check(text.replace("steps:", "params: {n: 5}\nprofiles: {prod: {params: {n: 0}}}\nsteps:"))
    assert "(with the profile `prod`)" in analysis.diagnostics[0].message


def test_the_chosen_profile_and_given_values_count(check):
    text = csv('path: a.csv\nlimit: «OML205 "${params.n}"»')
    text = text.replace("steps:", "params: {n: 5}\nprofiles: {prod: {params: {n: 0}}}\nsteps:")
    assert "profile" not in check(text, profile="prod").diagnostics[0].message
    check(text.replace("«OML205 ", "").replace("»", ""), params={"n": "7"})
    check(text, params={"n": "0"})
    check(text.replace("«OML205 ", "").replace("»", ""), environ={"OSIRIS_PARAM_N": "7"})


@pytest.mark.parametrize(
    ("component", "keys", "ending"),
    [
        ("filesystem.csv_extractor", "path: a.csv\n    password: x", "asks for none: remove it."),
        ("filesystem.csv_extractor", "path: a.csv\n    pass: x", "asks for none: remove it."),
        ("mysql.extractor", "table: orders\n    api_token: x", "connections of `mysql` have `password` for it."),
    ],
)
def test_a_secret_that_the_component_does_not_know_belongs_to_the_connection(check, component, keys, ending):
    text = f"oml_version: 0.1.0\nname: orders\nsteps:\n- id: a\n  component: {component}\n  mode: read\n  config:\n"
    (message,) = [d.message for d in check.analyse(f"{text}    {keys}\n").diagnostics if d.code == "OML202"]
    assert "belongs to the connection in osiris_connections.yaml, as `${VAR}`" in message
    assert message.endswith(ending)
