"""A double of PostgREST, the REST interface of Supabase, on a real PostgreSQL database.

It knows the requests that the drivers send, and answers as the documentation says: bulk inserts as a JSON array,
``Prefer``, ``on_conflict``, conditions, ``order``, ``limit``, errors with ``code``, ``message`` and ``hint``, and their
statuses. Values go from JSON into the database and back by PostgreSQL itself, as they do in PostgREST.
"""

from __future__ import annotations

import re
import threading
import urllib.parse
from typing import Any

import psycopg

from drivers.web import SECRET, Reply, Request

MOST_ROWS = 1000
_SETTINGS = frozenset({"select", "order", "limit", "offset", "columns", "on_conflict"})
_OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE", "ilike": "ILIKE"}
_STATUSES = {"42P01": 404, "23503": 409, "23505": 409, "42501": 403, "08": 503, "53": 503, "40": 500, "57": 500}
_NAME = r'"((?:[^"\\]|\\.)*)"|(\w+)'


class PostgRest:
    """The tables of ``connection``, which commits by itself. ``requests`` are those that reached the database."""

    def __init__(self, connection: psycopg.Connection[Any], *, sql_interface: bool = True) -> None:
        self.connection = connection
        self.lock = threading.Lock()
        self.sql_interface = sql_interface
        self.most_bytes = 2**20
        self.blind = 0
        """How many questions about tables are answered before a table that was just made is seen."""
        self.made = False

    def answer(self, request: Request) -> Reply:
        """What PostgREST would answer."""
        if request.headers.get("apikey") != SECRET or request.headers.get("authorization") != f"Bearer {SECRET}":
            return Reply({"message": "Invalid API key"}, 401)
        if len(request.data) > self.most_bytes:
            return Reply(b"<html>413 Request Entity Too Large</html>", 413)
        parts = urllib.parse.urlsplit(request.path)
        asked = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        with self.lock:
            try:
                if parts.path == "/pg/query":
                    return self._query(request)
                return self._about_table(request, urllib.parse.unquote(parts.path.removeprefix("/rest/v1/")), asked)
            except psycopg.Error as error:
                state = error.sqlstate or "XX000"
                status = next((_STATUSES[k] for k in (state, state[:2]) if k in _STATUSES), 400)
                hint = error.diag.message_hint
                return Reply({"code": state, "message": error.diag.message_primary, "hint": hint}, status)

    def _query(self, request: Request) -> Reply:
        if not self.sql_interface:
            return Reply({"message": "no Route matched with those values"}, 404)
        self.connection.execute(request.body["query"])
        self.made = True
        return Reply([])

    def _about_table(self, request: Request, table: str, asked: list[tuple[str, str]]) -> Reply:
        options = {name: value for name, value in asked if name in _SETTINGS}
        writes = request.method != "GET"
        schema = request.headers.get("content-profile" if writes else "accept-profile", "public")
        source = f"{_quoted(schema)}.{_quoted(table)}"
        known = self.connection.execute("SELECT to_regclass(%s)", [source]).fetchone()
        if self.made and self.blind:
            self.blind -= 1
            known = (None,)
        if known is None or known[0] is None:
            message = f"Could not find the table '{schema}.{table}' in the schema cache"
            return Reply({"code": "PGRST205", "message": message, "hint": None, "details": None}, 404)
        conditions = [_condition(name, value) for name, value in asked if name not in _SETTINGS]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        if request.method == "GET":
            query = f"SELECT {_selected(options.get('select', '*'))} FROM {source}{where}"
            if "order" in options:
                query += f" ORDER BY {', '.join(_ordered(part) for part in _split(options['order']))}"
            most = min(int(options.get("limit", MOST_ROWS)), MOST_ROWS)
            return Reply(self._json(f"{query} LIMIT {most} OFFSET {int(options.get('offset', 0))}"))
        if request.method == "DELETE":
            assert where, "every row would be removed"
            self.connection.execute(f"DELETE FROM {source}{where}")  # type: ignore[arg-type]
            return Reply(b"", 204)
        return self._insert(request, source, options)

    def _insert(self, request: Request, source: str, options: dict[str, str]) -> Reply:
        preferred = {part.strip() for part in request.headers.get("prefer", "").split(",")}
        columns = ", ".join(_quoted(_name(part)) for part in _split(options["columns"]))
        rows = _literal(request.data.decode())
        insert = (
            f"INSERT INTO {source} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{source}, {rows})"
        )
        merges = "resolution=merge-duplicates" in preferred
        if merges:
            key = [_name(part) for part in _split(options["on_conflict"])]
            others = [_name(part) for part in _split(options["columns"]) if _name(part) not in key]
            updates = ", ".join(f"{_quoted(name)} = EXCLUDED.{_quoted(name)}" for name in others)
            action = f"UPDATE SET {updates}" if updates else "NOTHING"
            insert += f" ON CONFLICT ({', '.join(map(_quoted, key))}) DO {action}"
        if "return=representation" not in preferred:
            self.connection.execute(insert)  # type: ignore[arg-type]
            return Reply(b"", 200 if merges else 201)
        selected = _selected(options.get("select", "*"))
        body = self._json(f"SELECT {selected} FROM written", f"WITH written AS ({insert} RETURNING *) ")
        return Reply(body, 200 if merges else 201)

    def _json(self, query: str, before: str = "") -> bytes:
        whole = f"{before}SELECT coalesce(json_agg(found), '[]')::text FROM ({query}) AS found"
        row = self.connection.execute(whole).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return str(row[0]).encode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(text: str) -> str:
    match = re.fullmatch(_NAME, text)
    assert match, f"no name of a column: {text}"
    return _bare(match[1]) if match[1] is not None else match[2]


def _bare(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _split(text: str) -> list[str]:
    """The parts between commas, those in quotes and parentheses left aside."""
    parts, depth, quotes, place = [""], 0, False, 0
    while place < len(text):
        letter = text[place]
        if letter == "\\" and quotes:
            parts[-1] += text[place : place + 2]
            place += 2
            continue
        quotes ^= letter == '"'
        depth += 0 if quotes else {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not quotes and not depth:
            parts.append("")
        else:
            parts[-1] += letter
        place += 1
    return parts


def _selected(select: str) -> str:
    if select == "*":
        return "*"
    found = []
    for part in _split(select):
        match = re.fullmatch(rf"(?:(\w+):)?(?P<name>{_NAME})(?:::(\w+))?", part)
        assert match, part
        name = _name(match["name"])
        cast = f"::{match[5]}" if match[5] else ""
        found.append(f"{_quoted(name)}{cast} AS {_quoted(match[1] or name)}")
    return ", ".join(found)


def _ordered(text: str) -> str:
    match = re.fullmatch(rf"(?P<name>{_NAME})(?:\.(asc|desc))?(?:\.nulls(first|last))?", text)
    assert match, text
    nulls = f" NULLS {match[5]}" if match[5] else ""
    return f"{_quoted(_name(match['name']))} {match[4] or 'asc'}{nulls}"


def _condition(name: str, value: str) -> str:
    if name in ("and", "or"):
        return _tree(f"{name}{value}")
    return _compared(_name(name), value, inside=False)


def _tree(text: str) -> str:
    match = re.fullmatch(r"(and|or)\((.*)\)", text, re.DOTALL)
    if match:
        return "(" + f" {match[1]} ".join(_tree(part) for part in _split(match[2])) + ")"
    match = re.fullmatch(rf"(?P<name>{_NAME})\.(?P<rest>.*)", text, re.DOTALL)
    assert match, text
    return _compared(_name(match["name"]), match["rest"], inside=True)


def _compared(column: str, text: str, *, inside: bool) -> str:
    operator, _, value = text.partition(".")
    if operator == "not":
        return f"NOT ({_compared(column, value, inside=inside)})"
    if operator == "is":
        return f"{_quoted(column)} IS {value.replace('_', ' ')}"
    if operator == "in":
        items = [_bare(part[1:-1]) if part.startswith('"') else part for part in _split(value[1:-1])]
        return f"{_quoted(column)} IN ({', '.join(map(_literal, items))})"
    if operator == "isdistinct":
        return f"{_quoted(column)} IS DISTINCT FROM {_literal(value)}"
    if inside and value.startswith('"'):
        value = _bare(value[1:-1])
    if operator in ("like", "ilike"):
        value = value.replace("*", "%")
    return f"{_quoted(column)} {_OPERATORS[operator]} {_literal(value)}"
