"""The columns of a result of PostgreSQL: which Arrow type each gets, and its texts as that type.

Values come as the texts of COPY, which are exact. Enums, ranges, uuid, json, network and all other types that Arrow
has no exact form for stay text. What neither Arrow nor the engine can hold stops the step with a hint: NaN in a
``numeric(12,2)``, an array of more than one dimension. Infinite dates and timestamps are infinite in the engine, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ExecutionError, OsirisError
from osiris.drivers.postgres.array_text import flat_items

if TYPE_CHECKING:
    import pyarrow as pa

MOST_DIGITS = 38
_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_KINDS = {
    "boolean": "bool",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "oid": "uint32",
    "real": "float",
    "double precision": "double",
    "bytea": "binary",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "numeric": "numeric",
}
_PRECISION = re.compile(
    r"(time|timestamp|interval)(?: (?:year|month|day|hour|minute|second)(?: to [a-z]+)?)?(?:\(\d\))?"
    r"( with(?:out)? time zone)?"
)


@dataclass(frozen=True)
class Field:
    """A column of a result. ``kind`` is the name of its Arrow type in one word; ``numeric`` while that is not known.

    ``digits`` and ``scale`` are those of a decimal; ``item`` is the field of an array's elements.
    """

    name: str
    kind: str
    digits: int = 0
    scale: int = 0
    item: Field | None = None

    @classmethod
    def of(cls, name: str, type_: str) -> Field:
        """The column of a type as ``format_type`` writes it."""
        if type_.endswith("[]"):
            item = cls.of(name, type_[:-2])
            if item.kind == "numeric":
                item = replace(item, kind="double")  # of any length: nobody counts the digits in arrays
            return cls(name, "list", item=item)
        if match := _NUMERIC.fullmatch(type_):
            scale = int(match[2])
            digits = max(int(match[1]) - min(scale, 0), scale)
            return cls(name, "decimal", min(digits, MOST_DIGITS), min(max(scale, 0), MOST_DIGITS))
        if match := _PRECISION.fullmatch(type_):
            zoned = match[2] == " with time zone"
            return cls(name, {"time": "string", "timestamp": "timestamptz"}[match[1]] if zoned else match[1])
        return cls(name, _KINDS.get(type_, "string"))

    def arrow(self) -> pa.DataType:
        """The Arrow type."""
        import pyarrow as pa

        if self.item is not None:
            return pa.list_(self.item.arrow())
        if self.kind == "decimal":
            return pa.decimal128(self.digits, self.scale)
        special = {
            "date": pa.date32(),
            "time": pa.time64("us"),
            "timestamp": pa.timestamp("us"),
            "timestamptz": pa.timestamp("us", "UTC"),
            "interval": pa.month_day_nano_interval(),
            "float": pa.float32(),
            "double": pa.float64(),
        }
        return special.get(self.kind) or pa.type_for_alias(self.kind)

    def array(self, texts: pa.Array) -> pa.Array:
        """The texts that COPY gives, as an Arrow array. Raises ExecutionError for a value that does not fit."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.item is not None:
            return self._lists(texts, self.item)
        if self.kind == "string":
            return texts
        if self.kind == "null":
            return pa.nulls(len(texts))
        if self.kind == "bool":
            return pc.equal(texts, "t")
        if self.kind in _SLOW:
            return self._each(texts, _SLOW[self.kind])
        try:
            return texts.cast(self.arrow())
        except pa.ArrowInvalid:
            if self.kind not in _RARE:
                raise self._unfit() from None
            return self._each(texts, _RARE[self.kind])

    def _each(self, texts: pa.Array, convert: Callable[[str], Any]) -> pa.Array:
        """One value after the other, for what Arrow does not read itself."""
        import pyarrow as pa

        try:
            values = [None if text is None else convert(text) for text in texts.to_pylist()]
            if self.kind not in _NUMBERED:
                return pa.array(values, self.arrow())
            return pa.array(values, _NUMBERED[self.kind]).view(self.arrow())
        except (ValueError, OverflowError, pa.ArrowInvalid):
            raise self._unfit() from None

    def _lists(self, texts: pa.Array, item: Field) -> pa.Array:
        import pyarrow as pa

        items: list[str | None] = []
        offsets: list[int | None] = []
        for text in texts.to_pylist():
            offsets.append(None if text is None else len(items))
            if text is not None:
                try:
                    items.extend(flat_items(text))
                except ValueError:
                    raise self._unfit() from None
        return pa.ListArray.from_arrays(pa.array([*offsets, len(items)], pa.int32()), item.array(_strings(items)))

    def _unfit(self) -> OsirisError:
        what = {
            "decimal": f"NaN, infinity or a number of more than {MOST_DIGITS} digits, which a decimal number cannot be",
            "list": "an array of more than one dimension, which is not supported",
            "interval": "an interval that is infinite or too long",
        }.get(self.kind, f"something that cannot be read as {self.kind}")
        instead = "double precision" if self.kind == "decimal" else "text"
        error = ExecutionError(
            f"The column {self.name} holds {what}.", hint=f"Read it by a query: CAST({self.name} AS {instead})."
        )
        error.category = ErrorCategory.DATA
        return error


def _strings(items: Sequence[str | None]) -> pa.Array:
    import pyarrow as pa

    return pa.array(items, pa.string())


_INTERVAL = re.compile(
    r"(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?"
    r"(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?"
)
_MOMENT = re.compile(r"(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:[+-]00)?( BC)?")


def _interval(text: str) -> tuple[int, int, int]:
    """Months, days and nanoseconds."""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError("infinity")
    years, months, days, sign, hours, minutes, seconds, fraction = match.groups()
    time = ((int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)) * 1_000_000
    time += int((fraction or "").ljust(6, "0"))
    return int(years or 0) * 12 + int(months or 0), int(days or 0), (-time if sign == "-" else time) * 1000


def _days(text: str) -> int:
    """A date as DuckDB counts it: days since 1970, infinity the largest number."""
    if text in ("infinity", "-infinity"):
        return 2**31 - 1 if text == "infinity" else 1 - 2**31
    return _moment(text) // 86_400_000_000


def _microseconds(text: str) -> int:
    if text in ("infinity", "-infinity"):
        return 2**63 - 1 if text == "infinity" else 1 - 2**63
    return _moment(text)


def _moment(text: str) -> int:
    """Microseconds since 1970, of any year of the Gregorian calendar."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError("no date")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    year = 1 - year if match[8] else year
    shifted = year - (month <= 2)  # the year begins in March, so that the leap day is its last
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second
    return seconds * 1_000_000 + int((match[7] or "").ljust(6, "0"))


def _time(text: str) -> int:
    hour, minute, second = text.split(":")  # up to 24:00:00
    whole, _, fraction = second.partition(".")
    return ((int(hour) * 60 + int(minute)) * 60 + int(whole)) * 1_000_000 + int(fraction.ljust(6, "0"))


_SLOW: dict[str, Callable[[str], Any]] = {
    "binary": lambda text: bytes.fromhex(text[2:]),
    "interval": _interval,
    "time": _time,
}
# How values are read when Arrow does not know one of them, and the numbers that they are then given as.
_RARE: dict[str, Callable[[str], Any]] = {"date": _days, "timestamp": _microseconds, "timestamptz": _microseconds}
_NUMBERED = {"date": "int32", "timestamp": "int64", "timestamptz": "int64", "time": "int64"}
