"""Making diagnostics: the severity comes from the table of codes."""

from __future__ import annotations

from collections.abc import Iterable

from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, Severity, TextEdit
from osiris.syntax.text import Span


def finding(
    code: str,
    span: Span,
    message: str,
    *fixes: Fix | None,
    related: Iterable[Related] = (),
    severity: Severity | None = None,
    unnecessary: bool = False,
    deprecated: bool = False,
    relock: bool = False,
) -> Diagnostic:
    """A diagnostic with the severity of its code (or ``severity``); fixes that are None are left out."""
    return Diagnostic(
        code,
        span,
        message,
        CODES[code].severity if severity is None else severity,
        tuple(fix for fix in fixes if fix is not None),
        tuple(related),
        unnecessary,
        deprecated,
        relock,
    )


def replacement(title: str, span: Span, new_text: str, *, preferred: bool = False) -> Fix:
    """The fix that replaces one range."""
    return Fix(title, (TextEdit(span, new_text),), preferred)
