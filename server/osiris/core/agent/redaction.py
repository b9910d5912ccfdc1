"""Messages of engines and databases without the values that they quote: those are rows of data."""

from __future__ import annotations

import re

# Quoted texts, escaped or doubled quotes included; an opening quote without an end takes the rest of the line. A quote
# between letters is an apostrophe.
_QUOTED = re.compile(
    r"""(?<![A-Za-z])'(?:[^'\\\n]|\\.|'')*(?:'|$)|"(?:[^"\\\n]|\\.|"")*(?:"|$)|`[^`\n]*(?:`|$)""", re.MULTILINE
)
_DETAIL = re.compile(r"^\s*(DETAIL|Detail|detail)\s*:.*$|(?<=Key )\([^)]*\)=\(.*\)", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d.,:eE+\-/T]*\d|(?<![\w.])[-+]?\d(?![\w.])")
_LONGEST = 600


def without_values(message: str, keep: frozenset[str] = frozenset()) -> str:
    """``message`` with ``…`` in place of every quoted text and every number that is not one of ``keep``.

    ``keep``: names that may stay, as those of tables and columns that the model knows already, and of our own steps.
    """

    def quoted(match: re.Match[str]) -> str:
        inner = match.group().strip("'\"`")
        return match.group() if inner in keep else "…"

    text = _DETAIL.sub("…", message)
    text = _QUOTED.sub(quoted, text)
    text = _NUMBER.sub(lambda match: match.group() if match.group() in keep else "…", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
