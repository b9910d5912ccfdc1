"""Reads the calls of functions, and types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from osiris.language.sql_binding.cursor import Cursor
from osiris.language.sql_binding.tree import Bag, Name, NotUnderstood
from osiris.language.sql_binding.words import NO_NAMES, SPOKEN, UNITS

if TYPE_CHECKING:
    from osiris.syntax.sql import SqlToken

Kind = tuple[Name, ...] | Literal["expression", "open"]
"""What an expression is: a column, something without a name, or something of whose name nothing is known."""


class Calls(Cursor):
    """What is read goes into ``bag``; ``bound`` are the parameters of the lambdas around."""

    def __init__(self, tokens: Sequence[SqlToken]) -> None:
        """As a Cursor."""
        super().__init__(tokens)
        self.bag = Bag()
        self.bound: list[frozenset[str]] = []
        self.expands = 0
        """How an item of a select list gets its name: 1 by what its value holds, 2 by the columns that are meant."""
        self.used: set[str] = set()

    def expression(self) -> Kind:
        """One expression."""
        raise NotImplementedError

    def call(self, function: str, *, in_from: bool = False) -> int:
        """The parentheses of a function, and what may follow them; how many arguments there are.

        ``in_from``: it stands where a table stands, so that ``a = 1`` gives an argument by its name.
        """
        if function == "COLUMNS":
            self.expands = 2
            self.skip_parentheses()
            return 0
        if function == "UNNEST":
            self.expands = max(self.expands, 1)
        self.need("(")
        self.take("DISTINCT") or self.take("ALL")
        separators = SPOKEN.get(function, frozenset())
        if function == "EXTRACT":
            self.at += 1  # the part, as a word or as a text
            self.need("FROM")
        elif function == "TRIM":
            self.take("LEADING") or self.take("TRAILING") or self.take("BOTH")
            self.take("FROM")
        count = 0
        while self.words[self.at] not in (")", "ORDER", "IGNORE", "RESPECT"):
            self.argument(in_from)
            count += 1
            if self.words[self.at] in separators:
                self.at += 1
            elif not self.take(","):
                break
        self.ordering()
        self.take("IGNORE", "NULLS") or self.take("RESPECT", "NULLS")
        self.need(")")
        self.behind_call()
        return count

    def argument(self, in_from: bool) -> None:
        """One argument of a function."""
        if self.words[self.at] == "*":
            self.at += 1
            if self.words[self.at] not in (")", ","):
                raise NotUnderstood
        elif self.is_name() and self.words[self.at + 1 : self.at + 3] == [".", "*"]:
            self.at += 3
        elif self.is_name() and self.words[self.at + 1] in ((":=", "=>", "=") if in_from else (":=", "=>")):
            self.at += 2
            self.expression()
        else:
            self.expression()

    def behind_call(self) -> None:
        """What may follow the parentheses of a function: FILTER, OVER and so on."""
        if self.take("WITHIN", "GROUP", "("):
            self.ordering()
            self.need(")")
        if self.take("FILTER", "("):
            self.take("WHERE")
            self.expression()
            self.need(")")
        self.take("IGNORE", "NULLS") or self.take("RESPECT", "NULLS")
        self.take("EXPORT_STATE")
        if self.words[self.at] == "OVER" and (self.words[self.at + 1] == "(" or self.is_window(1)):
            self.at += 1
            if self.words[self.at] == "(":
                self.window()
            else:
                self.used.add(self.name().key)

    def is_window(self, ahead: int) -> bool:
        """Whether the name of a window comes ``ahead``."""
        return self.is_name(ahead) and self.words[self.at + ahead] not in NO_NAMES

    def window(self) -> None:
        """The parentheses behind OVER, or those of a named window."""
        self.need("(")
        if self.is_window(0) and self.words[self.at] not in ("PARTITION", "ROWS", "RANGE", "GROUPS"):
            self.used.add(self.name().key)
        if self.take("PARTITION", "BY"):
            self.listed()
        self.ordering()
        if self.words[self.at] in ("ROWS", "RANGE", "GROUPS"):
            while self.words[self.at] != ")":
                if self.words[self.at] == "(":
                    self.skip_parentheses()
                elif self.tokens[self.at].kind == "semicolon":
                    raise NotUnderstood
                else:
                    self.at += 1
        self.need(")")

    def listed(self) -> None:
        """Expressions with commas between them."""
        self.expression()
        while self.take(","):
            self.expression()

    def ordering(self) -> None:
        """ORDER BY, when it comes next."""
        if not self.take("ORDER", "BY"):
            return
        while True:
            if self.take("ALL"):
                self.expands = 2  # in a function it is each of the columns
            else:
                self.expression()
            self.take("ASC") or self.take("DESC")
            self.take("NULLS", "FIRST") or self.take("NULLS", "LAST")
            if not self.take(","):
                return

    def type_name(self) -> None:
        """A type: nothing in it is a column."""
        first = self.words[self.at]
        self.name()
        while self.take("."):
            self.name()
        if first == "DOUBLE":
            self.take("PRECISION")
        elif first in ("CHARACTER", "CHAR", "BIT"):
            self.take("VARYING")
        if self.words[self.at] == "(":
            self.skip_parentheses()
        if first in ("TIME", "TIMESTAMP"):
            self.take("WITH", "TIME", "ZONE") or self.take("WITHOUT", "TIME", "ZONE")
        elif first == "INTERVAL" and self.words[self.at] in UNITS:
            self.at += 1
        while self.words[self.at] == "[" and (
            self.words[self.at + 1] == "]"
            or (self.tokens[self.at + 1].kind == "number" and self.words[self.at + 2] == "]")
        ):
            self.at += 2 if self.words[self.at + 1] == "]" else 3
