"""Pipelines between real databases and files, by `osiris run`."""

from __future__ import annotations

import subprocess
import sys


def osiris(shop, text):
    """Run a pipeline; what is printed."""
    shop.write("orders.oml.yaml", text)
    command = [sys.executable, "-m", "osiris", "run", "orders.oml.yaml"]
    done = subprocess.run(command, cwd=shop.root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


FROM_MYSQL = """\
oml_version: 0.1.0
name: orders
steps:
  - id: orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.shop", table: orders}
  - id: by-day
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT day, sum(amount) AS total, count(*) AS n FROM df_orders GROUP BY day ORDER BY day
  - id: write
    component: filesystem.csv_writer
    mode: write
    config: {path: out/by-day.csv}
"""


def test_from_mysql_through_sql_to_csv(mysql_shop):
    mysql_shop.execute(
        "CREATE TABLE orders (id INT, day DATE, amount DECIMAL(10,2))",
        "INSERT INTO orders SELECT seq, '2024-01-01' + INTERVAL seq % 3 DAY, seq / 4 FROM seq_1_to_30000",
    )

    osiris(mysql_shop, FROM_MYSQL)

    assert mysql_shop.read("out/by-day.csv") == (
        "day,total,n\n2024-01-01,37503750.00,10000\n2024-01-02,37498750.00,10000\n2024-01-03,37501250.00,10000\n"
    )


TO_POSTGRES = """\
oml_version: 0.1.0
name: orders
steps:
  - id: orders
    component: filesystem.csv_extractor
    mode: read
    config: {path: orders.csv}
  - id: write
    component: postgres.writer
    mode: write
    config: {connection: "@postgres.shop", table: orders, mode: upsert, primary_key: id, create_table: true}
"""


def test_from_csv_to_postgres_and_again(postgres_shop):
    postgres_shop.write("orders.csv", "id,day,amount\n1,2024-01-31,1.5\n2,,\n")
    osiris(postgres_shop, TO_POSTGRES)
    postgres_shop.write("orders.csv", "id,day,amount\n2,2024-02-29,9\n3,2024-03-01,4.25\n")
    osiris(postgres_shop, TO_POSTGRES)

    assert postgres_shop.query("SELECT id, day::text, amount FROM orders ORDER BY id") == [
        (1, "2024-01-31", 1.5),
        (2, "2024-02-29", 9),
        (3, "2024-03-01", 4.25),
    ]
