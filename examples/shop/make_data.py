"""Make the data of the example shop: ``data/shop.db`` (SQLite) and ``data/refunds.csv``.

The same on every machine: names, prices and orders follow from one seed. ``python make_data.py`` makes what is not
there yet and leaves the rest alone.
"""

from __future__ import annotations

import csv
import os
import random
import sqlite3
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
SEED = 20_260_101
CUSTOMERS = 400
ORDERS = 3_000
FIRST_DAY = date(2025, 1, 1)

SCHEMA = """
CREATE TABLE customers (
    customer_id INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    country     TEXT NOT NULL,
    signed_up   TEXT NOT NULL
);
CREATE TABLE products (
    product_id INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    category   TEXT NOT NULL,
    price      REAL NOT NULL
);
CREATE TABLE orders (
    order_id    INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers,
    ordered_at  TEXT NOT NULL,
    status      TEXT NOT NULL
);
CREATE TABLE order_lines (
    order_id   INTEGER NOT NULL REFERENCES orders,
    line       INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES products,
    quantity   INTEGER NOT NULL,
    unit_price REAL NOT NULL,
    PRIMARY KEY (order_id, line)
);
"""

FIRST_NAMES = [
    "Anna", "Amélie", "Björn", "Carla", "Chloé", "Daan", "Elif", "Emma", "Eva", "Felix", "Hugo", "Ines", "Jakub",
    "Jana", "Jonas", "Kateřina", "Lars", "Léa", "Lucia", "Luca", "Marta", "Mateo", "Mia", "Noah", "Olivia", "Pavel",
    "Petra", "Sara", "Sofia", "Tereza", "Theo", "Tomáš", "Ursula", "Viktor", "Zoë",
]  # fmt: skip
LAST_NAMES = [
    "Andersen", "Bakker", "Bianchi", "Černý", "Dubois", "Dvořák", "Fischer", "García", "Hansen", "Horák", "Jansen",
    "Kováč", "Keller", "Larsen", "López", "Martin", "Meyer", "Moreau", "Müller", "Nilsson", "Novák", "Rossi",
    "Schmidt", "Silva", "Svoboda", "Visser", "Weber", "Wójcik",
]  # fmt: skip
COUNTRIES = {"CZ": 30, "DE": 25, "FR": 14, "NL": 10, "ES": 8, "IT": 7, "SE": 6}
PRODUCTS = {
    "Coffee": {"House Blend 250 g": 8.90, "House Blend 1 kg": 29.50, "Ethiopia Yirgacheffe 250 g": 13.90,
               "Colombia Huila 250 g": 12.50, "Decaf 250 g": 10.90, "Espresso Roast 1 kg": 31.00},
    "Tea": {"Darjeeling 100 g": 9.80, "Sencha 100 g": 11.20, "Earl Grey 100 g": 7.90, "Rooibos 100 g": 6.50,
            "Mint 50 g": 4.90},
    "Equipment": {"Hand Grinder": 89.00, "French Press": 34.90, "Pour-over Dripper": 19.90, "Gooseneck Kettle": 64.00,
                  "Kitchen Scale": 27.50, "Milk Frother": 24.90},
    "Cups": {"Espresso Cup, set of 2": 18.00, "Mug \"Monday\"": 12.90, "Travel Mug": 22.50, "Tea Glass": 8.50},
}  # fmt: skip
REASONS = {
    "damaged in transit": 5,
    "wrong item": 3,
    "arrived late": 3,
    "changed mind": 4,
    "not as described; opened": 1,
}


def main() -> int:
    """Make the files that are missing; returns the exit code."""
    database, refunds = DATA / "shop.db", DATA / "refunds.csv"
    if database.exists() and refunds.exists():
        return 0
    DATA.mkdir(exist_ok=True)
    # Only random() is used: it is the one generator that Python keeps the same between versions.
    chance = random.Random(SEED)
    customers, products = make_customers(chance), make_products()
    orders, lines = make_orders(chance, customers, products)
    write_database(database, customers, products, orders, lines)
    write_refunds(refunds, make_refunds(chance, orders, lines))
    print(f"Made {DATA.name}/{database.name} ({len(orders)} orders) and {DATA.name}/{refunds.name}.")
    return 0


def whole(chance: random.Random, low: int, high: int) -> int:
    """A whole number from ``low`` up to and without ``high``."""
    return low + int(chance.random() * (high - low))


def pick(chance: random.Random, weights: dict[str, int]) -> str:
    """One of the keys, as often as its weight says."""
    left = chance.random() * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    return next(reversed(weights))


def make_customers(chance: random.Random) -> list[tuple[int, str, str, str, str]]:
    """Customers: id, name, e-mail, country, day of signing up."""
    customers = []
    for number in range(1, CUSTOMERS + 1):
        first, last = FIRST_NAMES[whole(chance, 0, len(FIRST_NAMES))], LAST_NAMES[whole(chance, 0, len(LAST_NAMES))]
        signed_up = FIRST_DAY - timedelta(days=whole(chance, 0, 700)) + timedelta(days=whole(chance, 0, 300))
        email = f"customer{number}@example.com"
        customers.append((number, f"{first} {last}", email, pick(chance, COUNTRIES), signed_up.isoformat()))
    return customers


def make_products() -> list[tuple[int, str, str, float]]:
    """Products: id, name, category, price in euro."""
    named = [(name, category, price) for category, items in PRODUCTS.items() for name, price in items.items()]
    return [(100 + number, *product) for number, product in enumerate(named, start=1)]


def make_orders(
    chance: random.Random, customers: list[tuple[int, str, str, str, str]], products: list[tuple[int, str, str, float]]
) -> tuple[list[tuple[int, int, str, str]], list[tuple[int, int, int, int, float]]]:
    """One year of orders, busier before Christmas, and their lines; some order often, a few never."""
    orders: list[tuple[int, int, str, str]] = []
    lines: list[tuple[int, int, int, int, float]] = []
    moments = sorted(moment(chance) for _ in range(ORDERS))
    for order_id, when in enumerate(moments, start=10_001):
        customer = customers[int(chance.random() ** 1.3 * CUSTOMERS * 0.95) * 173 % CUSTOMERS][0]
        status = pick(chance, {"paid": 92, "cancelled": 5, "pending": 3})
        orders.append((order_id, customer, when.isoformat(sep=" "), status))
        for line in range(1, 2 + int(chance.random() ** 2 * 5)):
            product = products[int(chance.random() ** 1.5 * len(products))]
            quantity = 1 + int(chance.random() ** 4 * 4)
            discount = 0.9 if chance.random() < 0.1 else 1.0
            lines.append((order_id, line, product[0], quantity, round(product[3] * discount, 2)))
    return orders, lines


def moment(chance: random.Random) -> datetime:
    """A moment in 2025 during shop hours; every fourth order falls into the last 60 days."""
    day = 305 + whole(chance, 0, 60) if chance.random() < 0.25 else whole(chance, 0, 305)
    seconds = whole(chance, 7 * 3600, 23 * 3600)
    return datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(days=day, seconds=seconds)


def make_refunds(
    chance: random.Random, orders: list[tuple[int, int, str, str]], lines: list[tuple[int, int, int, int, float]]
) -> list[tuple[str, int, str, str, str]]:
    """What the payment provider exports: refund id, order, day, amount, reason. About one paid order in twenty."""
    totals: dict[int, float] = {}
    for order_id, _, _, quantity, unit_price in lines:
        totals[order_id] = totals.get(order_id, 0.0) + quantity * unit_price
    refunds = []
    for order_id, _, ordered_at, status in orders:
        if status != "paid" or chance.random() >= 0.05:
            continue
        day = datetime.fromisoformat(ordered_at).date() + timedelta(days=whole(chance, 1, 21))
        part = 1.0 if chance.random() < 0.7 else 0.5
        amount = f"{totals[order_id] * part:.2f}"
        refunds.append((f"R-{len(refunds) + 1:04d}", order_id, day.isoformat(), amount, pick(chance, REASONS)))
    return refunds


def write_database(
    path: Path,
    customers: list[tuple[int, str, str, str, str]],
    products: list[tuple[int, str, str, float]],
    orders: list[tuple[int, int, str, str]],
    lines: list[tuple[int, int, int, int, float]],
) -> None:
    """Write the SQLite file under another name first, so that no half-made one is ever taken for the real one."""
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    connection = sqlite3.connect(unfinished)
    with connection:
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", customers)
        connection.executemany("INSERT INTO products VALUES (?, ?, ?, ?)", products)
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
        connection.executemany("INSERT INTO order_lines VALUES (?, ?, ?, ?, ?)", lines)
    connection.close()
    unfinished.replace(path)


def write_refunds(path: Path, refunds: list[tuple[str, int, str, str, str]]) -> None:
    """Write the provider's export: semicolons between the columns, as it comes from many European systems."""
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(("refund_id", "order_id", "refunded_on", "amount", "reason"))
        writer.writerows(refunds)
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
