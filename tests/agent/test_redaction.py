"""What engines and databases say goes to a model without the rows that they quote."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest

from osiris.core.agent.redaction import without_values

CELL = 'it\'s "Zq81"\nand Zq82, Zq83'


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (
            "CAST(x AS INTEGER)",
            "Conversion Error: Could not convert string … to INT32 when casting from source column x",
        ),
        ("CAST(x AS DATE)", "Conversion Error: invalid date field format: …"),
        ("CAST(x AS STRUCT(a INTEGER))", "Conversion Error: Type VARCHAR with value …"),
        ("strptime(x, '%Y')", "Invalid Input Error: …"),
        ("regexp_matches('a', '(' || x)", "Invalid Input Error: …"),
        ("error(x)", "Invalid Input Error: …"),
    ],
)
def test_of_duckdb(expression: str, told: str) -> None:
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE rows (x VARCHAR)")
        engine.execute("INSERT INTO rows VALUES (?)", [CELL])
        with pytest.raises(duckdb.Error) as failed:
            engine.execute(f"SELECT {expression} FROM rows").fetchall()
    assert "Zq8" in str(failed.value)
    assert without_values(str(failed.value)) == told


def test_of_duckdb_about_a_key_that_is_there_twice() -> None:
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE rows (x VARCHAR PRIMARY KEY)")
        with pytest.raises(duckdb.Error) as failed:
            engine.executemany("INSERT INTO rows VALUES (?)", [[CELL], [CELL]])
    assert without_values(str(failed.value)) == "Constraint Error: Duplicate key …"


def test_of_sqlite_nothing_is_lost() -> None:
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE rows (x TEXT PRIMARY KEY)")
        with pytest.raises(sqlite3.Error) as failed:
            db.executemany("INSERT INTO rows VALUES (?)", [(CELL,), (CELL,)])
    db.close()
    assert without_values(str(failed.value)) == "UNIQUE constraint failed: rows.x"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (f"Duplicate entry '{CELL}' for key 'PRIMARY'", "Duplicate entry …"),
        (f"Incorrect integer value: '{CELL}' for column 'amount' at row 3", "Incorrect integer value: …"),
        (f'invalid input syntax for type integer: "{CELL}"', "invalid input syntax for type integer: …"),
        (f"duplicate key\nDETAIL:  Key (name)=({CELL}) already exists.", "duplicate key\n …"),
        (f"null value. Failing row contains (7, {CELL}, null).", "null value.  …"),
        (f"CSV Error on Line: 3\nOriginal Line: {CELL}\nError when", "CSV Error on Line: …\n …"),
        (
            "the step total failed after 3 tries: 4711 is too large",
            "the step total failed after … tries: … is too large",
        ),
    ],
)
def test_of_others(message: str, told: str) -> None:
    assert without_values(message) == told


def test_names_that_are_known_stay_until_the_first_value() -> None:
    said = without_values("step 'total': no 'Zq81' in 'total'", frozenset({"total"}))
    assert said == "step 'total': no …"
