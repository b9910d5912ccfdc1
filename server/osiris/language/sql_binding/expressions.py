"""Reads expressions. Which operator binds tighter does not matter for names, so it is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris.language.sql_binding.calls import Calls, Kind
from osiris.language.sql_binding.cursor import MOST_NESTED
from osiris.language.sql_binding.tree import NotUnderstood
from osiris.language.sql_binding.words import (
    CONSTANTS,
    HALF_RESERVED,
    OPERATOR_CHARACTERS,
    PREFIXES,
    RESERVED,
    UNITS,
)

if TYPE_CHECKING:
    from osiris.language.sql_binding.tree import Query
    from osiris.syntax.sql import SqlToken


class Expressions(Calls):
    """Everything between two commas."""

    def query(self) -> Query:
        """A whole query, without the parentheses around it."""
        raise NotImplementedError

    def expression(self) -> Kind:
        """One expression."""
        self.depth += 1
        self.left -= 1
        if self.depth > MOST_NESTED or self.left < 0:
            raise NotUnderstood
        start, queries = len(self.bag.names), len(self.bag.queries)
        kind = self.operand()
        words = self.words
        while True:
            word = words[self.at]
            if not word or word == ",":
                break
            if word == "->" and self.tokens[self.at + 1].kind == "word":
                if kind == "open" or len(self.bag.queries) > queries:
                    raise NotUnderstood
                self.arrow(start)
            elif word == "::":
                self.at += 1
                self.type_name()
            elif word == "!" and words[self.at + 1] != "~":
                raise NotUnderstood  # `5!`: what comes behind it may be a name
            elif word[0] in OPERATOR_CHARACTERS:
                while words[self.at] and words[self.at][0] in OPERATOR_CHARACTERS:
                    self.at += 1
                self.operand()
            elif word == "[":
                self.index()
            elif word == ".":
                self.field()
                kind = "open"
                continue
            elif not self.word_operator(word):
                break
            kind = "expression"
        self.depth -= 1
        return kind

    def arrow(self, start: int) -> None:
        """``x -> body``: what stands before the arrow are names of its own."""
        names = self.bag.names[start:]
        del self.bag.names[start:]
        if any(len(parts) > 1 for parts in names):
            raise NotUnderstood
        self.at += 1
        self.inside(frozenset(parts[0].key for parts in names))

    def inside(self, names: frozenset[str]) -> None:
        """An expression in which ``names`` are no columns."""
        self.bound.append(names)
        self.expression()
        self.bound.pop()

    def word_operator(self, word: str) -> bool:
        """An operator that is a word, with what stands behind it; False when there is none."""
        if word in ("AND", "OR", "LIKE", "ILIKE", "GLOB", "ESCAPE"):
            self.at += 1
            self.operand()
        elif word == "IS":
            self.at += 1
            self.take("NOT")
            if self.take("DISTINCT", "FROM"):
                self.operand()
            elif self.words[self.at] in CONSTANTS or self.words[self.at] == "UNKNOWN":
                self.at += 1
            else:
                raise NotUnderstood
        elif word == "NOT":
            following = self.words[self.at + 1]
            if following not in ("IN", "LIKE", "ILIKE", "GLOB", "BETWEEN", "SIMILAR", "NULL"):
                return False
            self.at += 2 if following == "NULL" else 1
        elif word in ("IN", "BETWEEN", "SIMILAR"):
            self.at += 1
            if word == "SIMILAR":
                self.need("TO")
            self.take("SYMMETRIC")
            self.operand()
        elif word in ("ISNULL", "NOTNULL"):
            self.at += 1
        elif word == "COLLATE":
            self.at += 1
            self.name()
            while self.take("."):
                self.name()
        elif word == "AT" and self.take("AT", "TIME", "ZONE"):
            self.operand()
        else:
            return False
        return True

    # -- operands

    def operand(self) -> Kind:
        """What stands between two operators."""
        word, token = self.words[self.at], self.tokens[self.at]
        while word in PREFIXES or word == "NOT":
            self.at += 1
            word, token = self.words[self.at], self.tokens[self.at]
            if word not in PREFIXES and word != "NOT":
                self.plain_operand(word, token)
                return "expression"
        return self.plain_operand(word, token)

    def plain_operand(self, word: str, token: SqlToken) -> Kind:
        """An operand without signs in front of it."""
        kind = token.kind
        if kind in ("string", "number", "dollar_string"):
            if kind == "number" and token.text[1:2] in ("x", "X"):
                raise NotUnderstood  # DuckDB reads `0xFF` as `0 AS xFF`
            self.at += 1
            return "expression"
        if kind == "placeholder":
            self.at += 1
            behind = self.tokens[self.at]
            if behind.span.start == token.span.end and (behind.kind in ("word", "number") or self.is_name()):
                raise NotUnderstood  # it is a part of a word
            return "open"
        if kind == "quoted_identifier":
            return self.named()
        if kind == "word":
            return self.word_operand(word)
        if word == "(":
            return self.parentheses()
        if word == "[":
            self.list_of_values()
            return "expression"
        if word == "{":
            self.pairs()
            return "expression"
        if word == "#" and self.tokens[self.at + 1].kind == "number":
            self.at += 2
            return "open"
        raise NotUnderstood

    def word_operand(self, word: str) -> Kind:
        """An operand that starts with a word."""
        following = self.words[self.at + 1]
        if word in CONSTANTS:
            self.at += 1
        elif word == "CASE":
            self.case()
        elif word in ("CAST", "TRY_CAST") and following == "(":
            self.at += 2
            self.expression()
            self.need("AS")
            self.type_name()
            self.need(")")
        elif word == "EXISTS" and following == "(":
            self.at += 1
            self.subquery()
        elif word in ("ANY", "ALL", "SOME", "ARRAY") and following == "(":
            self.at += 1
            self.parentheses()
        elif word == "ARRAY" and following == "[":
            self.at += 1
            self.list_of_values()
        elif word == "MAP" and following == "{":
            self.at += 1
            self.pairs()
        elif word == "INTERVAL":
            self.interval()
        elif word == "LAMBDA":
            self.lambda_words()
        elif word == "POSITION" and following == "(":
            self.at += 1
            self.parentheses()
        elif word == "GROUPING" and following == "SETS":
            self.at += 2
            self.parentheses()
        elif word in RESERVED or (word in HALF_RESERVED and following != "("):
            raise NotUnderstood
        else:
            return self.named()
        return "expression"

    def named(self) -> Kind:
        """A column, a function or a typed text."""
        first = self.words[self.at]
        parts = [self.name()]
        while self.words[self.at] == "." and self.is_name(1):
            self.at += 1
            parts.append(self.name())
        following = self.words[self.at]
        if following == "(":
            if len(parts) > 1:  # `a.upper()`; of a schema the engine's own functions may be called as well
                first = parts[-1].text.upper()
                if not any(parts[0].key in names for names in self.bound):
                    self.bag.names.append(tuple(parts[:-1]))
            self.call(first)
            return "expression"
        if following == "." or (self.tokens[self.at].kind == "placeholder"):
            raise NotUnderstood
        if self.tokens[self.at].kind == "string":
            self.at += 1
            return "open"
        found = tuple(parts)
        if not any(parts[0].key in names for names in self.bound):
            self.bag.names.append(found)
            return found
        return "open"

    def parentheses(self) -> Kind:
        """A query, an expression, or several with commas between them."""
        if self.starts_query():
            at, bag, depth, kept = self.at, self.bag, self.depth, (len(self.bag.names), len(self.bag.queries))
            bound = len(self.bound)
            try:
                self.subquery()
                return "expression"
            except NotUnderstood:  # `((SELECT 1) + 1)`
                self.at, self.bag, self.depth = at, bag, depth
                del self.bound[bound:]
                del bag.names[kept[0] :]
                bag.queries = bag.queries[: kept[1]]
                if self.words[at + 1] != "(":
                    raise
        self.need("(")
        if self.take(")"):
            return "expression"
        kind = self.expression()
        while self.take(","):
            kind = "expression"
            if self.words[self.at] == ")":
                break
            self.expression()
        self.need(")")
        return kind

    def subquery(self) -> None:
        """A query in parentheses."""
        self.need("(")
        bag = self.bag
        bag.queries = (*bag.queries, self.query())
        self.need(")")

    def case(self) -> None:
        """``CASE ... END``."""
        self.at += 1
        if self.words[self.at] != "WHEN":
            self.expression()
        while self.take("WHEN"):
            self.expression()
            self.need("THEN")
            self.expression()
        if self.take("ELSE"):
            self.expression()
        self.need("END")

    def interval(self) -> None:
        """``INTERVAL 1 DAY``."""
        self.at += 1
        token = self.tokens[self.at]
        if token.kind in ("string", "number", "placeholder"):
            self.at += 1
        elif self.words[self.at] == "(":
            self.parentheses()
        else:
            raise NotUnderstood
        if self.words[self.at] in UNITS:
            self.at += 1
            if self.take("TO"):
                self.at += 1

    def lambda_words(self) -> None:
        """``LAMBDA x, y: body``."""
        self.at += 1
        names = [self.name()]
        while self.take(","):
            names.append(self.name())
        self.need(":")
        self.inside(frozenset(name.key for name in names))

    def list_of_values(self) -> None:
        """``[a, b]``, or ``[f(x) FOR x IN list IF condition]``."""
        self.need("[")
        if self.take("]"):
            return
        start, queries = len(self.bag.names), len(self.bag.queries)
        self.expression()
        if self.take("FOR"):
            names = {self.name().key}
            while self.take(","):
                names.add(self.name().key)
            made = [parts for parts in self.bag.names[start:] if parts[0].key not in names]
            if len(self.bag.queries) > queries:
                raise NotUnderstood
            self.bag.names[start:] = made
            self.need("IN")
            self.expression()
            if self.take("IF"):
                self.inside(frozenset(names))
        while self.take(","):
            if self.words[self.at] == "]":
                break
            self.expression()
        self.need("]")

    def pairs(self) -> None:
        """``{key: value}``."""
        self.need("{")
        while not self.take("}"):
            if self.is_name() and self.words[self.at + 1] == ":":
                self.at += 1
            else:
                self.expression()
            self.need(":")
            self.expression()
            if self.words[self.at] != "}":
                self.need(",")

    def index(self) -> None:
        """``[1]`` or ``[1:2]`` behind a value."""
        self.need("[")
        while not self.take("]"):
            if not (self.take(":") or self.take("-", ":") or self.take(",")):
                self.expression()

    def field(self) -> None:
        """``.name`` or ``.function(...)`` behind anything but a name."""
        self.need(".")
        name = self.name()
        if self.words[self.at] == "(":
            self.call(name.text.upper())
