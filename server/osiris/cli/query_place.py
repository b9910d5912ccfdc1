"""Where in an OML file an error in a query stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.cli.arguments import shown_path

if TYPE_CHECKING:
    from osiris.core.compiler_v0 import CompileResult

_KEY = "query"


class QueryPlaces:
    """Translates positions in the queries of a run to positions in the OML file it was compiled from."""

    def __init__(self, path: Path, compiled: CompileResult) -> None:
        """``path`` is that of the OML file."""
        self._path = path
        self._analysis = compiled.analysis
        self._queries = {step["id"]: str(step["config"].get(_KEY, "")) for step in compiled.manifest["steps"]}

    def of(self, event: Mapping[str, Any]) -> str | None:
        """``file:line:column`` for an event with ``line`` and ``column`` (from 1) in the query of its step.

        Where a parameter stands before the column in its line, the column is left out: the run knows the values only.
        None when the event names no such place.
        """
        from osiris.syntax.block import SourceMap
        from osiris.syntax.tree import Scalar

        line, column, step_id = event.get("line"), event.get("column"), str(event.get("step_id"))
        step = self._analysis.pipeline.step(step_id)
        scalar = step.config.get(_KEY) if step is not None and step.config is not None else None
        if not (isinstance(line, int) and isinstance(column, int) and isinstance(scalar, Scalar)) or step is None:
            return None
        run = self._queries.get(step_id, "").split("\n")
        own = scalar.text.split("\n")
        if len(run) != len(own) or not 1 <= line <= len(own):
            return None  # a value with line ends was put in
        same = run[line - 1][: column - 1] == own[line - 1][: column - 1]
        index = sum(len(text) + 1 for text in own[: line - 1]) + (column - 1 if same else 0)
        offset = SourceMap(scalar, step.shape.part.text).to_source(index) + step.base
        at, within = self._analysis.document.lines.line_column(offset)
        return f"{shown_path(self._path)}:{at + 1}" + (f":{within + 1}" if same else "")
