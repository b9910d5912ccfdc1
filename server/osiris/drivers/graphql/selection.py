"""What a GraphQL query asks for, as far as its text alone tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|\.\.\.|[A-Za-z_]\w*|[{}()\[\]:=!|@$&]|[^\s,{}()\[\]:=!|@$&"#]+'
)
_OPEN = {"{": "}", "(": ")", "[": "]"}
_MOST_DEPTH = 50


@dataclass
class Field:
    """A selected field by the name it has in the answer, and the fields selected in it."""

    name: str
    fields: list[Field] = field(default_factory=list)


class Document:
    """The operations and fragments of a query. Total: of a text that is no GraphQL it knows nothing."""

    def __init__(self, text: str) -> None:
        self.tokens = [token for token in _TOKEN.findall(text) if not token.startswith("#")]
        self.operations: list[str] = []
        self._roots: list[int] = []
        self._fragments: dict[str, int] = {}
        kind = name = ""
        place = 0
        while place < len(self.tokens):
            token = self.tokens[place]
            if token == "{":
                if kind == "fragment":
                    self._fragments[name] = place
                else:
                    self.operations.append(kind or "query")
                    self._roots.append(place)
                kind = name = ""
            elif token not in _OPEN:
                if not kind:
                    kind = token
                elif not name:
                    name = token
            place = self._after(place)

    def selected(self, path: list[str]) -> list[Field]:
        """The fields selected below ``path``, fields of the answer from the top; empty when nobody can tell."""
        if len(self._roots) != 1:
            return []
        try:
            fields = self._merged(self._roots[0], 0)
            for name in path:
                fields = next((each.fields for each in fields if each.name == name), [])
        except (IndexError, RecursionError):
            return []
        return fields

    def _merged(self, place: int, depth: int) -> list[Field]:
        found: dict[str, Field] = {}
        for each in self._fields(place, depth):
            if each.name in found:
                found[each.name].fields += each.fields
            else:
                found[each.name] = each
        return list(found.values())

    def _fields(self, place: int, depth: int) -> Iterator[Field]:
        """The fields of the selection that opens at ``place``, those of its fragments among them."""
        if depth > _MOST_DEPTH:
            raise RecursionError
        end = self._after(place) - 1
        place += 1
        while place < end:
            name = self.tokens[place]
            place += 1
            spread = name == "..."
            if spread and self.tokens[place] == "on":
                place += 2
            elif spread and self.tokens[place] not in "{@":
                if self.tokens[place] in self._fragments:
                    yield from self._fields(self._fragments[self.tokens[place]], depth + 1)
                place += 1
            elif not spread and self.tokens[place] == ":":
                place += 2
            while self.tokens[place] in "(@":
                place = self._after(place) if self.tokens[place] == "(" else place + 2
            inner = place if self.tokens[place] == "{" else None
            if inner is not None:
                place = self._after(place)
            if not spread:
                yield Field(name, self._merged(inner, depth + 1) if inner is not None else [])
            elif inner is not None:
                yield from self._fields(inner, depth + 1)

    def _after(self, place: int) -> int:
        """The place after the token at ``place``, or after the bracket that it opens."""
        depth = 0
        for index in range(place, len(self.tokens)):
            if self.tokens[index] in _OPEN:
                depth += 1
            elif self.tokens[index] in _OPEN.values():
                depth -= 1
            if depth <= 0:
                return index + 1
        return len(self.tokens)
