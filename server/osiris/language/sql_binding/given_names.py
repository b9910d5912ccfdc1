"""What databases call the columns of a result, where it is certain: DuckDB's own names and those of the others.

A database is free to call a column that was given no name as it likes, and each does: SQLite calls ``rowid`` as the
primary key, and a name in quotes that it does not know is a text to it. What is not certain is not guessed.
"""

from __future__ import annotations

from osiris.language.sql_binding.shape import Shape, shape
from osiris.language.sql_binding.tree import Name
from osiris.language.sql_binding.words import ANSWERED
from osiris.syntax.sql import word_set

_ROWS = {"duckdb": ("col", 0), "postgres": ("column", 1)}
"""How the columns of VALUES are called, and the number of the first."""
_MOST_BYTES = {"postgres": 63, "mysql": 64, "mariadb": 64}
"""Longer names are cut or refused."""
_OTHERS = ANSWERED | word_set("oid _rowid_ _rowid system_user utc_date utc_time utc_timestamp")
"""What is no column where no column is called so, or is one by another name. In one case."""


def names_of_rows(width: int, dialect: str) -> Shape | None:
    """The columns of VALUES; None where they are not certain."""
    if dialect not in _ROWS:
        return None
    word, first = _ROWS[dialect]
    return shape(None, tuple(f"{word}{at}" for at in range(first, first + width)))


def is_kept(name: Name, dialect: str) -> bool:
    """Whether a name comes out as it is written, its case aside."""
    most = _MOST_BYTES.get(dialect)
    text = name.text
    return text == text.strip() != "" and "\\" not in text and (most is None or len(text.encode()) <= most)


def is_column(name: Name, dialect: str) -> bool:
    """Whether what is called by its name alone can be nothing but a column of that name, where no tables are known."""
    return name.key not in _OTHERS and not (name.quoted and dialect == "sqlite")
