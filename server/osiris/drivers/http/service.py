"""Whom a step talks to over HTTP, and what keeps it from that, in words that hold no secret."""

from __future__ import annotations

import http
import re
import socket
import ssl
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.core.secrets_masking import Masker

_C = ErrorCategory
_STATUS = {401: _C.AUTHENTICATION, 403: _C.PERMISSION, 404: _C.NOT_FOUND, 408: _C.TIMEOUT, 425: _C.BUSY, 429: _C.BUSY}
_MOST_SAID = 300
_PLAIN = re.compile("[!-~]+")


@dataclass(frozen=True)
class Service:
    """An HTTP address. ``product`` is what we expect there; ``secrets`` are values that no message may hold.

    ``key`` and ``credentials`` are the keys of the configuration that the address and the credentials come from.
    """

    product: str
    url: str
    key: str
    credentials: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def at(cls, product: str, url: str, *, key: str, credentials: str, secrets: Iterable[str] = ()) -> Service:
        """The service at ``url``. Raises ConfigurationError for anything that is no plain address of a web service."""
        own = cls(product, url.strip(), key, credentials, tuple(secret for secret in secrets if secret))
        try:
            parts = urllib.parse.urlsplit(own.url)
            port, host = parts.port, parts.hostname
        except ValueError:
            port, host, parts = None, None, urllib.parse.urlsplit("")
        if parts.scheme not in ("http", "https") or not host or port == 0 or not _PLAIN.fullmatch(own.url):
            raise ConfigurationError(f"{key} is no address of a web service.", hint="Write https://host/path.")
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError(f"{key} may hold no user and password.", hint=f"Use {credentials} for them.")
        return own

    @property
    def place(self) -> str:
        """The service in words, without the part of the address that may hold a key."""
        parts = urllib.parse.urlsplit(self.url)
        return f"the {self.product} service at {parts.scheme}://{parts.netloc}"

    @property
    def guarded(self) -> bool:
        """Whether nobody in between can read what is sent: encrypted, or never on a wire."""
        parts = urllib.parse.urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")

    def says(self, message: str, hint: str | None = None, category: ErrorCategory = _C.UNREACHABLE) -> Unreachable:
        """The error to raise, secrets masked."""
        masker = Masker(self.secrets)
        error = Unreachable(masker.text(message), hint=masker.text(hint) if hint else None)
        error.category = category
        return error

    def words(self, said: str) -> str:
        """The words of the service as a sentence, not endlessly many, secrets masked; empty when it said nothing.

        Masked before they are cut, and the cut shown: of a secret that only the run knows it leaves a part.
        """
        words = Masker(self.secrets).text(" ".join(said.split()))
        if len(words) > _MOST_SAID:
            return f"{words[:_MOST_SAID]}..."
        return f"{words.rstrip('.')}." if words.strip(".") else ""

    def system(self, error: Exception, seconds: float) -> Unreachable:
        """What the operating system, TLS or a broken answer says."""
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "Check the address, and that the certificate is valid and its issuer known to this machine."
            reason = error.verify_message or "not valid"
            return self.says(f"The certificate of {self.place} is refused: {reason}.", hint, _C.CONFIGURATION)
        if isinstance(error, ssl.SSLError) and "EOF" not in (error.reason or ""):
            hint = f"Check that {self.key} is the address of a service that speaks HTTPS."
            return self.says(f"Cannot agree upon encryption with {self.place}.", hint, _C.CONFIGURATION)
        if isinstance(error, TimeoutError):
            return self.too_slow(seconds)
        if isinstance(error, socket.gaierror):
            return self.says(f"Cannot reach {self.place}: there is no host of that name.", f"Check {self.key}.")
        if isinstance(error, ConnectionRefusedError):
            return self.says(f"Cannot reach {self.place}: the connection was refused.", f"Check {self.key}.")
        hint = "The service or the network in between ended it. Try again."
        return self.says(f"The connection to {self.place} was lost.", hint)

    def too_slow(self, seconds: float) -> Unreachable:
        """The time of a request is up."""
        message = f"{_upper(self.place)} did not answer within {seconds:g} seconds."
        return self.says(message, "Allow it more time by timeout, or ask for less at once.", _C.TIMEOUT)

    def no_json(self, why: str) -> Unreachable:
        """What came back is not what was asked for."""
        hint = f"Check {self.key}: it may lead to a web page or a proxy."
        return self.says(f"{_upper(self.place)} answers with something that is no JSON: {why}.", hint, _C.DATA)

    def other_shape(self, why: str, hint: str | None = None) -> Unreachable:
        """The answer is JSON, but not of the shape that it must have."""
        return self.says(f"The answer of {self.place} has another shape than expected: {why}.", hint, _C.DATA)

    def too_large(self, most: int) -> Unreachable:
        """An answer that does not fit."""
        message = f"An answer of {self.place} is larger than {most // 2**20} MiB."
        return self.says(message, "Ask for fewer rows or fields in one request.", _C.DATA)

    def redirects(self, target: str) -> Unreachable:
        """A redirect that we do not follow."""
        parts = urllib.parse.urlsplit(target)
        to = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme and parts.hostname else "another address"
        hint = f"If that is right, write it into {self.key}. Credentials are sent nowhere else by themselves."
        return self.says(f"{_upper(self.place)} redirects to {to}, which is not followed.", hint, _C.CONFIGURATION)

    def refuses(self, status: int, said: str = "", wait: float | None = None) -> Unreachable:
        """A status that says no; ``said``: the words of the service, ``wait``: the seconds it asks for."""
        category = _STATUS.get(status) or (_C.UNREACHABLE if status >= 500 else _C.QUERY)
        words = self.words(said)
        tail = f": {words}" if words else "."
        if status in (401, 403):
            does = "does not accept the credentials" if status == 401 else "does not allow this with the credentials"
            hint = f"Check {self.credentials}, and the variable that it is taken from."
            return self.says(f"{_upper(self.place)} {does} (HTTP {status}){tail}", hint, category)
        if status == 404:
            return self.says(
                f"{_upper(self.place)} has nothing at that path (HTTP 404){tail}", f"Check {self.key}.", category
            )
        if status == 429:
            later = f"It asks to wait {wait:g} seconds." if wait is not None else "Try again later, or ask for less."
            return self.says(f"{_upper(self.place)} takes no more requests now (HTTP 429){tail}", later, category)
        return self.says(f"{_upper(self.place)} reports HTTP {status} {_phrase(status)}{tail}", None, category)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "(unknown)"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
