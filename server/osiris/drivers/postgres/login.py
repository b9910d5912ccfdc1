"""Connecting to PostgreSQL: TLS, timeouts, and why it fails in words."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

from osiris.core.catalog_source import Timeouts
from osiris.core.error_categories import ErrorCategory, category_of
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.drivers.connection_fields import file_field, text_field
from osiris.drivers.server_errors import Peer

DEFAULT_PORT = 5432
PRODUCT = "PostgreSQL"
_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

SAME_VALUES = (
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)
"""What the text of values depends on, for one transaction: runs and samples must tell the same."""

# A login that fails has no SQLSTATE here, only text: that of libpq is always English, that of the server mostly.
_SAID: tuple[tuple[str, str], ...] = (
    (r"password authentication failed|no password supplied|ident authentication", "login"),
    (r"role .* does not exist", "unknown_user"),
    (r"database .* does not exist", "unknown_database"),
    (r"permission denied for database", "no_rights_to_database"),
    (r"no pg_hba\.conf entry", "host_not_allowed"),
    (r"too many clients|too many connections|remaining connection slots|max clients", "full"),
    (r"is starting up|is shutting down|in recovery mode|not accepting connections", "not_ready"),
    (r"timeout expired|timed out", "no_answer"),
    (r"translate host name|failed to resolve host|Name or service not known|No address associated", "unknown_host"),
    (r"Connection refused", "refused"),
    (r"No route to host|Network is unreachable", "unroutable"),
    (r"invalid response to SSL negotiation|expected authentication request", "other_protocol"),
    (r"SSL|certificate|TLS", "tls"),
    (r"closed the connection|Connection reset|EOF detected|connection is lost", "lost"),
)
_STATES = {
    "28000": "login",
    "28P01": "login",
    "3D000": "unknown_database",
    "53300": "full",
    "57P01": "lost",
    "57P02": "lost",
    "57P03": "not_ready",
    "57014": "too_long",
}


def open_connection(
    fields: Mapping[str, Any], root: Path, timeouts: Timeouts
) -> tuple[psycopg.Connection[tuple[Any, ...]], Peer]:
    """A connection whose transactions only read, and the peer as messages name it.

    Raises ConfigurationError and ConnectionError.
    """
    peer = Peer.of(PRODUCT, fields, DEFAULT_PORT)
    options = _tls(fields, root)
    with explained(peer, timeouts.connect):
        connection = psycopg.connect(
            host=peer.host,
            port=peer.port,
            user=peer.user,
            password=text_field(fields, "password") or None,
            dbname=peer.database,
            connect_timeout=max(1, round(timeouts.connect)),
            application_name="osiris",
            client_encoding="utf8",
            prepare_threshold=None,  # poolers may give each statement to another server process
            **options,
        )
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection, peer


def _tls(fields: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """libpq's own options; it knows them by the names of the fields."""
    options: dict[str, Any] = {}
    mode = text_field(fields, "sslmode").lower().replace("_", "-")
    if mode and mode not in _TLS_MODES:
        raise ConfigurationError(f"The field sslmode of the connection must be one of {', '.join(_TLS_MODES)}.")
    if mode:
        options["sslmode"] = mode
    for name in ("sslrootcert", "sslcert", "sslkey"):
        is_system = name == "sslrootcert" and text_field(fields, name) == "system"
        value = "system" if is_system else file_field(fields, name, root)
        if value:
            options[name] = value
    return options


@contextlib.contextmanager
def explained(peer: Peer, seconds: float, *, querying: bool = False) -> Iterator[None]:
    """Within this, what psycopg raises becomes ConnectionError in plain words; ``seconds`` is how long it waits."""
    try:
        yield
    except psycopg.Error as error:
        raise _problem(error, peer, seconds, querying) from None


@contextlib.contextmanager
def limited(connection: psycopg.Connection[Any], peer: Peer, seconds: float) -> Iterator[None]:
    """Within this, a server that says nothing for ``seconds`` is given up, also one that does not keep its own limit.

    The connection is then closed.
    """
    given_up = threading.Event()

    def give_up() -> None:
        given_up.set()
        with contextlib.suppress(OSError):
            line = socket.socket(fileno=handle)
            try:
                line.shutdown(socket.SHUT_RDWR)  # which wakes whoever waits for it
            finally:
                line.detach()  # psycopg closes it

    try:
        handle = connection.fileno()
    except psycopg.OperationalError:
        raise peer.lost() from None
    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        with explained(peer, seconds, querying=True):
            yield
    except OsirisError:
        if given_up.is_set():
            raise peer.too_long(seconds) from None
        raise
    finally:
        timer.cancel()


def _problem(error: psycopg.Error, peer: Peer, seconds: float, querying: bool) -> OsirisError:
    said = _first_line(error)
    kind = _STATES.get(error.sqlstate or "")
    if kind is None and error.sqlstate is None:
        kind = next((name for pattern, name in _SAID if re.search(pattern, str(error), re.IGNORECASE)), None)
        if querying and kind not in ("login", "full", "not_ready"):
            kind = "lost" if isinstance(error, psycopg.OperationalError) else None
    if kind in ("no_answer", "too_long"):
        return peer.too_long(seconds) if querying else peer.no_answer(seconds)
    if kind in ("tls", "host_not_allowed"):
        told = re.sub(r"^.*?(?:FATAL|ERROR):\s+", "", said)
        return peer.tls(told) if kind == "tls" else peer.host_not_allowed(told)
    if kind is not None:
        found: OsirisError = getattr(peer, kind)()
        return found
    if error.sqlstate == "42501":
        return peer.says(f"The user {peer.user} may not read this: {said}.", _ASK, ErrorCategory.PERMISSION)
    return peer.failed(said, category_of(error))


def _first_line(error: psycopg.Error) -> str:
    """What the server or libpq said, without the address, which our message holds already."""
    primary = error.diag.message_primary
    if primary:
        return primary
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    line = lines[-1] if lines else type(error).__name__
    return re.sub(r"^.*?connection to server at .*? failed: |^connection failed: |^connection is bad: ", "", line)


_ASK = "Ask who runs the server for the right to read it."
