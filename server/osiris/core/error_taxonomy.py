"""The errors Osiris raises, what kind of failure any exception is, and how to say it to a user."""

from __future__ import annotations

import builtins
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from osiris.core.error_categories import ErrorCategory as ErrorCategory
from osiris.core.error_categories import category_of, module_of
from osiris.core.os_errors import reason_of

if TYPE_CHECKING:
    from osiris.core.secrets_masking import Masker
    from osiris.syntax.diagnostic import Diagnostic


class OsirisError(Exception):
    """The base of all errors Osiris raises. ``str(error)`` is the message alone.

    ``message`` says what is wrong and why, in full sentences; ``hint`` what to do; ``code`` is a key of
    ``osiris.syntax.codes.CODES`` and defaults to the one of the class. ``line`` and ``column`` (from 1) are a place in
    the query of a step, when it is about that and whoever raises it knows. ``outcome_unknown``: a writer cannot say
    whether its rows have arrived (a server that was lost during COMMIT); such a step is never tried again by itself.
    """

    default_code: ClassVar[str] = "OML610"
    category: ErrorCategory = ErrorCategory.UNKNOWN
    line: int | None = None
    column: int | None = None
    outcome_unknown: bool = False

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint


class ConfigurationError(OsirisError):
    """Something that the user configures is missing or wrong: a file, a setting, a connection, a package."""

    default_code = "OML605"
    category = ErrorCategory.CONFIGURATION


class CompilationError(OsirisError):
    """The pipeline does not compile. ``diagnostics`` says where and why, when that is known by place."""

    default_code = "OML601"
    category = ErrorCategory.COMPILATION

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        diagnostics: Iterable[Diagnostic] = (),
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.diagnostics = tuple(diagnostics)


class ExecutionError(OsirisError):
    """A step or a run failed."""

    default_code = "OML611"
    category = ErrorCategory.EXECUTION


class ConnectionError(OsirisError, builtins.ConnectionError):  # noqa: A001 - the public name
    """A database or service cannot be reached or does not let us in. Also a builtin ``ConnectionError``."""

    default_code = "OML604"
    category = ErrorCategory.UNREACHABLE


class ValidationError(OsirisError):
    """Data, a query or a document does not have the shape it must have."""

    default_code = "OML606"
    category = ErrorCategory.VALIDATION


def classify(error: BaseException) -> ErrorCategory:
    """What kind of failure ``error`` is: by its class, then by what it was caused by, else ``UNKNOWN``."""
    for link in _chain(error):
        category = _category(link)
        if category not in (ErrorCategory.UNKNOWN, ErrorCategory.EXECUTION):
            return category
    return ErrorCategory.EXECUTION if isinstance(error, OsirisError) else ErrorCategory.UNKNOWN


def _category(error: BaseException) -> ErrorCategory:
    if not isinstance(error, OsirisError):
        return category_of(error)
    if isinstance(error, ConnectionError) and error.__cause__ is not None:
        # A failed connection is as transient as its cause is: a wrong password is not.
        cause = classify(error.__cause__)
        return error.category if cause is ErrorCategory.UNKNOWN else cause
    return error.category


def _chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and what caused it, outermost first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < 16:
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            link = link.exceptions[0]
        else:
            original = getattr(link, "orig", None)  # SQLAlchemy keeps the driver's own error here
            link = link.__cause__ or (original if isinstance(original, BaseException) else None)


_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]{4,16}")
_TRACEBACK = "Traceback (most recent call last)"
_MOST = 2000
_NAMED = (KeyError, IndexError, AttributeError, TypeError, NameError, AssertionError, ArithmeticError, RecursionError)


def describe(error: BaseException, masker: Masker | None = None) -> str:
    """One clear sentence (or a few) for a user: what happened, and what that was caused by, secrets masked.

    Holds no traceback, no memory address and no line end. ``hint`` is not part of it. ``masker`` knows the secrets of
    the run; without one, what can be recognised is masked.
    """
    from osiris.core.secrets_masking import Masker

    sentences: list[str] = []
    for link in _chain(error):
        text = _text_of(link)
        said = " ".join(sentences).casefold()
        if text.rstrip(".").casefold() not in said:
            sentences.append(_sentence(text if not sentences else f"Cause: {text}"))
    masked = (masker or Masker()).text(" ".join(sentences))
    return masked if len(masked) <= _MOST else masked[: _MOST - 3] + "..."


def _text_of(error: BaseException) -> str:
    """What an exception says, as one line."""
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, OsirisError):
        words = reason_of(error) if module_of(error) != "socket" else None
        words = words or error.strerror or type(error).__name__
        return f"{os.fsdecode(error.filename)}: {words}" if isinstance(error.filename, str | bytes) else words
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"The Python package {error.name.partition('.')[0]} is not installed"
    if isinstance(error, MemoryError) and not error.args:
        return "There is not enough memory"
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - foreign __str__
        text = ""
    if _TRACEBACK in text:
        text = text.rstrip().splitlines()[-1]
    if module_of(error) in ("duckdb", "_duckdb"):
        text = text.partition("\n\nLINE ")[0]
    text = " ".join(_ADDRESS.sub("", text).split())
    if not text:
        return type(error).__name__
    return f"{type(error).__name__}: {text}" if isinstance(error, _NAMED) else text


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "...", ":")) else f"{text}."
