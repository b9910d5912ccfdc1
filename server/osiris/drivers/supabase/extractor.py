"""Reading a table of a Supabase project over its REST interface."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.connection_fields import connection_fields, text_field
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.http.client import Client
from osiris.drivers.http.rows import JsonRows
from osiris.drivers.http.service import Service

_FIELDS = ("url", "key", "project_id")
_PAGE = 1000  # the service gives no more at once, and may give less
_PAST_THE_END = 416
_OPERATOR = re.compile(
    r"(not\.)?(eq|neq|gte?|lte?|i?like|i?match|in|is|isdistinct|(pl|ph|w)?fts|cs|cd|ov|sl|sr|nxr|nxl|adj)(\([a-z_]+\))?\."
)
_LOGIC = frozenset({"and", "or", "not.and", "not.or"})
_OURS = frozenset({"select", "order", "limit", "offset", "columns", "on_conflict"})
_PROJECT = re.compile(r"[A-Za-z0-9-]+")
_COLUMN = re.compile(r"(?:(\w+):)?(\w+)(?:::\w+)?")


class SupabaseExtractor:
    """Reads rows page by page. All pages are fetched into a file of the run before the first row goes on."""

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        step = step_context(ctx)
        reading = _Reading(config, step)
        rows = JsonRows(step, _named(reading.select))
        try:
            for page in reading.pages():
                rows.add(page)
                step.checkpoint()
            if not rows.columns:
                raise ConfigurationError(
                    f"The table {config.get('table')} gives no rows, so nobody can know its columns.",
                    hint="Name them in select: then they are there on a day without rows, too.",
                )
            return {"df": rows.dataset()}
        except BaseException:
            rows.discard()
            raise


class _Reading:
    """What to read, and from where."""

    def __init__(self, config: Mapping[str, Any], step: StepContext) -> None:
        fields = connection_fields(config, _FIELDS)
        key = text_field(fields, "key")
        if not key:
            raise ConfigurationError("The Supabase connection has no field key.", hint="Add key to it.")
        base = _base(fields)
        service = Service.at("Supabase", base, key="url", credentials="key", secrets=[key])
        headers = {
            "apikey": key,
            "Authorization": f"Bearer {key}",
            "Accept-Profile": str(config.get("schema") or "public"),
        }
        timeout, retries = float(config.get("timeout") or 30), int(config.get("retries", 3))
        self.client = Client(service, step, headers=headers, timeout=timeout, retries=retries)
        self.step = step
        self.table = str(config.get("table"))
        self.url = f"{base}/rest/v1/{urllib.parse.quote(self.table, safe='')}"
        select = str(config.get("select") or "*")
        self.select = select if '"' in select else re.sub(r"\s+", "", select)
        self.order = config.get("order")
        self.filters = [_filter(str(name), value) for name, value in (config.get("filter") or {}).items()]
        self.offset = int(config.get("offset") or 0)
        self.limit: int | None = config.get("limit")

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The rows of each page, until there are no more or as many as wanted. Raises OsirisError."""
        count = pages = 0
        while self.limit is None or count < self.limit:
            wanted = _PAGE if self.limit is None else min(_PAGE, self.limit - count)
            page = self._page(wanted, self.offset + count)
            if not page:
                break
            count += len(page)
            pages += 1
            yield page
        if pages > 1 and not self.order:
            self.step.warn(
                f"The table {self.table} was read in {pages} pages without order: rows may be missing or come twice."
                " Set order to a column that is different in each row."
            )

    def _page(self, limit: int, offset: int) -> list[dict[str, Any]]:
        asked = [("select", self.select), *self.filters, ("limit", str(limit))]
        if self.order:
            asked.append(("order", str(self.order)))
        if offset:
            asked.append(("offset", str(offset)))
        url = f"{self.url}?{urllib.parse.urlencode(asked, quote_via=urllib.parse.quote, safe='*,().:')}"
        accept = frozenset({_PAST_THE_END})
        status, page = self.client.repeated(lambda: self.client.json("GET", url, accept=accept))
        if status == _PAST_THE_END:
            return []
        if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
            raise self.client.service.other_shape("it is no list of rows")
        return page


def _base(fields: Mapping[str, Any]) -> str:
    url, project = text_field(fields, "url").rstrip("/"), text_field(fields, "project_id")
    if url:
        return url
    if not _PROJECT.fullmatch(project):
        raise ConfigurationError(
            "The Supabase connection has no field url, and no project_id to make it of.", hint="Add url to it."
        )
    return f"https://{project}.supabase.co"


def _filter(column: str, value: Any) -> tuple[str, str]:
    """A condition as PostgREST reads it. Raises ConfigurationError for a column it would take for something else."""
    if column in _OURS:
        raise ConfigurationError(
            f"filter cannot name the column {column}: the REST interface takes that for a setting.",
            hint=f"Write and: ({column}.eq.VALUE).",
        )
    if value is None:
        return column, "is.null"
    if isinstance(value, bool):
        return column, f"is.{str(value).lower()}"
    if isinstance(value, list):
        quoted = ('"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"' for item in value)
        return column, f"in.({','.join(quoted)})"
    text = str(value)
    return column, text if column in _LOGIC or _OPERATOR.match(text) else f"eq.{text}"


def _named(select: str) -> list[str]:
    """The columns that ``select`` names, none unless it names all of them."""
    found = [_COLUMN.fullmatch(part) for part in select.split(",")]
    return [match[1] or match[2] for match in found if match] if all(found) else []
