"""What keeps us from a database server, in words: one wording for all families that speak over a network."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.core.secrets_masking import Masker
from osiris.drivers.connection_fields import text_field


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of a connection, as its fields name it; ``product`` is what we expect there."""

    product: str
    host: str
    port: int
    user: str
    database: str
    secrets: tuple[str, ...] = ()
    default_port: int = 0

    @classmethod
    def of(cls, product: str, fields: Mapping[str, Any], default_port: int) -> Peer:
        """The peer of a connection's resolved fields. Raises ConfigurationError for one that is missing or no text."""
        texts = {}
        for name in ("database", "user"):
            texts[name] = text_field(fields, name)
            if not texts[name]:
                raise ConfigurationError(
                    f"The connection has no field {name}.", hint=f"Add {name} to it in osiris_connections.yaml."
                )
        port = fields.get("port") or default_port
        try:
            number = int(str(port))
        except ValueError:
            number = 0
        if not 0 < number < 65536:
            raise ConfigurationError(
                f"The field port of the connection is {port!r}: it must be a whole number from 1 to 65535."
            )
        password = text_field(fields, "password")
        secrets = (password,) if password else ()
        host = text_field(fields, "host") or "localhost"
        return cls(product, host, number, texts["user"], texts["database"], secrets, default_port)

    @property
    def place(self) -> str:
        """The server in words."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the {self.product} server at {host}:{self.port}"

    def says(self, message: str, hint: str | None, category: ErrorCategory = ErrorCategory.UNREACHABLE) -> Unreachable:
        """The error to raise. What the server said may be part of ``message``: the connection's secrets are masked."""
        masker = Masker(self.secrets)
        error = Unreachable(masker.text(message), hint=hint)
        error.category = category
        return error

    # One method for each cause.

    def refused(self) -> Unreachable:
        """Nobody listens there."""
        hint = "Check the fields host and port, and that the server is running and takes connections from this machine."
        return self.says(f"Cannot connect to {self.place}: the connection was refused.", hint)

    def unknown_host(self) -> Unreachable:
        """The name of the host leads nowhere."""
        hint = "Check the field host, and that this machine is in the right network (VPN)."
        return self.says(f"Cannot connect to {self.place}: there is no host of that name.", hint)

    def unroutable(self) -> Unreachable:
        """No way leads to the host."""
        hint = "Check the field host, and that this machine is in the right network (VPN)."
        return self.says(f"Cannot connect to {self.place}: the network has no way to that host.", hint)

    def no_answer(self, seconds: float) -> Unreachable:
        """The connection took too long: a firewall that drops packets, or something else that listens there."""
        hint = "Check host and port, and whether a firewall or a missing VPN is in between."
        message = f"Cannot connect to {self.place}: no answer within {_seconds(seconds)}."
        return self.says(message, hint, ErrorCategory.TIMEOUT)

    def other_protocol(self) -> Unreachable:
        """Something answers, but not this product."""
        port = f" The usual port is {self.default_port}." if self.port != self.default_port else ""
        message = f"Cannot connect to {self.place}: what answers there is no {self.product} server."
        return self.says(message, f"Check the fields host and port.{port}")

    def login(self) -> Unreachable:
        """Wrong user or password."""
        message = f"{_upper(self.place)} does not let the user {self.user} in: the user or the password is wrong."
        if not self.secrets:
            message = f"{_upper(self.place)} does not let the user {self.user} in without a password."
        hint = "Check the fields user and password, and the variables that they are taken from."
        return self.says(message, hint, ErrorCategory.AUTHENTICATION)

    def unknown_user(self) -> Unreachable:
        """The server knows no user of that name."""
        message = f"{_upper(self.place)} has no user {self.user}."
        hint = "Check the field user, and the variable that it is taken from."
        return self.says(message, hint, ErrorCategory.AUTHENTICATION)

    def unknown_database(self) -> Unreachable:
        """The database is not there."""
        message = f"{_upper(self.place)} has no database {self.database}."
        return self.says(message, "Check the field database; upper and lower case may matter.", ErrorCategory.NOT_FOUND)

    def no_rights_to_database(self) -> Unreachable:
        """The user may not use the database; some servers say this also of one that is not there."""
        message = f"The user {self.user} may not use the database {self.database} of {self.place}."
        hint = "Check the field database, or ask who runs the server for the right to connect to it."
        return self.says(message, hint, ErrorCategory.PERMISSION)

    def no_rights(self, to_what: str) -> Unreachable:
        """The user may not do something in a database that lets him in."""
        message = f"The user {self.user} may not {to_what}."
        return self.says(message, "Ask who runs the server for the right to read it.", ErrorCategory.PERMISSION)

    def host_not_allowed(self, said: str) -> Unreachable:
        """The server takes no connections from this machine."""
        message = f"{_upper(self.place)} takes no connection from this machine: {_sentence(said)}"
        return self.says(message, "Ask who runs the server to allow this machine and user.", ErrorCategory.PERMISSION)

    def full(self) -> Unreachable:
        """No connection is left."""
        message = f"{_upper(self.place)} has no connection left for the user {self.user}."
        return self.says(message, "Try again later, or close other connections.", ErrorCategory.RESOURCES)

    def not_ready(self) -> Unreachable:
        """The server is starting or stopping."""
        message = f"{_upper(self.place)} is starting or shutting down, and takes no connections now."
        return self.says(message, "Try again in a moment.", ErrorCategory.BUSY)

    def tls(self, said: str) -> Unreachable:
        """Encryption cannot be agreed upon."""
        hint = "Check the TLS fields of the connection (ssl...), and the certificate of the server."
        message = f"Cannot connect to {self.place} with TLS: {_sentence(said)}"
        return self.says(message, hint, ErrorCategory.CONFIGURATION)

    def too_long(self, seconds: float) -> Unreachable:
        """A statement was given up."""
        message = f"{_upper(self.place)} did not answer a query within {_seconds(seconds)}."
        return self.says(message, "Allow it more time: --timeout SECONDS.", ErrorCategory.TIMEOUT)

    def lost(self) -> Unreachable:
        """The server went away in the middle."""
        hint = "The server or the network in between ended it. Try again."
        return self.says(f"The connection to {self.place} was lost.", hint)

    def failed(self, said: str, category: ErrorCategory = ErrorCategory.UNKNOWN) -> Unreachable:
        """Anything else, in the server's words."""
        return self.says(f"{_upper(self.place)} reports: {_sentence(said)}", None, category)

    def system(self, error: OSError, seconds: float) -> Unreachable:
        """What the operating system or TLS says while connecting."""
        if isinstance(error, ssl.SSLError):
            return self.tls(getattr(error, "verify_message", "") or error.reason or str(error))
        if isinstance(error, socket.gaierror):
            return self.unknown_host()
        if isinstance(error, TimeoutError):
            return self.no_answer(seconds)
        if isinstance(error, ConnectionRefusedError):
            return self.refused()
        if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN):
            return self.unroutable()
        return self.lost()


def _seconds(seconds: float) -> str:
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."
