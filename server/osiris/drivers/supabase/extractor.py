"""Reading a table of a Supabase project: from its database where the connection has one, else over REST."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.connection_fields import connection_fields, text_field
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.http.rows import JsonRows, gathered
from osiris.drivers.supabase.database import has_address, postgres_config, reading
from osiris.drivers.supabase.filters import condition
from osiris.drivers.supabase.rest import PAGE, Rest

_PAST_THE_END = 416
_COLUMN = re.compile(r"(?:(\w+):)?(\w+)(?:::\w+)?")


class SupabaseExtractor:
    """Reads rows by COPY from the database that ``pg_dsn`` of the connection leads to, else page by page over REST.

    Over REST all pages are fetched into a file of the run before the first row goes on.
    """

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        step = step_context(ctx)
        if has_address(config):
            wanted = reading(config)
            if wanted is not None:
                own = postgres_config(config, "Reading from the database of a Supabase project")
                from osiris.drivers.postgres.extractor import PostgresExtractor

                return PostgresExtractor().run(step_id, {**own, **wanted}, inputs, ctx)
            if not text_field(connection_fields(config, ("key",)), "key"):
                raise ConfigurationError(
                    "select, filter or order says something that only the REST interface understands, and the "
                    "Supabase connection has no field key for that.",
                    hint="Add key to it, or name plain columns.",
                )
            step.warn("select, filter or order says something that only the REST interface understands: it is asked.")
        asked = _Reading(config, step)
        unknown = ConfigurationError(
            f"The table {config.get('table')} gives no rows, so nobody can know its columns.",
            hint="Name them in select: then they are there on a day without rows, too.",
        )
        return {"df": gathered(JsonRows(step, _named(asked.select)), asked.pages(), without_columns=unknown)}


class _Reading:
    """What to read over REST."""

    def __init__(self, config: Mapping[str, Any], step: StepContext) -> None:
        self.rest = Rest(config, step)
        self.step = step
        select = str(config.get("select") or "*")
        self.select = select if '"' in select else re.sub(r"\s+", "", select)
        self.order = config.get("order")
        self.filters = [condition(str(name), value) for name, value in (config.get("filter") or {}).items()]
        self.offset = int(config.get("offset") or 0)
        self.limit: int | None = config.get("limit")

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The rows of each page, until there are no more or as many as wanted. Raises OsirisError."""
        count = pages = 0
        while self.limit is None or count < self.limit:
            wanted = PAGE if self.limit is None else min(PAGE, self.limit - count)
            page = self._page(wanted, self.offset + count)
            if not page:
                break
            count += len(page)
            pages += 1
            if pages == 2 and not self.order:
                self.step.warn(
                    f"The table {self.rest.table} is read in several pages without order: rows may be missing or come "
                    "twice. Set order to a column that is different in each row."
                )
            yield page

    def _page(self, limit: int, offset: int) -> list[dict[str, Any]]:
        asked = [("select", self.select), *self.filters, ("limit", str(limit))]
        if self.order:
            asked.append(("order", str(self.order)))
        if offset:
            asked.append(("offset", str(offset)))
        return self.rest.client.repeated(lambda: self._answered(asked))

    def _answered(self, asked: list[tuple[str, str]]) -> list[dict[str, Any]]:
        answer = self.rest.send("GET", asked, accept=frozenset({_PAST_THE_END}))
        return [] if answer.status == _PAST_THE_END else self.rest.rows(answer)


def _named(select: str) -> list[str]:
    """The columns that ``select`` names, none unless it names all of them."""
    found = [_COLUMN.fullmatch(part) for part in select.split(",")]
    return [match[1] or match[2] for match in found if match] if all(found) else []
