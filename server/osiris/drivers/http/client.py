"""Requests over HTTP on the standard library: certificates checked, bounded in time and size, stopped at once.

Failures that may pass (429, 5xx, a lost line, a timeout) have a transient category, so that ``retry`` of the step can
help. A component with a key for retries of its own gives them as ``retries``.
"""

from __future__ import annotations

import datetime
import email.utils
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from osiris import __version__
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.drivers.context import StepContext
from osiris.drivers.http.service import Service
from osiris.drivers.wires import shut

MOST_BYTES = 64 * 2**20
MOST_WAIT = 60.0
_REDIRECTS = 5
_POLL_SECONDS = 0.1
_BLOCK = 65_536

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What came back: ``headers`` by name in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def wait(self) -> float | None:
        """The seconds that ``Retry-After`` asks for, None when it says nothing that can be read."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            moment = email.utils.parsedate_to_datetime(text)
            return max((moment - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return None


class Client:
    """Sends requests to one service for one step."""

    def __init__(
        self,
        service: Service,
        step: StepContext,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        retries: int = 0,
        delay: float = 1.0,
        verify: bool = True,
        most_bytes: int | None = None,
    ) -> None:
        """``timeout``: seconds for one whole request. ``retries`` of a request that is safe to repeat, after ``delay``
        seconds, doubled each time. ``most_bytes``: the largest answer, 64 MiB by default.

        Raises ConfigurationError for a bad header.
        """
        self.service = service
        self.step = step
        self.timeout = timeout
        self.retries = retries
        self.delay = delay
        self.verify = verify
        self.most_bytes = most_bytes or MOST_BYTES
        self.sent = False
        """Whether something of the last request may have reached the service."""
        self.answer: Answer | None = None
        """What the last request got, None when nothing whole came back."""
        own = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": f"osiris/{__version__}"}
        self.headers = {**own, **_checked(headers or {})}
        if not service.guarded and service.secrets:
            step.warn(f"The credentials go to {service.place} unencrypted: use https.")
        if not verify:
            step.warn(f"The certificate of {service.place} is not checked.")

    def json(self, method: str, url: str, body: Any = None, *, accept: frozenset[int] = frozenset()) -> tuple[int, Any]:
        """The status and the JSON of an answer; other failures than ``accept`` are raised. Raises OsirisError."""
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        kind = {} if data is None else {"Content-Type": "application/json"}
        answer = self.send(method, url, data, kind, accept=accept)
        try:
            return answer.status, parsed(answer.body)
        except ValueError as error:
            if answer.status >= 400:
                raise self.service.refuses(answer.status) from None
            raise self.service.no_json(str(error)) from None

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        accept: frozenset[int] = frozenset(),
    ) -> Answer:
        """One request. Raises OsirisError; StepStopped within 2 seconds."""
        self.sent, self.answer = False, None
        self.answer = answer = self._followed(method, url, body, {**self.headers, **_checked(headers or {})})
        if answer.status >= 300 and answer.status not in accept:
            raise self.service.refuses(answer.status, _said(answer.body), answer.wait)
        return answer

    def repeated(self, call: Callable[[], T], *, harmless: Callable[[], bool] = lambda: True) -> T:
        """What ``call``, which sends a request, returns; tried as often as ``retries`` allows.

        ``harmless`` says after a failure whether the request is safe to repeat. Raises OsirisError: the last failure,
        or one that waiting does not mend or takes longer than a minute to.
        """
        for attempt in range(self.retries + 1):
            try:
                return call()
            except OsirisError as error:
                asked = self.answer.wait if self.answer is not None else None
                pause = max(self.delay * 2**attempt, asked or 0.0)
                hopeless = not error.category.transient or pause > MOST_WAIT
                if attempt == self.retries or hopeless or not harmless():
                    raise
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _followed(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """The answer behind redirects, which are followed only to the same scheme, host and port."""
        for _ in range(_REDIRECTS + 1):
            answer = self._once(method, url, body, headers)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            try:
                target = urllib.parse.urljoin(url, answer.headers.get("location", ""))
            except ValueError:
                raise self.service.redirects("") from None
            changes_method = answer.status in (301, 302, 303) and method not in ("GET", "HEAD")
            if _origin(target) is None or _origin(target) != _origin(url) or changes_method:
                raise self.service.redirects(target)
            url = target
        raise self.service.redirects(url)

    def _once(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        parts = urllib.parse.urlsplit(url)
        path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        end = time.monotonic() + self.timeout
        line = self._connected(parts)
        expired = threading.Event()

        def give_up() -> None:
            expired.set()
            shut(wire)

        wire: socket.socket = line.sock
        timer = threading.Timer(max(end - time.monotonic(), 0.0), give_up)
        timer.daemon = True
        timer.start()
        try:
            with self.step.stopper.through(lambda: shut(wire)):
                self.sent = True
                line.request(method, path, body, dict(headers))
                with line.getresponse() as response:
                    answer = self._read(response)
            if expired.is_set():  # an answer without a length ends wherever the line does
                raise self.service.too_slow(self.timeout)
            return answer
        except http.client.InvalidURL:  # our own address was looked at before
            raise self.service.redirects(url) from None
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OsirisError):
                raise
            self.step.checkpoint()
            raise (
                self.service.too_slow(self.timeout) if expired.is_set() else self.service.system(error, self.timeout)
            ) from None
        finally:
            timer.cancel()
            line.close()

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        """The whole answer. Raises ConnectionError when it is too large or ends early."""
        headers = {name.lower(): value for name, value in response.getheaders()}
        if headers.get("content-encoding", "identity") != "identity":
            raise self.service.no_json("it is compressed although that was not asked for")
        expected = response.length
        body = bytearray()
        while block := response.read1(_BLOCK):
            body += block
            if len(body) > self.most_bytes:
                raise self.service.too_large(self.most_bytes)
        self.step.checkpoint()
        if expected is not None and len(body) < expected:
            raise http.client.IncompleteRead(b"", expected - len(body))
        return Answer(response.status, headers, bytes(body))

    def _connected(self, parts: urllib.parse.SplitResult) -> Any:
        """A line that is open. Looking up a name cannot be stopped, so another thread does it, and may be left."""
        host = parts.hostname or ""
        if parts.scheme == "https":
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=self.timeout, context=self._context()
            )
        else:
            line = http.client.HTTPConnection(host, parts.port, timeout=self.timeout)
        failures: list[Exception] = []
        done = threading.Event()

        def connect() -> None:
            try:
                line.connect()
            except (OSError, ValueError) as error:  # told to the thread that waits, which judges it
                failures.append(error)
            done.set()

        threading.Thread(target=connect, daemon=True).start()
        end = time.monotonic() + self.timeout
        while not done.wait(_POLL_SECONDS):
            self.step.checkpoint()
            if time.monotonic() > end:
                raise self.service.too_slow(self.timeout)
        self.step.checkpoint()
        if not failures:
            return line
        if isinstance(failures[0], OSError):
            raise self.service.system(failures[0], self.timeout) from None
        raise ConfigurationError(f"{self.service.key} holds no name of a host.") from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _sleep(self, seconds: float) -> None:
        woken = threading.Event()
        with self.step.stopper.through(woken.set):
            woken.wait(seconds)
        self.step.checkpoint()


def parsed(body: bytes) -> Any:
    """Strict JSON. Raises ValueError, which repeats nothing of it."""

    def no_number(name: str) -> Any:
        raise ValueError("it holds a number that JSON does not know")

    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"it breaks off or is wrong at character {error.pos + 1}" if body else "it is empty") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _said(body: bytes) -> str:
    """The words in the body of a failure, where services usually put them."""
    try:
        data = parsed(body[:_BLOCK])
    except ValueError:
        return ""
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        data = errors[0]
    for name in ("message", "detail", "error", "error_description"):
        if isinstance(data.get(name), str):
            return str(data[name])
    return ""


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not plain or not value.isprintable() or not _latin(value):
            raise ConfigurationError(f"The header {name if plain else '...'} holds a character that HTTP forbids.")
    return dict(headers)


def _latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return parts.scheme, parts.hostname or "", port
