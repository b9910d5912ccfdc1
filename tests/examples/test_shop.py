"""The example shop: its pipelines validate, compile and run, and what they write is right to the cent."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[2] / "examples/shop"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A copy of the shop with its data made, in which both good pipelines have run."""
    root = tmp_path_factory.mktemp("examples") / "shop"
    shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns("build", "logs", "out", "data", ".osiris"))
    subprocess.run([sys.executable, "make_data.py"], cwd=root, check=True, capture_output=True)
    for name in ("daily-revenue", "customer-ltv"):
        done = osiris(root, "run", f"pipelines/{name}.oml.yaml")
        assert done.returncode == 0, done.stderr
    return root


def osiris(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "osiris", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def paid_orders(shop):
    """Order id -> (customer, day, country, amount) of all paid orders, computed without Osiris."""
    with closing(sqlite3.connect(shop / "data/shop.db")) as database:
        rows = database.execute(
            "SELECT o.order_id, o.customer_id, date(o.ordered_at), c.country, sum(l.quantity * l.unit_price) "
            "FROM orders o JOIN order_lines l USING (order_id) JOIN customers c USING (customer_id) "
            "WHERE o.status = 'paid' GROUP BY 1, 2, 3, 4"
        ).fetchall()
    return {order: (customer, day, country, amount) for order, customer, day, country, amount in rows}


@pytest.fixture(scope="module")
def refunded(shop):
    """Order id -> amount paid back."""
    totals: dict[int, float] = defaultdict(float)
    for row in read_csv(shop / "data/refunds.csv", ";"):
        totals[int(row["order_id"])] += float(row["amount"])
    return totals


def read_csv(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.mark.parametrize("name", ["daily-revenue", "customer-ltv"])
def test_a_good_pipeline_validates_without_a_word(shop, name):
    done = osiris(shop, "validate", f"pipelines/{name}.oml.yaml")
    assert (done.returncode, done.stdout) == (0, "1 file checked: nothing wrong.\n")


@pytest.mark.parametrize("name", ["daily-revenue", "customer-ltv"])
def test_a_good_pipeline_compiles_to_the_same_bytes_in_another_folder(shop, tmp_path, name):
    other = tmp_path / "elsewhere"
    shutil.copytree(SHOP, other, ignore=shutil.ignore_patterns("build", "logs", "out", ".osiris"))
    for root in (shop, other):
        assert osiris(root, "compile", f"pipelines/{name}.oml.yaml").returncode == 0
    manifest = f"build/{name}/manifest.json"
    assert (shop / manifest).read_bytes() == (other / manifest).read_bytes()


def test_daily_revenue_is_right_to_the_cent(shop, paid_orders, refunded):
    expected: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for order, (_, day, country, amount) in paid_orders.items():
        if day >= "2025-12-01":
            totals = expected[day, country]
            totals[0] += 1
            totals[1] += amount
            totals[2] += refunded.get(order, 0.0)
    rows = read_csv(shop / "out/daily_revenue.csv")
    assert list(rows[0]) == ["day", "country", "orders", "gross", "refunded", "net"]
    assert [(row["day"], row["country"]) for row in rows] == sorted(expected)
    for row in rows:
        orders, gross, back = expected[row["day"], row["country"]]
        assert int(row["orders"]) == orders
        assert float(row["gross"]) == pytest.approx(gross, abs=0.005001)
        assert float(row["refunded"]) == pytest.approx(back, abs=0.005001)
        assert float(row["net"]) == pytest.approx(gross - back, abs=0.005001)


def test_the_profile_reports_the_whole_year(shop, paid_orders):
    done = osiris(shop, "run", "pipelines/daily-revenue.oml.yaml", "--profile", "year")
    rows = read_csv(shop / "out/daily_revenue.csv")
    assert done.returncode == 0
    assert sum(int(row["orders"]) for row in rows) == len(paid_orders)
    assert rows[0]["day"] == "2025-01-01"


def test_a_param_leaves_the_quiet_days_out(shop):
    done = osiris(shop, "run", "pipelines/daily-revenue.oml.yaml", "--param", "min_orders=5")
    assert done.returncode == 0
    assert min(int(row["orders"]) for row in read_csv(shop / "out/daily_revenue.csv")) == 5


def test_a_day_without_orders_gives_a_report_without_rows(shop, tmp_path):
    root = tmp_path / "empty"
    shutil.copytree(shop, root, ignore=shutil.ignore_patterns("build", "logs", "out", ".osiris"))
    done = osiris(root, "run", "pipelines/daily-revenue.oml.yaml", "--param", "since=2099-01-01")
    assert (done.returncode, done.stderr) == (0, "")
    assert (root / "out/daily_revenue.csv").read_text() == "day,country,orders,gross,refunded,net\n"


def test_lifetime_values_are_right_to_the_cent(shop, paid_orders, refunded):
    import pyarrow.parquet as pq

    net: dict[int, float] = defaultdict(float)
    for order, (customer, _, _, amount) in paid_orders.items():
        net[customer] += amount - refunded.get(order, 0.0)
    rows = pq.read_table(shop / "out/customer_ltv.parquet").to_pylist()
    assert len(rows) == 400
    for row in rows:
        assert row["lifetime_value"] == pytest.approx(net[row["customer_id"]], abs=0.005001)
    assert {row["segment"] for row in rows} == {"gold", "silver", "bronze", "no orders"}
    assert [row["lifetime_value"] for row in rows] == sorted((row["lifetime_value"] for row in rows), reverse=True)


def test_segments_add_up_to_all_customers(shop):
    with closing(sqlite3.connect(shop / "out/reports.db")) as database:
        (customers,) = database.execute("SELECT sum(customers) FROM segments").fetchone()
        (segments,) = database.execute("SELECT count(DISTINCT segment) FROM segments").fetchone()
    assert (customers, segments) == (400, 4)


def test_the_broken_pipeline_has_exactly_the_mistakes_it_is_there_for(shop):
    done = osiris(shop, "validate", "pipelines/broken-orders.oml.yaml", "--format", "json")
    found = json.loads(done.stdout)
    lines = (shop / "pipelines/broken-orders.oml.yaml").read_text().splitlines()
    marked = []
    for item in found:
        start, end = item["range"]["start"], item["range"]["end"]
        assert start["line"] == end["line"]
        marked.append((item["code"], lines[start["line"]][start["character"] : end["character"]]))
    assert done.returncode == 1
    assert marked == [
        ("OML124", "sqlite.extracter"),
        ("OML321", '"@filesystem.dta"'),
        ("OML202", "delimeter"),
        ("OML203", "none"),
        ("OML301", "extract-refund"),
        ("OML311", "min_amont"),
        ("OML125", "writer"),
    ]


def test_the_broken_pipeline_says_so_in_its_first_line(shop):
    assert (shop / "pipelines/broken-orders.oml.yaml").read_text().startswith("# Wrong on purpose")


def test_mending_the_broken_pipeline_by_its_own_fixes_leaves_only_what_needs_a_thought(shop, tmp_path):
    root = tmp_path / "mended"
    shutil.copytree(shop, root, ignore=shutil.ignore_patterns("build", "logs", "out", ".osiris"))
    path = root / "pipelines/broken-orders.oml.yaml"
    found = json.loads(osiris(root, "validate", str(path), "--format", "json").stdout)
    edits = [fix["edits"][0] for item in found for fix in item["fixes"][:1] if item["severity"] == "error"]
    path.write_text(applied(path.read_text(), edits))
    left = json.loads(osiris(root, "validate", str(path), "--format", "json").stdout)
    # `skip_rows: none` wants a number that nobody but its author knows.
    assert [item["code"] for item in left if item["severity"] == "error"] == ["OML203"]
    path.write_text(path.read_text().replace("skip_rows: none", "skip_rows: 0"))
    assert osiris(root, "run", str(path)).returncode == 0
    at_least_ten = [row for row in read_csv(root / "data/refunds.csv", ";") if float(row["amount"]) >= 10]
    counted = sum(int(row["refunds"]) for row in read_csv(root / "out/refunds_by_reason.csv"))
    assert counted == len(at_least_ten)


def applied(text: str, edits: list[dict]) -> str:
    """The text after edits of single lines (ASCII, so that UTF-16 columns are code points)."""
    lines = text.split("\n")
    for edit in sorted(
        edits, key=lambda e: (e["range"]["start"]["line"], e["range"]["start"]["character"]), reverse=True
    ):
        start, end = edit["range"]["start"], edit["range"]["end"]
        line = lines[start["line"]]
        lines[start["line"]] = line[: start["character"]] + edit["newText"] + line[end["character"] :]
    return "\n".join(lines)


def test_making_the_data_again_changes_nothing(shop, tmp_path):
    other = tmp_path / "again"
    shutil.copytree(SHOP, other, ignore=shutil.ignore_patterns("build", "logs", "out", "data", ".osiris"))
    subprocess.run([sys.executable, "make_data.py"], cwd=other, check=True, capture_output=True)
    assert (other / "data/refunds.csv").read_bytes() == (shop / "data/refunds.csv").read_bytes()
    dumps = []
    for root in (shop, other):
        with closing(sqlite3.connect(root / "data/shop.db")) as database:
            dumps.append(list(database.iterdump()))
    assert dumps[0] == dumps[1]
