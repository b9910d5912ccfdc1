"""Documents in which the places that a feature names are shown as ``«...»``."""

from __future__ import annotations

from collections.abc import Iterable

from osiris.syntax.text import Span


def around(text: str, spans: Iterable[Span]) -> str:
    """The text with marks around the spans."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}«{text[start:end]}»{text[end:]}"
    return text


def lines_with(text: str, spans: Iterable[Span]) -> list[str]:
    """Only the lines of a text that hold a span, with marks around the spans and no indentation."""
    return [line.strip() for line in around(text, spans).splitlines() if "«" in line]
