"""A name in a query, and what a fix writes in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from osiris.language.findings import replacement
from osiris.language.rules.nodes import cut
from osiris.language.rules.sql_words import NO_COLUMNS
from osiris.syntax.diagnostic import Fix
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Style

FOLDS = frozenset({"postgres"})
"""Where a name without quotes means lower case."""
BY_SERVER = frozenset({"mysql", "mariadb"})
"""Where it depends on the server whether the case of a table's name counts."""
_BARE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LOWER = re.compile(r"[a-z_][a-z0-9_]*")
_EASY = re.compile(r"[\w \"`]+")


@dataclass(frozen=True, slots=True)
class SqlWord:
    """A name in a query, as a finding needs it. ``span`` is its place in the step, ``quote`` what opens it there."""

    text: str
    span: Span
    node: Scalar
    quote: str
    dialect: str

    def written(self, name: str, *, preferred: bool) -> Fix | None:
        """The fix that writes ``name`` there, in quotes where it needs them; None where nothing can be written."""
        if self.node.synthetic:
            return None
        quote = self.quote
        plain = _LOWER if self.dialect in FOLDS else _BARE
        if not quote and not (plain.fullmatch(name) and name.upper() not in NO_COLUMNS):
            quote = "`" if self.dialect in BY_SERVER else '"'
        text = quote + name.replace(quote, quote * 2) + ("]" if quote == "[" else quote) if quote else name
        if quote == "[":
            text = f"[{name}]"
        if not _EASY.fullmatch(text) and quote != "[":
            return None  # it would have to be escaped in YAML as well
        if self.node.style is Style.DOUBLE:
            text = text.replace('"', '\\"')
        return replacement(f"Replace by `{cut(name)}`", self.span, text, preferred=preferred)
