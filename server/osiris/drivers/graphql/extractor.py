"""Reading from a GraphQL service, page by page."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.connection_fields import connection_fields, text_field
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.graphql.flattening import Flattened
from osiris.drivers.graphql.selection import Document
from osiris.drivers.http.client import Client
from osiris.drivers.http.rows import JsonRows, gathered
from osiris.drivers.http.service import Service

_FIELDS = ("endpoint", "auth_token", "auth_username", "auth_type", "auth_header_name")
_EXPLAINED = frozenset({400, 422})  # statuses that come with errors as GraphQL writes them
_C = ErrorCategory
_CODES = {
    "UNAUTHENTICATED": _C.AUTHENTICATION,
    "UNAUTHORIZED": _C.AUTHENTICATION,
    "FORBIDDEN": _C.PERMISSION,
    "ACCESS_DENIED": _C.PERMISSION,
    "THROTTLED": _C.BUSY,
    "RATE_LIMITED": _C.BUSY,
    "TOO_MANY_REQUESTS": _C.BUSY,
    "INTERNAL_SERVER_ERROR": _C.UNREACHABLE,
    "SERVICE_UNAVAILABLE": _C.UNREACHABLE,
    "TIMEOUT": _C.TIMEOUT,
}


class GraphqlExtractor:
    """Reads what a query answers, as rows. It only ever sends queries: a mutation or subscription is refused.

    All pages are fetched into a file of the run before the first row goes on, since only then the types are known:
    whole numbers, numbers, yes or no, and text, which lists and other nested values are as JSON.
    """

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        step = step_context(ctx)
        document = _only_queries(config)
        path = str(config.get("data_path") or "data").split(".")
        selected = document.selected(path[1:]) if path[0] == "data" else []
        flattened = Flattened(selected, deep=config.get("flatten_result", True) is not False)
        rows = JsonRows(step, flattened.known)
        pages = (flattened.rows(_rows_of(answer, path)) for answer in _Pages(config, step).answers())
        return {"df": gathered(rows, pages, dropped=lambda: flattened.dropped(rows.columns))}


class _Pages:
    """The answers of the service, one after the other."""

    def __init__(self, config: Mapping[str, Any], step: StepContext) -> None:
        connection: Mapping[str, Any] = config.get("connection") or {}
        fields = connection_fields(config, _FIELDS)
        headers = {str(k): str(v) for part in (connection, config) for k, v in (part.get("headers") or {}).items()}
        own, secrets = _credentials(fields, step)
        self.config = config
        self.url = text_field(fields, "endpoint")
        if not self.url:
            raise ConfigurationError("The step and its connection have no endpoint.", hint="Add it to the connection.")
        known = (*secrets, *(value for value in headers.values() if len(value) >= 8))
        service = Service.at("GraphQL", self.url, key="endpoint", credentials="auth_type and auth_token", secrets=known)
        self.client = Client(
            service,
            step,
            headers={**headers, **own},
            timeout=float(config.get("timeout") or 30),
            retries=int(config.get("max_retries", 3)),
            delay=float(config.get("retry_delay") or 1.0),
            verify=config.get("validate_ssl", True) is not False,
        )
        try:
            json.dumps(config.get("variables") or {}, allow_nan=False)
        except (TypeError, ValueError):
            raise ConfigurationError("variables hold a value that JSON does not know.") from None

    def answers(self) -> Iterator[dict[str, Any]]:
        """Each page's answer. Raises OsirisError."""
        variables = dict(self.config.get("variables") or {})
        most = int(self.config.get("max_pages") or 0)
        count = 0
        while True:
            given = dict(variables)
            answer = self.client.repeated(lambda: self._asked(given))  # noqa: B023 - called before the next round
            yield answer
            count += 1
            if not self.config.get("pagination_enabled") or count == most:
                return
            cursor = self._cursor(answer)
            if cursor is None:
                return
            name = str(self.config.get("pagination_variable_name") or "after")
            if cursor == variables.get(name):
                raise self.client.service.other_shape(
                    "the cursor of the next page is the one of this page",
                    f"Check that the query uses the variable ${name}, and pagination_variable_name.",
                )
            variables[name] = cursor

    def _asked(self, variables: dict[str, Any]) -> dict[str, Any]:
        body = {"query": self.config.get("query"), "variables": variables}
        status, answer = self.client.json("POST", self.url, body, accept=_EXPLAINED)
        service = self.client.service
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            raise _explained(service, errors if isinstance(errors, list) else [errors])
        if status in _EXPLAINED:
            raise service.refuses(status)
        if not isinstance(answer, dict):
            raise service.other_shape("it is no object with data", "Check that endpoint is the address for GraphQL.")
        return answer

    def _cursor(self, answer: dict[str, Any]) -> Any:
        """Where the next page begins, None when there is none."""
        path = str(self.config.get("pagination_path") or "data.pageInfo")
        info = _at(answer, path.split("."), "pagination_path")
        more = str(self.config.get("pagination_has_next_field") or "hasNextPage")
        name = str(self.config.get("pagination_cursor_field") or "endCursor")
        for key, option in ((more, "pagination_has_next_field"), (name, "pagination_cursor_field")):
            if not isinstance(info, dict) or key not in info:
                raise ConfigurationError(
                    f"The page information at {path} has no field {key}.",
                    hint=f"Ask for it in the query, or check pagination_path and {option}.",
                )
        if not info[more]:
            return None
        if info[name] is None:
            raise self.client.service.other_shape(f"there is a next page, but {path}.{name} is null")
        return info[name]


def _only_queries(config: Mapping[str, Any]) -> Document:
    document = Document(str(config.get("query") or ""))
    other = next((kind for kind in document.operations if kind != "query"), None)
    if other is not None:
        known = other in ("mutation", "subscription")
        what = f"This is a {other}" if known else "This is no GraphQL query"
        raise ConfigurationError(f"{what}, and graphql.extractor only reads.", hint="Write query { ... }.")
    return document


def _credentials(fields: Mapping[str, Any], step: StepContext) -> tuple[dict[str, str], tuple[str, ...]]:
    """The headers that authenticate, and what in them is secret. Raises ConfigurationError."""
    kind = text_field(fields, "auth_type") or "none"
    token = text_field(fields, "auth_token")
    if kind == "none":
        if token:
            step.warn("auth_token is set but not sent, since auth_type is none.")
        return {}, (token,)
    if not token:
        raise ConfigurationError(f"auth_type {kind} needs auth_token.", hint="Add auth_token to the connection.")
    if kind == "bearer":
        return {"Authorization": f"Bearer {token}"}, (token,)
    if kind == "basic":
        pair = f"{text_field(fields, 'auth_username')}:{token}"
        encoded = base64.b64encode(pair.encode()).decode()
        return {"Authorization": f"Basic {encoded}"}, (token, encoded)
    return {text_field(fields, "auth_header_name") or "X-API-Key": token}, (token,)


def _rows_of(answer: dict[str, Any], path: list[str]) -> list[Any]:
    found = _at(answer, path, "data_path")
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _at(answer: dict[str, Any], path: list[str], option: str) -> Any:
    """What stands at ``path``, None below something that is null. Raises ConfigurationError when nothing does."""
    found: Any = answer
    for depth, name in enumerate(path):
        if found is None:
            return None
        if not isinstance(found, dict) or name not in found:
            above = ".".join(path[:depth]) or "the top"
            names = ", ".join(sorted(map(str, found))[:20]) if isinstance(found, dict) else ""
            there = f"At {above} stand: {names}." if names else f"At {above} stands no object."
            raise ConfigurationError(f"The answer has nothing at {'.'.join(path)}.", hint=f"Check {option}. {there}")
        found = found[name]
    return found


def _explained(service: Service, errors: list[Any]) -> OsirisError:
    """The first error that the service reports, with its place in the query."""
    first = errors[0] if isinstance(errors[0], dict) else {"message": str(errors[0])}
    extensions = first.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else first.get("type")
    category = _CODES.get(str(code).upper(), _C.QUERY)
    words = service.words(str(first.get("message") or "")) or "no reason is given."
    path = first.get("path")
    words = words if words.endswith("...") else words[:-1]
    where = f" (at {'.'.join(map(str, path))})" if isinstance(path, list) and path else ""
    more = f" {len(errors) - 1} more errors." if len(errors) > 2 else " One more error." if len(errors) == 2 else ""
    hint = "Check auth_type and auth_token." if category in (_C.AUTHENTICATION, _C.PERMISSION) else None
    error = service.says(
        f"{service.place[:1].upper()}{service.place[1:]} reports: {words}{where}.{more}", hint, category
    )
    places = first.get("locations")
    place = places[0] if isinstance(places, list) and places else None
    if isinstance(place, dict) and isinstance(place.get("line"), int) and isinstance(place.get("column"), int):
        error.line, error.column = place["line"], place["column"]
    return error
