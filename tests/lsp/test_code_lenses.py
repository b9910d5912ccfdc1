"""Code lenses end to end: a lens is clicked, a real run follows, and the lenses say how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_client import ABLE, Client, edit

PIPELINE = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: numbers
    component: filesystem.csv_extractor
    mode: read
    config:
      path: numbers.csv
  - id: large
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT n FROM df_numbers WHERE n >= 2
  - id: write
    component: filesystem.csv_writer
    mode: write
    config:
      path: large.csv
"""
REFRESHED = {**ABLE, "workspace": {**ABLE["workspace"], "codeLens": {"refreshSupport": True}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "osiris.yaml").write_text("{}\n")
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    (tmp_path / "totals.oml").write_text(PIPELINE)
    return tmp_path


@pytest.fixture
def uri(folder: Path) -> str:
    return (folder / "totals.oml").as_uri()


def shown(client: Client, uri: str) -> list[tuple[int, dict[str, Any]]]:
    """The line and the command of each lens, as an editor gets them when they come into view."""
    found = client.request("textDocument/codeLens", {"textDocument": {"uri": uri}}) or []
    assert all("command" not in lens for lens in found)
    resolved = [client.request("codeLens/resolve", lens) for lens in found]
    return [(lens["range"]["start"]["line"], lens["command"]) for lens in resolved]


def titles(client: Client, uri: str) -> list[str]:
    return [f"{line}: {command['title']}" for line, command in shown(client, uri)]


def click(client: Client, uri: str, line: int, title: str) -> Any:
    [command] = [one for at, one in shown(client, uri) if at == line and one["title"].startswith(title)]
    asked = {"command": command["command"], "arguments": command["arguments"]}
    return client.request("workspace/executeCommand", asked)


def wait_for_end(client: Client, run_id: str) -> str:
    while True:
        event = client.wait_for("osiris/runEvent", runId=run_id)["event"]["event"]
        if event in ("run_complete", "run_error", "run_cancelled"):
            return event


def test_a_run_from_a_lens_and_what_the_lenses_say_afterwards(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder, REFRESHED)
    client.open(uri, PIPELINE)
    assert titles(client, uri) == [
        "1: ▶ Run",
        "1: Compile",
        "3: ▶ Run to here",
        "8: ▶ Run to here",
        "13: ▶ Run to here",
    ]

    run_id = click(client, uri, 1, "▶ Run")["runId"]
    assert wait_for_end(client, run_id) == "run_complete"

    top, last, *steps = [title for title in titles(client, uri) if "Run" not in title]
    assert (top, last[:13]) == ("1: Compile", "1: ✓ just now")
    assert [step.split(",")[0] for step in steps][-1] == "13: ✓ 2 rows"
    assert len(steps) == 3
    client.change(uri, 2, edit(12, 49, 50, "1"))
    assert any(title.endswith("changed since") for title in titles(client, uri))
    client.change(uri, 3, edit(12, 49, 50, "2"), edit(3, 0, 0, "  # only a comment\n"))
    assert not any(title.endswith("changed since") for title in titles(client, uri))


def test_a_run_to_a_step_leaves_out_what_stands_behind_it(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    client.open(uri, PIPELINE)

    wait_for_end(client, click(client, uri, 8, "▶ Run to here")["runId"])

    assert not (folder / "large.csv").exists()
    said = titles(client, uri)
    assert "only to large" in next(title for title in said if title.startswith("1: ✓"))
    assert [title for title in said if title.startswith("13:")] == ["13: ▶ Run to here"]


def test_a_failed_run_says_where_and_tells_more_when_it_is_clicked(client: Client, folder: Path, uri: str) -> None:
    broken = PIPELINE.replace("n >= 2", "error('no way')")
    (folder / "totals.oml").write_text(broken)
    client.initialize(folder)
    client.open(uri, broken)

    assert wait_for_end(client, click(client, uri, 1, "▶ Run")["runId"]) == "run_error"

    assert "8: ✗ failed" in titles(client, uri)
    story = click(client, uri, 1, "✗ failed at large")
    assert story["state"] == "failed"
    assert story["lines"][0].startswith("totals: ✗ failed at large just now")
    assert client.wait_for("window/showMessage") == {"type": 1, "message": story["lines"][0]}


def test_the_client_is_asked_to_show_the_lenses_anew_when_a_run_begins_and_ends(
    client: Client, folder: Path, uri: str
) -> None:
    client.initialize(folder, REFRESHED)
    client.open(uri, PIPELINE)

    wait_for_end(client, click(client, uri, 1, "▶ Run")["runId"])

    asked = client.wait(lambda m: m.get("method") == "workspace/codeLens/refresh")
    client.send({"id": asked["id"], "result": None})


def test_the_client_is_asked_to_show_all_anew_when_a_file_of_the_project_changes(
    client: Client, folder: Path, uri: str
) -> None:
    able = {name: {"refreshSupport": True} for name in ("codeLens", "inlayHint", "semanticTokens")}
    client.initialize(folder, {**ABLE, "workspace": {**ABLE["workspace"], **able}})
    client.open(uri, PIPELINE)

    changes = [{"uri": (folder / "osiris.yaml").as_uri(), "type": 2}]
    client.notify("workspace/didChangeWatchedFiles", {"changes": changes})

    for name in sorted(able):
        asked = client.wait(lambda m, name=name: m.get("method") == f"workspace/{name}/refresh")
        client.send({"id": asked["id"], "result": None})


def test_compile_from_a_lens(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    client.open(uri, PIPELINE)

    assert Path(click(client, uri, 1, "Compile")["manifest"]).exists()


@pytest.mark.parametrize("options", [{"trusted": False}, {"codeLens": False}])
def test_no_lenses_unless_wanted_and_trusted(client: Client, folder: Path, uri: str, options: dict[str, bool]) -> None:
    client.initialize(folder, initializationOptions=options)
    client.open(uri, PIPELINE)

    assert titles(client, uri) == []


def test_a_document_that_is_no_file_cannot_be_run(client: Client, folder: Path) -> None:
    client.initialize(folder)
    client.open("untitled:1", PIPELINE)

    assert titles(client, "untitled:1") == []


def test_run_folders_that_hold_nonsense_are_passed_over(client: Client, folder: Path, uri: str) -> None:
    run = folder / "logs" / "run_01M828TE3PZPE9JGH084NFESQ1"
    run.mkdir(parents=True)
    (run / "status.json").write_text(
        '{"pipeline": "totals", "state": "failed", "error": {"step": ["x"]}, "finished": 7, "duration": "long",'
        ' "steps": [3, {"id": "large", "state": {"a": 1}, "rows": "many"}], "to": "a\\nb", "profile": {}}'
    )
    client.initialize(folder)
    client.open(uri, PIPELINE)

    assert "1: ✗ failed, only to a b" in titles(client, uri)
    assert client.close() == 0
    assert client.log == ""
