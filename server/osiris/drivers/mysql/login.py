"""Connecting to MySQL and MariaDB: TLS, timeouts, and why it fails in words."""

from __future__ import annotations

import contextlib
import ssl
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from osiris.core.catalog_source import Timeouts
from osiris.core.error_categories import ErrorCategory, category_of
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.core.lookup import missing_package
from osiris.drivers.connection_fields import file_field, text_field
from osiris.drivers.server_errors import Peer

DEFAULT_PORT = 3306
PRODUCT = "MySQL"
_TLS_MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")

# TIMESTAMP is a point in time, told in the session's zone: runs and samples must tell the same.
_SAME_VALUES = "SET SESSION time_zone = '+00:00', sql_select_limit = DEFAULT"

# Numbers of the server's and the client's errors.
_WRONG_LOGIN = {1045, 1698, 3118, 1862, 1820}
_NO_DATABASE, _NO_RIGHTS_TO_DATABASE = 1049, 1044
_NO_RIGHTS = {1142, 1143, 1227, 1356, 1370}
_HOST_NOT_ALLOWED = {1129, 1130}
_FULL = {1040, 1203, 1226}
_STOPPING = {1053, 1079}
_TOO_LONG = {1969, 3024}
_LOST = {2006, 2013, 1927, 1317, 4031}
_TLS = {2026, 3159, 1525}


def open_connection(
    fields: Mapping[str, Any], root: Path, timeouts: Timeouts, *, sends_rows: bool = False
) -> tuple[pymysql.connections.Connection[Any], Peer]:
    """A connection that only reads, and the peer as messages name it.

    ``sends_rows``: the server may be sent what it takes for a file; PyMySQL itself never hands it one.
    Every answer of the server is waited for ``timeouts.connect`` seconds while connecting, then ``timeouts.statement``.
    Raises ConfigurationError and ConnectionError.
    """
    peer = Peer.of(PRODUCT, fields, DEFAULT_PORT)
    with explained(peer, timeouts.connect, connecting=True):
        connection = pymysql.connect(
            host=peer.host,
            port=peer.port,
            user=peer.user,
            password=text_field(fields, "password").encode(),  # PyMySQL takes text for latin-1
            database=peer.database,
            charset="utf8mb4",
            autocommit=None,
            connect_timeout=max(1, round(timeouts.connect)),
            read_timeout=timeouts.connect,
            write_timeout=timeouts.connect,
            program_name="osiris",
            client_flag=CLIENT.LOCAL_FILES if sends_rows else 0,
            **_tls(fields, root),
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
                cursor.execute(_SAME_VALUES)
                cursor.execute(_time_limit(connection, timeouts.statement))
        except BaseException:
            connection.close()
            raise
    # PyMySQL knows one limit for both, the handshake and what comes later.
    connection._read_timeout = timeouts.statement
    return connection, peer


def _time_limit(connection: pymysql.connections.Connection[Any], seconds: float) -> str:
    """The server gives up a little before we do, so that nothing goes on there that nobody waits for."""
    limit = max(seconds * 0.95, 0.001)
    if is_mariadb(connection):
        return f"SET SESSION max_statement_time = {limit:.3f}"
    return f"SET SESSION max_execution_time = {max(1, int(limit * 1000))}"


def is_mariadb(connection: pymysql.connections.Connection[Any]) -> bool:
    """Whether the server is MariaDB, by the version that it sent when connecting."""
    return "mariadb" in str(connection.get_server_info()).lower()


def _tls(fields: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """PyMySQL's options for the fields ``ssl_mode``, ``ssl_ca``, ``ssl_cert`` and ``ssl_key``."""
    authority, certificate, key = (file_field(fields, name, root) for name in ("ssl_ca", "ssl_cert", "ssl_key"))
    mode = text_field(fields, "ssl_mode").lower().replace("-", "_")
    mode = mode or ("verify_ca" if authority else "required" if certificate else "preferred")
    if mode not in _TLS_MODES:
        raise ConfigurationError(f"The field ssl_mode of the connection must be one of {', '.join(_TLS_MODES)}.")
    if mode == "disabled":
        return {"ssl_disabled": True}
    if mode == "preferred":
        return {}
    try:
        context = ssl.create_default_context(cafile=authority)
        if certificate:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        reason = str(getattr(error, "reason", "") or error.strerror).replace("_", " ").lower()
        raise ConfigurationError(
            f"The certificates of the connection cannot be used: {reason}.",
            hint="Check the files that the fields ssl_ca, ssl_cert and ssl_key name.",
        ) from None
    # The certificates that servers make for themselves do not hold to the letter of X.509.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = mode == "verify_identity"
    context.verify_mode = ssl.CERT_NONE if mode == "required" else ssl.CERT_REQUIRED
    return {"ssl": context}


@contextlib.contextmanager
def explained(peer: Peer, seconds: float, *, connecting: bool = False) -> Iterator[None]:
    """Within this, what PyMySQL raises becomes ConnectionError in plain words; ``seconds`` is how long it waits."""
    try:
        yield
    except pymysql.MySQLError as error:
        raise _problem(error, peer, seconds, connecting) from None
    except OSError as error:
        raise peer.system(error, seconds) if connecting else peer.lost() from None
    except (LookupError, ValueError, struct.error):
        if not connecting:
            raise
        raise peer.other_protocol() from None  # a greeting that is none
    except RuntimeError as error:
        if "cryptography" not in str(error):
            raise
        # Only without TLS: the password then needs a cipher of its own.
        cause = ModuleNotFoundError(name="cryptography")
        raise missing_package(cause, "Logging in to this MySQL server without TLS") from None


def _problem(error: pymysql.MySQLError, peer: Peer, seconds: float, connecting: bool) -> OsirisError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    said = str(error.args[-1]) if error.args else type(error).__name__
    system = getattr(error, "original_exception", None) or error.__context__
    if isinstance(system, TimeoutError):
        return peer.no_answer(seconds) if connecting else peer.too_long(seconds)
    if isinstance(system, OSError) and connecting:
        return peer.system(system, seconds)
    if number in _TLS or "SSL" in said:
        return peer.tls(said)
    if isinstance(error, pymysql.err.InternalError) and "sequence" in said:
        return peer.other_protocol()
    known = {
        _NO_DATABASE: peer.unknown_database,
        _NO_RIGHTS_TO_DATABASE: peer.no_rights_to_database,
        **dict.fromkeys(_WRONG_LOGIN, peer.login),
        **dict.fromkeys(_FULL, peer.full),
        **dict.fromkeys(_STOPPING, peer.not_ready),
        **dict.fromkeys(_LOST, peer.lost),
    }
    if number in known:
        return known[number]()
    if number in _TOO_LONG:
        return peer.too_long(seconds)
    if number in _HOST_NOT_ALLOWED:
        return peer.host_not_allowed(said)
    if number in _NO_RIGHTS:
        return peer.says(f"The user {peer.user} may not read this: {said}.", _ASK, ErrorCategory.PERMISSION)
    return peer.failed(said, category_of(error))


_ASK = "Ask who runs the server for the right to read it."
