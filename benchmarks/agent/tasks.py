"""The tasks: what a user asks for, the query whose rows the result must have, and an answer that was recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Step = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """``world``: the project that it is about. ``output``: the file that the pipeline has to write, or
    ``file.db:table``. ``truth``: a query in SQLite's SQL over the project's data (``worlds.facts``), whose columns and
    rows the output must have; ``ordered``: in this order, too.

    ``answer``: the pipeline that the double proposes, or the text of one step when ``step`` names one; ``slip``: a text
    in it and what the double puts there in its first try. ``path``: the pipeline that is open. ``keeps``: what the
    pipeline must still say.
    """

    name: str
    world: str
    wish: str
    output: str
    truth: str
    answer: str
    ordered: bool = False
    slip: tuple[str, str] | None = None
    path: str | None = None
    step: str | None = None
    keeps: str = ""


def pipeline(*steps: Step, **top: Any) -> str:
    """The text of a pipeline; JSON is YAML."""
    lines = [
        f"{name}: {json.dumps(value)}" for name, value in ({"oml_version": "0.1.0", "name": "answer"} | top).items()
    ]
    return "\n".join([*lines, "steps:", *(f"  - {json.dumps(step)}" for step in steps), ""])


def step(name: str, component: str, mode: str, needs: Sequence[str], config: Mapping[str, Any]) -> Step:
    """One step."""
    return {"id": name, "component": component, "mode": mode, "needs": list(needs), "config": dict(config)}


def db(name: str, connection: str, query: str) -> Step:
    """A step that reads a query from a SQLite database."""
    config = {"connection": f"@sqlite.{connection}", "query": query}
    return step(name, "sqlite.extractor", "read", (), config)


def file(name: str, path: str, **config: Any) -> Step:
    """A step that reads a file."""
    kind = "json" if path.endswith(".jsonl") else "csv"
    return step(name, f"filesystem.{kind}_extractor", "read", (), {"path": path, **config})


def sql(query: str, *needs: str) -> Step:
    """A transformation of what ``needs`` yield."""
    return step("result", "duckdb.processor", "transform", needs, {"query": query})


def write(path: str, of: str = "result") -> Step:
    """A step that writes a file."""
    return step("write", f"filesystem.{path.rpartition('.')[2]}_writer", "write", (of,), {"path": path})


PAID = (
    "SELECT o.order_id, o.customer_id, o.ordered_at, l.product_id, l.quantity, l.quantity * l.unit_price AS amount "
    "FROM orders o JOIN order_lines l ON l.order_id = o.order_id WHERE o.status = 'paid'"
)
REFUNDS = file("refunds", "data/refunds.csv", delimiter=";")

SHOP = (
    Task(
        "revenue-by-country", "shop",
        "Number of paid orders and their revenue (quantity times unit price) for each country of the customers, as "
        "out/countries.csv with the columns country, orders, revenue; revenue rounded to two digits.",
        "out/countries.csv",
        f"SELECT country, COUNT(DISTINCT order_id) AS orders, round(SUM(amount), 2) AS revenue FROM ({PAID}) "
        "JOIN customers USING (customer_id) GROUP BY 1",
        pipeline(
            db("paid", "shop", PAID), db("customers", "shop", "SELECT customer_id, country FROM customers"),
            sql("SELECT country, count(DISTINCT order_id) AS orders, round(sum(amount), 2) AS revenue FROM df_paid "
                "JOIN df_customers USING (customer_id) GROUP BY 1", "paid", "customers"),
            write("out/countries.csv")),
        slip=("SELECT customer_id, country", "SELECT customer_id, countri"),
    ),
    Task(
        "best-products", "shop",
        "The five products with the highest revenue in paid orders, highest first, as out/best.csv: name, revenue "
        "(rounded to two digits).",
        "out/best.csv",
        f"SELECT name, round(SUM(amount), 2) AS revenue FROM ({PAID}) JOIN products USING (product_id) GROUP BY 1 "
        "ORDER BY 2 DESC LIMIT 5",
        pipeline(
            db("paid", "shop", PAID), db("products", "shop", "SELECT product_id, name FROM products"),
            sql("SELECT name, round(sum(amount), 2) AS revenue FROM df_paid JOIN df_products USING (product_id) "
                "GROUP BY 1 ORDER BY 2 DESC LIMIT 5", "paid", "products"), write("out/best.csv")),
        ordered=True,
    ),
    Task(
        "never-ordered", "shop",
        "Customers who have never ordered anything, whatever its status: customer_id and name, as out/idle.csv.",
        "out/idle.csv",
        "SELECT customer_id, name FROM customers WHERE customer_id NOT IN (SELECT customer_id FROM orders)",
        pipeline(
            db("customers", "shop", "SELECT customer_id, name FROM customers"),
            db("orders", "shop", "SELECT customer_id FROM orders"),
            sql("SELECT customer_id, name FROM df_customers ANTI JOIN df_orders USING (customer_id)",
                "customers", "orders"), write("out/idle.csv")),
    ),
    Task(
        "refund-reasons", "shop",
        "data/refunds.csv lists refunds, with semicolons between refund_id, order_id, refunded_on, amount and "
        "reason. How many refunds and how much money (two digits) for each reason? As out/reasons.csv: reason, "
        "refunds, amount.",
        "out/reasons.csv",
        "SELECT reason, COUNT(*) AS refunds, round(SUM(amount), 2) AS amount FROM refunds GROUP BY 1",
        pipeline(
            REFUNDS, sql("SELECT reason, count(*) AS refunds, round(sum(amount), 2) AS amount FROM df_refunds "
                         "GROUP BY 1", "refunds"), write("out/reasons.csv")),
    ),
    Task(
        "months-as-parquet", "shop",
        "Revenue of paid orders for each month, as out/months.parquet: month (text such as 2025-03) and revenue "
        "(rounded to two digits).",
        "out/months.parquet",
        f"SELECT substr(ordered_at, 1, 7) AS month, round(SUM(amount), 2) AS revenue FROM ({PAID}) GROUP BY 1",
        pipeline(
            db("paid", "shop", PAID),
            sql("SELECT left(ordered_at, 7) AS month, round(sum(amount), 2) AS revenue FROM df_paid GROUP BY 1",
                "paid"),
            write("out/months.parquet")),
    ),
    Task(
        "refunds-by-country", "shop",
        "How much was refunded to customers of each country? The refunds are in data/refunds.csv (semicolons; "
        "order_id, amount), the rest is in the database. As out/refunded.csv: country, refunded (two digits).",
        "out/refunded.csv",
        "SELECT country, round(SUM(amount), 2) AS refunded FROM refunds JOIN orders USING (order_id) "
        "JOIN customers USING (customer_id) GROUP BY 1",
        pipeline(
            db("orders", "shop", "SELECT order_id, country FROM orders JOIN customers USING (customer_id)"), REFUNDS,
            sql("SELECT country, round(sum(amount), 2) AS refunded FROM df_refunds JOIN df_orders USING (order_id) "
                "GROUP BY 1", "orders", "refunds"), write("out/refunded.csv")),
        slip=("df_orders USING", "df_order USING"),
    ),
    Task(
        "good-customers", "shop",
        "Customers whose paid orders come to at least a parameter min_total, 500 by default: customer_id, total (two "
        "digits), as out/good.csv.",
        "out/good.csv",
        f"SELECT customer_id, round(SUM(amount), 2) AS total FROM ({PAID}) GROUP BY 1 HAVING SUM(amount) >= 500",
        pipeline(
            db("paid", "shop", PAID),
            sql("SELECT customer_id, round(sum(amount), 2) AS total FROM df_paid GROUP BY 1 "
                "HAVING sum(amount) >= ${params.min_total}", "paid"),
            write("out/good.csv"), params={"min_total": {"type": "number", "default": 500}}),
        keeps="min_total",
    ),
)  # fmt: skip

LENT = "SELECT l.*, b.title, b.genre FROM loans l JOIN books b ON b.book_id = l.book_id"
LIBRARY = (
    Task(
        "open-loans", "library",
        "Loans that have not come back yet, the oldest first, then by loan_id: loan_id, title, lent_on; as "
        "out/open.csv.",
        "out/open.csv", f"SELECT loan_id, title, lent_on FROM ({LENT}) WHERE returned_on IS NULL ORDER BY 3, 1",
        pipeline(
            db("loans", "library", LENT),
            sql("SELECT loan_id, title, lent_on FROM df_loans WHERE returned_on IS NULL ORDER BY lent_on, loan_id",
                "loans"), write("out/open.csv")),
        ordered=True,
    ),
    Task(
        "loans-by-genre", "library", "How many loans for each genre? As out/genres.csv: genre, loans.",
        "out/genres.csv", f"SELECT genre, COUNT(*) AS loans FROM ({LENT}) GROUP BY 1",
        pipeline(
            db("loans", "library", LENT), sql("SELECT genre, count(*) AS loans FROM df_loans GROUP BY 1", "loans"),
            write("out/genres.csv")),
    ),
    Task(
        "best-readers", "library",
        "For each city the member with the most loans; of several with as many the one whose name comes first. As "
        "out/readers.csv: city, name, loans.",
        "out/readers.csv",
        "SELECT city, name, loans FROM (SELECT city, name, COUNT(*) AS loans, ROW_NUMBER() OVER (PARTITION BY city "
        "ORDER BY COUNT(*) DESC, name) AS place FROM loans JOIN members USING (member_id) GROUP BY city, name) "
        "WHERE place = 1",
        pipeline(
            db("loans", "library", "SELECT city, name FROM loans JOIN members USING (member_id)"),
            sql("SELECT city, name, count(*) AS loans FROM df_loans GROUP BY 1, 2 "
                "QUALIFY row_number() OVER (PARTITION BY city ORDER BY count(*) DESC, name) = 1", "loans"),
            write("out/readers.csv")),
    ),
    Task(
        "days-lent", "library",
        "How many days, on average, is a book of each genre away? Only loans that came back; one digit after the "
        "point. As out/days.csv: genre, days.",
        "out/days.csv",
        f"SELECT genre, round(AVG(julianday(returned_on) - julianday(lent_on)), 1) AS days FROM ({LENT}) "
        "WHERE returned_on IS NOT NULL GROUP BY 1",
        pipeline(
            db("loans", "library", LENT),
            sql("SELECT genre, round(avg(CAST(returned_on AS DATE) - CAST(lent_on AS DATE)), 1) AS days FROM df_loans "
                "WHERE returned_on IS NOT NULL GROUP BY 1", "loans"), write("out/days.csv")),
        slip=("b.genre", "b.gerne"),
    ),
    Task(
        "into-a-database", "library",
        "Write the members who have never borrowed anything (member_id, name, city) into the table idle_members of the "
        "connection @sqlite.reports, replacing what is there.",
        "out/reports.db:idle_members",
        "SELECT member_id, name, city FROM members WHERE member_id NOT IN (SELECT member_id FROM loans)",
        pipeline(
            db("idle", "library", "SELECT member_id, name, city FROM members WHERE member_id NOT IN "
                                  "(SELECT member_id FROM loans)"),
            step("write", "sqlite.writer", "write", ["idle"], {
                "connection": "@sqlite.reports", "table": "idle_members", "write_mode": "replace"})),
    ),
)  # fmt: skip

ABOUT = (
    "data/readings.jsonl has an object on each line: station, at (2025-07-01 13:00:00), celsius (a number or null). "
    "data/stations.csv has station_id, name, altitude. "
)
READINGS, PLACES = file("readings", "data/readings.jsonl"), file("stations", "data/stations.csv")
STATIONS = (
    Task(
        "mean-temperatures", "stations",
        f"{ABOUT}The mean of celsius for each station, two digits, with its name: out/means.csv with name, celsius.",
        "out/means.csv",
        "SELECT name, round(AVG(celsius), 2) AS celsius FROM readings JOIN stations ON station = station_id GROUP BY 1",
        pipeline(
            READINGS, PLACES,
            sql("SELECT name, round(avg(celsius), 2) AS celsius FROM df_readings JOIN df_stations "
                "ON station = station_id GROUP BY 1", "readings", "stations"), write("out/means.csv")),
        slip=('"result"]', '"reslut"]'),
    ),
    Task(
        "gaps", "stations",
        f"{ABOUT}How many readings of each station have no celsius? As out/gaps.csv: station, gaps.",
        "out/gaps.csv", "SELECT station, COUNT(*) AS gaps FROM readings WHERE celsius IS NULL GROUP BY 1",
        pipeline(
            READINGS, sql("SELECT station, count(*) AS gaps FROM df_readings WHERE celsius IS NULL GROUP BY 1",
                          "readings"), write("out/gaps.csv")),
    ),
    Task(
        "hottest-hours", "stations",
        f"{ABOUT}The highest celsius of each station above 400 m of altitude, hottest first: out/hottest.csv with "
        "name, altitude, celsius.",
        "out/hottest.csv",
        "SELECT name, altitude, MAX(celsius) AS celsius FROM readings JOIN stations ON station = station_id "
        "WHERE altitude > 400 GROUP BY 1, 2 ORDER BY 3 DESC",
        pipeline(
            READINGS, PLACES,
            sql("SELECT name, altitude, max(celsius) AS celsius FROM df_readings JOIN df_stations "
                "ON station = station_id WHERE altitude > 400 GROUP BY 1, 2 ORDER BY 3 DESC", "readings", "stations"),
            write("out/hottest.csv")),
        ordered=True,
    ),
    Task(
        "days-as-json", "stations",
        f"{ABOUT}The lowest and the highest celsius of each day over all stations: out/days.json with day "
        "(2025-07-01), lowest, highest, one array of objects or one object on each line.",
        "out/days.json",
        "SELECT substr(at, 1, 10) AS day, MIN(celsius) AS lowest, MAX(celsius) AS highest FROM readings GROUP BY 1",
        pipeline(
            READINGS,
            sql("SELECT strftime(CAST(r.at AS TIMESTAMP), '%Y-%m-%d') AS day, min(celsius) AS lowest, "
                "max(celsius) AS highest FROM df_readings r GROUP BY 1", "readings"), write("out/days.json")),
    ),
)  # fmt: skip

STAFF = (
    Task(
        "over-budget", "staff",
        "Departments whose salaries of twelve months come to more than their budget: title, budget, salaries (of "
        "twelve months); as out/over.csv.",
        "out/over.csv",
        "SELECT title, budget, SUM(salary) * 12 AS salaries FROM employees JOIN departments USING (department_id) "
        "GROUP BY 1, 2 HAVING SUM(salary) * 12 > budget",
        pipeline(
            db("staff", "staff", "SELECT title, budget, salary FROM employees JOIN departments USING (department_id)"),
            sql("SELECT title, budget, sum(salary) * 12 AS salaries FROM df_staff GROUP BY 1, 2 "
                "HAVING sum(salary) * 12 > budget", "staff"), write("out/over.csv")),
    ),
    Task(
        "paid-more-than-the-boss", "staff",
        "Who earns more than their boss? name, salary, boss (the name of the boss); as out/more.csv.",
        "out/more.csv",
        "SELECT e.name, e.salary, b.name AS boss FROM employees e JOIN employees b ON b.employee_id = e.boss_id "
        "WHERE e.salary > b.salary",
        pipeline(
            db("staff", "staff", "SELECT employee_id, name, salary, boss_id FROM employees"),
            sql("SELECT e.name, e.salary, b.name AS boss FROM df_staff e JOIN df_staff b ON b.employee_id = e.boss_id "
                "WHERE e.salary > b.salary", "staff"), write("out/more.csv")),
    ),
    Task(
        "hours-by-department", "staff",
        "data/hours.csv has employee_id, month and hours, with semicolons between them. All hours of each department, "
        "with its title: out/hours.csv with title, hours.",
        "out/hours.csv",
        "SELECT title, SUM(hours) AS hours FROM hours JOIN employees USING (employee_id) "
        "JOIN departments USING (department_id) GROUP BY 1",
        pipeline(
            db("staff", "staff", "SELECT employee_id, title FROM employees JOIN departments USING (department_id)"),
            file("hours", "data/hours.csv", delimiter=";"),
            sql("SELECT title, sum(hours) AS hours FROM df_hours JOIN df_staff USING (employee_id) GROUP BY 1",
                "staff", "hours"), write("out/hours.csv")),
    ),
    Task(
        "change-a-step", "staff",
        "In this pipeline: only departments with at least five people, please. Change nothing else.",
        "out/salaries.csv",
        "SELECT department_id, round(AVG(salary), 2) AS average FROM employees GROUP BY 1 HAVING COUNT(*) >= 5",
        json.dumps(step("averages", "duckdb.processor", "transform", ["staff"], {
            "query": "SELECT department_id, round(avg(salary), 2) AS average FROM df_staff GROUP BY 1 "
                     "HAVING count(*) >= 5"})),
        path="pipelines/salaries.oml.yaml", step="averages",
        keeps="# Agreed with the works council",
    ),
)  # fmt: skip

TASKS: tuple[Task, ...] = (*SHOP, *LIBRARY, *STATIONS, *STAFF)
