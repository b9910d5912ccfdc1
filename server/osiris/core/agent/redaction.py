"""Messages of engines and databases without the values that they quote: those are rows of data."""

from __future__ import annotations

import re

# Values are quoted as they are, with quotes and line ends of their own, and some are said once more without quotes. So
# nobody can tell where the first one ends: all that follows goes, but for what an engine says of a cast at the end.
# A quote between letters opens nothing: it is an apostrophe.
_OPENS = re.compile(r"""(?<![A-Za-z])'|["`]""")
_CAST = re.compile(r"""[^'"`]*['"`]( to [A-Z][A-Z0-9_]*(?:\(\d+,\d+\))?(?: when casting from source column \w+)?)\Z""")
# Errors that repeat whatever an expression made of a row, and the parts of messages that repeat whole rows. What
# DuckDB shows of the statement is known.
_REST = re.compile(
    r"(?<=Invalid Input Error:) .*"
    r"|(?:^|(?<=\s))(?:(?:DETAIL|Detail|detail|CONTEXT)\s*:|Original Line\s*:|Failing row contains\b).*"
    r"|(?<=Key )\(.*",
    re.DOTALL,
)
_STATEMENT = re.compile(r"\s*\n\s*LINE \d+:.*", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d.,:eE+\-/T]*\d|(?<![\w.])[-+]?\d(?![\w.])")
_LONGEST = 600


def without_values(message: str, keep: frozenset[str] = frozenset()) -> str:
    """``message`` up to the first value that it quotes, and ``…`` for every number; what is one of ``keep`` stays.

    ``keep``: names that may stay, as those of tables and columns that the model knows already, and of our own steps.
    """
    text = _unquoted(_STATEMENT.sub("", _REST.sub(" …", message)), keep)
    text = _NUMBER.sub(lambda match: match.group() if match.group() in keep else "…", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _unquoted(text: str, keep: frozenset[str]) -> str:
    """``text`` without what is quoted. Names that may stay do, until the first value."""
    position = 0
    while (opening := _OPENS.search(text, position)) is not None:
        start = opening.start()
        end = text.find(opening.group(), start + 1)
        if end > 0 and text[start + 1 : end] in keep:
            position = end + 1
            continue
        known = _CAST.search(text, start + 1)
        return f"{text[:start]}…{known[1] if known else ''}"
    return text
