"""Making a table of a Supabase project that is not there yet."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence

from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.drivers.context import StepContext
from osiris.drivers.postgres_types import column_type
from osiris.drivers.supabase.rest import Rest
from osiris.sql.columns import Column, quote_name, quote_names

_LOOKS = 20
_LOOK_SECONDS = 0.5


def make_table(
    rest: Rest,
    step: StepContext,
    columns: Sequence[Column],
    key: Sequence[str],
    channel: str,
    asked: list[tuple[str, str]],
) -> None:
    """Make the table over the project's SQL interface, and wait until the REST interface shows it.

    ``channel`` as in the spec; ``asked`` is a question about the table. Raises ConfigurationError with the statement
    that makes the table when there is no way to.
    """
    statement = statement_for(rest, columns, key)
    if channel == "psycopg2":
        raise ConfigurationError(
            f"There is no {rest.shown.removeprefix('the ')}, and ddl_channel psycopg2 needs pg_dsn in the connection.",
            hint=f"Add pg_dsn to it, or make the table: {statement}",
        )
    body = json.dumps({"query": f"{statement}; NOTIFY pgrst, 'reload schema'"}).encode()
    kind = {"Content-Type": "application/json"}
    try:
        rest.client.send("POST", f"{rest.base}/pg/query", body, kind)
    except OsirisError as error:
        if error.category.transient:
            raise
        raise ConfigurationError(
            f"There is no {rest.shown.removeprefix('the ')}, and it cannot be made over the project's SQL interface, "
            f"which projects that one hosts oneself have: {error}",
            hint=f"Add pg_dsn to the connection, or make the table: {statement}",
        ) from error
    for _ in range(_LOOKS):
        answer = rest.client.repeated(lambda: rest.send("GET", asked, accept=frozenset({404})))
        if answer.status != 404:
            return
        woken = threading.Event()
        with step.stopper.through(woken.set):
            woken.wait(_LOOK_SECONDS)
        step.checkpoint()
    raise rest.refused(answer)


def statement_for(rest: Rest, columns: Sequence[Column], key: Sequence[str]) -> str:
    """The statement that makes the table with the columns and types of the data."""
    parts = [f"{quote_name(column.name)} {column_type(column.type)}" for column in columns]
    if key:
        parts.append(f"PRIMARY KEY ({quote_names(key)})")
    return f"CREATE TABLE {quote_name(rest.schema)}.{quote_name(rest.table)} ({', '.join(parts)})"
