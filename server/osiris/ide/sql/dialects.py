"""The dialects of SQL: how names are quoted, and which functions and types there are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from osiris.ide.sql.functions import SIGNATURES, TYPES
from osiris.ide.sql.reserved import RESERVED

_ALIASES = {"mariadb": "mysql", "postgresql": "postgres"}
_NAME = re.compile(r"[^\W\d]\w*")
_LINE = re.compile(r"(?P<call>(?P<name>\w+).*?) -- (?P<text>.+)")
_DOUBLE = re.compile(r"double precision|\S+")


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its name, how it is called, and what it gives."""

    name: str
    signature: str
    text: str

    @property
    def takes_nothing(self) -> bool:
        """Whether nothing stands between its parentheses."""
        return f"{self.name}()" in self.signature

    @property
    def is_call(self) -> bool:
        """Whether parentheses follow its name."""
        return "(" in self.signature


@dataclass(frozen=True)
class Dialect:
    """A dialect of SQL; ``quote`` encloses names, ``folds``: a name in capitals must be quoted to stay so."""

    name: str
    quote: str
    folds: bool
    reserved: frozenset[str]
    functions: tuple[Function, ...]
    types: tuple[str, ...]

    def identifier(self, name: str) -> str:
        """``name`` as it is written in a query, in quotes where it needs them."""
        plain = _NAME.fullmatch(name) is not None and name.lower() not in self.reserved
        if plain and not (self.folds and name != name.lower()):
            return name
        return self.quoted(name)

    def quoted(self, name: str, quote: str = "") -> str:
        """``name`` in quotes."""
        quote = quote or self.quote
        return quote + name.replace(quote, quote * 2) + quote

    def function(self, name: str) -> tuple[Function, ...]:
        """The functions of that name: one for each way that it is called."""
        return tuple(f for f in self.functions if f.name == name.lower())


@lru_cache(maxsize=8)
def dialect_of(name: str) -> Dialect:
    """The dialect with the name that ``x-osiris-sql`` gives it; an unknown one is taken for DuckDB's."""
    name = _ALIASES.get(name, name)
    known = name if name in SIGNATURES else "duckdb"
    functions = [
        Function(found["name"], found["call"], found["text"])
        for line in SIGNATURES[known].strip().splitlines()
        if (found := _LINE.fullmatch(line)) is not None
    ]
    return Dialect(
        name,
        "`" if known == "mysql" else '"',
        known == "postgres",
        RESERVED[known],
        tuple(sorted(functions, key=lambda f: f.name)),
        tuple(_DOUBLE.findall(TYPES[known])),
    )
