"""The projects that the tasks are about, made anew in a folder, and their data as one SQLite database to judge by."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SALARIES = """\
oml_version: 0.1.0
name: salaries
steps:
  - id: staff
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.staff"
      query: SELECT department_id, salary FROM employees
  # Agreed with the works council: never less than what stands here.
  - id: averages
    component: duckdb.processor
    mode: transform
    needs: [staff]
    config:
      query: SELECT department_id, round(avg(salary), 2) AS average FROM df_staff GROUP BY 1
  - id: write
    component: filesystem.csv_writer
    mode: write
    needs: [averages]
    config:
      path: out/salaries.csv
"""


def make_world(name: str, root: Path) -> None:
    """Make the project ``name`` (shop, library, stations, staff) in the folder ``root``."""
    {"shop": _shop, "library": _library, "stations": _stations, "staff": _staff}[name](root)


def facts(name: str, root: Path) -> sqlite3.Connection:
    """All data of a project as tables of SQLite, those of files among them."""
    database = {"shop": "shop.db", "library": "library.db", "stations": "", "staff": "staff.db"}[name]
    known = sqlite3.connect(":memory:")
    if database:
        source = sqlite3.connect(root / "data" / database)
        source.backup(known)
        source.close()
    for path in sorted((root / "data").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file, delimiter=";" if path.stem in ("refunds", "hours") else ",")
        _load(known, path.stem, head, rows)
    for path in sorted((root / "data").glob("*.jsonl")):
        items = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        _load(known, path.stem, list(items[0]), [list(item.values()) for item in items])
    return known


def _load(known: sqlite3.Connection, table: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    known.execute(f"CREATE TABLE {table} ({', '.join(f'{name} NUMERIC' for name in head)})")
    known.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(head))})", rows)


def _project(root: Path, connections: dict[str, Any]) -> Path:
    (root / "data").mkdir(parents=True)
    (root / "osiris.yaml").write_text("# All settings at their defaults.\n")
    (root / "osiris_connections.yaml").write_text(json.dumps({"connections": connections}))
    return root / "data"


def _fill(path: Path, script: str, tables: dict[str, list[tuple[Any, ...]]]) -> None:
    database = sqlite3.connect(path)
    with database:
        database.executescript(script)
        for table, rows in tables.items():
            database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    database.close()


def _shop(root: Path) -> None:
    """The example of this repository, without its pipelines."""
    import runpy

    root.mkdir(parents=True)
    for name in ("make_data.py", "osiris.yaml", "osiris_connections.yaml"):
        shutil.copy(EXAMPLES / "shop" / name, root / name)
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(root / "make_data.py"))["main"]()


def _library(root: Path) -> None:
    data = _project(root, {"sqlite": {"library": {"path": "data/library.db"}, "reports": {"path": "out/reports.db"}}})
    chance = random.Random(7)
    cities, genres = ("Brno", "Linz", "Pécs"), ("crime", "poetry", "history", "science")
    members = [(n, f"Member {n:02}", cities[n % 3], f"202{n % 5}-03-{n % 28 + 1:02}") for n in range(1, 41)]
    books = [(n, f"Book {n:02}", f"Author {n % 9}", 1950 + n, genres[n % 4]) for n in range(1, 61)]
    loans: list[tuple[Any, ...]] = []
    for number in range(1, 301):
        month, day, days = int(chance.random() * 11) + 1, int(chance.random() * 28) + 1, int(chance.random() * 20) + 1
        back = None if chance.random() < 0.15 else f"2025-{month + 1:02}-{days:02}"
        book, member = int(chance.random() * 60) + 1, int(chance.random() * 35) + 1
        loans.append((number, book, member, f"2025-{month:02}-{day:02}", back))
    script = """
        CREATE TABLE members (member_id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL, joined TEXT);
        CREATE TABLE books (book_id INTEGER PRIMARY KEY, title TEXT, author TEXT, year INTEGER, genre TEXT);
        CREATE TABLE loans (loan_id INTEGER PRIMARY KEY, book_id INTEGER REFERENCES books,
                            member_id INTEGER REFERENCES members, lent_on TEXT NOT NULL, returned_on TEXT);
    """
    _fill(data / "library.db", script, {"members": members, "books": books, "loans": loans})


def _stations(root: Path) -> None:
    data = _project(root, {"filesystem": {"data": {"base_dir": "data"}}})
    names = {"S1": ("Lhota", 210), "S2": ("Vrch", 1240), "S3": ("Luka", 480), "S4": ("Sedlo", 890)}
    lines = [f"{station},{name},{altitude}" for station, (name, altitude) in names.items()]
    (data / "stations.csv").write_text("\n".join(["station_id,name,altitude", *lines, ""]))
    chance = random.Random(11)
    readings = []
    for number in range(400):
        station = f"S{int(chance.random() * 4) + 1}"
        celsius = None if chance.random() < 0.1 else round(chance.random() * 35 - 8, 2)
        at = f"2025-07-{number // 40 + 1:02} {number % 24:02}:00:00"
        readings.append(json.dumps({"station": station, "at": at, "celsius": celsius}))
    (data / "readings.jsonl").write_text("\n".join(readings) + "\n")


def _staff(root: Path) -> None:
    data = _project(
        root, {"sqlite": {"staff": {"path": "data/staff.db"}}, "filesystem": {"data": {"base_dir": "data"}}}
    )
    chance = random.Random(13)
    departments = [(1, "Sales", 200_000), (2, "Workshop", 330_000), (3, "Office", 90_000), (4, "Board", 150_000)]
    staff = [(n, f"Person {n:02}", n % 7 % 3 + 1 if n > 2 else 4, 1800 + int(chance.random() * 3200),
              None if n == 1 else n // 3 + 1) for n in range(1, 31)]  # fmt: skip
    script = """
        CREATE TABLE departments (department_id INTEGER PRIMARY KEY, title TEXT NOT NULL, budget INTEGER NOT NULL);
        CREATE TABLE employees (employee_id INTEGER PRIMARY KEY, name TEXT NOT NULL,
                                department_id INTEGER REFERENCES departments, salary INTEGER NOT NULL,
                                boss_id INTEGER REFERENCES employees);
    """
    _fill(data / "staff.db", script, {"departments": departments, "employees": staff})
    hours = [f"{n};2025-{month:02};{100 + int(chance.random() * 80)}" for n in range(1, 31) for month in (1, 2, 3)]
    (data / "hours.csv").write_text("\n".join(["employee_id;month;hours", *hours, ""]))
    (root / "pipelines").mkdir()
    (root / "pipelines" / "salaries.oml.yaml").write_text(SALARIES)
