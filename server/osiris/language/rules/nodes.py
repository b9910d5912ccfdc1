"""Small questions about nodes that several rules ask."""

from __future__ import annotations

import re

from osiris.language.edits import quoted
from osiris.language.findings import finding, replacement
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix
from osiris.syntax.text import Span
from osiris.syntax.tree import Node, Scalar, Style

_NAME = re.compile(r"[\w.-]+")


def unknown_key(key: str, span: Span, known: tuple[str, ...], present: set[str], where: str) -> Diagnostic:
    """A misspelt key (OML108), or one that means nothing (OML107)."""
    near = nearest(key, known)
    if near is not None:
        taken = near in present
        fix = None if taken else replacement(f"Replace by `{near}`", span, near, preferred=True)
        return finding("OML108", span, f"{where} has no key `{key}`. Did you mean `{near}`?", fix)
    message = (
        f"{where} has no key `{key}`; it is ignored. Known keys are {listing(known, 10)}. Own keys start with `x-`."
    )
    fix = replacement(f"Rename to `x-{key}`", span, f"x-{key}") if _NAME.fullmatch(key) else None
    return finding("OML107", span, message, fix, unnecessary=True)


def is_empty(node: Node) -> bool:
    """Whether there is no value, or null."""
    return isinstance(node, Scalar) and node.value is None


def is_text_or_empty(node: Node) -> bool:
    """Whether the value is text, null or not there."""
    return isinstance(node, Scalar) and (node.value is None or isinstance(node.value, str))


def value_span(node: Node, key: Scalar | None = None) -> Span:
    """The node, or the key when there is nothing to point at."""
    return key.span if key is not None and node.span.end <= node.span.start else node.span


def in_quotes(node: Node, base: int = 0) -> Fix | None:
    """Quotes around a plain number, boolean or the like that should be text."""
    if isinstance(node, Scalar) and node.style is Style.PLAIN and node.value is not None and not node.synthetic:
        return replacement("Put it in quotes", node.span.shift(base), quoted(node.text), preferred=True)
    return None


def cut(text: str) -> str:
    """Text as it may stand in a message: short and printable."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return "".join(c if c.isprintable() else "?" for c in shown)
