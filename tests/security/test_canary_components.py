"""Every component, run to success and to failure, with a canary in every field of its connection and every parameter.

What is run comes from the registry of components, from the fields their specs name and from the commands there are:
one that is added is tested here or makes a test fail.
"""

from __future__ import annotations

import json
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from osiris.cli.app import cli
from osiris.execution.runs import RunStore
from security.canary_world import CONFIGS, REGISTRY, SPECS, World, breaks, canary_world, takes_params
from servers import Server

sys.path.insert(0, str(Path(__file__).parents[1] / "lsp"))

from lsp_client import ABLE, Client


@pytest.fixture(scope="module")
def world(mariadb: Server, postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with canary_world(mariadb, postgres, tmp_path_factory.mktemp("canary")) as made:
        yield made


def states(world: World, name: str) -> dict[str, str]:
    """How the steps ended in the last run, which was one of the pipeline ``name``."""
    run = RunStore(world.project / "logs").list()[0]
    assert run.pipeline == name
    return {item["id"]: item["state"] for item in run.status["steps"] if not item["id"].endswith("-out")}


def test_there_is_a_step_of_every_component() -> None:
    assert set(SPECS) <= set(CONFIGS) <= set(REGISTRY.names())


def test_steps_that_succeed_show_no_secret(world: World) -> None:
    params = json.dumps({"token": world.params["token"]})

    world.osiris("run", "works.oml", "--params-stdin", given=params)

    assert set(states(world, "works").values()) == {"succeeded"}
    assert world.left() == {}


def test_steps_whose_connection_is_wrong_show_no_secret(world: World) -> None:
    fails_everywhere(world, "breaks", len(breaks()), {})


def test_steps_that_take_a_secret_parameter_show_it_nowhere(world: World) -> None:
    fails_everywhere(world, "takes", len(takes_params()[0]), world.params)


def fails_everywhere(world: World, name: str, count: int, params: dict[str, str]) -> None:
    """Run the pipelines ``name-0`` ...: in the first one each step fails, the others do not start."""
    for number in range(count):
        text = (world.project / f"{name}-{number}.oml").read_text()
        given = json.dumps({param: value for param, value in params.items() if f"params.{param}}}" in text})
        world.osiris("run", f"{name}-{number}.oml", "--params-stdin", "--log-format", "json", given=given, code=1)
        done = states(world, f"{name}-{number}")
        expected = {"rows": "succeeded", **dict.fromkeys(done.keys() - {"rows"}, "failed")}
        assert done == (dict.fromkeys(done, "skipped") if number else expected)
    assert world.left() == {}


REFERENCES = ["@filesystem.good", "@mysql.good", "@mysql.bad_password", "@postgres.good", "@postgres.bad_host"]
REFERENCES += ["@sqlite.bad_path"]
COMMANDS: list[tuple[str, ...]] = [
    ("chat", "list"),
    ("chat", "log"),
    ("chat", "-m", "Hello"),
    ("init", "../other"),
    ("validate",),
    ("validate", "--format", "sarif"),
    ("fmt", "--diff"),
    ("compile", "takes-0.oml", "--format", "json"),
    ("components", "list"),
    ("schema",),
    ("doctor", "--format", "json"),
    ("connections", "list", "--format", "json"),
    ("connections", "doctor", "--format", "json", "@mysql.bad_user", "@postgres.bad_password", "@supabase.good"),
    ("discover", *REFERENCES, "--format", "json"),
    ("discover", "@mysql.good", "--table", "people", "--samples", "2"),
    ("preview", "works.oml", "mysql-extractor", "--param", "token=TOKEN", "--format", "csv"),
    ("preview", "breaks-0.oml", "postgres-extractor-host"),
    ("run", "--detach", "breaks-1.oml"),
    ("runs", "follow", "latest", "--format", "json"),
    ("runs", "list", "--format", "json"),
    ("runs", "show", "latest"),
    ("runs", "show", "FIRST"),
    ("run", "--resume", "latest", "--format", "json"),
    ("runs", "cancel", "latest"),
    ("runs", "clean", "--keep-days", "1000"),
]


def test_no_command_shows_a_secret(world: World) -> None:
    if not (world.project / "logs").exists():
        world.osiris("run", "breaks-0.oml", "--no-cache", code=1)
    first = RunStore(world.project / "logs").list()[-1].id
    meant = {"FIRST": first, "token=TOKEN": f"token={world.params['token']}"}

    for command in COMMANDS:
        world.osiris(*(meant.get(word, word) for word in command), code=None)

    assert {command[0] for command in COMMANDS} | {"lsp", "mcp"} == set(cli.list_commands(click.Context(cli)))
    assert world.left() == {}


def test_an_editor_is_shown_no_secret(world: World, tmp_path: Path) -> None:
    variables = {f"OSIRIS_PARAM_{name.upper()}": value for name, value in world.params.items()}
    client = Client(env={**world.environ, **variables}, cwd=tmp_path)
    try:
        client.initialize(
            world.project, {**ABLE, "experimental": {"osiris": {"runEvent": True}, "osirisSchemaView": True}}
        )
        uris = {name: open_document(client, world, name) for name in ("works", "breaks-0", "takes-0")}
        client.notify("textDocument/didOpen", document(world.project / "osiris_connections.yaml", "yaml"))
        asked = client.start_request(
            "workspace/executeCommand",
            {"command": "osiris.discover", "arguments": [{"uri": uris["works"], "connections": REFERENCES}]},
        )
        results = answered(client, asked)
        assert {result["connection"]: result["ok"] for result in results} == {
            name: ".good" in name for name in REFERENCES
        }
        look_at_everything(client, uris["works"])
        for connection in client.command("osiris.catalog", {})["items"]:
            for table in client.command("osiris.catalog", connection)["items"]:
                client.command("osiris.catalog", table)
        for uri in (uris["works"], uris["breaks-0"]):
            run_id = client.command("osiris.run", uri)["runId"]
            client.wait(lambda message: is_over(message, run_id), 120)  # noqa: B023 - waits here
            client.command("osiris.showRun", {"uri": uri})
            client.command("osiris.compile", uri)
        client.command("osiris.validate")
        client.command("osiris.doctor")
        assert client.close() == 0
    finally:
        client.kill()

    assert b"run_error" in client.raw
    assert b"run_complete" in client.raw
    assert world.canaries.found_in(client.raw) == []
    assert world.canaries.found_in(client.log.encode()) == []
    assert world.left() == {}


def document(path: Path, language: str) -> dict[str, Any]:
    item = {"uri": path.as_uri(), "languageId": language, "version": 1, "text": path.read_text()}
    return {"textDocument": item}


def open_document(client: Client, world: World, name: str) -> str:
    uri = (world.project / f"{name}.oml").as_uri()
    client.open(uri, (world.project / f"{name}.oml").read_text())
    return uri


def answered(client: Client, request: int) -> Any:
    """The result of a request; whatever the user is asked meanwhile, they agree to."""
    while True:
        message = client.wait(lambda m: m.get("id") == request or m.get("method") == "window/showMessageRequest", 120)
        if "method" not in message:
            return message["result"]
        client.send({"id": message["id"], "result": {"title": "Connect"}})


def is_over(message: dict[str, Any], run_id: str) -> bool:
    params = message.get("params") or {}
    ends = ("run_complete", "run_error")
    return message.get("method") == "osiris/runEvent" and params["runId"] == run_id and params["event"]["event"] in ends


def look_at_everything(client: Client, uri: str) -> None:
    """What an editor asks about a document, and about each of its connections and parameters."""
    whole = {"textDocument": {"uri": uri}}
    for method in ("documentSymbol", "codeLens", "documentLink", "foldingRange"):
        client.request(f"textDocument/{method}", whole)
    lines = Path(urllib.parse.unquote(uri.removeprefix("file://"))).read_text().splitlines()
    seen: set[str] = set()
    for number, line in enumerate(lines):
        for word in ("@", "${params."):
            place = line.find(word)
            if place >= 0 and line[place:] not in seen:
                seen.add(line[place:])
                for method in ("hover", "completion", "definition"):
                    client.at(f"textDocument/{method}", uri, number, place + len(word))
