"""The API of the service: it makes sandboxes, lists, prolongs and ends them, and leads to their daemons."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from e2b_double import daemon
from e2b_double.box import Box
from e2b_double.template import Isolation, Template
from e2b_double.wire import Connection, CutError, Fault, Faults, Record

ENVD_VERSION = "0.6.8"
_WATCH_SECONDS = 0.05

# What requests are called where faults are ordered and where their record is kept.
_OPERATIONS = {
    "/health": "health",
    "/process.Process/Start": "start",
    "/process.Process/Connect": "process.connect",
    "/process.Process/List": "process.list",
    "/process.Process/SendSignal": "signal",
    "/process.Process/SendInput": "stdin",
    "/process.Process/CloseStdin": "stdin.close",
}


class E2BDouble:
    """The service. Use it as a context manager: at its end no sandbox, process, file or port of it is left."""

    def __init__(
        self, *, key: str = "e2b_" + "0" * 40, osiris: bool = True, isolation: bool = True, record: bool = True
    ) -> None:
        """``osiris``: whether the template has it installed; ``isolation``: namespaces, where the machine allows them;
        ``record``: whether the wire is recorded."""
        self.key = key
        self.folder = Path(tempfile.mkdtemp(prefix="e2b-double-"))
        self.isolation = Isolation.possible() if isolation else None
        self.template = Template(self.folder / "template", osiris=osiris)
        self.faults = Faults()
        self.record = Record(self.folder / "wire") if record else None
        self.boxes: dict[str, Box] = {}
        self.most_boxes = 20
        self.longest = 86_400
        self.watching = False
        self._keys: dict[str, Box] = {}
        self._offline = False
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> E2BDouble:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        for box in self.running():
            box.kill("the double ends")
        self.cut_connections()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that lead the ``e2b`` package here."""
        return {"E2B_API_KEY": self.key, "E2B_API_URL": self.url, "E2B_SANDBOX_URL": self.url}

    # --- what tests ask and order

    def running(self) -> list[Box]:
        """The sandboxes that run now."""
        return [box for box in self.boxes.values() if box.alive]

    def fail(self, operation: str, **what: Any) -> Fault:
        """Order a fault, see ``Fault``; it is in force until ``faults.clear()`` or until it has happened ``times``."""
        return self.faults.add(Fault(operation, **what))

    def kill(self, *boxes: Box) -> None:
        """End sandboxes (all that run, when none is named) as the service does: without a word to anybody."""
        for box in boxes or self.running():
            box.kill("killed by the service")

    def cut_connections(self) -> None:
        """End every connection; new ones are answered."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.cut()

    @contextlib.contextmanager
    def offline(self) -> Iterator[None]:
        """Inside the block nobody gets through; the sandboxes go on."""
        self._offline = True
        self.cut_connections()
        try:
            yield
        finally:
            self._offline = False

    def new_test(self) -> None:
        """As new for the next test: no faults, no sandboxes, nothing remembered (the port stays)."""
        self.faults.clear()
        self.watching, self.most_boxes, self.longest = False, 20, 86_400
        for box in self.boxes.values():
            box.kill("the test is over")
            box.remove()
        self.boxes.clear()
        if self.record is not None:
            self.record.clear()

    # --- for connections

    def reachable(self) -> bool:
        """Whether a new connection is answered."""
        return not self._offline and not self._over.is_set()

    @contextlib.contextmanager
    def connected(self, connection: Connection) -> Iterator[None]:
        """Know ``connection`` as long as it lasts."""
        with self._lock:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def create(self, request: dict[str, Any], key: str | None) -> Box:
        """A new sandbox, or the one that was made for the same idempotency ``key``. Raises OverdrawnError."""
        with self._lock:
            if key is not None and key in self._keys:
                return self._keys[key]
            if len(self.running()) >= self.most_boxes:
                raise OverdrawnError
            folder = self.folder / "sandboxes"
            folder.mkdir(exist_ok=True)
            box = Box(folder, self.template, request, self.isolation)
            self.boxes[box.id] = box
            if key is not None:
                self._keys[key] = box
            return box

    def _watch(self) -> None:
        """End sandboxes whose time is over; look at the processes of the others where a test wants that."""
        while not self._over.wait(_WATCH_SECONDS):
            for box in self.running():
                if time.time() > box.deadline:
                    box.kill("its time was over")
                elif self.watching:
                    box.look()


class OverdrawnError(Exception):
    """There are as many sandboxes as the account may have."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], double: E2BDouble) -> None:
        self.double = double
        super().__init__(address, _Api)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return self.double.reachable()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are nothing to speak of."""


class _Api(Connection):
    """A connection to the service: a port for the API and for all daemons, told apart by their headers."""

    def setup(self) -> None:
        self.double: E2BDouble = self.server.double  # type: ignore[attr-defined]
        self.record = self.double.record
        super().setup()

    def handle(self) -> None:
        with self.double.connected(self):
            super().handle()

    def answer(self) -> None:
        target = urlsplit(self.path)
        operation = self._operation(target.path)
        if self.exchange is not None:
            self.exchange.named(operation)
        self.fault = fault = self.double.faults.take(operation)
        if fault is not None:
            if fault.then is not None:
                fault.then()
            if fault.delay:
                time.sleep(fault.delay)
            if fault.drop or not self.double.reachable():
                self.cut()
                raise CutError
            if fault.status is not None:
                return self.error(fault.status, fault.message, **fault.headers)
        if target.path.startswith(("/sandboxes", "/v2/sandboxes")):
            return self._control(target.path, target.query)
        return self._data()

    def _operation(self, path: str) -> str:
        if path == "/files":
            return "files.read" if self.command == "GET" else "files.write"
        if path.startswith("/filesystem.Filesystem/"):
            return "files." + path.rsplit("/", 1)[1].lower()
        found = re.fullmatch(r"(?:/v2)?/sandboxes(?:/([^/]+)(?:/(\w+))?)?", path)
        if found is None:
            return _OPERATIONS.get(path, "other")
        if found[1] is None:
            return "create" if self.command == "POST" else "list"
        return found[2] or ("kill" if self.command == "DELETE" else "info")

    # --- the API

    def _control(self, path: str, query: str) -> None:
        if self.headers.get("X-API-KEY") != self.double.key:
            return self.error(401, "Invalid API key")
        operation = self._operation(path)
        body = json.loads(self.body() or b"{}")
        if operation == "create":
            return self._create(body)
        if operation == "list":
            return self._list({name: values[0] for name, values in parse_qs(query).items()})
        box = self.double.boxes.get(path.removeprefix("/v2").split("/")[2])
        if box is None or not box.alive:
            return self.error(404, "sandbox not found")
        if operation == "kill":
            box.kill("killed over the API")
            return self.reply(204)
        if operation in ("timeout", "connect"):
            seconds = body.get("timeout") or 0
            if seconds > self.double.longest:
                return self._too_long()
            end = time.time() + seconds
            box.deadline = end if operation == "timeout" else max(end, box.deadline)
            return self.reply(204) if operation == "timeout" else self.reply(200, self._known(box))
        if operation == "info":
            return self.reply(200, {**self._known(box), **self._details(box)})
        return self.error(404, f"{operation} is not known here")

    def _create(self, request: dict[str, Any]) -> None:
        if (request.get("timeout") or 0) > self.double.longest:
            return self._too_long()
        try:
            box = self.double.create(request, self.headers.get("Idempotency-Key"))
        except OverdrawnError:
            return self.error(
                429,
                f"you have reached the maximum number of concurrent E2B sandboxes ({self.double.most_boxes})",
                Should_Retry="false",
            )
        return self.reply(201, self._known(box))

    def _too_long(self) -> None:
        self.error(400, f"Timeout cannot be greater than {self.double.longest // 3600} hours")

    def _list(self, query: dict[str, str]) -> None:
        wanted = dict(parse_qsl(query.get("metadata", "")))
        boxes = [box for box in self.double.running() if wanted.items() <= box.metadata.items()]
        self.reply(200, [{**self._known(box), **self._details(box)} for box in boxes])

    def _known(self, box: Box) -> dict[str, Any]:
        return {
            "templateID": box.template_name,
            "sandboxID": box.id,
            "clientID": "double",
            "envdVersion": ENVD_VERSION,
            "envdAccessToken": box.token,
            "domain": None,
        }

    def _details(self, box: Box) -> dict[str, Any]:
        def moment(seconds: float) -> str:
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

        return {
            "startedAt": moment(box.started),
            "endAt": moment(box.deadline),
            "cpuCount": 2,
            "memoryMB": 512,
            "diskSizeMB": 10_240,
            "state": "running",
            "metadata": box.metadata,
        }

    # --- the daemons

    def _data(self) -> None:
        name = self.headers.get("E2b-Sandbox-Id", "")
        box = self.double.boxes.get(name)
        if box is None or not box.alive:
            answer = {"sandboxId": name, "message": "The sandbox was not found", "code": 502}
            return self.reply(502, answer)
        if self.headers.get("X-Access-Token") != box.token:
            return self.error(401, "unauthorized")
        return daemon.serve(self, box)
