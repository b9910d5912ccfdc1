"""The REST interface of a Supabase project, which is PostgREST: its addresses, and what it says when it refuses."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from osiris.core.error_categories import ErrorCategory, category_of
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.drivers.connection_fields import connection_fields, text_field
from osiris.drivers.context import StepContext
from osiris.drivers.http.client import Answer, Client, parsed
from osiris.drivers.http.service import Service

PAGE = 1000
"""Rows in one answer: the service gives no more at once, and may give less."""

_FIELDS = ("url", "key", "project_id")
_PROJECT = re.compile(r"[A-Za-z0-9-]+")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFUSED = frozenset(range(400, 600))
_NO_TABLE = frozenset({"42P01", "PGRST205"})
# Codes of a failure in which the database may have carried out the request all the same: the service lost it.
_UNSURE = re.compile(r"08...|40003|PGRST001")
_HINTS = {
    "42P10": "Name the table's own key in primary_key, or add a unique index over it to the table.",
    "42703": "Check the columns; case matters.",
    "PGRST204": "Check the columns; case matters.",
    "PGRST106": "Check schema, and which schemas the project shows over its REST interface.",
}
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_NEVER_BEGUN = frozenset({"PGRST000", "PGRST002", "PGRST003"})  # it got no connection to the database


class Rest:
    """One table of a project, over HTTP."""

    def __init__(self, config: Mapping[str, Any], step: StepContext) -> None:
        """Nothing is asked yet. Raises ConfigurationError."""
        fields = connection_fields(config, _FIELDS)
        key = text_field(fields, "key")
        if not key:
            raise ConfigurationError("The Supabase connection has no field key.", hint="Add key to it.")
        self.base = _base(fields)
        self.service = Service.at("Supabase", self.base, key="url", credentials="key", secrets=[key])
        self.table = str(config.get("table"))
        self.schema = str(config.get("schema") or "public")
        self.shown = f"the table {self.table} in {self.service.place}"
        profile = {"Accept-Profile": self.schema, "Content-Profile": self.schema}
        self.client = Client(
            self.service,
            step,
            headers={"apikey": key, "Authorization": f"Bearer {key}", **profile},
            timeout=float(config.get("timeout") or 30),
            retries=int(config.get("retries", 3)),
        )
        self._url = f"{self.base}/rest/v1/{urllib.parse.quote(self.table, safe='')}"

    def send(
        self,
        method: str,
        asked: Iterable[tuple[str, str]],
        body: bytes | None = None,
        prefer: str = "",
        *,
        accept: frozenset[int] = frozenset(),
    ) -> Answer:
        """One request about the table. Raises OsirisError, for statuses from 400 on but those of ``accept``."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if prefer:
            headers["Prefer"] = prefer
        query = urllib.parse.urlencode(list(asked), quote_via=urllib.parse.quote, safe="*,().:")
        answer = self.client.send(method, f"{self._url}?{query}", body, headers, accept=_REFUSED)
        if answer.status >= 400 and answer.status not in accept:
            raise self.refused(answer)
        return answer

    def rows(self, answer: Answer) -> list[dict[str, Any]]:
        """The rows in the body of an answer. Raises OsirisError when they are none."""
        try:
            found = parsed(answer.body)
        except ValueError as error:
            raise self.service.no_json(str(error)) from None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise self.service.other_shape("it is no list of rows")
        return found

    def refused(self, answer: Answer) -> OsirisError:
        """What an answer that says no means."""
        code, message, hint = said_in(answer)
        if code in _NO_TABLE:
            where = f"has no table {self.table} in the schema {self.schema} that it shows"
            hint = hint or "Check table and schema; case matters, and the key must be allowed to see the table."
            place = self.service.place
            return self.service.says(f"{place[:1].upper()}{place[1:]} {where}.", hint, ErrorCategory.NOT_FOUND)
        error = self.service.refuses(answer.status, message, answer.wait)
        if answer.status not in (401, 403, 429) and (category := _category(code)) is not None:
            error.category = category
        hint = hint or _HINTS.get(code, "")
        if hint:
            error.hint = self.service.says("", hint).hint
        return error

    def missing(self, answer: Answer) -> bool:
        """Whether an answer says that there is no such table."""
        return answer.status == 404 and said_in(answer)[0] in _NO_TABLE

    @property
    def may_have_been_done(self) -> bool:
        """Whether the database may have carried out the last request, which has failed."""
        answer = self.client.answer
        if answer is None:
            return self.client.sent
        if answer.status < 500 and answer.status != 408:
            return answer.status < 300
        code = said_in(answer)[0]
        return code not in _NEVER_BEGUN and (_SQLSTATE.fullmatch(code) is None or _UNSURE.fullmatch(code) is not None)


def quoted(name: str) -> str:
    """A column as PostgREST reads it in ``select``, ``order`` and the like."""
    return name if _PLAIN_NAME.fullmatch(name) else quoted_value(name)


def quoted_value(value: Any) -> str:
    """A value inside a condition in parentheses."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def said_in(answer: Answer) -> tuple[str, str, str]:
    """The code, the message and the hint in the body of a failure, each empty when it is not there."""
    try:
        body = parsed(answer.body)
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    code, message, hint = (body.get(name) for name in ("code", "message", "hint"))
    return (
        code if isinstance(code, str) else "",
        message if isinstance(message, str) else "",
        hint if isinstance(hint, str) else "",
    )


class _DatabaseError(Exception):
    """An error of the database, known by its code alone."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def _category(code: str) -> ErrorCategory | None:
    if code == "57014":
        return ErrorCategory.TIMEOUT  # by a limit of the server
    found = category_of(_DatabaseError(code)) if _SQLSTATE.fullmatch(code) else ErrorCategory.UNKNOWN
    return None if found is ErrorCategory.UNKNOWN else found


def _base(fields: Mapping[str, Any]) -> str:
    url, project = text_field(fields, "url").rstrip("/"), text_field(fields, "project_id")
    if url:
        return url
    if not _PROJECT.fullmatch(project):
        raise ConfigurationError(
            "The Supabase connection has no field url, and no project_id to make it of.", hint="Add url to it."
        )
    return f"https://{project}.supabase.co"
