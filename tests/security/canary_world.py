"""A project with a canary in every field of its connections and in every parameter, and steps of every component.

What its steps are comes from the registry of components and from the fields their specs name.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from drivers.web import Reply, Request, Web, serving
from osiris.components.registry import ComponentRegistry
from osiris.components.spec import ComponentSpec
from security.canaries import STEM, Canaries
from servers import Server

REGISTRY = ComponentRegistry.builtin()
SPECS = {name: spec for name in REGISTRY.names() if (spec := REGISTRY.get(name)) is not None and spec.driver}

# What a step of each component says so that it succeeds. A new component needs a line here.
CONFIGS: dict[str, dict[str, Any]] = {
    "duckdb.extractor": {"table": "people"},
    "duckdb.processor": {"query": "SELECT 1 AS id, 'Ann' AS name"},
    "duckdb.writer": {"table": "written"},
    "filesystem.csv_extractor": {"path": "people.csv"},
    "filesystem.csv_writer": {"path": "written.csv"},
    "filesystem.json_extractor": {"path": "people.json"},
    "filesystem.json_writer": {"path": "written.json"},
    "filesystem.parquet_extractor": {"path": "people.parquet"},
    "filesystem.parquet_writer": {"path": "written.parquet"},
    "graphql.extractor": {"query": "{ people { id name } }", "data_path": "data.people", "max_retries": 0},
    "mysql.extractor": {"table": "people"},
    "mysql.writer": {"table": "written", "create_table": True},
    "postgres.extractor": {"table": "people"},
    "postgres.writer": {"table": "written", "create_table": True},
    "posthog.extractor": {"data_type": "persons"},
    "sqlite.extractor": {"table": "people"},
    "sqlite.writer": {"table": "written"},
    "supabase.extractor": {"table": "people", "retries": 0},
    "supabase.writer": {"table": "people", "create_if_missing": False, "retries": 0},
}
SECRET_TABLE = "out/secret.db"
"""The user's own file, in which a table has the name of a canary."""
PEOPLE = [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}]


@dataclass
class World:
    """A project with a canary wherever it may hold a secret, and all that the product wrote while it was used."""

    folder: Path
    canaries: Canaries
    web: Web
    environ: dict[str, str]
    params: dict[str, str]
    targets: Callable[[], bytes]

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def osiris(self, *arguments: str, code: int | None = 0, given: str = "") -> str:
        """Run a command; whatever it prints holds no canary. ``code`` None: whether it finds something is no matter."""
        command = [sys.executable, "-P", "-m", "osiris", *arguments]
        environ = {**os.environ, **self.environ}
        done = subprocess.run(command, cwd=self.project, env=environ, input=given.encode(), capture_output=True)
        printed = done.stdout + done.stderr
        assert self.canaries.found_in(printed) == [], f"{arguments}\n{printed.decode()}"
        assert done.returncode == code or (code is None and done.returncode in (0, 1)), (
            f"{arguments}\n{printed.decode()}"
        )
        return done.stdout.decode()

    def left(self) -> dict[str, list[str]]:
        """Canaries in files, without the one that they were planted in, and in what was written into databases."""
        found = self.canaries.left_below(self.folder, {"project/.env", f"project/{SECRET_TABLE}"})
        return {**found, "databases": rows} if (rows := self.canaries.found_in(self.targets())) else found


# --- The project ------------------------------------------------------------------------------------------------------


def connection_fields(family: str) -> list[str]:
    """The fields that a connection of the family may have, as the specs of its components name them."""
    return sorted({field for spec in SPECS.values() if spec.family == family for field in spec.connection_fields})


def good_connections(web: Web, mysql: dict[str, Any], postgres: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A connection of each family with which steps succeed; ``${...}`` are canaries from .env."""
    return {
        "duckdb": {"path": "data/shop.duckdb"},
        "filesystem": {"base_dir": "data"},
        "graphql": {
            "endpoint": f"{web.url}/graphql?api_key=${{GRAPHQL_ENDPOINT_SECRET}}",
            "auth_type": "basic",
            "auth_username": "ann",
            "auth_token": "${GRAPHQL_AUTH_TOKEN_SECRET}",
            "headers": {"X-Own": "${GRAPHQL_HEADERS_SECRET}"},
        },
        "mysql": {**mysql, "password": "${MYSQL_PASSWORD_SECRET}"},
        "postgres": {**postgres, "password": "${POSTGRES_PASSWORD_SECRET}"},
        "posthog": {
            "api_key": "${POSTHOG_API_KEY_SECRET}",
            "project_id": "7",
            "region": "self_hosted",
            "custom_base_url": web.url,
        },
        "sqlite": {"path": "data/shop.db"},
        "supabase": {"url": web.url, "key": "${SUPABASE_KEY_SECRET}"},
    }


def variable(family: str, field: str) -> str:
    return f"{family}_{field}_SECRET".upper()


def broken_connections(good: dict[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """For each family, beside the good one, one connection for each field, in which that field is a canary."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for family, fields in good.items():
        found[family] = {"good": {**fields, "default": True}}
        for field in connection_fields(family):
            value: Any = f"${{{variable(family, 'wrong_' + field)}}}"
            if field in ("url", "endpoint", "custom_base_url"):
                value = f"{fields[field].partition('?')[0]}/broken/{value}"
            elif field == "pg_dsn":
                value = f"postgresql://ann:{value}@127.0.0.1:1/shop"
            elif field == "headers":
                value = {"X-Own": value, "X-Break": "yes"}
            elif field in ("path", "base_dir"):
                value = f"data/people.csv/{value}"  # below a file nothing can be
            # A field that another one makes idle: without that one.
            idle = {"project_id": {"url": None}, "auth_header_name": {"auth_type": "api_key"}}.get(field, {})
            found[family][f"bad_{field}"] = {name: one for name, one in {**fields, **idle, field: value}.items() if one}
    return found


def step(id: str, spec: ComponentSpec, connection: str | None, **config: Any) -> list[dict[str, Any]]:
    """A step, with the one that takes its rows when it yields some."""
    own = {key: value for key, value in {**CONFIGS[spec.name], **config}.items() if value is not None}
    if connection and spec.connection_fields:
        own["connection"] = f"@{spec.family}.{connection}"
    if spec.modes == ("write",):
        return [{"id": id, "component": spec.name, "mode": "write", "needs": ["rows"], "config": own}]
    mode = "transform" if "transform" in spec.modes else "read"
    found = {"id": id, "component": spec.name, "mode": mode, "needs": ["rows"], "config": own}
    end = {"path": f"out/{id}.csv"}
    return [
        found,
        {"id": f"{id}-out", "component": "filesystem.csv_writer", "mode": "write", "needs": [id], "config": end},
    ]


def pipeline(name: str, steps: list[dict[str, Any]], params: dict[str, str]) -> str:
    """An OML file in which a step that fails does not keep the others from running."""
    import yaml

    rows = {
        "id": "rows",
        "component": "filesystem.csv_extractor",
        "mode": "read",
        "config": {"path": "data/people.csv"},
    }
    declared = {param: {"type": "string", "sensitive": True} for param in params}
    head = {"oml_version": "0.1.0", "name": name}
    return str(yaml.safe_dump({**head, "params": declared, "steps": [rows, *steps]}, sort_keys=False, width=1000))


def texts_of(spec: ComponentSpec) -> list[str]:
    """The config keys of a component, its connection aside, that hold any text."""
    kinds = {key: schema.get("type") for key, schema in spec.properties.items() if "enum" not in schema}
    return [
        key
        for key, kind in kinds.items()
        if (kind == "string" or "string" in (kind or ())) and key not in spec.connection_fields
    ]


def works() -> list[dict[str, Any]]:
    """A step of each component that succeeds, and one for each query that compares a row with a parameter."""
    steps: list[dict[str, Any]] = []
    for name, spec in SPECS.items():
        id = name.replace(".", "-")
        steps += step(id, spec, "good")
        for key, dialect in spec.sql_keys.items():
            if dialect != "graphql":
                table = "df" if spec.modes == ("transform",) else "people"
                query = f"SELECT * FROM {table} WHERE name <> '${{params.token}}'"
                steps += step(f"{id}-{key}", spec, "good", **{"table": None, key: query})
    named = {"path": SECRET_TABLE, "table": "${params.token}"}
    return [*steps, *step("secret-table", SPECS["sqlite.writer"], None, **named)]


def breaks() -> list[list[dict[str, Any]]]:
    """A step of each component for each field of its connection that is wrong.

    First those that fail alone; then one by one those that keep the run from starting, since no text fits the field.
    """
    together: list[dict[str, Any]] = []
    alone: list[list[dict[str, Any]]] = []
    for name, spec in SPECS.items():
        for field in spec.connection_fields:
            found = step(f"{name.replace('.', '-')}-{field}".replace("_", "-"), spec, f"bad_{field}")
            if (spec.property(field) or {}).get("type", "string") not in ("integer", "number", "boolean"):
                together += found
            else:
                alone.append(found)
    return [together, *alone]


def takes_params() -> tuple[list[list[dict[str, Any]]], list[str]]:
    """A step of each component for each text in its config, which a sensitive parameter gives; and the parameters.

    First those that fail alone, as in ``breaks``; then one by one those that keep the run from starting.
    """
    together: list[dict[str, Any]] = []
    alone: list[list[dict[str, Any]]] = []
    params: list[str] = []
    for name, spec in SPECS.items():
        for key in texts_of(spec):
            id = f"{name.replace('.', '-')}-with-{key}".replace("_", "-")
            param = id.replace("-", "_")
            params.append(param)
            found = step(
                id, spec, "good", **{**needed_with(spec, key), key: as_text(spec, key, f"${{params.{param}}}")}
            )
            if (spec.property(key) or {}).keys() & {"maxLength", "pattern", "format"}:
                alone.append(found)
            else:
                together += found
    return [together, *alone], params


def as_text(spec: ComponentSpec, key: str, param: str) -> str:
    """What a step says under ``key`` so that it fails, and that repeats the parameter."""
    if key in spec.path_keys:
        return f"people.csv/{param}"  # below a file nothing can be
    if key == "query" and spec.sql_keys[key] != "graphql":
        return f"SELECT CAST('{param}' AS INTEGER) AS id FROM {'df' if spec.modes == ('transform',) else 'missing'}"
    return param


def needed_with(spec: ComponentSpec, key: str) -> dict[str, Any]:
    """What else a step must say for ``key`` to matter."""
    if key == "query":
        return {"table": None}
    if key in ("table", "schema") and "create_table" in spec.properties:
        return {"create_table": False}
    if key == "primary_key":
        return {"write_mode" if "write_mode" in spec.properties else "mode": "upsert"}
    return (
        {"pagination_enabled": True, "query": "query ($after: String) { people { id } }"} if "pagination" in key else {}
    )


def service(canaries: Canaries) -> Callable[[Request], Reply]:
    """People, to whoever asks as the good connections do; to anybody else, all that was asked, said back."""
    token = base64.b64encode(f"ann:{canaries.at('GRAPHQL_AUTH_TOKEN_SECRET')}".encode()).decode()
    key = canaries.at("SUPABASE_KEY_SECRET")
    bearer = {"/rest/v1/people": key, "/api/projects/7/query/": canaries.at("POSTHOG_API_KEY_SECRET")}

    def answer(request: Request) -> Reply:
        path, headers = request.path.partition("?")[0], request.headers
        wanted = f"Basic {token}" if path == "/graphql" else f"Bearer {bearer.get(path)}"
        own = ("accept-profile", "content-profile", "prefer")
        asked = urllib.parse.unquote(request.path) + "".join(headers.get(name, "") for name in own)
        broken = (STEM in asked and path != "/graphql") or (path == "/graphql" and "people" not in str(request.body))
        if headers.get("authorization") != wanted or headers.get("x-break") or broken:
            said = {"at": request.path, "plain": urllib.parse.unquote(path), "headers": headers, "body": request.body}
            words = f"this was refused: {json.dumps(said)}"
            return Reply({"message": words, "detail": words, "errors": [{"message": words}]}, 400)
        if path == "/graphql":
            return Reply({"data": {"people": PEOPLE}})
        if "query" in path:
            return Reply({"results": [] if "2025" in str(request.body) else [["p1", "2025-01-01T00:00:00Z", 1, "{}"]]})
        return Reply([] if "offset=" in request.path else PEOPLE) if request.method == "GET" else Reply([], 201)

    return answer


@contextlib.contextmanager
def users(mariadb: Server, postgres: Server, canaries: Canaries) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A user with a canary as password on each server, and a database with people; the fields of connections there."""
    secrets = [canaries.at(place).replace("'", "''") for place in ("MYSQL_PASSWORD_SECRET", "POSTGRES_PASSWORD_SECRET")]
    people = ("CREATE TABLE people (id INT, name VARCHAR(20))", "INSERT INTO people VALUES (1, 'Ann'), (2, 'Bob')")
    mariadb.execute(f"CREATE USER canary@'%' IDENTIFIED BY '{secrets[0]}'", "GRANT ALL ON *.* TO canary@'%'")
    postgres.execute(f"CREATE USER canary SUPERUSER PASSWORD '{secrets[1]}'")
    own = {"user": "canary", "password": ""}
    try:
        with mariadb.database(*people) as shop, postgres.database(*people) as store:
            yield {**mariadb.fields(shop), **own}, {**postgres.fields(store), **own}
    finally:
        mariadb.execute("DROP USER canary@'%'")
        postgres.execute("DROP USER canary")


def everything_in(server: Server, database: str) -> bytes:
    """All rows of all tables of a database, ours among them."""
    connection = server.connect(database)
    try:
        cursor = connection.cursor()
        tables = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        cursor.execute(f"{tables} AND table_schema IN ('public', '{database}')")
        rows: list[Any] = []
        for schema, table in cursor.fetchall():
            cursor.execute(f"SELECT * FROM {schema}.{table}")
            rows += [table, *cursor.fetchall()]
        assert "people" in rows
        return str(rows).encode()
    finally:
        connection.close()


@contextlib.contextmanager
def canary_world(mariadb: Server, postgres: Server, folder: Path) -> Iterator[World]:
    """The world in ``folder``, with the servers that its connections lead to."""
    canaries = Canaries()
    for name in ("project/data", "project/out", "tmp", "home"):
        (folder / name).mkdir(parents=True)
    environ = {
        "OSIRIS_STATE_DIR": str(folder / "state"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "COLUMNS": "20000",  # nothing is cut
    }
    with serving() as web, users(mariadb, postgres, canaries) as (mysql, store):
        web.answer = service(canaries)
        shops = [(mariadb, mysql["database"]), (postgres, store["database"])]
        made = World(folder, canaries, web, environ, {}, lambda: b"".join(everything_in(*shop) for shop in shops))
        make_project(made, mysql, store)
        yield made


def make_project(world: World, mysql: dict[str, Any], postgres: dict[str, Any]) -> None:
    import sqlite3

    import yaml

    project, data = world.project, world.project / "data"
    connections = yaml.safe_dump({"connections": broken_connections(good_connections(world.web, mysql, postgres))})
    (project / "osiris_connections.yaml").write_text(connections)
    (project / "osiris.yaml").write_text("version: 1\n")
    names = sorted(
        {name for name in connections.replace("${", "\0").replace("}", "\0").split("\0") if "SECRET" in name}
    )
    (project / ".env").write_text("".join(f'{name}="{value(name, world.canaries)}"\n' for name in names))
    steps, params = takes_params()
    given = ["token", *params]
    world.params.update({name: world.canaries.at(f"param {name}") for name in given})
    many = [(f"breaks-{number}", made) for number, made in enumerate(breaks())]
    many += [(f"takes-{number}", made) for number, made in enumerate(steps)]
    for name, made in [("works", works()), *many]:
        used = {param: "" for param in given if f"params.{param}}}" in json.dumps(made)}
        (project / f"{name}.oml").write_text(pipeline(name, made, used))
    (data / "people.csv").write_text("id,name\n1,Ann\n2,Bob\n")
    (data / "people.json").write_text(json.dumps(PEOPLE))
    with duckdb.connect(str(data / "shop.duckdb")) as database:
        database.execute(f"CREATE TABLE people AS FROM '{data}/people.csv'; COPY people TO '{data}/people.parquet'")
    with contextlib.closing(sqlite3.connect(data / "shop.db")) as database, database:
        database.execute("CREATE TABLE people (id INTEGER, name TEXT)")
        database.executemany("INSERT INTO people VALUES (:id, :name)", PEOPLE)


def value(variable: str, canaries: Canaries) -> str:
    """The canary in a variable, as an address takes it where it is one of an address."""
    canary = canaries.at(variable)
    in_address = variable.endswith(("URL_SECRET", "ENDPOINT_SECRET", "DSN_SECRET"))
    return urllib.parse.quote(canary, safe="") if in_address else canary
