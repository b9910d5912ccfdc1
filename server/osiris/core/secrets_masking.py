"""Masks secrets in text and data before they leave the program: logs, events, errors, output, editor messages."""

from __future__ import annotations

import datetime
import logging
import re
import traceback
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from osiris.core.known_values import KnownValues
from osiris.language.secrets import (
    assigned_secret_spans,
    dsn_password_spans,
    find_known_formats,
    high_entropy_spans,
    is_secret_key,
)

MASK = "***"
_DEPTH = 100
_REMEMBERED = 64
_REMEMBERED_TEXTS = 4096
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_.\-]*\}|@[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+")
_REFERENCE_WITH_DEFAULT = re.compile(r"(\$\{[A-Za-z_][A-Za-z0-9_]*:-)(.+)\}", re.DOTALL)
_INERT = (bool, float, Decimal, datetime.date, datetime.time, datetime.timedelta, uuid.UUID)
# Names that the rules for OML do not call secret, but whose values are better not shown.
_ALSO_MASKED = frozenset(("auth", "pg_dsn_password", "x-amz-signature", "sig", "signature"))


def mask_secrets(text: str) -> str:
    """``text`` with every secret in it that can be recognised replaced by ``***``.

    Recognised are values given by a secret name (``password=...``, ``"apiKey": "..."``), passwords in connection
    strings, keys and tokens of known formats, private key blocks, and long random tokens; run ids, UUIDs and hashes
    stay. What is not recognisable needs a :class:`Masker` that knows it.
    """
    return _PLAIN.text(text)


class Masker:
    """Masks what :func:`mask_secrets` does and, besides, the known ``values`` in every encoding they may appear in.

    So is a part of a value that somebody has cut, from 8 characters on when it is half of the value or 16 characters.
    Idempotent and total: no input raises. A value shorter than 4 characters is masked only where it is the whole text,
    one of fewer than 8 letters and digits only as a whole word.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: frozenset[str] = frozenset()
        self._known = KnownValues()
        self._clean: set[str] = set()  # short texts without secrets: keys and names come again and again
        for value in values:
            self.add(value)

    def add(self, value: object) -> None:
        """Masks ``value`` from now on. Blank values, None and masks are left out."""
        text = value if isinstance(value, str) else "" if value is None else str(value)
        if not text.strip() or not text.strip("*") or text in self._values:
            return
        self._values |= {text}
        self._clean = set()
        self._known.add(text)

    def text(self, text: object) -> str:
        """``text`` with ``***`` in place of every secret."""
        masked = text if isinstance(text, str) else _as_text(text)
        if masked in self._clean:
            return masked
        clean = self._clean  # not the one of a later ``add``
        for _ in range(8):  # a mask may complete another secret, hardly ever more than once
            if masked in self._values:
                return MASK
            spans = self._spans(masked)
            if not spans:
                if len(masked) <= _REMEMBERED and len(clean) < _REMEMBERED_TEXTS:
                    clean.add(masked)
                return masked
            masked = _replace(masked, spans)
        return masked

    def cut_before(self, text: str, most: int) -> int:
        """Where to cut ``text``, to be masked in two pieces: no later than ``most``, and inside no secret.

        More than ``most`` characters must be there, as many as the longest known secret has. A secret that is larger
        than ``most`` is cut all the same.
        """
        end = max(most - self._known.longest, most // 2)
        for start, stop in sorted(self._spans(text), reverse=True):
            if start < end < stop and start > 0:
                end = start
        return end

    def data(self, value: Any) -> Any:
        """Nested mappings, lists, tuples and sets with every secret masked.

        What stands under a secret key is masked whole, whatever it is; references (``${DB_PASSWORD}``, ``@mysql.db``),
        booleans, nulls and empty texts are not secrets and stay. Objects that are not plain data become masked text.
        """
        return self._data(value, 0)

    def _data(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, _INERT):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int):
            return MASK if self._values and str(value)[:64] in self._values and abs(value) > 999 else value
        if depth >= _DEPTH:
            return MASK
        if isinstance(value, Mapping):
            return {self._key(key): self._entry(key, item, depth + 1) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(self._data(item, depth + 1) for item in value)
        if isinstance(value, set | frozenset):
            return {self.text(item) if isinstance(item, str) else item for item in value}
        if isinstance(value, list):
            return [self._data(item, depth + 1) for item in value]
        return self.text(value)

    def _key(self, key: Any) -> Any:
        return self.text(key) if isinstance(key, str) else key

    def _entry(self, key: Any, value: Any, depth: int) -> Any:
        name = str(key)
        if is_secret_key(name) or name.lower() in _ALSO_MASKED:
            return _masked_whole(value)
        return self._data(value, depth)

    def _spans(self, text: str) -> list[tuple[int, int]]:
        spans = [(start, end) for start, end, _ in find_known_formats(text)]
        if "://" in text or "=" in text:
            spans.extend(dsn_password_spans(text))
        if "=" in text or ":" in text or "--" in text:
            spans.extend(assigned_secret_spans(text))
        if len(text) >= 24:
            spans.extend(high_entropy_spans(text))
        spans.extend(self._known.spans(text))
        return [(start, end) for start, end in spans if text[start:end].strip("*")]


def _replace(text: str, spans: list[tuple[int, int]]) -> str:
    """``text`` with each span, or run of overlapping spans, replaced by one mask."""
    parts: list[str] = []
    position = 0
    last_end = -1
    for start, end in sorted(spans):
        if start >= position and not (start == last_end and parts):
            parts.extend((text[position:start], MASK))
        position = last_end = max(position, end)
    return "".join((*parts, text[position:]))


def _masked_whole(value: Any) -> Any:
    """The value of a secret key."""
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, str):
        if _REFERENCE.fullmatch(value):
            return value
        default = _REFERENCE_WITH_DEFAULT.fullmatch(value)
        if default:
            return f"{default[1]}{MASK}}}"
    return MASK


def _as_text(value: object) -> str:
    """``str(value)``, whatever its class makes of it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - foreign __str__; masking must not fail
        return f"<{type(value).__name__}>"


class MaskingFilter(logging.Filter):
    """Masks whole log records: message, arguments, traceback and extra attributes.

    Put it on *handlers*: a filter on a logger does not see the records of the loggers below it.
    """

    def __init__(self, masker: Masker | None = None) -> None:
        super().__init__()
        self._masker = masker or _PLAIN

    def filter(self, record: logging.LogRecord) -> bool:
        """Masks ``record`` in place; always True."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = self._masker.text(message), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if record.exc_text:
            record.exc_text = self._masker.text(record.exc_text)
        record.exc_info = None
        if record.stack_info:
            record.stack_info = self._masker.text(record.stack_info)
        for name in record.__dict__.keys() - _STANDARD:
            record.__dict__[name] = self._masker.data({name: record.__dict__[name]})[name]
        return True


_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "asctime", "taskName"}
_PLAIN = Masker()
