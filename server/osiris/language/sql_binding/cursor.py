"""A place in the tokens of a query that moves on as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from osiris.language.sql_binding.tree import Name, NotUnderstood
from osiris.language.sql_binding.words import NO_NAMES, RESERVED
from osiris.syntax.sql import SqlToken
from osiris.syntax.text import Span

MOST_NESTED = 60
_END = SqlToken("semicolon", Span(-1, -1), "")


class Cursor:
    """The tokens without comments. ``words`` are their texts: of words in capitals, of names in quotes and texts empty,
    so that nothing is taken for a word or an operator that is none.
    """

    def __init__(self, tokens: Sequence[SqlToken]) -> None:
        """Start in front of the first of ``tokens``."""
        self.tokens = [*tokens, _END, _END, _END]
        self.words = [
            t.text.upper() if t.kind == "word" else t.text if t.kind == "operator" else "" for t in self.tokens
        ]
        self.at = 0
        self.depth = 0
        self.left = 2 * len(tokens) + 100
        """How many expressions are read before this is given up: where nothing is read twice there are fewer."""

    def fail(self) -> NoReturn:
        """Give up."""
        raise NotUnderstood

    def take(self, *words: str) -> bool:
        """Go behind ``words`` when they come next."""
        at = self.at
        for word in words:
            if self.words[at] != word:
                return False
            at += 1
        self.at = at
        return True

    def need(self, *words: str) -> None:
        """Go behind ``words``, which must come next."""
        if not self.take(*words):
            raise NotUnderstood

    def is_name(self, ahead: int = 0) -> bool:
        """Whether a word or a name in quotes comes next."""
        token = self.tokens[self.at + ahead]
        return token.kind in ("word", "quoted_identifier") and not token.placeholders

    def name(self) -> Name:
        """The next token, which must be a word or a name in quotes."""
        token = self.tokens[self.at]
        kind = token.kind
        if kind == "word":
            text, quoted = token.text, False
        elif kind == "quoted_identifier" and (said := token.name):
            text, quoted = said, True
        else:
            raise NotUnderstood
        if token.placeholders or self._touches_parameter():
            raise NotUnderstood
        self.at += 1
        return Name(text, token.span, quoted, text.casefold())

    def _touches_parameter(self) -> bool:
        """Whether a parameter makes one word with the next token."""
        span = self.tokens[self.at].span
        behind = self.tokens[self.at + 1]
        if behind.kind == "placeholder" and behind.span.start == span.end:
            return True
        before = self.tokens[self.at - 1] if self.at else _END
        return before.kind == "placeholder" and before.span.end == span.start

    def alias(self, *, said: bool) -> Name | None:
        """A name behind an expression or a table; ``said``: behind AS, where words are names that else are none."""
        token = self.tokens[self.at]
        if token.kind == "quoted_identifier" or (
            token.kind == "word" and (said or self.words[self.at] not in NO_NAMES)
        ):
            return self.name()
        return None

    def names(self) -> tuple[Name, ...]:
        """Names between parentheses."""
        self.need("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.need(")")
        return tuple(found)

    def skip_parentheses(self) -> None:
        """Go behind the parenthesis that closes the one that comes next."""
        depth = 0
        while True:
            word = self.words[self.at]
            if self.tokens[self.at] is _END or self.tokens[self.at].kind == "placeholder":
                raise NotUnderstood
            depth += (word == "(") - (word == ")")
            self.at += 1
            if not depth:
                return

    def starts_query(self) -> bool:
        """Whether the parenthesis that comes next opens a query, perhaps in more of them."""
        at = self.at
        while self.words[at] == "(":
            at += 1
        return at > self.at and self.words[at] in ("SELECT", "WITH", "FROM", "VALUES")

    def is_reserved(self) -> bool:
        """Whether the next token is a word that can never be a name."""
        return self.words[self.at] in RESERVED
