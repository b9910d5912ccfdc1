"""Private MariaDB and PostgreSQL servers: on loopback, on ports of their own, in folders that go with them.

    with start_mariadb() as server:
        server.execute("CREATE DATABASE shop", "CREATE TABLE shop.orders (id int)")
        fields = server.fields("shop")          # those of a connection in osiris_connections.yaml

Tests ask for the fixtures ``mariadb`` and ``postgres`` instead, which are started once for all tests of a process.
The servers keep nothing: what they write is not even flushed to the disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

PASSWORD = "sesame-5up3r"  # nobody reaches these servers but this machine
_STARTS_WITHIN = 60.0
_ANSWERS_WITHIN = 150  # no statement of a test takes longer
_names = itertools.count(1)


class ServerError(Exception):
    """A server could not be started; the text says why."""


@dataclass
class Server:
    """A running server. ``osiris`` with the password ``PASSWORD`` may do everything in it."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    host: str = "127.0.0.1"
    user: str = "osiris"
    password: str = field(default=PASSWORD, repr=False)
    family: ClassVar[str]
    home: ClassVar[str]
    """The database that is always there."""
    end_signal: ClassVar[signal.Signals] = signal.SIGKILL

    def fields(self, database: str, **others: Any) -> dict[str, Any]:
        """The fields of a connection to ``database``; ``others`` are put over them."""
        return {
            "host": self.host,
            "port": self.port,
            "database": database,
            "user": self.user,
            "password": self.password,
            **others,
        }

    def connect(self, database: str | None = None, **others: Any) -> Any:
        """A connection of the family's driver that commits by itself; ``others`` go to the driver."""
        raise NotImplementedError

    def execute(self, *statements: str, database: str | None = None) -> None:
        """Run statements as the user who may do everything."""
        connection = self.connect(database)
        try:
            for statement in statements:
                connection.cursor().execute(statement)
        finally:
            connection.close()

    @contextlib.contextmanager
    def database(self, *statements: str) -> Iterator[str]:
        """A fresh database, filled by ``statements`` and dropped in the end; gives its name."""
        name = f"test_{os.getpid()}_{next(_names)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            self.execute(*statements, database=name)
            yield name
        finally:
            self.drop(name)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the server at once."""
        if self.process.poll() is None:
            self.process.send_signal(self.end_signal)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


class MariaDB(Server):
    """A MariaDB server; its connections are those of the family ``mysql``."""

    family = "mysql"
    home = "mysql"

    def connect(self, database: str | None = None, **others: Any) -> Any:
        import pymysql

        options = {"user": self.user, "password": self.password, "charset": "utf8mb4", "autocommit": True}
        options |= {"read_timeout": _ANSWERS_WITHIN, "write_timeout": _ANSWERS_WITHIN}
        return pymysql.connect(host=self.host, port=self.port, database=database or self.home, **options | others)

    def drop(self, database: str) -> None:
        connection = self.connect()
        try:
            cursor = connection.cursor()
            # Who is within a transaction keeps the tables, for as long as a day.
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (database,))
            for (number,) in cursor.fetchall():
                with contextlib.suppress(Exception):  # it has gone by itself
                    cursor.execute(f"KILL CONNECTION {number}")
            cursor.execute(f"DROP DATABASE {database}")
        finally:
            connection.close()


class PostgreSQL(Server):
    """A PostgreSQL server."""

    family = "postgres"
    home = "postgres"
    end_signal = signal.SIGQUIT  # ends its many processes without keeping anything

    def connect(self, database: str | None = None, **others: Any) -> Any:
        import psycopg

        options = {"user": self.user, "password": self.password, "autocommit": True, "connect_timeout": 30}
        options["options"] = f"-c statement_timeout={_ANSWERS_WITHIN}s"
        return psycopg.connect(host=self.host, port=self.port, dbname=database or self.home, **options | others)

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE {database} WITH (FORCE)")

    def dsn(self, database: str) -> str:
        """The address of ``database`` with its password."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"


@contextlib.contextmanager
def start_mariadb(*more: str) -> Iterator[MariaDB]:
    """A MariaDB server with ``more`` options, running until the end of the block. Raises ServerError."""
    installer, program = mariadb_programs()
    owner = ["--user=root"] if os.geteuid() == 0 else []
    small = ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0"]
    with _folder() as folder:
        socket_file, data = folder / "s.sock", folder / "data"
        _run(
            [
                *(str(installer), "--no-defaults", f"--datadir={data}", "--skip-test-db"),
                *("--auth-root-authentication-method=normal", "--skip-name-resolve", *owner, *small),
            ],
            folder / "install.log",
        )
        users = folder / "users.sql"
        users.write_text(
            f"CREATE USER osiris@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO osiris@'%' WITH GRANT OPTION;\n",
            encoding="utf-8",
        )

        def start(port: int) -> MariaDB:
            options = ["--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin", *owner, *small]
            paths = [f"--datadir={data}", f"--socket={socket_file}", f"--init-file={users}"]
            command = [str(program), "--no-defaults", f"--port={port}", *paths, *options, *more]
            return MariaDB(port, _spawn(command, folder / "server.log"), folder)

        with _started(start, folder / "server.log") as server:
            users.unlink()
            yield server


@contextlib.contextmanager
def start_postgres(*more: str) -> Iterator[PostgreSQL]:
    """A PostgreSQL server with ``more`` options, running until the end of the block. Raises ServerError."""
    installer, program = postgres_programs()
    owner = unprivileged()
    with _folder(owner) as folder:
        secret, data = folder / "password", folder / "data"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o600)
        if owner:
            shutil.chown(secret, owner)
        login = ["--username=osiris", f"--pwfile={secret}", "--auth=scram-sha-256"]
        kind = ["--encoding=UTF8", "--no-locale", "--no-sync"]
        _run([str(installer), "-D", str(data), *login, *kind], folder / "install.log", owner)

        def start(port: int) -> PostgreSQL:
            fast = ["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB"]
            fast += ["-c", "dynamic_shared_memory_type=mmap"]  # nothing of it is left when it is killed
            command = [
                str(program),
                "-D",
                str(data),
                "-k",
                str(folder),
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                *fast,
                *more,
            ]
            return PostgreSQL(port, _spawn(command, folder / "server.log", owner), folder)

        with _started(start, folder / "server.log") as server:
            yield server


def mariadb_programs() -> tuple[Path, Path]:
    """``mariadb-install-db`` and ``mariadbd``. Raises ServerError when one is missing."""
    return _program("mariadb-install-db"), _program("mariadbd")


def postgres_programs() -> tuple[Path, Path]:
    """``initdb`` and ``postgres``. Raises ServerError when one is missing."""
    return _program("initdb"), _program("postgres")


def openssl_program() -> Path:
    """``openssl``. Raises ServerError when it is missing."""
    return _program("openssl")


# Where packages put what only a service is meant to start; the highest version of PostgreSQL wins.
_PLACES = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/opt/*/bin",
    "/usr/local/opt/*/bin",
)


def _program(name: str) -> Path:
    if found := shutil.which(name):
        return Path(found)
    places = [folder for place in _PLACES for folder in sorted(Path("/").glob(place[1:]), reverse=True)]
    for folder in places:
        if os.access(folder / name, os.X_OK):
            return folder / name
    raise ServerError(f"there is no program {name}. Run: python tests/setup_servers.py")


def unprivileged() -> str | None:
    """Whom a server that refuses to run as root runs as; None where we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


@contextlib.contextmanager
def _folder(owner: str | None = None) -> Iterator[Path]:
    """A folder with a short path (sockets allow about 100 characters) that ``owner`` can reach."""
    with tempfile.TemporaryDirectory(
        prefix="osiris-db-", dir=_roomy_memory() or "/tmp", ignore_cleanup_errors=True
    ) as name:
        if owner:
            shutil.chown(name, owner)
        yield Path(name)


def _roomy_memory() -> str | None:
    """A file system in memory, where it has room: MariaDB waits for the disk with every table that it makes."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage("/dev/shm").free > 1_000_000_000 and os.access("/dev/shm", os.W_OK):
            return "/dev/shm"
    return None


def _run(command: Sequence[str], log: Path, owner: str | None = None) -> None:
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            check=False,
            timeout=_STARTS_WITHIN,
            **_as(owner),
        )
    if done.returncode != 0:
        raise ServerError(f"{Path(command[0]).name} ended with {done.returncode}: {_last_words(log)}")


def _spawn(command: Sequence[str], log: Path, owner: str | None = None) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            start_new_session=True,  # Control-C in the terminal is for the tests, which then stop the server
            preexec_fn=_ends_with_us(),
            **_as(owner),
        )


def _as(owner: str | None) -> dict[str, Any]:
    if owner is None:
        return {}
    entry = pwd.getpwnam(owner)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "env": {**os.environ, "HOME": "/"}}


def _ends_with_us() -> Callable[[], None] | None:
    """What makes Linux end a server whose tests were killed."""
    if sys.platform != "linux":
        return None
    parent_death_signal = 1
    return functools.partial(_prctl(), parent_death_signal, signal.SIGKILL)


@functools.cache
def _prctl() -> Any:
    return ctypes.CDLL(None, use_errno=True).prctl


_Running = TypeVar("_Running", bound=Server)


@contextlib.contextmanager
def _started(start: Callable[[int], _Running], log: Path) -> Iterator[_Running]:
    """A server that answers. Another program may take the port that was free, so there is a second try."""
    for last in (False, False, True):
        server = start(_free_port())
        try:
            if _answers(server):
                yield server
                return
        finally:
            server.stop()
        if last:
            raise ServerError(f"the server did not start: {_last_words(log)}")


def _answers(server: Server) -> bool:
    """Wait until the server lets our user in; False when its process has ended."""
    end = time.monotonic() + _STARTS_WITHIN
    while server.process.poll() is None and time.monotonic() < end:
        try:
            server.connect().close()
        except Exception:  # noqa: BLE001 - each driver has its own errors for "not yet"
            time.sleep(0.03)
        else:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _last_words(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-600:].strip() or "it said nothing"


def or_missing(programs: Callable[[], object]) -> None:
    """Leave a test out by name where the server is not installed; under CI=true it fails."""
    try:
        programs()
    except ServerError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing: {error}")
        pytest.skip(f"missing: {error}")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server for all tests of this process."""
    or_missing(mariadb_programs)
    with start_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for all tests of this process."""
    or_missing(postgres_programs)
    with start_postgres() as server:
        yield server
