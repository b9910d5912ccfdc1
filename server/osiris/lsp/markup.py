"""Text for the client: masked, and Markdown where it can show it, plain text where not."""

from __future__ import annotations

import re

from lsprotocol import types

_FENCE = re.compile(r"^```.*\n?", re.MULTILINE)
_EMPHASIS = re.compile(r"\*\*(.+?)\*\*|`([^`\n]+)`|\[([^\]]+)\]\([^)]*\)")


def markup(markdown: str, formats: tuple[str, ...]) -> types.MarkupContent | str:
    """``markdown`` itself, or its text alone; ``formats`` are those the client shows, none for a client that is old."""
    from osiris.core.secrets_masking import mask_secrets

    markdown = mask_secrets(markdown)
    if "markdown" in formats:
        return types.MarkupContent(kind=types.MarkupKind.Markdown, value=markdown)
    if "plaintext" in formats:
        return types.MarkupContent(kind=types.MarkupKind.PlainText, value=to_plain(markdown))
    return to_plain(markdown)


def to_plain(markdown: str) -> str:
    """Markdown as we write it, without its marks."""
    text = _FENCE.sub("", markdown)
    return _EMPHASIS.sub(lambda m: m.group(1) or m.group(2) or m.group(3), text).strip()
