"""Declared parameters, references to them, and their values."""

import pytest

from osiris.language.params import typed
from osiris.language.substitution import substitute_text

STEP = """\
steps:
  - id: extract
    component: filesystem.csv_extractor
    mode: read
    config:
      path: "data/${params.x}.csv"
"""
TOP = "oml_version: 0.1.0\nname: orders\n"


@pytest.mark.parametrize(
    "declaration",
    [
        "3",
        "orders",
        "",
        "{type: string}",
        "{type: integer, default: 3, minimum: 1, maximum: 5}",
        "{type: int, default: 3}",
        "{type: bool, default: true}",
        "{type: number, default: 3}",
        "{default: orders, pattern: '^o', description: what}",
        "{enum: [a, b], default: b}",
        "{type: string, sensitive: true}",
        "{type: «OML140 whole»}",
        "{type: «OML140 float»}",
        "{type: integer, default: «OML142 many»}",
        "{type: integer, default: «OML142 '3'»}",
        "{type: integer, default: 3, minimum: «OML140 low»}",
        "{type: integer, default: «OML142 9», maximum: 5}",
        "{type: integer, default: «OML142 0», minimum: 1}",
        "{type: boolean, default: «OML142 1»}",
        "{default: «OML142 c», enum: [a, b]}",
        "{default: a, enum: «OML140 a»}",
        "{default: «OML142 x», pattern: '^o'}",
        "{default: a, pattern: «OML140 '('»}",
        "{type: string, sensitive: «OML140 1»}",
        "{type: string, sensitive: true, default: «OML507 hunter2»}",
        "{type: string, «OML108 defalt»: a}",
        "{type: string, «OML107 owner»: me}",
        "{type: number, default: «OML212 .nan»}",
        "{type: integer, enum: [1, «OML140 two»]}",
        "{type: integer, minimum: «OML140 5», maximum: 3}",
    ],
)
def test_declarations(check, declaration):
    check(f"{TOP}params:\n  x: {declaration}\n{STEP}")


def test_a_map_needs_its_declaration(check):
    check(f"{TOP}params:\n  «OML140 x»: {{a: 1, b: 2}}\n{STEP}")


def test_an_unused_parameter_is_removed_only_where_no_profile_sets_it(check):
    text = f"{TOP}params: {{x: 1, y: 2, z: 3}}\nprofiles: {{prod: {{params: {{y: 5}}}}}}\n{STEP}"
    unused = [d for d in check.analyse(text).diagnostics if d.code == "OML144"]
    assert [[fix.title for fix in d.fixes] for d in unused] == [[], ["Remove `z`"]]


def test_a_list_or_map_cannot_stand_in_a_longer_text(check):
    check(f"{TOP}params: {{x: [1, 2]}}\n" + STEP.replace("${params.x}", "«OML315 ${params.x}»"))


@pytest.mark.parametrize(
    "params",
    [
        "params: «OML104 [x]»\n",
        "params:\n  x: 1\n  «OML144 y»: 2\n",
        "params:\n  x: 1\n  «OML141 two words»: 2\n",
        "params:\n  x: 1\n  «OML144 a-b»: 1\n  «OML141+OML144 a_b»: 2\n",
        "params: {x: 1}\nprofiles: «OML104 [prod]»\n",
        "params: {x: 1}\nprofiles: {«OML110 '../prod'»: {params: {x: 2}}}\n",
        "params: {x: 1}\nprofiles: {prod: {params: {x: 2}}, dev: {}}\n",
        "params: {x: 1}\nprofiles: {prod: {params: {«OML143 y»: 2}}}\n",
        "params: {x: 1}\nprofiles: {prod: {params: {x: «OML142 two»}}}\n",
        "params: {x: 1}\nprofiles: {prod: {«OML108 x»: 2}}\n",
        "params: {x: 1}\nprofiles: {prod: {«OML108 param»: {x: 2}}}\n",
        "params: {x: {type: string, sensitive: true}}\nprofiles: {prod: {params: {x: «OML507 hunter2»}}}\n",
    ],
)
def test_sections(check, params):
    text = TOP + params + STEP
    check(text if "x:" in params else text.replace("${params.x}", "orders"))


@pytest.mark.parametrize(
    "path",
    [
        "${params.x}${params.«OML311 y»}.csv",
        "${ params.x }.csv",
        "a/${params.x}/${params.«OML311 xx»}.csv",
        "«OML312 ${DATA}»/${params.x}.csv",
        "«OML312 ${DATA:-here}»/${params.x}.csv",
        "«OML313 ${param.x}».csv",
        "«OML313 ${x}».csv",
        "«OML313 ${extract.df}»${params.x}",
        "«OML313 ${something}»${params.x}",
        "${not a reference}${params.x}",
    ],
)
def test_references(check, path):
    check(TOP + "params: {x: a}\n" + STEP.replace("data/${params.x}.csv", path))


@pytest.mark.parametrize(
    ("before", "code", "after"),
    [
        ("${param.x}", "OML313", "${params.x}"),
        ("${x}", "OML313", "${params.x}"),
        ("${X}", "OML312", "${params.x}"),
    ],
)
def test_fixes_of_references(mend, before, code, after):
    text = TOP + "params: {x: a}\n" + STEP
    assert mend(text.replace("${params.x}", before), code) == text.replace("${params.x}", after)


def test_a_misspelt_parameter_is_replaced(mend):
    text = TOP + "params: {region: a}\n" + STEP.replace("params.x", "params.region")
    assert mend(text.replace("params.region", "params.regoin"), "OML311") == text


@pytest.mark.parametrize(
    ("declaration", "code", "mended"),
    [
        ("{type: float}", "OML140", "{type: number}"),
        ('{type: integer, default: "3"}', "OML142", "{type: integer, default: 3}"),
        ("{type: string, default: 3}", "OML142", '{type: string, default: "3"}'),
        ("{typ: string}", "OML108", "{type: string}"),
    ],
)
def test_fixes_of_declarations(mend, declaration, code, mended):
    text = f"{TOP}params:\n  x: {declaration}\n{STEP}"
    assert mend(text, code) == text.replace(declaration, mended)


def test_precedence_is_given_then_environment_then_profile_then_default(check):
    text = TOP + "params: {x: 1}\nprofiles: {prod: {params: {x: 2}}}\n" + STEP
    given, environ = {"x": "4"}, {"OSIRIS_PARAM_X": "3"}
    options = [{}, {"profile": "prod"}, {"profile": "prod", "environ": environ}]
    options.append({"profile": "prod", "environ": environ, "params": given})
    found = [check.analyse(text, **option).values.values["x"] for option in options]
    assert [(v.value, v.source) for v in found] == [(1, "default"), (2, "profile"), (3, "environment"), (4, "given")]


@pytest.mark.parametrize(
    ("options", "marked"),
    [
        ({"profile": "prd"}, "params: {x: 1}\n«OML145 profiles»: {prod: {params: {x: 2}}}\n"),
        ({"params": {"y": 1}}, "«OML146 params»: {x: 1}\n"),
        ({"params": {"x": "many"}}, "params: {«OML142 x»: 1}\n"),
        ({"environ": {"OSIRIS_PARAM_X": "many"}}, "params: {«OML142 x»: 1}\n"),
    ],
)
def test_values_from_outside_are_checked(check, options, marked):
    check(TOP + marked + STEP, **options)


@pytest.mark.parametrize(
    ("declaration", "text", "value"),
    [
        ("{type: integer}", "5", 5),
        ("{type: number}", "5.5", 5.5),
        ("{type: number}", "1e3", 1000.0),
        ("{type: boolean}", "true", True),
        ("{type: boolean}", "off", False),
        ("{type: list}", "[1, 2]", [1, 2]),
        ("{type: list}", "a, b", ["a", "b"]),
        ("{type: map}", '{"a": 1}', {"a": 1}),
        ("{type: string}", "5", "5"),
        ("7", "5", 5),
        ("text", "5", "5"),
    ],
)
def test_texts_take_the_type_of_their_parameter(check, declaration, text, value):
    param = check.analyse(f"{TOP}params:\n  x: {declaration}\n{STEP}").pipeline.params["x"]
    assert typed(param, text) == (value, None)


@pytest.mark.parametrize(
    ("sql", "value", "result"),
    [
        ("a = ${params.x}", 5, "a = 5"),
        ("a = ${params.x}", 2.5, "a = 2.5"),
        ("a = ${params.x}", True, "a = TRUE"),
        ("a = ${params.x}", None, "a = NULL"),
        ("a IN ${params.x}", [1, "it's"], "a IN (1, 'it''s')"),
        ("a in ( ${params.x} )", [1, "it's"], "a in ( 1, 'it''s' )"),
        ("f(${params.x})", [1, 2], "f((1, 2))"),
        ("FROM ${params.x}", "df_orders", "FROM df_orders"),
        ("FROM df_${params.x}", "2024", "FROM df_2024"),
        ("a = '${params.x}'", "it's", "a = 'it''s'"),
        ("a = 'n-${params.x}'", 5, "a = 'n-5'"),
        ('a = "${params.x}"', 'q"q', 'a = "q""q"'),
        ("a = E'${params.x}'", "\\'", "a = E'\\\\'''"),
        ("a = $$${params.x}$$", "it's", "a = $$it's$$"),
        ("-- ${params.x}\nSELECT 1", "x\nDROP TABLE a", "-- ${params.x}\nSELECT 1"),
    ],
)
def test_substitution_in_sql_is_safe(sql, value, result):
    done = substitute_text(sql, {"x": value}, "duckdb")
    assert (done.value, done.problems) == (result, ())


@pytest.mark.parametrize(
    ("sql", "value", "kind"),
    [
        ("a = ${params.x}", "North America", "unquoted"),
        ("a = ${params.x}", "1; DROP TABLE a", "unquoted"),
        ("a IN ${params.x}", [], "place"),
        ("a = ${params.x}", {"k": 1}, "place"),
        ("a = '${params.x}'", [1], "place"),
        ("a = $$${params.x}$$", "a$$b", "place"),
    ],
)
def test_values_without_a_safe_form_are_refused(sql, value, kind):
    assert [p.kind for p in substitute_text(sql, {"x": value}, "duckdb").problems] == [kind]


def test_a_value_never_ends_a_name_in_brackets():
    assert substitute_text("SELECT [${params.x}]", {"x": "Order Date"}, "sqlite").value == "SELECT [Order Date]"
    assert [p.kind for p in substitute_text("SELECT [${params.x}]", {"x": "a]; --"}, "sqlite").problems] == ["place"]


def test_a_text_with_a_parameter_without_value_stays_whole():
    done = substitute_text("${params.x} ${params.secret}", {"x": 1})
    assert (done.value, done.open) == ("${params.x} ${params.secret}", ("secret",))


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        ("for «OML317 ${params.day»", "for ${params.day}"),
        ("'for «OML317 ${params.day» and ${params.day}'", "'for ${params.day} and ${params.day}'"),
        ("for «OML317 ${params.day»-01.csv", "for ${params.day}-01.csv"),
        ("for «OML318 {{ params.day }}»", "for ${params.day}"),
        ("for «OML318 {{day}}»", "for ${params.day}"),
        ("for «OML318 ${{ params.day }}»", "for ${params.day}"),
        ("for «OML318 {{ param.dya }}»", "for ${params.day}"),
    ],
)
def test_what_would_silently_stay_text_is_told_and_mended(check, mend, written, mended):
    document = f"{TOP}params: {{day: 3}}\n{STEP.replace('${params.x}', '')}    description: "
    code = "OML317" if "OML317" in written else "OML318"
    analysis = check(f"{document}{written}\n")
    assert mend(analysis.document.text, code) == f"{document}{mended}\n"


@pytest.mark.parametrize(
    "text", ["for {{ other }}", "for {{ user.day }}", "for {{ day of month }}", "{'a': {'day': {}}}", "for $params.x"]
)
def test_other_text_with_braces_is_free(check, text):
    text = text.replace("'", "''")
    check(f"{TOP}params: {{day: 3}}\n{STEP.replace('params.x', 'params.day')}    description: '{text}'\n")


def test_a_broken_parameter_in_a_comment_of_sql_is_free(check):
    step = "  - id: b\n    component: duckdb.processor\n    mode: transform\n    config:\n      query: |\n"
    query = "        -- ${params.x or {{ x }}\n        SELECT * FROM df WHERE id > «OML317 ${params.x»\n"
    check(f"{TOP}params: {{x: 3}}\n{STEP}{step}{query}")


def test_declaring_the_name_later_makes_the_double_braces_a_finding(check):
    from osiris.language.analysis import Analyzer
    from osiris.syntax.document import PartCache, parse

    cache, analyzer = PartCache(), Analyzer(check.env.registry)
    step = STEP.replace("${params.x}", "{{ day }}")
    codes = [
        [d.code for d in analyzer.analyse(parse(f"{TOP}{params}{step}", cache), check.env).diagnostics]
        for params in ("", "params: {day: 3}\n", "")
    ]
    assert codes == [[], ["OML318"], []]


@pytest.mark.parametrize(
    ("declaration", "given", "message"),
    [
        (
            "0",
            "10.5",
            "The value `10.5` given for the parameter `x` must be a whole number. The type is that of its default `0`; "
            "to allow it, declare `x: {type: number, default: 0}`.",
        ),
        (
            "{default: 0, description: what}",
            "many",
            "The value `many` given for the parameter `x` must be a whole number. The type is that of its default `0`; "
            'to allow it, declare `x: {type: string, default: "0"}`.',
        ),
        (
            "0",
            10.5,
            "The value `10.5` given for the parameter `x` must be a whole number, not a number. The type is that of "
            "its default `0`; to allow it, declare `x: {type: number, default: 0}`.",
        ),
        ("{type: integer}", "10.5", "The value `10.5` given for the parameter `x` must be a whole number."),
        ("{default: 0, maximum: 5}", "9", "The value `9` given for the parameter `x` must be 5 or less."),
        (
            "{type: integer, sensitive: true}",
            "hunter2",
            "The value given for the parameter `x` must be a whole number, not text.",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_where_its_type_is_from(check, declaration, given, message):
    analysis = check.analyse(f"{TOP}params:\n  x: {declaration}\n{STEP}", params={"x": given})
    assert [d.message for d in analysis.diagnostics if d.code == "OML142"] == [message]


@pytest.mark.parametrize("name", ["api_key", "db_password"])
def test_a_value_whose_name_says_secret_is_not_repeated(check, name):
    step = STEP.replace("params.x", f"params.{name}")
    analysis = check.analyse(f"{TOP}params: {{{name}: 0}}\n{step}", params={name: "hunter2"})
    assert not any("hunter2" in d.message for d in analysis.diagnostics)
