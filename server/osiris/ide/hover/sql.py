"""What a name inside SQL is: a table, an alias, a named query, a column, a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris.ide.column_texts import as_code, column_markdown, table_markdown
from osiris.ide.cursor import Cursor
from osiris.ide.sql.meaning import Meaning, database_table, meaning_at
from osiris.ide.sql.texts import of_columns, of_function, of_result
from osiris.language.sql_scope.tree import Source
from osiris.sql.step_columns import step_columns
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


def about_sql(analysis: Analysis, env: Environment, cursor: Cursor) -> tuple[Span, str] | None:
    """The place and the Markdown text of the name at the cursor; None where there is nothing to say."""
    found = meaning_at(analysis, env, cursor)
    text = _text(found) if found is not None else None
    return (found.place, text) if found is not None and text else None


def about_result(analysis: Analysis, env: Environment, step: int) -> str:
    """The columns of a step's result, where they are known."""
    known = step_columns(analysis, env, step)
    return f"\n\n{of_columns(known.columns)}" if known is not None else ""


def _text(found: Meaning) -> str | None:
    if found.function:
        return of_function(found.sql.dialect, found.function)
    if found.column is not None and found.source is not None:
        return _column(found, found.source)
    if found.cte is not None and not found.is_alias:
        columns = found.scope.reader.of_cte(found.cte)
        return f"**{as_code(found.name)}** · named query\n\n{of_columns(columns)}"
    return _table(found, found.source) if found.source is not None else None


def _column(found: Meaning, source: Source) -> str | None:
    column = found.column
    assert column is not None
    known = database_table(found.scope, source)
    if known is not None:
        # What the reading says of it, which is more than what is left of it in a query.
        told = known.table.column(column.name)
        return column_markdown(told or column, known.table.info, known.knowledge, known.catalog) + _step(found, source)
    return of_result(column.name, source.called, column) + _step(found, source)


def _table(found: Meaning, source: Source) -> str | None:
    head = ""
    if found.is_alias:
        what = as_code(".".join((*source.qualifiers, source.name))) if source.name else "the query in parentheses"
        head = f"**{as_code(found.name)}** · alias of {what}\n\n"
    known = database_table(found.scope, source)
    if known is not None:
        return head + table_markdown(known.table, known.knowledge, known.catalog) + _step(found, source)
    columns = found.scope.columns(source)
    if not columns and not head:
        return None
    return (head or f"**{as_code(found.name)}**\n\n") + of_columns(columns) + _step(found, source)


def _step(found: Meaning, source: Source) -> str:
    """The step whose data it is."""
    tables = found.scope.tables
    index = tables.step_of(source.name) if tables.over_steps and source.query is None else None
    if index is None or found.scope.cte(source) is not None:
        return ""
    return f"\n\nData of the step {as_code(str(found.scope.analysis.pipeline.steps[index].id))}."
