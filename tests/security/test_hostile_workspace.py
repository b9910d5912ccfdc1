"""A workspace that wants to be run, opened through every face: nothing of it is executed, and it learns nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from hostile import SECRET, Traps, make_hostile_workspace
from lsp.lsp_client import ABLE, Client
from osiris.lsp.server import COMMANDS as COMMANDS_OF_THE_SERVER
from osiris.lsp.server import REQUESTS

pytestmark = pytest.mark.without_traps
FOREIGN = {"OSIRIS_TEST_FOREIGN": SECRET}


@pytest.fixture
def traps(tmp_path: Path) -> Iterator[Traps]:
    (tmp_path / "workspace").mkdir()
    made = make_hostile_workspace(tmp_path / "workspace", tmp_path / "sprung.txt")
    before = snapshot(made.folder)
    yield made
    assert made.sprung() == ""
    changed = {path for path, stamp in snapshot(made.folder).items() if before.get(path) != stamp}
    assert {path for path in changed if not path.startswith((".osiris", "build"))} == set()
    assert not (tmp_path / "escape").exists()
    assert not Path("/tmp/escape.csv").exists()


def snapshot(folder: Path) -> dict[str, int]:
    """Every file of the workspace and when it was changed."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


# -- the traps themselves


@pytest.mark.parametrize(
    ("program", "arguments", "name"),
    [
        (sys.executable, ["-c", "import yaml"], "yaml.py"),
        (sys.executable, ["-c", "import pygls"], "pygls.py"),
        (".venv/bin/python", [], "python"),
        ("venv/bin/osiris", [], "osiris"),
        ("./server.sh", [], "server.sh"),
    ],
)
def test_a_trap_tells_that_it_was_executed(tmp_path: Path, program: str, arguments: list[str], name: str) -> None:
    (tmp_path / "workspace").mkdir()
    traps = make_hostile_workspace(tmp_path / "workspace", tmp_path / "sprung.txt")

    subprocess.run([str(traps.folder / program), *arguments], cwd=traps.folder, check=False)

    assert name in traps.sprung().split()


# -- the command line


COMMANDS = [
    ["validate"],
    ["validate", "--format", "json"],
    ["validate", "--format", "sarif"],
    ["compile", "small.oml"],
    ["compile", "reaches-out.oml"],
    ["fmt", "--check"],
    ["components", "list"],
    ["components", "show", "evil.extractor"],
    ["components", "validate", "components/evil.yaml"],
    ["connections", "list"],
    ["runs", "list"],
    ["schema", "oml"],
    ["doctor"],
    ["chat", "-m", "Hello"],
    ["chat", "--show-prompt"],
    ["chat", "log"],
    ["run", "small.oml"],
    ["run", "reaches-out.oml"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_executes_anything_of_the_folder_it_stands_in(traps: Traps, command: list[str]) -> None:
    program = Path(sys.executable).with_name("osiris")
    done = subprocess.run(
        [program, *command], cwd=traps.folder, env=os.environ | FOREIGN, capture_output=True, text=True, timeout=60
    )

    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "root:x:0" not in done.stdout + done.stderr


def test_neither_the_paths_nor_the_ids_nor_the_sql_of_a_pipeline_get_through(traps: Traps) -> None:
    program = Path(sys.executable).with_name("osiris")
    done = subprocess.run(
        [program, "validate", "reaches-out.oml", "--format", "json"], cwd=traps.folder, capture_output=True, text=True
    )

    errors = {(item["code"], item["range"]["start"]["line"] + 1) for item in json.loads(done.stdout)}
    text = (traps.folder / "reaches-out.oml").read_text().split("\n")
    line_of = {key: next(n for n, line in enumerate(text, 1) if key in line) for key in ("escape", "id: ../../out")}
    assert ("OML110", line_of["escape"]) in errors
    assert ("OML122", line_of["id: ../../out"]) in errors
    assert any(code.startswith("OML4") for code, _ in errors), "SQL that reads a file is refused"
    assert any(code == "OML124" for code, _ in errors), "a component of the workspace is none"


# -- the language server


def open_everything(client: Client, folder: Path) -> list[str]:
    uris = []
    for path in sorted(folder.iterdir()):
        if path.suffix in (".oml", ".yaml") or path.name == ".env":
            uris.append(path.as_uri())
            client.open(path.as_uri(), path.read_text(), language="oml" if path.suffix == ".oml" else "yaml")
    return uris


def ask_everything(client: Client, uris: list[str]) -> None:
    """Every request of the server at several places of every document; some have no answer, none is a fault."""
    for uri in uris:
        for line, character in ((0, 0), (1, 7), (6, 20), (22, 30)):
            for method in REQUESTS:
                if method not in ("initialize", "shutdown", "workspace/executeCommand"):
                    client.answer_of(method, arguments_for(uri, line, character))
        for command in COMMANDS_OF_THE_SERVER:
            run_command(client, command, uri)
        client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})


def run_command(client: Client, command: str, uri: str) -> None:
    """Run it to its end; when it asks whether it may connect, say no."""
    request = client.start_request("workspace/executeCommand", {"command": command, "arguments": [uri]})
    while True:
        said = client.wait(
            lambda m: (m.get("id") == request and "method" not in m) or m.get("method") == "window/showMessageRequest"
        )
        if "method" not in said:
            return
        client.send({"id": said["id"], "result": {"title": "Not now"}})


def arguments_for(uri: str, line: int, character: int) -> dict[str, Any]:
    """Parameters in which every request finds what it wants."""
    place = {"line": line, "character": character}
    return {
        "textDocument": {"uri": uri},
        "position": place,
        "positions": [place],
        "range": {"start": {"line": 0, "character": 0}, "end": place},
        "context": {"diagnostics": [], "triggerKind": 1, "includeDeclaration": True},
        "options": {"tabSize": 2, "insertSpaces": True},
        "newName": "other",
        "query": "",
        "previousResultIds": [],
        "previousResultId": "0",
        "label": "x",
        "item": {"name": "x", "kind": 12, "uri": uri, "range": _range(), "selectionRange": _range()},
    }


def _range() -> dict[str, Any]:
    return {"start": {"line": 6, "character": 0}, "end": {"line": 6, "character": 1}}


def test_an_untrusted_workspace_gets_static_help_and_starts_nothing(traps: Traps) -> None:
    client = Client(cwd=traps.folder, env=FOREIGN)
    try:
        client.initialize(traps.folder, ABLE, initializationOptions={"trusted": False})
        uris = open_everything(client, traps.folder)
        ask_everything(client, uris)
        server = psutil.Process(client.process.pid)
        client.command("osiris.validate", uris[0])

        assert server.children(recursive=True) == []
        assert [c for c in server.net_connections() if c.status != psutil.CONN_NONE] == []
        assert client.diagnostics((traps.folder / "small.oml").as_uri(), 1)
        assert not (traps.folder / "build").exists()
        client.drain()
        assert SECRET not in json.dumps(client.received)
        assert "root:x:0" not in json.dumps(client.received)
        assert client.close() == 0
        assert client.log == ""
    finally:
        client.kill()


def test_a_trusted_workspace_cannot_execute_its_own_files_either(traps: Traps) -> None:
    client = Client(cwd=traps.folder, env=FOREIGN)
    try:
        client.initialize(traps.folder)
        ask_everything(client, open_everything(client, traps.folder))
        client.drain()
        assert SECRET not in json.dumps(client.received)
        assert client.close() == 0
    finally:
        client.kill()


# -- Python


def test_the_python_interface_takes_no_component_and_no_endpoint_from_the_folder(traps: Traps) -> None:
    code = (
        "from osiris.core.project import Project; from osiris.core.check import check_text\n"
        "from osiris.components.registry import ComponentRegistry\n"
        "project = Project.find('small.oml')\n"
        "check_text(open('reaches-out.oml').read(), project, 'reaches-out.oml')\n"
        "print([name for name in ComponentRegistry.builtin().names() if 'evil' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=traps.folder, env=os.environ | FOREIGN, capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
