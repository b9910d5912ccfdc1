"""What is known of a database as a tree: schemas, tables, columns. Tooltips are Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osiris.ide.column_texts import (
    as_code,
    as_prose,
    column_detail,
    column_markdown,
    one_line,
    table_detail,
    table_name,
)
from osiris.language.catalog import Catalog, SchemaKnowledge, TableInfo

_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the tree. ``schema`` and ``table`` find what is below it; a ``leaf`` has nothing below."""

    kind: Literal["schema", "table", "column"]
    label: str
    detail: str = ""
    tooltip: str = ""
    schema: str | None = None
    table: str | None = None
    leaf: bool = False


def below(knowledge: SchemaKnowledge, schema: str | None, table: str | None) -> tuple[Branch, ...]:
    """What is below a connection; with ``schema``, below that schema; with ``table``, below that table.

    Where all tables stand in one schema, they stand below the connection itself.
    """
    catalog = knowledge.discovered or knowledge.locked
    if catalog is None:
        return ()
    if table is not None:
        return _columns(knowledge, catalog, schema, table)
    if schema is None and len(catalog.schemas) > 1:
        return tuple(_schema(catalog, name) for name in catalog.schemas)
    infos = (info for info in catalog.tables if schema is None or info.schema == schema)
    return tuple(_table(catalog, info) for info in sorted(infos, key=lambda info: info.name.casefold()))


def _schema(catalog: Catalog, name: str) -> Branch:
    count = sum(info.schema == name for info in catalog.tables)
    return Branch("schema", _label(name), f"{count} table{'' if count == 1 else 's'}", schema=name)


def _table(catalog: Catalog, info: TableInfo) -> Branch:
    # Without its columns: they need not be read from the store for every table of a long list.
    detail = table_detail(info)
    tooltip = f"**{as_code(table_name(info, catalog))}** · {as_prose(detail)}"
    return Branch("table", _label(info.name), detail, tooltip, info.schema, info.name)


def _columns(knowledge: SchemaKnowledge, catalog: Catalog, schema: str | None, name: str) -> tuple[Branch, ...]:
    found = catalog.table(name, schema)
    if found is None:
        return ()
    return tuple(
        Branch(
            "column",
            _label(column.name),
            column_detail(column),
            column_markdown(column, found.info, knowledge, catalog),
            found.info.schema,
            found.info.name,
            leaf=True,
        )
        for column in found.columns or ()
    )


def _label(text: str) -> str:
    return one_line(text, _LONGEST_LABEL) or " "
