"""References to connections, and osiris_connections.yaml itself."""

import pytest

from osiris.components.registry import ComponentRegistry
from osiris.language.connection_checks import variable_findings
from osiris.language.connections import Connection, parse_connections

FILE = """\
connections:
  mysql:
    main: {host: db, database: shop, user: reader, password: "${MYSQL_PASSWORD}"}
    copy: {host: db, database: shop, user: reader, password: "${MYSQL_PASSWORD}"}
  sqlite:
    shop: {path: data/shop.db, default: true}
    other: {path: data/other.db}
  filesystem:
    lake: {base_dir: lake}
"""


def mysql(config):
    lines = "".join(f"\n    {line}" for line in config.split("\n"))
    return f"- id: a\n  component: mysql.extractor\n  mode: read\n  config:{lines}\n"


@pytest.mark.parametrize(
    "step",
    [
        mysql('connection: "@mysql.main"\ntable: orders'),
        mysql('connection: «OML321 "@mysql.mian"»\ntable: orders'),
        mysql("connection: «OML320 mysql.main»\ntable: orders"),
        mysql("connection: «OML320 [main]»\ntable: orders"),
        mysql('connection: «OML320 "@mysql"»\ntable: orders'),
        mysql('connection: «OML322 "@sqlite.shop"»\ntable: orders'),
        mysql('connection: «OML322 "@postgres.main"»\ntable: orders'),
        mysql('connection: "@mysql.main"\ntable: orders\n«OML210 user»: root'),
        mysql('connection: "@mysql.main"\ntable: orders\nhost: other'),
        mysql('connection: "${params.db}"\ntable: orders').replace("params.db", "params.«OML311 db»"),
        mysql("table: orders").replace("config", "«OML323 config»"),
        "- id: a\n  component: sqlite.extractor\n  mode: read\n  config: {table: orders}\n",
        "- id: a\n  component: duckdb.processor\n  mode: transform\n  needs: []\n"
        "  config: {query: SELECT 1, «OML202 connection»: '@mysql.main'}\n".replace("id: a", "id: «OML308 a»"),
    ],
)
def test_references(check, connections, step):
    check.env.connections = connections(FILE)
    check.steps(step)


def test_the_family_of_an_unknown_connection_is_named(check, connections):
    check.env.connections = connections(FILE.replace("  mysql:", "  mariadb:"))
    check.steps(mysql('connection: «OML321 "@mysql.main"»\ntable: orders'))


def test_a_connection_that_lacks_a_required_field(check, connections):
    check.env.connections = connections(
        "connections:\n  mysql:\n    main: {host: db, user: reader, password: '${P}'}\n"
    )
    check.steps(mysql('connection: "@mysql.main"\ntable: orders').replace("config", "«OML201 config»"))


def test_a_connection_to_the_database_of_a_project_needs_no_key(check, connections):
    check.env.connections = connections("connections:\n  supabase:\n    crm: {pg_dsn: '${P}'}\n")
    config = "{connection: '@supabase.crm', table: t}"
    check.steps(f"- id: a\n  component: supabase.extractor\n  mode: read\n  config: {config}")


def test_without_a_connections_file_there_is_one_warning(check):
    check.steps(
        mysql('connection: «OML324 "@mysql.main"»\ntable: orders')
        + mysql('connection: "@mysql.copy"\ntable: orders').replace("id: a", "id: b")
    )


@pytest.mark.parametrize(
    ("before", "code", "after"),
    [
        ('"@mysql.mian"', "OML321", '"@mysql.main"'),
        ("mysql.main", "OML320", '"@mysql.main"'),
        ("main", "OML320", '"@mysql.main"'),
        ('"@sqlite.main"', "OML322", '"@mysql.main"'),
    ],
)
def test_fixes(check, connections, mend, before, code, after):
    check.env.connections = connections(FILE)
    text = f"oml_version: 0.1.0\nname: orders\nsteps:\n{mysql('connection: X')}"
    assert mend(text.replace("X", before), code) == text.replace("X", after)


@pytest.mark.parametrize(
    ("aliases", "family", "alias", "chosen"),
    [
        ("{a: {x: 1}, b: {x: 1}}", "mysql", "b", "@mysql.b"),
        ("{a: {x: 1}, b: {x: 1, default: true}}", "mysql", None, "@mysql.b"),
        ("{a: {x: 1}, default: {x: 1}}", "mysql", None, "@mysql.default"),
        ("{default: {x: 1}, b: {x: 1, default: true}}", "mysql", None, "@mysql.b"),
        ("{a: {x: 1}}", "mysql", None, ["@mysql.a"]),
        ("{a: {x: 1}}", "mysql", "c", ["@mysql.a"]),
        ("{a: {x: 1}}", "postgres", None, []),
    ],
)
def test_the_choice_of_a_connection(connections, aliases, family, alias, chosen):
    found = connections(f"connections:\n  mysql: {aliases}\n").choose(family, alias)
    if isinstance(found, Connection):
        assert found.reference == chosen
    else:
        assert list(found.choices) == chosen


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("connections:\n", []),
        ("connections: {}\nversion: 1\nx-note: a\n", []),
        ("- a\n", ["1:1 OML325"]),
        ("steps: []\n", ["1:1 OML325"]),
        ("connections: [a]\n", ["1:14 OML325"]),
        ("mysql:\n  main: {host: a}\n", ["1:1 OML325"]),
        ("connections:\n  mysql: localhost\n", ["2:10 OML325"]),
        ("connections:\n  mysql:\n    main: localhost\n", ["3:11 OML325"]),
        ("connections:\n  mysql:\n    my alias: {host: a}\n", ["3:5 OML325"]),
        ("connections:\n  mysql:\n    main: {default: maybe}\n", ["3:21 OML325"]),
        ("connections:\n  mysql:\n    main: {default: yes}\n", ["3:21 OML208"]),
        ("connections:\n  s:\n    a: {default: true}\n    b: {default: true}\n", ["4:9 OML326"]),
        ("connections:\n  mysql:\n    main: {host: '${HOST'}\n", ["3:18 OML327"]),
        ("connections:\n  mysql:\n    main: {host: '${HOST:-localhost}'}\n", []),
        ("connections:\n  mysql:\n    main: {password: hunter2}\n", ["3:22 OML506"]),
        ("connections:\n  mysql:\n    main: {password: '${P:-hunter2}'}\n", ["3:22 OML506"]),
        ("connections:\n  mysql:\n    main: {password: '${P:-}'}\n", []),
        ("connections:\n  pg:\n    main: {dsn: 'postgres://u:hunter2@h/d'}\n", ["3:31 OML506"]),
        ("connections:\n  mysql:\n    main: {host: a, host: b}\n", ["3:21 OML006"]),
        ("connections:\n  mysql\n    main: {host: a}\n", ["3:5 OML005"]),
    ],
)
def test_the_file_has_findings_with_places(text, found):
    read = parse_connections(text)
    places = [(*read.document.lines.line_column(d.span.start), d.code) for d in read.diagnostics]
    assert [f"{line + 1}:{column + 1} {code}" for line, column, code in places] == found


@pytest.mark.parametrize(
    "marked",
    [
        "mysql: {main: {host: db, user: reader, password: '${P}', default: true, x-note: {a: 1}}}",
        "«OML328 sqlit»: {shop: {path: a.db}}",
        "«OML328 acme»: {shop: {anything: 1}}",
        "duckdb: {shop: {path: a.db}}",
        "x-mine: {shop: {anything: 1}}",
        "sqlite: {shop: {«OML331 pth»: a.db}}",
        "sqlite: {shop: {«OML329 database»: a.db}}",
        "sqlite: {shop: {path: a.db, «OML329 colour»: blue}}",
        "sqlite: {shop: {path: a.db, «OML329 pasword»: hunter2secret}}",
        "mysql: {main: {host: db, «OML331 pasword»: '${P}'}}",
        "mysql: {main: {host: «OML332 1», port: «OML332 '3306'»}}",
        "mysql: {main: {host: «OML332 [a, b]», port: '${PORT:-3306}'}}",
        "mysql: {main: {host: , port: 3306}}",
        "graphql: {main: {endpoint: 'https://example.com', headers: «OML332 none»}}",
    ],
)
def test_families_and_fields_are_those_of_the_components(check_connections, marked):
    check_connections(f"connections:\n  {marked}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sqlit: {shop: {path: a.db}}", "sqlite: {shop: {path: a.db}}"),
        ("sqlite: {shop: {pth: a.db}}", "sqlite: {shop: {path: a.db}}"),
        ("sqlite: {shop: {database: a.db}}", "sqlite: {shop: {path: a.db}}"),
        ("mysql: {main: {host: 1}}", 'mysql: {main: {host: "1"}}'),
        ("mysql: {main: {port: '3306'}}", "mysql: {main: {port: 3306}}"),
    ],
)
def test_fixes_of_families_and_fields(mend_connections, before, after):
    assert mend_connections(f"connections:\n  {before}\n") == f"connections:\n  {after}\n"


@pytest.mark.parametrize(
    "marked",
    [
        "mysql: {«OML335 main»: {host: db, user: reader, password: '${P}'}}",
        "mysql: {«OML335 main»: }",
        "mysql: {main: {database: d, user: u, password: '${P}'}}",
        "mysql: {main: {database: d, user: u, «OML331 pasword»: '${P}'}}",
        "sqlite: {shop: {default: true}}  # a step may give the path",
        "supabase: {«OML335 crm»: {url: 'https://crm.supabase.co'}}",
        "supabase: {crm: {pg_dsn: '${P}'}}  # which makes key unneeded",
    ],
)
def test_fields_that_only_the_connection_can_give_are_there(check_connections, marked):
    check_connections(f"connections:\n  {marked}\n# OML335 counts\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("main: {user: u}", 'main: {user: u, database: "${MYSQL_MAIN_DATABASE}", password: "${MYSQL_MAIN_PASSWORD}"}'),
        (
            "main:\n      user: u",
            'main:\n      user: u\n      database: "${MYSQL_MAIN_DATABASE}"\n      password: "${MYSQL_MAIN_PASSWORD}"',
        ),
    ],
)
def test_missing_fields_come_from_the_environment(before, after):
    text = f"connections:\n  mysql:\n    {before}\n"
    [found] = [d for d in parse_connections(text, ComponentRegistry.builtin()).diagnostics if d.code == "OML335"]
    [edit] = found.fixes[0].edits

    assert text[: edit.span.start] + edit.new_text + text[edit.span.end :] == f"connections:\n  mysql:\n    {after}\n"


def test_a_variable_that_is_set_nowhere_is_a_hint():
    text = "connections: # ${A}\n  sqlite:\n    shop: {path: '${B}/${C:-x}.db'}\n    old: {path: '${D}.db'}\n"
    found = list(variable_findings(parse_connections(text).document, {"D"}.__contains__))

    assert [(d.code, text[d.span.start : d.span.end]) for d in found] == [("OML336", "B")]


def test_no_fix_writes_a_key_twice(check_connections):
    found = check_connections(
        "connections: {«OML328 sqlit»: {a: {path: a.db}}, sqlite: {b: {path: b.db, «OML331 pth»: c.db}}}\n"
    )
    assert [d.fixes for d in found] == [(), ()]


def test_a_number_under_a_secret_field_is_not_repeated(check_connections):
    found = check_connections("connections: {mysql: {main: {«OML332 password»: «OML506 12345678»}}}\n")
    assert "12345678" not in str([(d.message, d.fixes) for d in found])


def test_fields_and_variables(connections):
    main = connections(FILE).get("mysql", "main")
    assert main.variables == ("MYSQL_PASSWORD",)
    assert main.fields["host"] == "db"
    assert FILE[main.span.start : main.span.end] == "main"


def faults(text):
    """The connections that cannot be used, with the code of what is wrong, and the codes of what stops the file."""
    read = parse_connections(text, ComponentRegistry.builtin())
    each = {c.reference: c.fault.code for group in read.families.values() for c in group.values() if c.fault}
    return each, [error.code for error in read.file_errors]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FILE, ({}, [])),
        (FILE.replace("{host: db, d", "{host: db, port: '1', d", 1), ({"@mysql.main": "OML332"}, [])),
        (FILE.replace("base_dir", "bse_dir"), ({"@filesystem.lake": "OML331"}, [])),
        (FILE.replace("{path: data/other.db}", "[other.db]"), ({"@sqlite.other": "OML325"}, [])),
        # of two defaults none can be taken for the other
        (
            FILE.replace("other.db", "other.db, default: true"),
            ({"@sqlite.shop": "OML326", "@sqlite.other": "OML326"}, []),
        ),
        # what stands in no connection, or is no YAML, is about the whole file
        (FILE + "  duckdb: [main]\n", ({}, ["OML325"])),
        (FILE + "  duckdb: {main: {path: [}}\n", ({}, ["OML003"])),
    ],
)
def test_an_error_in_one_connection_is_the_fault_of_that_one(text, found):
    assert faults(text) == found
