"""Reading from PostgreSQL by COPY, as a stream of Arrow batches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg.abc import Buffer

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.postgres.extractor_types import MOST_DIGITS, Field
from osiris.drivers.postgres.session import StepSession
from osiris.drivers.postgres.tables import columns_of, table_of
from osiris.sql.columns import quote_name, quote_names
from osiris.sql.dataset import Dataset
from osiris.syntax.sql import tokenize_sql

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_BYTES = 16 * 1024 * 1024
_END = re.compile(r"[;\s]*\Z")

# What a type really is: the base of a domain, an enum as text; the elements of an array likewise.
_TYPES = """
WITH RECURSIVE base (id, type, modifier) AS (
  SELECT id, type, modifier FROM ROWS FROM (unnest(%s::oid[]), unnest(%s::int4[])) WITH ORDINALITY
    AS given (type, modifier, id)
  UNION ALL
  SELECT base.id, t.typbasetype, t.typtypmod FROM base JOIN pg_catalog.pg_type t ON t.oid = base.type
  WHERE t.typtype = 'd'
)
SELECT base.id, CASE WHEN item.typtype = 'd' THEN format_type(item.typbasetype, item.typtypmod) || '[]'
                     ELSE format_type(t.oid, base.modifier) END
FROM base JOIN pg_catalog.pg_type t ON t.oid = base.type AND t.typtype <> 'd'
LEFT JOIN pg_catalog.pg_type item ON item.oid = t.typelem AND t.typcategory = 'A' ORDER BY base.id"""


_CHANGING = frozenset(
    ("DELETE", "INSERT", "UPDATE", "MERGE", "TRUNCATE", "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "CALL", "COPY")
)


class PostgresExtractor:
    """Reads a table, or what a query returns, in a transaction that cannot write and sees one state of the database.

    Types are those that the server names, see ``extractor_types``. A ``numeric`` without digits, as sums have it, is
    looked at first: it becomes a decimal with the digits that its values need, at most 38 in all, else a double, which
    a ``step_progress`` event with a ``warning`` says. Such a query runs twice; ``sum(x)::numeric(18, 2)`` avoids that.
    """

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        rows = _Rows(config, step_context(ctx))
        return {"df": rows.dataset()}


class _Rows:
    """The rows of one read: the connection, the columns, and what became of them."""

    def __init__(self, config: dict[str, Any], step: StepContext) -> None:
        self.step = step
        self.batch_size = int(config.get("batch_size") or 10_000)
        self.failure: BaseException | None = None
        self.session = StepSession(config, step)
        try:
            self.query = self._query(config)
            self.fields = self._described(self.query)
            if any(field.kind == "numeric" for field in self.fields):
                self.fields = self._measured()
        except BaseException:
            self.session.close()
            raise

    def _query(self, config: dict[str, Any]) -> str:
        """The one SELECT whose rows are read."""
        wanted: Sequence[str] | None = config.get("columns")
        if config.get("query"):
            _must_read(config["query"])
            source = f"({_END.sub('', config['query'])}\n) AS osiris_query"
            if not wanted and config.get("limit") is None and not config.get("offset"):
                return _END.sub("", config["query"])
            known = [field.name for field in self._described(_END.sub("", config["query"]))]
            whose = "The result of the query"
        else:
            table = table_of(self.session, config)
            source, known, whose = table.source, columns_of(self.session, table), f"The table {config['table']}"
        missing = [name for name in wanted or () if name not in known]
        if missing:
            raise ConfigurationError(
                f"{whose} has no column {missing[0]}.", hint=f"Its columns: {', '.join(known)}; case matters."
            )
        query = f"SELECT {quote_names(wanted) if wanted else '*'} FROM {source}"
        if config.get("limit") is not None:
            query += f" LIMIT {int(config['limit'])}"
        return f"{query} OFFSET {int(config['offset'])}" if config.get("offset") else query

    def _described(self, query: str) -> list[Field]:
        """The columns of a query. As part of another one, and sent alone, it can be nothing but one SELECT."""
        with self.session.stoppable(), self.session.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({query}\n) AS osiris_query LIMIT 0", binary=True)
            result = cursor.pgresult
        if result is None or not result.nfields:
            raise ConfigurationError("The query returns no columns.", hint="Write one SELECT.")
        places = range(result.nfields)
        names = [(result.fname(place) or b"").decode() for place in places]
        ids, modifiers = [result.ftype(p) for p in places], [result.fmod(p) for p in places]
        types = self.session.rows(_TYPES, [ids, modifiers])
        return [Field.of(name, str(row[1])) for name, row in zip(names, types, strict=True)]

    def _measured(self) -> list[Field]:
        """The columns, with the digits that those without a length need."""
        places = [place for place, field in enumerate(self.fields) if field.kind == "numeric"]
        alias = quote_names(f"c{place}" for place in range(len(self.fields)))
        parts = []
        for place in places:
            name = quote_name(f"c{place}")
            finite = f"FILTER (WHERE scale({name}) IS NOT NULL)"
            parts.append(f"count({name}), bool_or({name} IS NOT NULL AND scale({name}) IS NULL), ")
            parts.append(f"max(scale({name})), max(abs({name})) {finite}, ")
        measured = "".join(parts).rstrip(", ")
        row = self.session.rows(f"SELECT {measured} FROM ({self.query}\n) AS osiris_query ({alias})")[0]
        found = list(self.fields)
        for number, place in enumerate(places):
            found[place] = self._numeric(found[place], *row[number * 4 : number * 4 + 4])
        return found

    def _numeric(self, field: Field, count: int, odd: bool | None, scale: int | None, largest: Decimal | None) -> Field:
        if not count:
            return replace(field, kind="null")
        digits = len(str(int(largest or 0)))
        if not odd and digits + (scale or 0) <= MOST_DIGITS:
            return replace(field, kind="decimal", digits=MOST_DIGITS, scale=scale or 0)
        what = "NaN or infinity" if odd else f"numbers of more than {MOST_DIGITS} digits"
        self.step.warn(f"The column {field.name} holds {what}: it is read as a floating-point number.")
        return replace(field, kind="double")

    def dataset(self) -> Dataset:
        """The rows as a stream, read when somebody asks for them."""
        import pyarrow as pa

        schema = pa.schema([pa.field(field.name, field.arrow()) for field in self.fields])
        reader = pa.RecordBatchReader.from_batches(schema, self._batches(schema))
        return Dataset(self.step.database, stream=reader, failure=lambda: self.failure)

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        count = 0
        try:
            for lines in self._lines():
                texts = _parsed(lines, len(self.fields))
                arrays = [field.array(texts.column(place)) for place, field in enumerate(self.fields)]
                count += texts.num_rows
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            self.step.log_metric("rows_read", count, unit="rows")
        except Exception as error:  # remembered, since DuckDB tells only its text
            self.failure = error
            raise
        finally:
            self.session.close()

    def _lines(self) -> Iterator[bytearray]:
        """The rows as lines of CSV, in batches."""
        lines, rows = bytearray(), 0
        with self.session.stoppable(), self.session.connection.cursor() as cursor:
            statement = f"COPY ({self.query}\n) TO STDOUT (FORMAT csv)"
            with cursor.copy(statement) as copy:
                for line in _arriving(copy):
                    lines += line
                    rows += 1
                    if rows == self.batch_size or len(lines) >= _BATCH_BYTES:
                        yield lines
                        lines, rows = bytearray(), 0
        if lines:
            yield lines


def _must_read(query: str) -> None:
    """Raise ConfigurationError for a statement that changes something, also within WITH.

    The server would refuse it as well, but with a remark on the SQL that we put around it.
    """
    words = [token.text.upper() for token in tokenize_sql(query, dialect="postgres") if token.kind != "comment"]
    first = next((word for word in words if word != "("), "")
    changes = [word for before, word in zip(["", *words], words, strict=False) if before == "(" and word in _CHANGING]
    if first in _CHANGING or (first == "WITH" and changes):
        raise ConfigurationError(
            f"Only queries that read are allowed, and this one has {first if first in _CHANGING else changes[0]}.",
            hint="Write one SELECT. What changes rows belongs into a writer.",
        )


def _arriving(copy: psycopg.Copy) -> Iterator[Buffer]:
    """The lines of a COPY. Those that are here already come without psycopg's machinery for waiting, which is slow."""
    connection = copy.cursor.connection.pgconn
    while line := copy.read():
        yield line
        while True:
            length, line = connection.get_copy_data(1)
            if length <= 0:
                break
            yield line
        if length < 0:
            while (result := connection.get_result()) is not None:
                if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                    raise psycopg.errors.error_from_result(result)
            return


def _parsed(data: bytearray, width: int) -> pa.RecordBatch:
    """Lines of CSV as columns of text: an empty value is NULL unless it is quoted. Raises ExecutionError."""
    import pyarrow as pa
    from pyarrow import csv

    names = [str(place) for place in range(width)]
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
        raise ExecutionError("The database holds text that is not UTF-8, and hands it over as it is.") from None
    return table.combine_chunks().to_batches()[0]
