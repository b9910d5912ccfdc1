"""Bringing rows into a table of MySQL or MariaDB: by LOAD DATA where the server takes it, else by long INSERTs.

A server loads a file several times as fast as it reads statements. But it goes on when a row of a client's file does
not fit, and only counts that as a warning. Here every warning ends the step.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from pymysql.connections import Connection
from pymysql.constants import COMMAND
from pymysql.err import MySQLError, OperationalError, error_map
from pymysql.protocol import OKPacketWrapper

from osiris.core.error_taxonomy import ConfigurationError
from osiris.drivers.context import StepContext
from osiris.drivers.mysql.catalog import quote_name
from osiris.drivers.mysql.session import StepSession
from osiris.drivers.mysql.writer_rows import file_line, is_number, row_texts
from osiris.drivers.text_rows import line_pieces
from osiris.sql.columns import Column
from osiris.sql.dataset import Dataset

_MOST_BYTES = 1_000_000  # of one INSERT, and of one packet of a file
_ALLOWED = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('local_infile', 'wsrep_load_data_splitting')"
# These take a number for something else than the text of it (the year 0 as a text is 2000).
_BY_NUMBER = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND data_type IN ('bit', 'enum', 'set', 'year')"""
# How servers and proxies say that they take no file of a client, whatever their variables tell: forbidden to the client
# (1148, 3948, 3950, 4166), to the user (1227), by an option (1290); unknown or not supported (1047, 1064, 1105, 1235).
_NO_FILES = frozenset({1047, 1064, 1105, 1148, 1227, 1235, 1290, 3948, 3950, 4166})


class FileRefused(Exception):  # noqa: N818 - an answer
    """The server, or what stands before it, takes no file of a client."""


class Load:
    """One load of ``columns`` into the columns ``names`` of the table ``into``, which is written as in SQL.

    ``replacing``: of rows with the same key the last one stays; else such a row is an error.
    """

    def __init__(
        self, session: StepSession, into: str, names: Sequence[str], columns: Sequence[Column], *, replacing: bool
    ) -> None:
        self.session = session
        self.into = into
        self.names = [quote_name(name) for name in names]
        self.columns = columns
        self.replacing = replacing
        self.most = int(session.rows("SELECT @@max_allowed_packet")[0][0]) - 1024

    def run(self, data: Dataset, size: int, target: tuple[str, str], step: StepContext) -> int:
        """Bring in the rows; how many there were. ``target``: schema and name of the table they are meant for.

        Raises OsirisError, MySQLError; then the transaction is not to be made final.
        """
        if self._may_send_file(target):
            with contextlib.suppress(FileRefused):  # then no row has been taken
                return self._send_file(data, size, step)
        return self._insert(data, size, step)

    def _may_send_file(self, target: tuple[str, str]) -> bool:
        allowed = {str(name).lower(): str(value).upper() for name, value in self.session.rows(_ALLOWED)}
        if allowed.get("local_infile") != "ON":
            return False
        if allowed.get("wsrep_load_data_splitting") == "ON":  # such a cluster makes parts of it final
            return False
        columns = zip(self.names, self.columns, strict=True)
        numbers = {name.lower() for name, column in columns if is_number(column.type) or column.type == "BLOB"}
        return not any(quote_name(str(row[0])).lower() in numbers for row in self.session.rows(_BY_NUMBER, target))

    def _send_file(self, data: Dataset, size: int, step: StepContext) -> int:
        places, sets = [], []
        for place, (name, column) in enumerate(zip(self.names, self.columns, strict=True)):
            is_binary = column.type == "BLOB"
            places.append(f"@osiris_{place}" if is_binary else name)
            if is_binary:
                sets.append(f"{name} = UNHEX(@osiris_{place})")
        statement = (
            f"LOAD DATA LOCAL INFILE 'osiris' {'REPLACE ' if self.replacing else ''}INTO TABLE {self.into} "
            "CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' "
            f"({', '.join(places)}){' SET ' if sets else ''}{', '.join(sets)}"
        )
        connection = self.session.connection
        connection.query("SET SESSION sql_notes = 0")  # what an INSERT says without being an error, too
        count = 0

        def pieces() -> Iterable[memoryview]:
            nonlocal count
            for rows, text in lines:
                yield text
                count += rows
                step.advance(rows, len(text))
                step.checkpoint()

        with contextlib.closing(line_pieces(data, file_line(self.columns), size, step)) as lines:
            if send_file(connection, statement, pieces(), min(_MOST_BYTES, self.most)):
                raise self._first_warning()
        return count

    def _first_warning(self) -> MySQLError:
        rows = self.session.rows("SHOW WARNINGS LIMIT 1")
        if not rows:
            return OperationalError(0, "a row did not fit")
        _, number, said = rows[0]
        return error_map.get(int(number), OperationalError)(int(number), str(said))

    def _insert(self, data: Dataset, size: int, step: StepContext) -> int:
        begin = f"{'REPLACE' if self.replacing else 'INSERT'} INTO {self.into} ({', '.join(self.names)}) VALUES "
        count = 0
        with contextlib.closing(row_texts(data, self.columns, size, step)) as batches:
            for rows in batches:
                self._insert_rows(begin, rows)
                count += len(rows)
                step.advance(len(rows))
                step.checkpoint()
        return count

    def _insert_rows(self, begin: str, rows: Sequence[str]) -> None:
        """Send rows in as few statements as the server's limit of their length allows."""
        parts: list[bytes] = []
        length = room = min(_MOST_BYTES, self.most) - len(begin.encode())
        for text in rows:
            part = b"(%b)" % text.encode()
            if len(part) + len(begin.encode()) > self.most:
                raise ConfigurationError(
                    f"A row is too long for {self.session.peer.place}, which takes {self.most + 1024:,} bytes at once.",
                    hint="Raise max_allowed_packet of the server, or write less in one row.",
                )
            if parts and len(part) + 1 > room:
                self.session.connection.query(begin.encode() + b",".join(parts))
                parts, room = [], length
            parts.append(part)
            room -= len(part) + 1
        if parts:
            self.session.connection.query(begin.encode() + b",".join(parts))


def send_file(connection: Connection[Any], statement: str, pieces: Iterable[memoryview], most: int) -> int:
    """Run a LOAD DATA LOCAL with ``pieces`` as the file, in packets of ``most`` bytes; how many warnings there were.

    Raises FileRefused when it is not asked for. When ``pieces`` raises, the server still waits for the rest, so the
    connection can only be closed.
    """
    connection._execute_command(COMMAND.COM_QUERY, statement)
    try:
        asks = connection._read_packet().is_load_local_packet()
    except MySQLError as error:
        if error.args and error.args[0] in _NO_FILES:
            raise FileRefused from error
        raise
    if not asks:
        raise FileRefused
    for piece in pieces:
        for start in range(0, len(piece), most):
            connection.write_packet(bytes(piece[start : start + most]))
    connection.write_packet(b"")
    return int(OKPacketWrapper(connection._read_packet()).warning_count)
