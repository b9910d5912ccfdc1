"""Hovers in an editor: what became of a step in its last run, and no value of ``.env``."""

from __future__ import annotations

from pathlib import Path

from lsp_client import Client

PIPELINE = """\
oml_version: "0.1.0"
name: copy
params:
  region: {type: string, default: EU}
steps:
  - id: read
    component: filesystem.csv_extractor
    mode: read
    config: {path: in.csv}
  - id: write
    component: filesystem.csv_writer
    mode: write
    config: {path: "out/${params.region}.csv"}
"""


def told(client: Client, uri: str, line: int, character: int) -> str:
    return str(client.at("textDocument/hover", uri, line, character)["contents"])


def test_a_value_of_the_env_file_is_not_shown(editor: Client, project: Path) -> None:
    (project / ".env").write_text("OSIRIS_PARAM_REGION=hunter2\n", encoding="utf-8")
    uri = (project / "copy.oml").as_uri()
    editor.open(uri, PIPELINE)

    found = told(editor, uri, 12, 36)

    assert "that of `OSIRIS_PARAM_REGION` in `.env`" in found
    assert "hunter2" not in found


def test_a_step_says_how_it_went_the_last_time(editor: Client, project: Path) -> None:
    (project / "in.csv").write_text("a\n1\n2\n", encoding="utf-8")
    (project / "copy.oml").write_text(PIPELINE, encoding="utf-8")
    uri = (project / "copy.oml").as_uri()
    editor.open(uri, PIPELINE)
    assert "Last run" not in told(editor, uri, 5, 11)

    started = editor.command("osiris.run", {"uri": uri})
    editor.wait(
        lambda m: m.get("method") == "osiris/runEvent" and m["params"]["event"]["event"] == "run_complete", timeout=60
    )

    assert started
    assert "Last run: ✓" in told(editor, uri, 5, 11)
