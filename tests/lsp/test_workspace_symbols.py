"""``workspace/symbol`` over all folders, open files as they stand in the editor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_client import Client, edit, position

from osiris.lsp.features.workspace_symbol import MOST_SYMBOLS


def pipeline(name: str, *steps: str) -> str:
    return f'oml_version: "0.1.0"\nname: {name}\nsteps:\n' + "".join(f"  - id: {step}\n" for step in steps)


def symbols(client: Client, query: str) -> list[dict[str, Any]]:
    return client.request("workspace/symbol", {"query": query})


def test_steps_of_all_folders_also_of_files_that_are_not_open(client: Client, tmp_path: Path) -> None:
    for folder, name in (("one", "shop"), ("two", "crm")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "osiris.yaml").write_text("{}\n")
        (tmp_path / folder / f"{name}.oml").write_text(pipeline(name, "extract-orders", "load"))
    client.initialize(workspaceFolders=[{"uri": (tmp_path / f).as_uri(), "name": f} for f in ("one", "two")])

    first, second = symbols(client, "exord")

    assert {first["containerName"], second["containerName"]} == {"shop", "crm"}
    assert first["name"] == "extract-orders"
    assert first["kind"] == 12
    assert first["location"]["range"] == {"start": position(3, 8), "end": position(3, 22)}
    assert symbols(client, "crm")[0]["location"]["uri"] == (tmp_path / "two/crm.oml").as_uri()


def test_an_open_file_counts_as_it_stands_in_the_editor(client: Client, project: Path) -> None:
    uri = (project / "shop.oml").as_uri()
    (project / "shop.oml").write_text(pipeline("shop", "old"))
    client.initialize(project)
    client.open(uri, pipeline("shop", "old"))
    client.change(uri, 2, edit(3, 8, 11, "brand-new"))

    assert [found["name"] for found in symbols(client, "brandnew")] == ["brand-new"]
    assert symbols(client, "old") == []


def test_no_more_than_anybody_looks_through(client: Client, project: Path) -> None:
    (project / "many.oml").write_text(pipeline("many", *(f"step-{number}" for number in range(MOST_SYMBOLS + 50))))
    client.initialize(project)

    assert len(symbols(client, "")) == MOST_SYMBOLS
    assert symbols(client, "step-249")[0]["name"] == "step-249"
