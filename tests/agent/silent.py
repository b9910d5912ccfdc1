"""A database server that takes connections and never says a word: whoever reads from it waits."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.shop import make_shop

LIMIT_SECONDS = 30.0


class SilentServer:
    """``called``: somebody waits for an answer. ``left``: they have gone."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port: int = listening.getsockname()[1]
        self.called = threading.Event()
        self.left = threading.Event()

    def listen(self) -> None:
        """Take one connection after the other."""
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                with caller:
                    self.called.set()
                    with suppress(OSError):
                        while caller.recv(1024):
                            pass
                    self.left.set()


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    """A running one on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = SilentServer(listening)
        thread = threading.Thread(target=server.listen, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
    thread.join(LIMIT_SECONDS)


def make_silent_shop(root: Path, server: SilentServer, settings: str = "version: 1\n") -> Path:
    """The shop with ``@mysql.slow``, whose server never answers."""
    make_shop(root, settings)
    fields = {"host": "127.0.0.1", "port": server.port, "user": "me", "password": "x", "database": "shop"}
    connections = {"sqlite": {"shop": {"path": "data/shop.db"}}, "mysql": {"slow": fields}}
    (root / "osiris_connections.yaml").write_text(json.dumps({"connections": connections}))
    return root


def make_endless(root: Path) -> None:
    """Make the rows of the orders endless."""
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'Ada', i, i FROM n"
    with sqlite3.connect(root / "data" / "shop.db") as db:
        db.execute("DROP TABLE orders")
        db.execute(f"CREATE VIEW orders (customer, amount, id) AS {endless}")
    db.close()
