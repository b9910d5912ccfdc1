"""Queries with a cursor ``<|>`` in a pipeline, over a shop whose tables are known."""

from __future__ import annotations

from textwrap import dedent, indent

from marked import accept, split

from osiris.ide.completion.complete import complete
from osiris.ide.completion.suggestion import Completions, Item
from osiris.ide.hover.hover import hover
from osiris.language.analysis import Analysis, analyse
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, Table, TableInfo
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment

ORDERS = (
    Column("id", "bigint", nullable=False, primary_key=1),
    Column("customer_id", "bigint", references="customers.id"),
    Column("total", "decimal(12,2)", comment="Sum of all lines, taxes included"),
    Column("Order Date", "date"),
    Column("group", "varchar(20)"),
)
CUSTOMERS = (
    Column("id", "bigint", nullable=False, primary_key=1),
    Column("name", "varchar(80)", nullable=False),
    Column("country", "char(2)"),
)
LOG = (Column("at", "datetime"), Column("message", "text"))
TABLES = {("shop", "orders"): ORDERS, ("shop", "customers"): CUSTOMERS, ("audit", "log"): LOG}
INFOS = (
    TableInfo("shop", "orders", comment="What was bought"),
    TableInfo("shop", "customers"),
    TableInfo("audit", "log"),
)
CONNECTIONS = """
connections:
  mysql:
    shop: {host: db, database: shop, user: app, password: "${SHOP_PASSWORD}"}
  sqlite:
    shop: {path: shop.db}
"""


def catalog(reference: str) -> Catalog:
    return Catalog(reference, reference[1:].partition(".")[0], INFOS, TABLES, default_schema="shop")


ENVIRONMENT = StaticEnvironment(
    connections=parse_connections(CONNECTIONS),
    schemas={ref: SchemaKnowledge(None, catalog(ref)) for ref in ("@mysql.shop", "@sqlite.shop")},
    file_tables={
        "data/rates.csv": Table(TableInfo("", "rates.csv", "file"), (Column("currency", ""), Column("rate", "")))
    },
)

MYSQL = """
oml_version: "0.1.0"
name: read-orders
steps:
  - id: read
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.shop"
      query: |
{query}
  - id: write
    component: filesystem.csv_writer
    mode: write
    config: {{path: out.csv}}
"""
SQLITE = MYSQL.replace("mysql", "sqlite")
DUCKDB = """
oml_version: "0.1.0"
name: report
steps:
  - id: orders
    component: mysql.extractor
    mode: read
    config: {{connection: "@mysql.shop", table: orders}}
  - id: customers
    component: sqlite.extractor
    mode: read
    needs: []
    config: {{connection: "@sqlite.shop", query: "SELECT id, name AS customer FROM customers"}}
  - id: rates
    component: filesystem.csv_extractor
    mode: read
    needs: []
    config: {{path: data/rates.csv}}
  - id: report
    component: duckdb.processor
    mode: transform
    needs: [orders, customers, rates]
    config:
      query: |
{query}
  - id: write
    component: filesystem.csv_writer
    mode: write
    config: {{path: out.csv}}
"""


def pipeline(query: str, step: str = MYSQL) -> str:
    return step.lstrip("\n").format(query=indent(dedent(query.lstrip("\n")).rstrip(), " " * 8))


def analysed(text: str) -> Analysis:
    return analyse(text, ENVIRONMENT)


def suggested(marked: str) -> Completions | None:
    """The suggestions at the cursor of a whole document."""
    text, offset = split(marked)
    return complete(analysed(text), ENVIRONMENT, offset)


def names(query: str, step: str = MYSQL) -> list[str]:
    """The labels of what is suggested, but for functions and keywords."""
    found = suggested(pipeline(query, step))
    others = ("function", "keyword")
    return [item.label for item in found.items if item.kind.value not in others] if found else []


def words(query: str, step: str = MYSQL) -> list[str]:
    """The keywords that are suggested."""
    found = suggested(pipeline(query, step))
    return [item.label for item in found.items if item.kind.value == "keyword"] if found else []


def item(query: str, label: str, step: str = MYSQL) -> Item:
    found = suggested(pipeline(query, step))
    assert found is not None, "nothing is suggested"
    [wanted] = [item for item in found.items if item.label == label]
    return wanted


def taken(marked: str, label: str) -> str:
    """The line of the cursor after the suggestion with this label was accepted."""
    text, offset = split(marked)
    found = complete(analysed(text), ENVIRONMENT, offset)
    assert found is not None, "nothing is suggested"
    [wanted] = [item for item in found.items if item.label == label]
    line = text.count("\n", 0, offset)
    return accept(text, found, wanted).splitlines()[line].strip()


def hovered(query: str, step: str = MYSQL) -> str | None:
    """The hover's text, behind the text it is about."""
    text, offset = split(pipeline(query, step))
    found = hover(analysed(text), ENVIRONMENT, offset)
    return f"[{text[found.span.start : found.span.end]}]\n{found.markdown}" if found else None
