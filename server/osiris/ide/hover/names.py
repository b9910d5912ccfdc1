"""What hovers say about schemas and columns of files, where a config names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris.ide.column_texts import as_code, column_markdown, knowledge_text
from osiris.ide.navigation.table_places import written_name
from osiris.language.step_database import file_of_step, step_database

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.ide.cursor import Cursor
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


def about_name(analysis: Analysis, env: Environment, cursor: Cursor, spec: ComponentSpec | None) -> str | None:
    """The schema, or the column of a file, that the value at the cursor names; None where it names none that is known.

    Tables and columns of a database are found by ``table_places``.
    """
    within = cursor.within
    if spec is None or cursor.step is None or len(within) < 2 or within[0] != "config":
        return None
    if within == ("config", spec.schema_key):
        return _schema(analysis, env, cursor)
    if within[1] == "columns" and spec.table_key is None:
        table = file_of_step(analysis, cursor.step, env)
        column = table.column(written_name(cursor)) if table is not None else None
        return column_markdown(column, table.info) if table is not None and column is not None else None
    return None


def _schema(analysis: Analysis, env: Environment, cursor: Cursor) -> str | None:
    assert cursor.step is not None
    database = step_database(analysis, cursor.step, env)
    knowledge = database.knowledge if database is not None else None
    catalog = (knowledge.discovered or knowledge.locked) if knowledge is not None else None
    if database is None or knowledge is None or catalog is None or cursor.text not in catalog.schemas:
        return None
    count = sum(info.schema == cursor.text for info in catalog.tables)
    default = " · default" if cursor.text == catalog.default_schema else ""
    return (
        f"**{as_code(cursor.text)}** · schema of `{database.connection.reference}`{default}\n\n"
        f"{count} table{'' if count == 1 else 's'} of {knowledge_text(knowledge)}"
    )
