"""Wherever the cursor stands in a query, and whatever is taken there: the document stays what it was around it."""

from __future__ import annotations

import json
import random

import pytest
from marked import accept
from sql_marked import ENVIRONMENT, analysed

from osiris.ide.completion.complete import complete
from osiris.ide.hover.hover import hover
from osiris.ide.navigation.definitions import definition_of
from osiris.ide.navigation.table_places import table_at
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.environment import StaticEnvironment
from osiris.syntax.document import parse
from osiris.syntax.tree import Plain, to_plain

# Names with everything that YAML and SQL give a meaning to.
ODD = (
    "id",
    "Order Date",
    "it's",
    'a"b',
    "a`b",
    "c: d",
    "e # f",
    "x\\y",
    "select",
    "größe",
    "a,b",
    "{c}",
    "t\tab",
    "n\nl",
    "",
)
ODD_TABLE = TableInfo("shop", "odd table: it's")
ODD_CATALOG = Catalog(
    "@mysql.shop",
    "mysql",
    [ODD_TABLE, TableInfo("shop", "orders")],
    {
        ("shop", ODD_TABLE.name): tuple(Column(name, "int") for name in ODD),
        ("shop", "orders"): (Column("id", "int"), Column("odd_id", "int", references=f"{ODD_TABLE.name}.id")),
    },
    default_schema="shop",
)
ODD_ENVIRONMENT = StaticEnvironment(
    connections=ENVIRONMENT.connections, schemas={"@mysql.shop": SchemaKnowledge(None, ODD_CATALOG)}
)
QUERIES = (
    "SELECT  FROM `odd table: it's` o",
    "SELECT o.  FROM `odd table: it's` o JOIN orders p ON  WHERE o.id = 'x'",
    "SELECT * FROM orders, `odd table: it's` o",
    "WITH a AS (SELECT * FROM `odd table: it's`) SELECT a.id FROM a ORDER BY a.",
    "SELECT count( FROM orders WHERE id IN (SELECT  FROM `odd table: it's`)",
)


def plain(query: str) -> str:
    return query.replace(": ", " ").replace("'", "").replace("`", "")


STYLES = {
    "literal": lambda query: "query: |\n        " + query.replace(" FROM", "\n        FROM"),
    "folded": lambda query: "query: >-\n          " + query.replace(" FROM", "\n          FROM"),
    "single": lambda query: "query: '" + query.replace("'", "''") + "'",
    "double": lambda query: "query: " + json.dumps(query),
    "plain": lambda query: "query: " + plain(query),
    "flow": lambda query: "extra: {a: [" + plain(query).replace(",", "") + "]}\n      query: " + json.dumps(query),
}


def document(scalar: str) -> str:
    return (
        'oml_version: "0.1.0"\nname: odd\nsteps:\n  - id: read\n    component: mysql.extractor\n    mode: read\n'
        f'    config:\n      connection: "@mysql.shop"\n      {scalar}\n      limit: 5\n'
        "  - id: write\n    component: filesystem.csv_writer\n    mode: write\n    config: {path: out.csv}\n"
    )


def query_taken_out(text: str) -> tuple[Plain, str]:
    """The document without its query, and the query."""
    tree = to_plain(parse(text).root())
    assert isinstance(tree, dict)
    [step, _] = tree["steps"]  # type: ignore[misc]
    assert isinstance(step, dict)
    config = step["config"]
    assert isinstance(config, dict)
    query = config.pop("query")
    assert isinstance(query, str)
    return tree, query


@pytest.mark.hypothesis
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("query", QUERIES)
def test_taking_any_suggestion_changes_the_query_alone(style: str, query: str) -> None:
    text = document(STYLES[style](query))
    around, before = query_taken_out(text)
    analysis = analysed(text)
    offered = 0

    for offset in range(text.index("query:") + 7, text.index("limit:") - 6):
        found = complete(analysis, ODD_ENVIRONMENT, offset)
        names = [i for i in found.items if i.kind.value not in ("function", "keyword")] if found else []
        for item in [*names, *(found.items[-1:] if found else ())]:
            assert found is not None
            after, now = query_taken_out(accept(text, found, item))

            where = f"{item.label!r} at {offset}: {text[max(0, offset - 30) : offset]!r}"
            assert after == around, where
            assert squeezed(item_text(item.text, style)) in squeezed(now), where
            offered += 1

    assert offered > 20 or style == "flow"
    assert before.strip()


def item_text(text: str, style: str) -> str:
    if style == "single":
        return text.replace("''", "'")
    return str(json.loads(f'"{text}"')) if style in ("double", "flow") else text


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.hypothesis
def test_whatever_stands_in_a_query_nothing_raises() -> None:
    chance = random.Random("whatever stands in a query")
    pieces = [
        *" \n.,()*'\"`;:-#/[]{}$",
        "SELECT",
        "FROM",
        "orders",
        "o",
        "JOIN",
        "ON",
        "WITH",
        "AS",
        "id",
        "${params.x}",
    ]
    for _ in range(150):
        query = " ".join(chance.choice(pieces) for _ in range(chance.randrange(30)))
        style = chance.choice([name for name in STYLES if name != "flow"])
        text = document(STYLES[style](query))
        analysis = analysed(text)
        for _ in range(6):
            offset = chance.randrange(len(text) + 1)
            complete(analysis, ODD_ENVIRONMENT, offset)
            hover(analysis, ODD_ENVIRONMENT, offset)
            definition_of(analysis, ODD_ENVIRONMENT, offset)
            table_at(analysis, ODD_ENVIRONMENT, offset)
