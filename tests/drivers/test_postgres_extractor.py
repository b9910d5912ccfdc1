"""postgres.extractor on a real PostgreSQL server: every option of its spec, and what goes wrong in words."""

from __future__ import annotations

import pytest

PEOPLE = "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), height DOUBLE PRECISION)"
ANN = "INSERT INTO people VALUES (1, 'Ann', 1.7), (2, 'Bob', NULL), (3, 'Cyd', 2)"

READS = {
    "table": ({"table": "people"}, [("1", "Ann", "1.7"), ("2", "Bob", None), ("3", "Cyd", "2.0")]),
    "columns": ({"table": "people", "columns": ["name", "id"]}, [("Ann", "1"), ("Bob", "2"), ("Cyd", "3")]),
    "limit": ({"table": "people", "columns": ["id"], "limit": 2}, [("1",), ("2",)]),
    "offset": ({"table": "people", "columns": ["id"], "offset": 1}, [("2",), ("3",)]),
    "limit and offset": ({"table": "people", "columns": ["id"], "limit": 1, "offset": 1}, [("2",)]),
    "query": ({"query": "SELECT name FROM people WHERE name LIKE '%d' -- Cyd\n;"}, [("Cyd",)]),
    "query wins": ({"query": "SELECT 1 AS one", "table": "people"}, [("1",)]),
    "query with CTE": ({"query": "WITH x AS (SELECT max(id) AS m FROM people) SELECT m FROM x"}, [("3",)]),
    "query in order": ({"query": "SELECT id FROM people ORDER BY id DESC", "limit": 1, "offset": 1}, [("2",)]),
    "columns of a query": ({"query": "SELECT * FROM people WHERE id = 1", "columns": ["height"]}, [("1.7",)]),
    "no rows": ({"query": "SELECT id FROM people WHERE id > 9"}, []),
    "a text that looks like INTO": ({"query": "SELECT 'INTO OUTFILE' AS x /* INTO */"}, [("INTO OUTFILE",)]),
}


@pytest.mark.parametrize("case", READS)
def test_reading(postgres_shop, case):
    config, expected = READS[case]
    postgres_shop.execute(PEOPLE, ANN)

    assert postgres_shop.rows(**config)[1] == expected
