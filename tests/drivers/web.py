"""A web service on this machine that answers as a test says, and a project with a connection to it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb

from osiris.execution.preview import preview
from runtime.conftest import Project, Run

SECRET = "sk-Zq81canary77Lm3Vx0"


@dataclass
class Request:
    """What came in; ``body`` is its JSON, ``data`` its bytes."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    data: bytes = b""


@dataclass
class Reply:
    """What goes out: ``body`` as JSON, or as it is when it is bytes. ``length``: what the header says instead.

    ``lost``: nothing goes out, the line just ends.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    wait: threading.Event | None = None
    lost: bool = False


Answer = Callable[[Request], Reply]


class Web:
    """The service. ``answer`` says what each request gets."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Answer = lambda request: Reply({})
        self.url = ""

    def replies(self, *replies: Reply) -> None:
        """Answer with these, one after the other; the last one again and again."""
        left = list(replies)
        self.answer = lambda request: left.pop(0) if len(left) > 1 else left[0]


def tuples(rows: duckdb.DuckDBPyRelation) -> list[tuple[Any, ...]]:
    """The rows by way of Arrow, which knows times with zones without another package."""
    return [tuple(row.values()) for row in rows.to_arrow_table().to_pylist()]


@contextmanager
def serving(certificate: tuple[Path, Path] | None = None) -> Iterator[Web]:
    """A service on a free port; with a ``certificate`` and its key it speaks HTTPS."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, json.loads(data) if data else None, data)
            web.requests.append(request)
            reply = web.answer(request)
            if reply.wait is not None:
                reply.wait.wait(60)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.close_connection = True
            if reply.lost:
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if reply.length is None else reply.length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests look at ``requests``."""

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):
                super().handle()

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._handle)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_port}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        web.url = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class WebProject(Project):
    """A project whose connection ``@family.shop`` leads to a service; the secret stands in ``.env``."""

    def __init__(self, root: Path, family: str, fields: dict[str, Any]) -> None:
        super().__init__(root)
        root.mkdir()
        self.write("osiris.yaml", "version: 1\n")
        self.family = family
        self.connect(**fields)
        self.write(".env", f"SHOP_KEY={SECRET}\n")

    def connect(self, **fields: Any) -> None:
        """Write the connection."""
        self.write("osiris_connections.yaml", json.dumps({"connections": {self.family: {"shop": fields}}}))

    def extract(self, **config: Any) -> dict[str, Any]:
        """The step ``t``, which reads from the service."""
        return self.step("t", f"{self.family}.extractor", step__connection=f"@{self.family}.shop", **config)

    def rows(self, **config: Any) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
        """What the extractor yields: the columns with DuckDB's types, and the rows."""
        run = self.run_here(
            self.extract(**config), self.step("p", "filesystem.parquet_writer", sources="t", path="t.parquet")
        )
        assert run.state == "succeeded", run.error()
        rows = duckdb.sql(f"FROM '{self.root}/t.parquet'")
        return dict(zip(rows.columns, map(str, rows.types), strict=True)), tuples(rows)

    def look(self, limit: int, **config: Any) -> list[tuple[Any, ...]]:
        """The first rows that the extractor yields, as a preview shows them."""
        return list(preview(self.manifest(self.extract(**config)), "t", root=self.root, limit=limit).rows)

    def refused(self, **config: Any) -> str:
        """Why the extractor does not read."""
        run = self.fails(**config)
        return run.error("t")

    def fails(self, **config: Any) -> Run:
        """A run in which the extractor does not read."""
        run = self.run_here(self.extract(**config), self.to_csv("c", "t", "out.csv"))
        assert run.state == "failed"
        return run

    def holding(self, secret: str) -> list[str]:
        """The files that hold a secret, without the one it stands in."""
        files = (path for path in self.root.rglob("*") if path.is_file() and path.name != ".env")
        return [str(path) for path in files if secret.encode() in path.read_bytes()]
