"""Compiles pipelines, one at a time, in a thread of its own: the loop goes on serving the editor."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.lsp.documents import Kind

if TYPE_CHECKING:
    from osiris.core.compiler_v0 import CompileResult
    from osiris.lsp.session import Session


class Compiler:
    """Compiles on command and on save."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._executor: ThreadPoolExecutor | None = None
        self._waiting: set[str] = set()

    async def compile(
        self, path: Path, *, profile: str | None = None, params: dict[str, Any] | None = None
    ) -> CompileResult:
        """Compile a file as it is on disk. Raises OsirisError as ``compile_file`` does."""
        project = self._session.projects.project_of(path)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="osiris-compile")

        def work() -> CompileResult:
            from osiris.core.compiler_v0 import compile_file

            return compile_file(path, profile=profile, params=params, project=project)

        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def compile_saved(self, uri: str) -> None:
        """Compile a pipeline that was just saved, unless it has errors, which the editor shows already."""
        document = self._session.documents.get(uri)
        if document is None or document.kind is not Kind.PIPELINE or document.path is None or uri in self._waiting:
            return
        self._waiting.add(uri)
        self._session.start(self._compile_saved(uri, document.path), "compile on save")

    async def _compile_saved(self, uri: str, path: Path) -> None:
        from osiris.core.error_taxonomy import OsirisError, describe

        self._waiting.discard(uri)
        snapshot = self._session.snapshot(uri)
        if snapshot is None:
            return
        if not snapshot.analysis.ok:
            self._session.log(f"{path.name}: not compiled, it has errors.")
            return
        try:
            result = await self.compile(path)
        except OsirisError as error:
            self._session.log(f"{path.name}: not compiled. {describe(error)}", "warning")
            return
        if not result.cached:
            self._session.log(f"{path.name}: compiled to {self.shown(path, result.path)}")

    def shown(self, source: Path, path: Path | None) -> str:
        """A path as the user knows it: relative to the project of ``source``."""
        project = self._session.projects.project_of(source)
        if path is None or project is None or not path.is_relative_to(project.root):
            return str(path)
        return path.relative_to(project.root).as_posix()

    def close(self) -> None:
        """Take no more work."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
