"""A lexer for SQL that reads any text: what is not closed becomes an ``error`` token, nothing raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from osiris.syntax.text import Span

SqlKind = Literal[
    "word",
    "quoted_identifier",
    "string",
    "number",
    "operator",
    "comment",
    "semicolon",
    "dollar_string",
    "placeholder",
    "error",
]

_PLACEHOLDER = re.compile(r"\$\{[^{}\r\n]*\}")
_MOST_RESTARTS = 8
_NAME_REST = re.compile(r"\w*")
_BLOCK_COMMENT_EDGE = re.compile(r"/\*|\*/")
_START = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<placeholder>\$\{[^{}\r\n]*\})
  | (?P<line_comment>--[^\r\n]*)
  | (?P<block_comment>/\*)
  | (?P<escape_string>[eE]')
  | (?P<string>(?:[bBnNxX]|[uU]&)?')
  | (?P<identifier>(?:[uU]&)?"|`)
  | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
  | (?P<parameter>\$\d+)
  | (?P<number>0[xX][0-9a-fA-F]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?)
  | (?P<word>[^\W\d](?:\w|\$(?![{$]))*)
  | (?P<semicolon>;)
  | (?P<operator>::|:=|=>|<=>|<=|>=|<>|!=|==|\|\||->>|->|\*\*|//|&&|<<|>>|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class SqlToken:
    """One token. ``span`` is in code points of the lexed text, ``text`` what stands there.

    ``placeholders`` are the ``${...}`` inside a string, quoted identifier, dollar string or comment (a placeholder
    elsewhere is a token of its own). ``unclosed`` says of an ``error`` token what it would have been.
    """

    kind: SqlKind
    span: Span
    text: str
    placeholders: tuple[Span, ...] = ()
    unclosed: SqlKind | None = None

    @property
    def name(self) -> str | None:
        """What a word or a quoted identifier names, without its quotes; None where a placeholder is part of it."""
        if self.placeholders or self.kind not in ("word", "quoted_identifier"):
            return None
        if self.kind == "word":
            return self.text
        quote = self.text[-1]
        if quote == "]":
            return self.text[1:-1]
        return self.text[self.text.index(quote) + 1 : -1].replace(quote * 2, quote)


def tokenize_sql(text: str, *, dialect: str = "duckdb") -> list[SqlToken]:
    """All tokens of ``text`` in order, without white space.

    In the dialects ``mysql`` and ``mariadb`` a backslash escapes in strings, ``"`` encloses a string, ``#`` starts a
    comment, and comments do not nest. In ``sqlite`` names may stand in brackets.
    """
    key = (text, dialect in ("mysql", "mariadb"), dialect == "sqlite")
    kept = _KEPT.get()
    if kept is None:
        return list(_tokens(*key))
    tokens = kept.get(key)
    if tokens is None:
        tokens = kept[key] = _tokens(*key)
    return list(tokens)


_KEPT: ContextVar[dict[tuple[str, bool, bool], tuple[SqlToken, ...]] | None] = ContextVar("kept", default=None)


@contextmanager
def each_lexed_once() -> Iterator[None]:
    """As long as it lasts the tokens of every text are kept, for whoever looks at many texts several times over."""
    kept = _KEPT.get()
    before = _KEPT.set({} if kept is None else kept)
    try:
        yield
    finally:
        _KEPT.reset(before)


@lru_cache(maxsize=16)  # what is looked at, is looked at by several in a row
def _tokens(text: str, mysql: bool, brackets: bool) -> tuple[SqlToken, ...]:
    tokens: list[SqlToken] = []
    at = 0
    while at < len(text):
        if mysql and text[at] == "#":
            end = _line_end(text, at)
            tokens.append(_token("comment", text, at, end))
            at = end
            continue
        if brackets and text[at] == "[":
            tokens.append(_bracketed(text, at))
            at = tokens[-1].span.end
            continue
        match = _START.match(text, at)
        if match is None:  # the last alternative takes any character; this only guards the loop
            tokens.append(_token("operator", text, at, at + 1))
            at += 1
            continue
        group = match.lastgroup or "operator"
        if group == "space":
            at = match.end()
            continue
        token = _read(text, match, group, mysql)
        tokens.append(token)
        at = token.span.end
    return tuple(tokens)


def tokenize_typed(text: str, *, dialect: str = "duckdb", cursor: int | None = None) -> list[SqlToken]:
    """The tokens of a text that somebody types: a quote that nothing closes ends with its line, and a quoted name that
    is begun at the ``cursor`` with its word, whatever quote follows further down.
    """
    tokens = tokenize_sql(text, dialect=dialect)
    for _ in range(_MOST_RESTARTS):
        found = next((i for i, token in enumerate(tokens) if _runs_on(token, cursor)), None)
        if found is None:
            break
        token = tokens[found]
        at = text.find("\n", token.span.start)
        if cursor is not None and token.span.start < cursor <= token.span.end and _quotes_name(token):
            found_end = _NAME_REST.match(text, cursor)
            at = found_end.end() if found_end is not None else cursor
        cut = SqlToken(
            "error", Span(token.span.start, at), text[token.span.start : at], (), token.unclosed or token.kind
        )
        rest = tokenize_sql(text[at:], dialect=dialect)
        tokens[found:] = [
            cut,
            *(
                SqlToken(t.kind, t.span.shift(at), t.text, tuple(p.shift(at) for p in t.placeholders), t.unclosed)
                for t in rest
            ),
        ]
    return tokens


def _runs_on(token: SqlToken, cursor: int | None) -> bool:
    if token.unclosed in ("string", "quoted_identifier"):
        if "\n" in token.text:
            return True
        if token.unclosed == "string" or cursor is None or not token.span.start < cursor <= token.span.end:
            return False
        rest = _NAME_REST.match(token.text, cursor - token.span.start)
        return rest is not None and rest.end() < len(token.text)
    inside = cursor is not None and token.span.start < cursor <= token.span.end
    return inside and token.kind == "quoted_identifier" and "\n" in token.text


def _quotes_name(token: SqlToken) -> bool:
    return "quoted_identifier" in (token.kind, token.unclosed)


def _read(text: str, match: re.Match[str], group: str, mysql: bool) -> SqlToken:
    start, end = match.span()
    if group == "placeholder":
        return SqlToken("placeholder", Span(start, end), match.group())
    if group == "line_comment":
        return _token("comment", text, start, end)
    if group == "block_comment":
        return _block_comment(text, start, nested=not mysql)
    if group in ("escape_string", "string"):
        return _quoted("string", text, start, end, "'", backslash=mysql or group == "escape_string")
    if group == "identifier":
        quote = text[end - 1]
        as_string = mysql and quote == '"'
        return _quoted("string" if as_string else "quoted_identifier", text, start, end, quote, backslash=as_string)
    if group == "dollar":
        close = text.find(match.group(), end)
        if close < 0:
            return _token("error", text, start, len(text), "dollar_string")
        return _token("dollar_string", text, start, close + end - start)
    kinds: dict[str, SqlKind] = {"number": "number", "word": "word", "semicolon": "semicolon", "parameter": "word"}
    return SqlToken(kinds.get(group, "operator"), Span(start, end), match.group())


def _token(kind: SqlKind, text: str, start: int, end: int, unclosed: SqlKind | None = None) -> SqlToken:
    inside = tuple(Span(*m.span()) for m in _PLACEHOLDER.finditer(text, start, end))
    return SqlToken(kind, Span(start, end), text[start:end], inside, unclosed)


def _line_end(text: str, at: int) -> int:
    ends = [found for found in (text.find("\n", at), text.find("\r", at)) if found >= 0]
    return min(ends, default=len(text))


def _block_comment(text: str, start: int, *, nested: bool) -> SqlToken:
    depth, at = 1, start + 2
    while edge := _BLOCK_COMMENT_EDGE.search(text, at):
        at = edge.end()
        if edge.group() == "*/":
            depth -= 1
        elif nested:
            depth += 1
        if depth == 0:
            return _token("comment", text, start, at)
    return _token("error", text, start, len(text), "comment")


def _bracketed(text: str, start: int) -> SqlToken:
    close = text.find("]", start)
    if close < 0:
        return _token("error", text, start, len(text), "quoted_identifier")
    return _token("quoted_identifier", text, start, close + 1)


def _quoted(kind: SqlKind, text: str, start: int, at: int, quote: str, *, backslash: bool) -> SqlToken:
    stop = re.compile(rf"[{quote}\\]" if backslash else quote)
    while found := stop.search(text, at):
        at = found.end()
        if found.group() == "\\" or text.startswith(quote, at):
            at += 1
        else:
            return _token(kind, text, start, at)
    return _token("error", text, start, len(text), kind)
