"""Reading events, persons, sessions and distinct ids from PostHog, by its query interface."""

from __future__ import annotations

import datetime
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.connection_fields import connection_fields, text_field
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.http.client import Client
from osiris.drivers.http.rows import Column, JsonRows, gathered
from osiris.drivers.http.service import Service
from osiris.drivers.posthog.queries import SOURCES, Field, Source

_REGIONS = {"us": "https://us.posthog.com", "eu": "https://eu.posthog.com"}
_FIELDS = ("api_key", "project_id", "region", "custom_base_url")
_TIMEOUT = 120.0
_RETRIES = 3


class PosthogExtractor:
    """Reads one kind of data, in its order, page by page. It remembers nothing: each run reads from ``initial_since``.

    All pages are fetched into a file of the run before the first row goes on.
    """

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        step = step_context(ctx)
        reading = _Reading(config, step)
        rows = JsonRows(step, [_column(field) for field in reading.source.fields])
        pages = ((reading.row(values) for values in page) for page in reading.pages())
        return {"df": gathered(rows, pages)}


class _Reading:
    """What to read, and from where."""

    def __init__(self, config: Mapping[str, Any], step: StepContext) -> None:
        fields = connection_fields(config, _FIELDS)
        key, project = (text_field(fields, name) for name in ("api_key", "project_id"))
        for name, value in (("api_key", key), ("project_id", project)):
            if not value:
                raise ConfigurationError(f"The PostHog connection has no field {name}.", hint=f"Add {name} to it.")
        base = _base(fields)
        self.url = f"{base}/api/projects/{urllib.parse.quote(project, safe='')}/query/"
        service = Service.at("PostHog", self.url, key=_key_of(fields), credentials="api_key", secrets=[key])
        headers = {"Authorization": f"Bearer {key}"}
        self.client = Client(service, step, headers=headers, timeout=_TIMEOUT, retries=_RETRIES)
        kind = str(config.get("data_type"))
        self.source: Source = SOURCES[kind]
        self.size = int(config.get("page_size") or 1000)
        self.once = config.get("deduplication_enabled", True) is not False
        self.events = [str(name) for name in config.get("event_types") or ()]
        if self.events and kind != "events":
            step.warn(f"event_types says nothing about {kind}: all of them are read.")
            self.events = []
        self.since = _since(config)
        if self.since is not None and self.source.moment is None:
            step.warn(f"initial_since says nothing about {kind}: all of them are read.")

    def row(self, values: list[Any]) -> dict[str, Any]:
        """A row as columns."""
        return {field.name: _plain(field, value) for field, value in zip(self.source.fields, values, strict=True)}

    def pages(self) -> Iterator[list[list[Any]]]:
        """The rows of each page. Raises OsirisError.

        A page begins with the last row of the page before. So it is certain that nothing is between the two, whatever
        was added meanwhile; that row itself is left out.
        """
        last: tuple[Any, ...] | None = None
        equal = 0  # rows so far that have the key of the last one
        while True:
            found = self._found(last, max(equal - 1, 0))
            more = len(found) == self.size
            if last is not None:
                if not found or self.source.key(found[0]) != last:
                    raise self.client.service.says(
                        f"The {self.source.table} changed in PostHog while they were read, or its answers cannot be"
                        " put together page by page.",
                        "Run it again.",
                        ErrorCategory.BUSY,
                    )
                found = found[1:]
            page = []
            for values in found:
                key = self.source.key(values)
                if key != last or not self.once:
                    page.append(values)
                equal = equal + 1 if key == last else 1
                last = key
            yield page
            if not more:
                return

    def _found(self, after: tuple[Any, ...] | None, skip: int) -> list[list[Any]]:
        """The rows of one answer. Raises OsirisError."""
        query, values = self.source.query(self.size, since=self.since, events=self.events, after=after, skip=skip)
        asked = {"kind": "HogQLQuery", "query": query, "values": values}
        body = {"query": asked, "refresh": "force_blocking"}
        _, answer = self.client.repeated(lambda: self.client.json("POST", self.url, body))
        found = answer.get("results") if isinstance(answer, dict) else None
        width = len(self.source.fields)
        if not isinstance(found, list) or not all(isinstance(row, list) and len(row) == width for row in found):
            raise self.client.service.other_shape(f"it has no results with {width} values in each row")
        return found


def _base(fields: Mapping[str, Any]) -> str:
    region = text_field(fields, "region") or "us"
    own = text_field(fields, "custom_base_url").strip().rstrip("/")
    if region == "self_hosted":
        if not own:
            raise ConfigurationError("region self_hosted needs custom_base_url.", hint="Add it to the connection.")
        return own
    if own:
        raise ConfigurationError(
            f"custom_base_url is for region self_hosted, and region is {region}.",
            hint="Write region: self_hosted, or leave custom_base_url out.",
        )
    if region not in _REGIONS:
        raise ConfigurationError("region must be us, eu or self_hosted.")
    return _REGIONS[region]


def _key_of(fields: Mapping[str, Any]) -> str:
    return "custom_base_url" if text_field(fields, "region") == "self_hosted" else "region and project_id"


def _since(config: Mapping[str, Any]) -> str | None:
    """Where to begin, in UTC: ``lookback_window_minutes`` before ``initial_since``. Raises ConfigurationError."""
    text = config.get("initial_since")
    if text is None:
        return None
    try:
        moment = _instant(str(text))
        begin = moment - datetime.timedelta(minutes=int(config.get("lookback_window_minutes") or 0))
    except (ValueError, OverflowError):
        raise ConfigurationError(
            "initial_since is no date or time.", hint="Write it as 2026-01-31 or 2026-01-31T08:00:00Z."
        ) from None
    return begin.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _instant(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)


def _column(field: Field) -> Column:
    if field.kind == "instant":
        return Column(field.name, instant=True)
    return Column(field.name, {"text" if field.kind == "json" else field.kind})


def _plain(field: Field, value: Any) -> Any:
    """A value as its column wants it: PostHog writes truth as a number, and objects now and then as their text."""
    if field.kind == "boolean" and value in (0, 1):
        return bool(value)
    if field.kind in ("json", "text") and value is not None and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
