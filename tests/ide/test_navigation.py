"""From the name under the cursor ``<|>`` to its definition and to all of its places, which are shown as ``«...»``."""

from __future__ import annotations

from textwrap import dedent

import pytest
from marked import ENVIRONMENT, analysed, split
from places import around, lines_with

from osiris.ide.navigation.connection_places import alias_span, connection_at
from osiris.ide.navigation.definitions import Definition, definition_of, highlights, name_in_spec, references
from osiris.language.connections import parse_connections
from osiris.language.symbols import symbol_at


def defined(marked: str) -> Definition | None:
    text, offset = split(marked)
    return definition_of(analysed(text), ENVIRONMENT, offset)


def definition(marked: str) -> list[str]:
    """The line of the definition in the same document."""
    text, _ = split(marked)
    found = defined(marked)
    if found is None:
        return []
    assert found.file == "document"
    assert found.span is not None
    return lines_with(text, [found.span])


def all_places(marked: str, *, declaration: bool = True) -> str:
    text, offset = split(marked)
    analysis = analysed(text)
    symbol = symbol_at(analysis, offset)
    assert symbol is not None
    return around(text, references(analysis, symbol, declaration=declaration))


# -- definition

STEPS = """
    params:
      limit: 5
      "since": 2025-01-01
    profiles:
      prod: {params: {limit: 9}}
    steps:
      - id: extract-orders
        component: sqlite.extractor
        mode: read
        config: {connection: "@sqlite.shop", table: orders, limit: "${params.limit}"}
      - id: total
        component: duckdb.processor
        mode: transform
        needs: [extract-orders]
        config:
          query: |
            -- since ${params.since}
            SELECT "DF_Extract_Orders".id, sum(x)
            FROM df_extract_orders
      - id: store
        component: filesystem.csv_writer
        mode: write
        inputs: {df: "${total.df}"}
        config: {path: out/total.csv}
    """


def at(place: str) -> str:
    """The document with the cursor at the mark in ``place``, which stands in it once."""
    plain = place.replace("<|>", "")
    assert STEPS.count(plain) == 1
    return STEPS.replace(plain, place)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("needs: [extract-<|>orders]", "- id: «extract-orders»"),
        ("FROM df_extract<|>_orders", "- id: «extract-orders»"),
        ('SELECT "DF_Extr<|>act_Orders".id', "- id: «extract-orders»"),
        ('"${to<|>tal.df}"', "- id: «total»"),
        ("id: sto<|>re", "- id: «store»"),
        ('"${params.li<|>mit}"', "«limit»: 5"),
        ("since ${params.since<|>}", '"«since»": 2025-01-01'),
        ("{params: {li<|>mit: 9}}", "«limit»: 5"),
        ("pr<|>od:", "«prod»: {params: {limit: 9}}"),
    ],
)
def test_the_definition_of_a_step_a_parameter_and_a_profile(place: str, line: str) -> None:
    assert definition(at(place)) == [line]


def test_the_data_of_the_only_step_that_is_needed_leads_to_that_step() -> None:
    assert definition(at("FROM df_extract_orders").replace("FROM df_extract_orders", "FROM d<|>f")) == [
        "- id: «extract-orders»"
    ]


def test_the_definition_shows_the_whole_step() -> None:
    text, _ = split(at("FROM df_extract_orde<|>rs"))
    found = defined(at("FROM df_extract_orde<|>rs"))

    assert found is not None
    assert found.whole is not None
    assert text[slice(*found.whole)].startswith("id: extract-orders\n    component: sqlite.extractor")
    assert text[slice(*found.origin)] == "df_extract_orders"


def test_a_connection_is_defined_in_the_connections_file() -> None:
    found = defined(at('"@sqlite.sh<|>op"'))

    assert found is not None
    assert (found.file, found.name) == ("connections", "@sqlite.shop")
    assert found.span is not None
    assert ENVIRONMENT.connections is not None
    assert lines_with(ENVIRONMENT.connections.document.text, [found.span]) == [
        "«shop»: {path: data/shop.db, default: true}"
    ]


def test_a_component_is_defined_in_its_spec() -> None:
    found = defined(at("component: duckdb.pro<|>cessor"))

    assert found is not None
    assert (found.file, found.name) == ("spec", "duckdb.processor")
    assert lines_with(
        "# a spec\nname: duckdb.processor # it\n", [name_in_spec("# a spec\nname: duckdb.processor # it\n")]
    ) == ["name: «duckdb.processor» # it"]


@pytest.mark.parametrize(
    "place",
    [
        "SELECT<|> ",
        "needs: [<|>extract-orders]".replace("extract-orders", "nobody"),
        "mode<|>: write",
        "path: out/to<|>tal.csv",
    ],
)
def test_what_names_nothing_has_no_definition(place: str) -> None:
    marked = STEPS.replace("needs: [extract-orders]", place) if "nobody" in place else None

    assert defined(marked or at(place)) is None


@pytest.mark.parametrize("reference", ["@sqlite.nowhere", "@nofamily.x"])
def test_a_connection_that_is_not_in_the_file_has_no_definition(reference: str) -> None:
    assert defined(f"steps:\n  - config: {{connection: '{reference}<|>'}}\n") is None


def test_in_a_broken_document_what_can_be_read_leads_on() -> None:
    assert definition("""
        steps:
          - id: orders
            component: sqlite.extractor
            config: {table: "orders
          - id: total
            needs: [ord<|>ers
            mode
    """) == ["- id: «orders»"]


# -- references


def test_all_places_of_a_step() -> None:
    assert all_places(at("id: extract-ord<|>ers")) == dedent("""\
        params:
          limit: 5
          "since": 2025-01-01
        profiles:
          prod: {params: {limit: 9}}
        steps:
          - id: «extract-orders»
            component: sqlite.extractor
            mode: read
            config: {connection: "@sqlite.shop", table: orders, limit: "${params.limit}"}
          - id: total
            component: duckdb.processor
            mode: transform
            needs: [«extract-orders»]
            config:
              query: |
                -- since ${params.since}
                SELECT "«DF_Extract_Orders»".id, sum(x)
                FROM «df_extract_orders»
          - id: store
            component: filesystem.csv_writer
            mode: write
            inputs: {df: "${total.df}"}
            config: {path: out/total.csv}
        """)


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        ("${params.si<|>nce}", ['"«since»": 2025-01-01', "-- since ${params.«since»}"]),
        (
            "limi<|>t: 5",
            [
                "«limit»: 5",
                "prod: {params: {«limit»: 9}}",
                'config: {connection: "@sqlite.shop", table: orders, limit: "${params.«limit»}"}',
            ],
        ),
        ("id: to<|>tal", ["- id: «total»", 'inputs: {df: "${«total».df}"}']),
        ("component: duckdb.<|>processor", ["component: «duckdb.processor»"]),
    ],
)
def test_all_places_of_a_parameter_a_step_and_a_component(place: str, lines: list[str]) -> None:
    assert [line.strip() for line in all_places(at(place)).splitlines() if "«" in line] == lines


def test_the_declaration_is_left_out_when_only_uses_are_wanted() -> None:
    found = all_places(at("limi<|>t: 5"), declaration=False)

    assert "  limit: 5" in found
    assert found.count("«limit»") == 2


def test_in_sql_only_what_stands_for_the_table_is_a_place() -> None:
    found = all_places("""
        steps:
          - id: orders<|>
            component: sqlite.extractor
            mode: read
          - id: total
            component: duckdb.processor
            mode: transform
            config:
              query: |
                SELECT o.df_orders, 'df_orders', df_orders.id -- df_orders
                FROM df_orders JOIN "df_orders" AS o USING (id)
                WHERE o.df_orders > 1
          - id: other
            component: duckdb.processor
            mode: transform
            needs: [orders]
            config: {query: "WITH df_orders AS (SELECT 1) SELECT * FROM df_orders"}
        """)

    assert [line.strip() for line in found.splitlines() if "«" in line] == [
        "- id: «orders»",
        "SELECT o.df_orders, 'df_orders', «df_orders».id -- df_orders",
        'FROM «df_orders» JOIN "«df_orders»" AS o USING (id)',
        "needs: [«orders»]",
    ]


def test_a_connection_that_a_parameter_holds_is_one_of_its_places() -> None:
    found = all_places("""
        params:
          db: {default: "@sqlite.shop", enum: ["@sqlite.shop", "@sqlite.reports"]}
          note: "@sqlite.shop"
        profiles:
          prod: {params: {db: "@sqlite.shop"}}
        steps:
          - {id: a, component: sqlite.extractor, mode: read, config: {connection: "${params.db}"}}
          - {id: b, component: sqlite.extractor, mode: read, config: {connection: "@sqlite.shop<|>"}}
        """)

    assert [line.strip() for line in found.splitlines() if "«" in line] == [
        'db: {default: "«@sqlite.shop»", enum: ["«@sqlite.shop»", "@sqlite.reports"]}',
        'prod: {params: {db: "«@sqlite.shop»"}}',
        '- {id: b, component: sqlite.extractor, mode: read, config: {connection: "«@sqlite.shop»"}}',
    ]


def test_emoji_folded_lines_and_windows_line_ends_move_no_place() -> None:
    text = dedent("""\
        steps:
          - id: orders
            component: sqlite.extractor
            mode: read
          - id: total
            component: duckdb.processor
            mode: transform
            config:
              query: "SELECT '\\U0001F680' AS r,
                '🚀' AS s FROM \\"df_orders\\""
        """).replace("\n", "\r\n")
    analysis = analysed(text)
    symbol = symbol_at(analysis, text.index("id: orders") + 5)
    assert symbol is not None

    assert lines_with(text, references(analysis, symbol)) == [
        "- id: «orders»",
        '\'🚀\' AS s FROM \\"«df_orders»\\""',
    ]


# -- highlight


def test_highlights_tell_where_a_thing_is_set_from_where_it_is_used() -> None:
    text, offset = split(at('"${params.limi<|>t}"'))
    found = highlights(analysed(text), offset)

    assert lines_with(text, [place.span for place in found if place.writes]) == [
        "«limit»: 5",
        "prod: {params: {«limit»: 9}}",
    ]
    assert len([place for place in found if not place.writes]) == 1


# -- the connections file


@pytest.mark.parametrize(
    ("marked", "reference"),
    [
        ("connections:\n  sqlite:\n    sh<|>op: {path: x.db}\n", "@sqlite.shop"),
        ('connections:\n  mysql: {"main<|>": {host: x}}\n', "@mysql.main"),
        ("connections:\n  sqlite:\n    shop: {pa<|>th: x.db}\n", None),
        ("connections:\n  sql<|>ite:\n    shop: {path: x.db}\n", None),
        ("connections:\n  sqlite:\n    sh<|>op: {path: \n    other", "@sqlite.shop"),
    ],
)
def test_the_connection_under_the_cursor(marked: str, reference: str | None) -> None:
    text, offset = split(marked)
    connections = parse_connections(text)
    found = connection_at(connections, offset)

    assert (found.reference if found else None) == reference
    if found is not None:
        assert text[slice(*alias_span(connections, found))] == found.alias
