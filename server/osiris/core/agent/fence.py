"""Marks text from databases, files and logs as material, so that a model does not take it for an instruction."""

from __future__ import annotations

import re

MOST_CHARACTERS = 30_000
OPENING = "<data>\n"
# The `<` of whatever a reader may take for one of our marks: in capitals, with blanks or signs within.
_MARK = re.compile(r"<(?=[^\w<>]*/[^\w<>]*data\b|[^\w<>]*data[^\w<>]*>)", re.IGNORECASE)


def fenced(text: str) -> str:
    """``text`` from a database or a file, marked as material; it cannot close the fence itself."""
    cut = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}\n... (cut)"
    return f"{OPENING}{_MARK.sub('‹', cut)}\n</data>"
