"""Secrets in plain text, wherever they stand: in a step, in a parameter, in a connection."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.language.edits import quoted
from osiris.language.facts import SecretHit
from osiris.language.findings import finding
from osiris.language.secrets import dsn_password_span, find_known_formats, high_entropy_spans, is_secret_key
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Scalar

# Values that nobody would take for a secret although they stand under a secret key.
_STAND_INS = frozenset(("", "none", "null", "changeme", "your-password", "xxx"))


def secrets_by_form(scalar: Scalar, source: str, key: str) -> Iterator[SecretHit]:
    """The secrets in one text under ``key``, the surest detector first; spans are relative to the part ``source``."""
    if not isinstance(scalar.value, str) or len(scalar.text) < 8:
        return
    text = scalar.text
    whole = not scalar.synthetic and not any(c.isspace() for c in text.strip()) and "${" not in text
    password = dsn_password_span(text)
    if password:
        yield SecretHit("OML502", _place(scalar, source, *password), scalar.span, key, "", whole)
        return
    formats = find_known_formats(text)
    for found in formats:
        span = _place(scalar, source, found.start, found.end)
        movable = whole and found.end - found.start == len(text)
        yield SecretHit("OML503", span, scalar.span, key, found.kind, movable)
    if not formats:
        for start, end in high_entropy_spans(text):
            movable = whole and end - start == len(text)
            yield SecretHit("OML504", _place(scalar, source, start, end), scalar.span, key, "", movable)


def _place(scalar: Scalar, source: str, start: int, end: int) -> Span:
    return scalar.span if scalar.synthetic else SourceMap(scalar, source).span(start, end)


def connection_secrets(family: str, alias: str, entry: Entry, source: str) -> Iterator[Diagnostic]:
    """Secrets in plain text in one field of a connection; spans are relative to the part ``source``."""
    node = entry.value
    if not isinstance(node, Scalar):
        return
    variable = "_".join((family, alias, entry.key.text)).upper().replace("-", "_")
    if is_secret_key(entry.key.text) and node.value is not None and not isinstance(node.value, bool):
        if node.text.lower() in _STAND_INS or ("${" in node.text and ":-" not in node.text.replace(":-}", "}")):
            return
        message = f"`{entry.key.text}` stands here in plain text. Write `${{{variable}}}` and set {variable} in `.env`."
        yield finding("OML506", node.span, message, _use_variable(node, variable))
        return
    for hit in secrets_by_form(node, source, entry.key.text):
        if hit.code in ("OML502", "OML503"):
            message = f"This holds a secret in plain text. Write it as `${{{variable}}}` and set {variable} in `.env`."
            yield finding("OML506", hit.span, message, _use_variable(node, variable) if hit.movable else None)


def _use_variable(node: Scalar, variable: str) -> Fix | None:
    if node.synthetic:
        return None
    edit = TextEdit(node.span, quoted(f"${{{variable}}}"))
    return Fix(f"Replace by `${{{variable}}}`; set {variable} in `.env`", (edit,), variable=variable)
