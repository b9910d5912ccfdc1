"""What a reader's query may be: a read-only session keeps it from tables, but not from files and the server itself."""

from __future__ import annotations

import re

from osiris.core.error_taxonomy import ConfigurationError
from osiris.syntax.sql import SqlToken, tokenize_sql

_READING = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN"})
_RUN_COMMENT = re.compile(r"/\*M?!\d*(.*)\*/", re.DOTALL)


def one_select(query: str) -> str:
    """The query without a semicolon at its end. Raises ConfigurationError when it is not one that only reads."""
    tokens = [token for token in tokenize_sql(query, dialect="mysql") if not _is_remark(token)]
    while tokens and tokens[-1].kind == "semicolon":
        query = query[: tokens.pop().span.start]
    first = next((token for token in tokens if token.text != "("), None)
    if first is None or first.text.upper() not in _READING:
        raise ConfigurationError("The query is not one that reads rows.", hint="It must be one SELECT.")
    if any(token.kind == "semicolon" for token in tokens):
        raise ConfigurationError("The query has several statements.", hint="It must be one SELECT.")
    if any(_writes(token) for token in tokens):
        raise ConfigurationError(
            "The query writes its result on the server (INTO).", hint="Leave INTO out: the rows come as a table."
        )
    return query


def _is_remark(token: SqlToken) -> bool:
    return token.kind == "comment" and _RUN_COMMENT.fullmatch(token.text) is None


def _writes(token: SqlToken) -> bool:
    """Whether the token is INTO, or a comment that MySQL runs as SQL and that holds it."""
    if token.kind == "comment":
        match = _RUN_COMMENT.fullmatch(token.text)
        inner = tokenize_sql(match[1], dialect="mysql") if match else []
        return any(part.kind == "semicolon" or _writes(part) for part in inner)
    return token.kind == "word" and token.text.upper() == "INTO"
