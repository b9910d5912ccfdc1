"""Writing into a table of a Supabase project: into its database where the connection has one, else over REST."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError, ExecutionError, OsirisError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, StepStopped, single_input, step_context
from osiris.drivers.supabase.database import has_address, postgres_config
from osiris.drivers.supabase.rest import PAGE, Rest, quoted, quoted_value
from osiris.drivers.supabase.table import make_table
from osiris.drivers.supabase.writer_rows import Batch, batches
from osiris.drivers.targets import require_key
from osiris.sql.columns import Column

_TOO_LARGE = 413
_MOST_CONDITION = 4000  # characters of a condition; longer addresses do not get through everywhere


class SupabaseWriter:
    """Appends to, replaces or updates the rows of a table.

    In the database that ``pg_dsn`` of the connection leads to, a reader sees all of it or nothing. Over REST each
    request is a transaction of its own; before the first one that appends is sent, the run is told.
    """

    all_or_nothing = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError."""
        step = step_context(ctx)
        if has_address(config):
            own = postgres_config(config, "Writing into the database of a Supabase project")
            from osiris.drivers.postgres.writer import PostgresWriter

            mode = {"mode": config.get("write_mode") or "append", "primary_key": config.get("primary_key")}
            create = {"create_table": config.get("create_if_missing", True) is not False}
            return PostgresWriter().run(step_id, {**own, **mode, **create}, inputs, ctx)
        data = single_input(inputs, step_id)
        target = _Target(config, step, data.columns)
        kept = data.keep()  # a failure of the steps before must not leave half of the rows in the table
        try:
            rows = target.load(kept)
        finally:
            if kept is not data:
                kept.release()
        step.log_metric("rows_written", rows, unit="rows")
        return {}


class _Target:
    """The table that is written to over REST."""

    def __init__(self, config: Mapping[str, Any], step: StepContext, columns: Sequence[Column]) -> None:
        self.rest = Rest(config, step)
        self.step = step
        self.config = config
        self.columns = columns
        self.mode: str = config.get("write_mode") or "append"
        key = config.get("primary_key") or []
        named = [key] if isinstance(key, str) else list(key)
        require_key(named, columns)
        self.key = [next(c.name for c in columns if c.name.lower() == name.lower()) for name in named]
        if self.mode != "append" and not self.key:
            raise ConfigurationError(f"write_mode {self.mode} needs primary_key.", hint="Name the table's key in it.")
        self.noted = False
        self.added = 0
        self.came: set[bytes] = set()

    def load(self, data: Any) -> int:
        """Bring in the rows; how many there were. Raises OsirisError."""
        self._look()
        count = 0
        size = int(self.config.get("batch_size") or 100)
        try:
            for batch in batches(data, self.columns, self.key if self.mode != "append" else (), size, self.step):
                self.step.checkpoint()
                self._put(batch)
                count += len(batch.rows)
                self.step.advance(len(batch.rows), sum(map(len, batch.rows)))
        except Exception as error:
            told = error if isinstance(error, OsirisError) else None
            if self.mode == "append" and self.added and not (told and told.outcome_unknown):
                raise self._in_part(told, known=True) from error
            raise
        except StepStopped as stopped:
            if self.mode == "append" and self.added:
                raise StepStopped(self.step.step_id) from self._in_part(None, known=True)
            raise stopped
        if self.mode == "replace":
            self.step.checkpoint()
            self._remove_others()
        return count

    def _look(self) -> None:
        """See before anything is written that the table and its columns are there; make it when that is wanted."""
        asked = [("select", self._list(column.name for column in self.columns)), ("limit", "0")]
        try:
            answer = self.rest.client.repeated(lambda: self.rest.send("GET", asked, accept=frozenset({404})))
        except OsirisError as error:
            # Who may write need not be allowed to read; that shows when the rows are sent.
            if error.category in (ErrorCategory.PERMISSION, ErrorCategory.AUTHENTICATION) and self.mode == "append":
                return
            raise
        if answer.status != 404:
            return
        if not self.rest.missing(answer) or self.config.get("create_if_missing", True) is False:
            raise self.rest.refused(answer)
        channel = str(self.config.get("ddl_channel") or "auto")
        make_table(self.rest, self.step, self.columns, self.key, channel, asked)

    def _put(self, batch: Batch) -> None:
        """Send rows in one request, or in more when that is too large for the service."""
        if self.mode != "append":
            batch = batch.of_last()
        elif not self.noted:
            self.step.about_to_commit(journalled=False)
            self.noted = True
        if self.mode == "replace" and "" in batch.keys:
            raise ExecutionError(
                f"A row has no value in its key ({', '.join(self.key)}), so it cannot be told which rows to remove.",
                hint="Leave such rows out, or use write_mode append.",
            )
        asked = [("columns", self._list(column.name for column in self.columns))]
        if self.mode != "append":
            asked.append(("on_conflict", self._list(self.key)))
        if self.mode == "replace":
            asked.append(("select", self._key_columns()))
        answer = self._sent(batch, asked)
        if answer is None:
            for half in batch.halves():
                self._put(half)
            return
        self.added += len(batch.rows)
        if self.mode == "replace":
            keys = [_digest(values) for values in self._values(answer)]
            if len(keys) != len(batch.rows):
                why = f"{len(batch.rows)} rows were sent and {len(keys)} keys came back"
                raise self.rest.service.other_shape(why, "Nothing was removed from the table.")
            self.came.update(keys)

    def _sent(self, batch: Batch, asked: list[tuple[str, str]]) -> list[dict[str, Any]] | None:
        """What came back for a batch, None when it was too large. Raises OsirisError."""
        client = self.rest.client
        accept = frozenset({_TOO_LARGE}) if len(batch.rows) > 1 else frozenset()
        try:
            answer = client.repeated(
                lambda: self.rest.send("POST", asked, batch.body(), self._prefer(), accept=accept),
                harmless=lambda: self.mode != "append" or not self.rest.may_have_been_done,
            )
        except OsirisError as error:
            if self.mode == "append" and self.rest.may_have_been_done:
                raise self._in_part(error, known=False) from error
            raise
        except StepStopped as stopped:
            if self.mode == "append" and self.rest.may_have_been_done:
                raise StepStopped(self.step.step_id) from self._in_part(None, known=False)
            raise stopped
        if answer.status == _TOO_LARGE:
            return None
        if answer.status not in (200, 201, 204) or "text/html" in answer.headers.get("content-type", ""):
            raise self.rest.service.other_shape(
                f"HTTP {answer.status} does not say that rows were written", "Check url: it may lead to a web page."
            )
        return self.rest.rows(answer) if self.mode == "replace" else []

    def _prefer(self) -> str:
        wanted = "representation" if self.mode == "replace" else self.config.get("returning") or "minimal"
        parts = [f"return={wanted}"]
        if self.mode != "append":
            parts.append("resolution=merge-duplicates")
        if self.config.get("prefer"):
            parts.append(str(self.config["prefer"]))
        return ",".join(parts)

    def _in_part(self, error: OsirisError | None, *, known: bool) -> ExecutionError:
        """The error when some of the rows to append are in the table, or nobody knows; the step is not tried again."""
        said = f"{error} " if error is not None else ""
        before = f"{self.added} row{'' if self.added == 1 else 's'}"
        if known:
            message = f"{said}Before that, {before} were added to {self.rest.shown}: each request is final by itself."
            hint = "Remove them before you run the step again; it would add them once more."
        else:
            also = f" {before} were added before." if self.added else ""
            message = f"{said}Nobody knows whether the rows of the last request are in {self.rest.shown}.{also}"
            hint = "Look which of the rows are there before you run the step again; it would add them once more."
        found = ExecutionError(message, hint=f"{hint} With write_mode upsert a step can be repeated.")
        found.outcome_unknown = True
        return found

    # What a replace removes.

    def _remove_others(self) -> None:
        """Remove the rows whose key did not come. Rows that others add meanwhile may go or stay."""
        self._delete([("or", f"({','.join(f'{quoted(name)}.is.null' for name in self.key)})")])
        condition: list[str] = []
        length = 0
        for keys in self._keys():
            for values in keys:
                if _digest(values) in self.came:
                    continue
                one = self._equal(values)
                if length + len(one) > _MOST_CONDITION:
                    self._delete([("or", f"({','.join(condition)})")])
                    condition, length = [], 0
                condition.append(one)
                length += len(one) + 1
            self.step.checkpoint()
        if condition:
            self._delete([("or", f"({','.join(condition)})")])

    def _keys(self) -> Iterator[list[list[str]]]:
        """The keys in the table, in their order, page by page."""
        order = ",".join(f"{quoted(name)}.asc" for name in self.key)
        last: list[str] | None = None
        while True:
            asked = [("select", self._key_columns()), ("order", order), ("limit", str(PAGE))]
            if last is not None:
                asked.append(("or", f"({self._after(last)})"))
            page = self._page(asked)
            if not page:
                return
            yield page
            last = page[-1]

    def _page(self, asked: list[tuple[str, str]]) -> list[list[str]]:
        found = self.rest.client.repeated(lambda: self.rest.rows(self.rest.send("GET", asked)))
        return self._values(found)

    def _values(self, rows: list[dict[str, Any]]) -> list[list[str]]:
        names = [f"k{place}" for place in range(len(self.key))]
        if not all(isinstance(row.get(name), str) for row in rows for name in names):
            raise self.rest.service.other_shape("a key is missing in it")
        return [[row[name] for name in names] for row in rows]

    def _after(self, values: Sequence[str]) -> str:
        """The condition of the keys that follow."""
        parts = []
        for place, (name, value) in enumerate(zip(self.key, values, strict=True)):
            same = [f"{quoted(n)}.eq.{quoted_value(v)}" for n, v in zip(self.key[:place], values, strict=False)]
            more = f"{quoted(name)}.gt.{quoted_value(value)}"
            parts.append(f"and({','.join([*same, more])})" if same else more)
        return ",".join(parts)

    def _equal(self, values: Sequence[str]) -> str:
        parts = [f"{quoted(name)}.eq.{quoted_value(value)}" for name, value in zip(self.key, values, strict=True)]
        return parts[0] if len(parts) == 1 else f"and({','.join(parts)})"

    def _delete(self, asked: list[tuple[str, str]]) -> None:
        self.rest.client.repeated(lambda: self.rest.send("DELETE", asked, prefer="return=minimal"))

    def _key_columns(self) -> str:
        """The key in ``select``, each value as the text that PostgreSQL has for it: so both answers write it alike."""
        return ",".join(f"k{place}:{quoted(name)}::text" for place, name in enumerate(self.key))

    def _list(self, names: Any) -> str:
        return ",".join(quoted(name) for name in names)


def _digest(values: Sequence[str]) -> bytes:
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).digest()
