"""The pipelines of the workspace: which there are, in which order, and what is done again when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from lsprotocol import types

from osiris.lsp.documents import Snapshot
from osiris.lsp.loop import Server, build
from osiris.lsp.session import Session
from osiris.lsp.workspace import MAX_CHARS_KEPT

PIPELINE = 'oml_version: "0.1.0"\nname: {name}\n'


class Deaf:
    """In place of the wire."""

    def write(self, data: bytes) -> None:
        """Nobody listens."""


def in_session(work: Callable[[Session], Coroutine[Any, Any, None]], *folders: Path) -> None:
    """Do something with a session that has these folders."""

    async def run() -> None:
        protocol = Server().protocol
        protocol.connect(Deaf(), lambda code: None)  # type: ignore[arg-type]
        session = build(protocol)
        session.projects.set_folders({"workspaceFolders": [{"uri": folder.as_uri()} for folder in folders]})
        await work(session)

    asyncio.run(run())


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(PIPELINE.format(name=name.split(".")[0]))


def open_document(session: Session, path: Path, text: str, version: int = 1) -> None:
    session.documents.open(types.TextDocumentItem(path.as_uri(), "oml", version, text))


async def all_of(session: Session, path: Path) -> list[Snapshot]:
    return [snapshot async for snapshot in session.workspace.snapshots(path)]


def test_open_pipelines_come_first_with_their_present_text(project: Path) -> None:
    write(project, "a.oml", "b.oml", "plain.yaml")
    (project / "values.yaml").write_text("a: 1\n")

    async def work(session: Session) -> None:
        open_document(session, project / "b.oml", PIPELINE.format(name="typed"), 7)
        found = await all_of(session, project / "a.oml")
        assert [(s.uri.rsplit("/")[-1], s.version) for s in found] == [
            ("b.oml", 7),
            ("a.oml", None),
            ("plain.yaml", None),
        ]
        assert "name: typed" in found[0].text

    in_session(work, project)


def test_a_nested_project_is_a_project_of_its_own(project: Path) -> None:
    write(project, "a.oml")
    write(project / "deep" / "inner", "osiris.yaml", "b.oml")

    async def work(session: Session) -> None:
        assert [s.path for s in await all_of(session, project / "a.oml")] == [project / "a.oml"]
        assert [s.path for s in await all_of(session, project / "deep" / "inner" / "b.oml")] == [
            project / "deep" / "inner" / "b.oml"
        ]
        everything = [snapshot.path async for snapshot in session.workspace.all_snapshots()]
        assert everything == [project / "a.oml", project / "deep" / "inner" / "b.oml"]

    in_session(work, project)


def test_all_snapshots_hold_each_pipeline_of_every_folder_once(tmp_path: Path) -> None:
    write(tmp_path / "one", "a.oml")
    write(tmp_path / "one" / "part", "osiris.yaml", "p.oml")
    write(tmp_path / "two", "b.oml")

    async def work(session: Session) -> None:
        open_document(session, tmp_path / "elsewhere.oml", "name: x\n")
        found = [s.path.name async for s in session.workspace.all_snapshots() if s.path]
        assert found == ["elsewhere.oml", "a.oml", "p.oml", "b.oml"]

    in_session(work, tmp_path / "one", tmp_path / "one" / "part", tmp_path / "two")


def test_an_untitled_document_without_a_folder_has_only_its_like(tmp_path: Path) -> None:
    async def work(session: Session) -> None:
        session.documents.open(types.TextDocumentItem("untitled:1", "oml", 1, "name: x\n"))
        open_document(session, tmp_path / "a.oml", "name: y\n")
        assert [snapshot.uri async for snapshot in session.workspace.snapshots(None)] == ["untitled:1"]

    in_session(work)


def test_a_closed_file_is_analysed_again_only_when_it_or_its_surroundings_changed(project: Path) -> None:
    write(project, "a.oml")

    async def work(session: Session) -> None:
        [first] = await all_of(session, project / "a.oml")
        [again] = await all_of(session, project / "a.oml")
        assert again.analysis is first.analysis

        (project / "a.oml").write_text(PIPELINE.format(name="other-name"))
        [changed] = await all_of(session, project / "a.oml")
        assert "other-name" in changed.text

        (project / "osiris_connections.yaml").write_text("connections: {}\n")
        [surrounded] = await all_of(session, project / "a.oml")
        assert surrounded.text == changed.text
        assert surrounded.analysis is not changed.analysis

    in_session(work, project)


def test_a_file_that_cannot_be_read_is_left_out(project: Path) -> None:
    write(project, "a.oml")
    (project / "b.oml").write_bytes(b"\xff\xfe\x00\xd8bad")

    async def work(session: Session) -> None:
        assert [s.path for s in await all_of(session, project / "a.oml")] == [project / "a.oml"]

    in_session(work, project)


def test_what_is_kept_of_closed_files_is_bounded(project: Path) -> None:
    filler = "# " + "x" * (MAX_CHARS_KEPT // 4) + "\n"
    for name in "abcdef":
        (project / f"{name}.oml").write_text(PIPELINE.format(name=name) + filler)

    async def work(session: Session) -> None:
        first, second = await all_of(session, project / "a.oml"), await all_of(session, project / "a.oml")
        last = [kept.path.name for kept in reversed(first) if kept.path]
        assert last == ["f.oml", "e.oml", "d.oml", "c.oml", "b.oml", "a.oml"]
        assert not any(old.analysis is new.analysis for old, new in zip(first, second, strict=True))

        [*_, newest] = second
        again = session.workspace.closed_file(project / "f.oml")
        assert again is not None
        assert (await session.workspace.read(again)).analysis is newest.analysis  # type: ignore[union-attr]

    in_session(work, project)
