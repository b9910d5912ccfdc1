"""Reading a query as if it were a table, where that changes nothing: then the server can join the cells of a row.

A query becomes a table in the FROM of another one. That is done for a plain SELECT alone, which the server then merges
into the outer query. Whatever sorts, groups, counts, limits or has side effects is sent as it is written.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pymysql.constants import COMMAND
from pymysql.err import MySQLError
from pymysql.protocol import FieldDescriptorPacket

from osiris.drivers.mysql.extractor_types import Field
from osiris.syntax.sql import tokenize_sql

if TYPE_CHECKING:
    from pymysql.connections import Connection

# What a SELECT that is merged does not have, outside of parentheses.
_OTHERWISE = frozenset(
    {"ORDER", "GROUP", "HAVING", "LIMIT", "DISTINCT", "DISTINCTROW", "UNION", "EXCEPT", "MINUS", "INTERSECT", "OVER"}
    | {"WINDOW", "PROCEDURE", "INTO", "FOR", "LOCK", "OFFSET", "FETCH", "HIGH_PRIORITY", "STRAIGHT_JOIN", "SQL"}
)
_LONGEST_NAME = 64
# The server's numbers for what may stand in a query but not in a table that is one.
_NOT_AS_TABLE = frozenset({1054, 1060, 1064, 1166, 1059, 1234, 1235, 1248, 1349, 4078})


def may_be_joined(query: str) -> bool:
    """Whether the query is a plain SELECT, as far as its text tells."""
    depth, first = 0, True
    for token in tokenize_sql(query, dialect="mysql"):
        if token.kind == "comment":
            if re.match(r"/\*(?:M?!|\+)", token.text):  # it is run, or tells the server how
                return False
            continue
        word = token.text.upper() if token.kind == "word" else ""
        if first and word != "SELECT":
            return False
        first = False
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and (word in _OTHERWISE or word.startswith("SQL_")):
            return False
        if token.kind not in ("string", "quoted_identifier") and ("@" in token.text or ":=" in token.text):
            return False
    return not first


def described(connection: Connection[Any], query: str) -> Sequence[Field] | None:
    """The columns of a query, which is not run for that; None when the server does not say. Raises OperationalError."""
    try:
        connection._execute_command(COMMAND.COM_STMT_PREPARE, query)
        packet = connection._read_packet()
        packet.read_uint8()
        number, count, parameters = packet.read_uint32(), packet.read_uint16(), packet.read_uint16()
        for _ in range(parameters + (parameters > 0)):
            connection._read_packet()
        fields = [Field.of(connection._read_packet(FieldDescriptorPacket)) for _ in range(count)]
        if count:
            connection._read_packet()
        connection._execute_command(COMMAND.COM_STMT_CLOSE, struct.pack("<I", number))
    except MySQLError as error:
        if not connection.open:
            raise
        del error  # the same comes when the query is sent
        return None
    return None if parameters else fields


def can_be_columns(fields: Sequence[Field], wanted: Sequence[int]) -> bool:
    """Whether the columns of a query can be those of a table, with the values that they have."""
    names = {field.name.lower() for field in fields}
    return (
        len(names) == len(fields)
        and all(0 < len(name) <= _LONGEST_NAME and name == name.strip() for name in names)
        and all(
            fields[place].kind != "float" for place in wanted
        )  # each digit would be there, and it is told otherwise
    )


def is_no_table(error: MySQLError) -> bool:
    """Whether the server only objects to the query as a table."""
    return bool(error.args) and error.args[0] in _NOT_AS_TABLE
