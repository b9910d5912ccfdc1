"""Secrets never stand in a pipeline."""

import pytest

HEAD = "oml_version: 0.1.0\nname: orders\nsteps:\n"
MYSQL = """\
  - id: extract
    component: mysql.extractor
    mode: read
    config:
      host: localhost
      database: shop
      user: reader
      password: {}
      table: orders
"""
CSV = "  - id: a\n    component: filesystem.csv_extractor\n    mode: read\n    config: {path: a.csv}\n"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
RANDOM = "q7Rk2vT9xLw4Zp8Ns3Yd6Hb1"


@pytest.mark.parametrize(
    "value",
    ["«OML501 hunter2»", '«OML501 "x y"»', "«OML501+OML203 12345»", "'${params.key}'", f"«OML501 {AWS}»"],
)
def test_the_value_of_a_secret_key(check, value):
    params = "params: {key: {type: string, sensitive: true}}\n" if "params.key" in value else ""
    check(HEAD.replace("steps:\n", params + "steps:\n") + MYSQL.format(value))


def test_a_secret_from_a_parameter_that_is_not_sensitive(check, mend):
    text = HEAD.replace("steps:\n", "params: {key: {type: string}}\nsteps:\n") + MYSQL.format('"${params.key}"')
    check(text.replace('"${params.key}"', '«OML508 "${params.key}"»'))
    assert mend(text, "OML508") == text.replace("{type: string}", "{type: string, sensitive: true}")


@pytest.mark.parametrize(
    ("config", "given"),
    [
        ('path: "${params.key}.csv"', {"params": {"key": AWS}}),
        ('path: a.csv, columns: "${params.key}"', {"params": {"key": ["eu", "mysql://reader:hunter2@db/shop"]}}),
        ('path: "${params.key}.csv"', {"environ": {"OSIRIS_PARAM_KEY": AWS}}),
    ],
)
def test_a_secret_that_is_given_needs_a_sensitive_parameter(check, mend, config, given):
    text = HEAD.replace("steps:\n", "params:\n  key: {description: who}\nsteps:\n") + CSV.replace("path: a.csv", config)
    (found,) = check(text.replace("key:", "«OML508 key»:"), **given).diagnostics
    assert "hunter2" not in found.message
    assert AWS not in found.message
    mended = mend(text, "OML508", **given)
    assert mended == text.replace("who}", "who, sensitive: true}")
    check(mended, **given)


@pytest.mark.parametrize(
    "line",
    [
        "description: see mysql://reader:«OML502 hunter2»@db/shop",
        "description: see mysql://reader@db/shop",
        f"description: key «OML503 {AWS}»",
        f'description: "\\ttab, then «OML503 {AWS}»"',
        f"description: |\n      the key\n      «OML503 {AWS}»\n",
        f"x-note: {{deep: [«OML503 {AWS}»]}}",
        f"timeout: 5m # «OML503 {AWS}»",
        f"«OML107+OML503 {AWS}»: 1",
        f"x-{RANDOM}: keys are names",
        f"description: «OML504 {RANDOM}»",
        "description: 123e4567-e89b-12d3-a456-426614174000",
        "description: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "description: data/exports/2026/quarter_1/Orders_final_v2.csv",
    ],
)
def test_secrets_by_their_form(check, line):
    check(HEAD + CSV + f"    {line}\n")


def test_the_rest_of_the_document_is_searched_as_well(check):
    check(f"x-key: «OML503 {AWS}»\ndescription: mysql://a:«OML502 hunter2»@h/d\n" + HEAD + CSV)


def test_the_fix_takes_the_secret_from_the_environment(check, mend):
    text = HEAD + MYSQL.format("hunter2")
    mended = mend(text, "OML501", "Take it from the environment as OSIRIS_PARAM_PASSWORD")
    assert "hunter2" not in mended
    assert mended == HEAD.replace(
        "steps:\n", "params:\n  password: {type: string, sensitive: true}\nsteps:\n"
    ) + MYSQL.format('"${params.password}"')
    check(mended)


def test_the_fix_adds_to_the_parameters_that_are_there(check, mend):
    text = (
        "params:\n  password: x\n"
        + HEAD
        + MYSQL.format("hunter2").replace("host: localhost", 'host: "${params.password}"')
    )
    mended = mend(text, "OML501")
    assert "params:\n  password: x\n  extract_password: {type: string, sensitive: true}\n" in mended
    assert 'password: "${params.extract_password}"' in mended


def test_the_fix_offers_a_connection_that_holds_the_field(check, connections, mend):
    check.env.connections = connections(
        "connections:\n  mysql:\n    main: {host: h, database: d, user: u, password: '${P}', default: true}\n"
    )
    step = (
        "  - id: extract\n    component: mysql.extractor\n    mode: read\n    config:\n      {}\n      table: orders\n"
    )
    mended = mend(HEAD + step.format("password: hunter2"), "OML501", "Use the connection `@mysql.main`")
    assert mended == HEAD + step.format('connection: "@mysql.main"')
    check(mended)


def test_a_field_that_the_connection_gives_is_removed(check, connections, mend):
    check.env.connections = connections(
        "connections:\n  mysql:\n    main: {host: h, database: d, user: u, password: '${P}'}\n"
    )
    step = "  - id: a\n    component: mysql.extractor\n    mode: read\n    config:\n      connection: '@mysql.main'\n{}"
    text = HEAD + step.format("      password: «OML501 hunter2»\n      table: orders\n")
    mended = mend(check(text).document.text, "OML501")
    assert mended == HEAD + step.format("      table: orders\n")


@pytest.mark.parametrize(
    ("path", "profile"),
    [
        ("data/orders.csv", ""),
        ("./data/../data/orders.csv", ""),
        ("«OML505 /etc/passwd»", ""),
        ("«OML505 ../orders.csv»", ""),
        ("«OML505 data/../../orders.csv»", ""),
        ("«OML505 ~/orders.csv»", ""),
        ("«OML505 'C:\\orders.csv'»", ""),
        ("«OML505 '..\\orders.csv'»", ""),
        ("«OML505 https://example.org/orders.csv»", ""),
        ("«OML505 '${params.dir}/orders.csv'»", "profiles: {prod: {params: {dir: /srv}}}\n"),
    ],
)
def test_paths_stay_in_the_project(check, path, profile):
    params = "params: {dir: data}\n" + profile if profile else ""
    check(HEAD.replace("steps:\n", params + "steps:\n") + CSV.replace("a.csv", path))


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("data/lake", "orders.csv"),
        ("data/lake", "../orders.csv"),
        ("data/lake", "«OML505 ../../../orders.csv»"),
        ("/srv/lake", "2026/orders.csv"),
        ("/srv/lake", "«OML505 ../orders.csv»"),
        ("${LAKE}", "orders.csv"),
        ("${LAKE}", "«OML505 https://example.org/orders.csv»"),
    ],
)
def test_a_path_stays_in_the_project_or_in_the_folder_of_its_connection(check, connections, folder, path):
    check.env.connections = connections(f"connections:\n  filesystem:\n    lake: {{base_dir: '{folder}'}}\n")
    check(HEAD + CSV.replace("path: a.csv", f"connection: '@filesystem.lake', path: {path}"))


def test_a_path_in_an_unknown_folder_is_not_judged(check, connections):
    check.env.connections = connections("connections:\n  filesystem:\n    lake: {base_dir: data}\n")
    check.env.files = frozenset()
    check(HEAD + CSV.replace("path: a.csv", "connection: «OML321 '@filesystem.lke'», path: a.csv"))


def test_paths_in_the_folders_that_the_project_allows(check):
    check.env.allowed = ("../shared", "/srv/in")
    for path in ("../shared/a.csv", "/srv/in/deep/../a.csv", "../shared/*.csv"):
        check(HEAD + CSV.replace("a.csv", path))
    for path in ("../shared-too/a.csv", "/srv/in/../a.csv", "~/a.csv", "https://example.org/srv/in/a.csv"):
        check(HEAD + CSV.replace("a.csv", f"«OML505 {path}»"))


def test_a_folder_that_the_step_names_stays_in_the_project(check):
    check(HEAD + CSV.replace("path: a.csv", "base_dir: data, path: ../a.csv"))
    check(HEAD + CSV.replace("path: a.csv", "base_dir: «OML505 ..», path: «OML505 a.csv»"))


def test_the_file_of_a_connection_is_looked_for_as_well(check, connections):
    check.env.connections = connections("connections:\n  sqlite:\n    shop: {path: data/shop.db, default: true}\n")
    check.env.files = frozenset()
    step = "  - id: a\n    component: {}\n    mode: read\n    config: {{{}table: orders}}\n"
    check(HEAD + step.format("sqlite.extractor", "connection: «OML330 '@sqlite.shop'», "))
    check(HEAD + step.format("«OML330 sqlite.extractor»", ""))


def test_a_missing_input_file_is_a_warning(check):
    check.env.files = frozenset({"data/orders.csv"})
    check(HEAD + CSV.replace("a.csv", "data/orders.csv"))
    check(HEAD + CSV.replace("a.csv", "«OML330 data/other.csv»"))
    check(HEAD + CSV.replace("a.csv", "data/*.csv"))
    check(HEAD + CSV.replace("a.csv", "«OML330 data/*.tsv»"))
    check(HEAD + CSV.replace("a.csv", "«OML505 ../*.csv»"))
    check(HEAD + CSV.replace("a.csv", "«OML505 https://example.com/a.csv»"))


def test_a_file_that_the_pipeline_writes_is_not_missing(check):
    check.env.files = frozenset({"a.csv"})
    write = "  - id: w\n    component: filesystem.csv_writer\n    mode: write\n    config: {path: out/b.csv}\n"
    check(HEAD + CSV + write + CSV.replace("id: a", "id: b").replace("a.csv", "out/b.csv"))
