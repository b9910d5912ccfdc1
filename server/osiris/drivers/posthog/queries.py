"""What is asked of PostHog: the tables, their columns, and the query of one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """A column: its name with us, what it is called in HogQL, and its kind (a key of ``Column.kinds``, or instant)."""

    name: str
    source: str
    kind: str = "text"


@dataclass(frozen=True)
class Source:
    """A table of HogQL, read in the order of ``moment`` (where it has one) and ``identity``, names of its fields."""

    table: str
    identity: str
    fields: tuple[Field, ...]
    moment: str | None = None

    def place(self, name: str) -> int:
        """The place of a field in a row."""
        return next(place for place, field in enumerate(self.fields) if field.name == name)

    def key(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """What a row is sorted by, and told apart from others by."""
        names = (self.moment, self.identity) if self.moment else (self.identity,)
        return tuple(row[self.place(name)] for name in names)

    def _source(self, name: str) -> str:
        return self.fields[self.place(name)].source

    def query(
        self, limit: int, *, since: str | None, events: Sequence[str], after: tuple[Any, ...] | None, skip: int
    ) -> tuple[str, Mapping[str, Any]]:
        """HogQL and its values: ``limit`` rows from ``after`` (a key) on, of those equal to it ``skip`` left out."""
        values: dict[str, Any] = {}
        conditions: list[str] = []
        identity = f"toString({self._source(self.identity)})"
        moment = self._source(self.moment) if self.moment else None
        if events:
            values |= {f"event_{place}": event for place, event in enumerate(events)}
            names = ", ".join(f"{{event_{place}}}" for place in range(len(events)))
            conditions.append(f"event IN ({names})")
        if since is not None and moment and after is None:
            values["since"] = since
            conditions.append(f"{moment} >= toDateTime({{since}})")
        if after is not None:
            values["id"] = after[-1]
            condition = f"{identity} >= {{id}}"
            if moment:
                values["moment"] = after[0]
                at = "toDateTime({moment})"
                condition = f"({moment} > {at} OR ({moment} = {at} AND {condition}))"
            conditions.append(condition)
        columns = ", ".join(field.source for field in self.fields)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = f"{moment}, {identity}" if moment else identity
        tail = f" OFFSET {skip}" if skip else ""
        return f"SELECT {columns} FROM {self.table}{where} ORDER BY {order} LIMIT {limit}{tail}", values


SOURCES = {
    "events": Source(
        "events",
        "uuid",
        (
            Field("uuid", "uuid"),
            Field("event", "event"),
            Field("timestamp", "timestamp", "instant"),
            Field("distinct_id", "distinct_id"),
            Field("person_id", "person_id"),
            Field("properties", "properties", "json"),
        ),
        "timestamp",
    ),
    "persons": Source(
        "persons",
        "id",
        (
            Field("id", "id"),
            Field("created_at", "created_at", "instant"),
            Field("is_identified", "is_identified", "boolean"),
            Field("properties", "properties", "json"),
        ),
    ),
    "sessions": Source(
        "sessions",
        "session_id",
        (
            Field("session_id", "session_id"),
            Field("distinct_id", "distinct_id"),
            Field("start_timestamp", "$start_timestamp", "instant"),
            Field("end_timestamp", "$end_timestamp", "instant"),
            Field("session_duration", "$session_duration", "number"),
            Field("pageview_count", "$pageview_count", "integer"),
            Field("entry_current_url", "$entry_current_url"),
            Field("end_current_url", "$end_current_url"),
            Field("is_bounce", "$is_bounce", "boolean"),
        ),
        "start_timestamp",
    ),
    "person_distinct_ids": Source(
        "person_distinct_ids", "distinct_id", (Field("distinct_id", "distinct_id"), Field("person_id", "person_id"))
    ),
}
