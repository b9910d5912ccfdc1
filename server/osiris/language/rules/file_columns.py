"""The columns that a step wants of a file, against those that the file has now."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.language.findings import finding
from osiris.language.rules.config import locate
from osiris.language.rules.config_names import name_written
from osiris.language.rules.context import DocumentContext
from osiris.language.rules.nodes import cut
from osiris.language.rules.told_columns import told_columns
from osiris.language.substitution import resolve_config
from osiris.language.suggest import listing
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.tree import Scalar, Sequence

_KEY = "columns"


def unknown_file_columns(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Columns that a file does not have, as a hint where another pipeline writes the file."""
    written: set[str] | None = None
    for step, spec, report in zip(ctx.pipeline.steps, ctx.specs, ctx.reports, strict=True):
        if not report.paths or step.mode != "read" or spec is None or (spec.takes_connection and spec.table_key):
            continue
        _, node = locate(step.shape.config, (_KEY,))
        use = next((use for use in report.paths if use.is_input and use.known and use.whole), None)
        if use is None or not isinstance(node, Sequence) or _KEY not in spec.properties:
            continue
        if written is None:
            written = {use.path for one in ctx.reports for use in one.paths if not use.is_input}
        if use.path in written:
            continue
        options = resolve_config(step.shape.config, spec, ctx.values.plain()).config
        table = ctx.env.file_table(use.path, options)
        if table is None or table.columns is None:
            continue
        names = tuple(column.name for column in table.columns)
        for item in node.items:
            if isinstance(item, Scalar) and item.text and "${" not in item.text and table.column(item.text) is None:
                near, known = told_columns(item.text, names, of_file=True)
                message = f"`{cut(use.path)}` has no column `{cut(item.text)}` now. {known}"
                fix = name_written(item, near, preferred=True) if near else None
                writers = ctx.env.pipelines_writing_file(use.path)
                if writers:
                    verb = "writes" if len(writers) == 1 else "write"
                    message += f" {listing(writers, 3)} {verb} the file, and may bring the column."
                severity = Severity.HINT if writers else None
                yield finding("OML411", item.span, message, fix, severity=severity).shift(step.base)
