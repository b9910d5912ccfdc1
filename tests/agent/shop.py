"""A small project with a database, for conversations about it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_double import ModelDouble, Says
from osiris.core.agent.host import Consent, Rows
from osiris.core.conversational_agent import ConversationalAgent
from osiris.core.llm_adapter import LLMAdapter


def revenue(family: str, query: str) -> str:
    """A pipeline that sums the orders of ``@FAMILY.shop`` up into ``out/revenue.csv``."""
    return f"""\
oml_version: 0.1.0
name: revenue
steps:
  - id: orders
    component: {family}.extractor
    mode: read
    config:
      connection: "@{family}.shop"
      query: {query}
  - id: total
    component: duckdb.processor
    mode: transform
    needs: [orders]
    config:
      query: SELECT customer, SUM(amount) AS total FROM df_orders GROUP BY 1 ORDER BY 1
  - id: write
    component: filesystem.csv_writer
    mode: write
    needs: [total]
    config:
      path: out/revenue.csv
"""


PATH = "pipelines/revenue.oml.yaml"
GOOD = revenue("sqlite", "SELECT customer, amount FROM orders")
WRONG_COLUMN = GOOD.replace("SELECT customer, amount FROM", "SELECT customer, amuont FROM")
EXPECTED = "customer,total\nAda,30\nBob,5\n"


def make_shop(root: Path, settings: str = "version: 1\n") -> Path:
    """A project with ``@sqlite.shop``, which has a table of orders."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "osiris.yaml").write_text(settings)
    (root / "osiris_connections.yaml").write_text("connections:\n  sqlite: {shop: {path: data/shop.db}}\n")
    (root / "data").mkdir()
    with sqlite3.connect(root / "data" / "shop.db") as db:
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, amount INTEGER)")
        db.executemany("INSERT INTO orders (customer, amount) VALUES (?, ?)", [("Ada", 10), ("Bob", 5), ("Ada", 20)])
    db.close()
    return root


def proposes(oml: str, text: str = "Here it is.") -> Says:
    """An answer that proposes the pipeline."""
    return Says(text, [("propose_pipeline", {"oml": oml, "summary": "Revenue by customer."})])


def using(double: ModelDouble) -> dict[str, str]:
    """The environment of a user who has set up the double as their model."""
    return {"OSIRIS_AI_PROVIDER": "openai", "OSIRIS_AI_MODEL": "double-1", "OSIRIS_AI_BASE_URL": double.url}


def run_pipeline(root: Path, path: str = PATH, *, code: int = 0) -> None:
    """``osiris run``, which ends with this exit code."""
    command = [sys.executable, "-P", "-m", "osiris", "run", path]
    assert subprocess.run(command, cwd=root, timeout=120, capture_output=True, check=False).returncode == code


class Person:
    """A user who says yes to what is listed, and whose questions are recorded."""

    def __init__(self, *agrees: Consent, rows: Rows | None = None) -> None:
        self.says_yes = agrees
        self.asked: list[tuple[Consent, str]] = []
        self.rows = rows
        self.previews: list[str] = []

    def agrees(self, what: Consent, question: str) -> bool:
        """Yes to what is listed."""
        self.asked.append((what, question))
        return what in self.says_yes

    def preview(self, text: str, path: Path, step: str, limit: int, cancel: threading.Event) -> Rows:
        """The rows that the test gave."""
        self.previews.append(step)
        assert self.rows is not None
        return self.rows


def agent_of(root: Path, double: ModelDouble, person: Person | None = None, **options: Any) -> ConversationalAgent:
    """The agent of the project in ``root`` with the double as its model."""
    model = LLMAdapter.create("openai", "double-1", base_url=double.url, environ={}, retries=0)
    return ConversationalAgent(root, model, host=person or Person(Consent.CONNECT), **options)


def told(double: ModelDouble, role: str = "tool") -> Sequence[str]:
    """What the model was told in its last request by messages of ``role``."""
    return [message["content"] for message in double.requests[-1]["messages"] if message["role"] == role]
