"""SQL over the outputs of earlier steps."""

from __future__ import annotations

from typing import Any, ClassVar

from osiris.core.error_taxonomy import ValidationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, step_context
from osiris.sql.dataset import Dataset
from osiris.sql.gate import SqlProblem, SqlRefused, fusion


class DuckdbProcessor:
    """Checks one query against its inputs and hands it on unevaluated: what follows may become one query with it."""

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows of the query as a lazy Dataset. Raises ValidationError when the query is refused."""
        step = step_context(ctx)
        tables = self._tables(inputs or {}, step)
        sql = config["query"]
        try:
            passed = step.database.gate.check(sql, {name: data.columns for name, data in tables.items()})
        except SqlRefused as refused:
            raise _explained(refused.problem, sql) from None
        head, tail = fusion({name: data.source for name, data in tables.items()})
        depth = 1 + max((data.depth for data in tables.values()), default=0)
        return {"df": step.dataset(head + passed.sql + tail, columns=passed.columns, depth=depth)}

    def _tables(self, inputs: dict[str, Any], step: StepContext) -> dict[str, Dataset]:
        """The tables the query may name; a stream is kept first, since a query may read it more than once."""
        kept: dict[int, Dataset] = {}
        tables: dict[str, Dataset] = {}
        for name, data in inputs.items():
            if data.once:
                kept[id(data)] = data.keep()
            tables[name] = kept.get(id(data), data)
        if len({id(data) for data in tables.values()}) == 1:
            only = next(iter(tables.values()))
            tables.setdefault("df", only)
            tables.setdefault("input_df", only)
        return tables


def _explained(problem: SqlProblem, sql: str) -> ValidationError:
    """The error to raise: what DuckDB says without its lists of everything that could have been meant."""
    said = problem.message.partition("\n\tCandidate functions")[0]
    if problem.candidates:
        said = said.partition("\n")[0]
    said = " ".join(said.split("\n")).rstrip()
    said += "" if said.endswith((".", "!", "?")) else "."
    meant = f" Did you mean {' or '.join(problem.candidates)}?" if problem.candidates else ""
    if problem.offset is None:
        return ValidationError(said + meant)
    before = sql[: problem.offset]
    line, column = before.count("\n") + 1, problem.offset - before.rfind("\n")
    error = ValidationError(f"{said}{meant} (line {line}, column {column} of the query)")
    error.line, error.column = line, column
    return error
