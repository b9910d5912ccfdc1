"""Definitions and references of steps, parameters and connections."""

import pytest

from osiris.language.symbols import definition, occurrences, symbol_at, symbols

TEXT = """\
oml_version: 0.1.0
name: orders
params: {limit: 5}
profiles: {prod: {params: {limit: 6}}}
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.main", table: orders, limit: "${params.limit}"}
  - id: total
    component: duckdb.processor
    mode: transform
    needs: [extract-orders]
    config:
      query: |
        SELECT count(*) FROM df_extract_orders
        -- df_extract_orders
  - id: store
    component: filesystem.csv_writer
    mode: write
    inputs: {df: "${total.df}"}
    config: {path: out/total.csv}
"""


@pytest.mark.parametrize(
    ("kind", "name", "places"),
    [
        ("step", "extract-orders", ["6:9 extract-orders", "13:13 extract-orders", "16:30 df_extract_orders"]),
        ("step", "total", ["10:9 total", "21:21 total"]),
        ("param", "limit", ["3:10 limit", "4:28 limit", "9:73 limit"]),
        ("connection", "@mysql.main", ["9:27 @mysql.main"]),
        ("component", "duckdb.processor", ["11:16 duckdb.processor"]),
        ("profile", "prod", ["4:12 prod"]),
    ],
)
def test_all_places_of_a_name(check, kind, name, places):
    analysis = check.analyse(TEXT)
    found = []
    for symbol in symbols(analysis):
        if (symbol.kind, symbol.name) == (kind, name):
            line, column = analysis.document.lines.line_column(symbol.span.start)
            found.append(f"{line + 1}:{column + 1} {TEXT[symbol.span.start : symbol.span.end]}")
    assert found == places


def test_from_a_table_in_sql_to_the_step_it_comes_from(check):
    analysis = check.analyse(TEXT)
    table = symbol_at(analysis, TEXT.index("df_extract_orders") + 3)
    assert table is not None
    assert definition(analysis, table) == occurrences(analysis, table)[0]
    assert definition(analysis, table).span.start == TEXT.index("extract-orders")


def test_no_symbol_stands_in_plain_words(check):
    assert symbol_at(check.analyse(TEXT), TEXT.index("SELECT")) is None
