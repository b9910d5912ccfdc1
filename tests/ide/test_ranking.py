"""Of many names those that what is typed may mean."""

from __future__ import annotations

import pytest
from known import many
from sql_marked import ENVIRONMENT, SQLITE, pipeline

from osiris.ide.completion.complete import complete
from osiris.ide.completion.ranking import best
from osiris.language.analysis import analyse
from osiris.language.catalog import SchemaKnowledge
from osiris.language.environment import StaticEnvironment

NAMES = ("shop_orders", "Orders", "o_r_d", "customers", "orders_old")


@pytest.mark.parametrize(
    ("typed", "most", "expected"),
    [
        ("", 2, ["shop_orders", "Orders"]),
        ("ord", 4, ["Orders", "orders_old", "shop_orders", "o_r_d"]),
        ("ord", 2, ["Orders", "orders_old"]),
        ("ORD", 3, ["Orders", "orders_old", "shop_orders"]),
        ("zzz", 4, []),
        ("zzz", 5, list(NAMES)),
    ],
)
def test_what_starts_so_comes_first_and_few_come_as_they_are(typed: str, most: int, expected: list[str]) -> None:
    assert best(NAMES, typed, most, str) == expected


@pytest.mark.parametrize("typed", ["table_49", "shop.table_49", "e_499"])
def test_in_a_query_over_five_thousand_tables_those_that_fit_come(typed: str) -> None:
    env = StaticEnvironment(
        connections=ENVIRONMENT.connections,
        schemas={"@sqlite.shop": SchemaKnowledge(None, many(5000, "shop"))},
    )
    text = pipeline(f"SELECT 1 FROM {typed}", SQLITE)
    offset = text.index(typed) + len(typed)

    found = complete(analyse(text, env), env, offset)

    assert found is not None
    assert len(found.items) < 301
    assert "table_4990" in [item.label for item in found.items]
    assert found.items[0].label.startswith(("table_49", "table_0499"))
