"""Databases that are known: environments for documents whose connections lead to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from marked import ENVIRONMENT

from osiris.language.catalog import Catalog, Column, Columns, SchemaKnowledge, TableInfo
from osiris.language.environment import StaticEnvironment

SHOP: dict[str, tuple[TableInfo, Columns | None]] = {
    "orders": (
        TableInfo("", "orders", comment="What was sold"),
        (
            Column("id", "INTEGER", "int64", nullable=False, primary_key=1),
            Column("customer_id", "INTEGER", "int64", nullable=False, references="customers.id"),
            Column("amount", "DECIMAL(12,2)", "decimal128(12, 2)", nullable=True, comment="With *tax*"),
            Column("full name", "TEXT", "string", nullable=True),
            Column("null", "TEXT", "string"),
        ),
    ),
    "customers": (
        TableInfo("", "customers"),
        (Column("id", "INTEGER", "int64", primary_key=1), Column("name", "TEXT")),
    ),
    "open_orders": (TableInfo("", "open_orders", "view"), (Column("id", "INTEGER"),)),
    "secret plans": (TableInfo("", "secret plans"), None),
}
CRM = {
    "people": (TableInfo("crm", "people"), (Column("id", "bigint", primary_key=1), Column("email", "varchar(200)"))),
    "sales.visits": (TableInfo("sales", "visits", comment="By day"), (Column("day", "date"),)),
}


def catalog(
    tables: dict[str, tuple[TableInfo, Columns | None]],
    dialect: str = "sqlite",
    *,
    age: timedelta = timedelta(hours=5),
    default_schema: str = "",
    reference: str = "@sqlite.shop",
) -> Catalog:
    """A reading of these tables."""
    columns = {(info.schema, info.name): known for info, known in tables.values() if known is not None}
    infos = [info for info, _ in tables.values()]
    read_at = datetime.now(UTC) - age
    return Catalog(reference, dialect, infos, columns, default_schema=default_schema, read_at=read_at)


def knowing(
    discovered: Catalog | None = None, locked: Catalog | None = None, reference: str = "@sqlite.shop"
) -> StaticEnvironment:
    """The environment of ``marked`` in which this is known of ``reference``; of the others nothing."""
    return replace(ENVIRONMENT, schemas={reference: SchemaKnowledge(locked, discovered)})


KNOWN = replace(
    ENVIRONMENT,
    schemas={
        "@sqlite.shop": SchemaKnowledge(None, catalog(SHOP)),
        "@mysql.crm": SchemaKnowledge(None, catalog(CRM, "mysql", default_schema="crm", reference="@mysql.crm")),
    },
)


def many(count: int, schema: str = "") -> Catalog:
    """A database of ``count`` tables, each of 20 columns."""
    columns = tuple(Column(f"column_{number}", "INTEGER") for number in range(20))
    infos = [TableInfo(schema, f"table_{number:04}") for number in range(count)]
    return Catalog(
        "@sqlite.shop", "sqlite", infos, lambda info: columns, default_schema=schema, read_at=datetime.now(UTC)
    )
