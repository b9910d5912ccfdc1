"""The columns of a result of MySQL: which Arrow type each gets, and the cells as that type.

The server writes every value as text, exactly but for FLOAT (see ``extractor``). What Arrow or the engine cannot hold:

- a date that is none (``0000-00-00``, ``2024-02-00``, or ``2024-02-31`` where the server lets that in) becomes NULL;
- a DECIMAL of more than 38 digits is read with 38, and a value that needs more stops the step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pymysql.constants import FIELD_TYPE, FLAG

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ExecutionError, OsirisError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_DIGITS = 38
_BINARY = 63  # the character set of what is no text
_VECTOR = 242  # PyMySQL has no name for it

_INTEGERS = {
    FIELD_TYPE.TINY: "int8",
    FIELD_TYPE.SHORT: "int16",
    FIELD_TYPE.INT24: "int32",
    FIELD_TYPE.LONG: "int32",
    FIELD_TYPE.LONGLONG: "int64",
}
_OTHERS = {
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.YEAR: "int16",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.DATETIME: "timestamp",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.TIME: "duration",
    FIELD_TYPE.NULL: "null",
    FIELD_TYPE.JSON: "string",
    FIELD_TYPE.BIT: "binary",
    FIELD_TYPE.GEOMETRY: "binary",
    _VECTOR: "binary",
}
_DURATION = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")


@dataclass(frozen=True)
class Field:
    """A column of a result. ``kind`` is an Arrow type in one word; ``digits`` and ``scale`` are those of a decimal.

    ``length``: the most bytes that the text of a value can have.
    """

    name: str
    kind: str
    digits: int = 0
    scale: int = 0
    length: int = 0

    @classmethod
    def of(cls, packet: Any) -> Field:
        """The column that PyMySQL's ``FieldDescriptorPacket`` describes."""
        return replace(cls._without_length(packet), length=packet.length)

    @classmethod
    def _without_length(cls, packet: Any) -> Field:
        code, unsigned = packet.type_code, bool(packet.flags & FLAG.UNSIGNED)
        if code in _INTEGERS:
            return cls(packet.name, f"{'u' if unsigned else ''}{_INTEGERS[code]}")
        if code in (FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.DECIMAL):
            # The length has room for the point and the sign.
            digits = packet.length - (packet.scale > 0) - (not unsigned)
            return cls(packet.name, "decimal", max(min(digits, MOST_DIGITS), packet.scale, 1), packet.scale)
        if code in _OTHERS:
            return cls(packet.name, _OTHERS[code])
        return cls(packet.name, "binary" if packet.charsetnr == _BINARY else "string")

    def arrow(self) -> pa.DataType:
        """The Arrow type."""
        import pyarrow as pa

        if self.kind == "decimal":
            return pa.decimal128(self.digits, min(self.scale, MOST_DIGITS))
        special = {
            "date": pa.date32(),
            "timestamp": pa.timestamp("us"),
            "duration": pa.duration("us"),
            "float": pa.float32(),
            "double": pa.float64(),
        }
        return special.get(self.kind) or pa.type_for_alias(self.kind)

    def array(self, texts: pa.Array, no_date: Callable[[Field], None]) -> pa.Array:
        """The texts that the server wrote (strings or bytes) as an Arrow array of the column's type.

        ``no_date`` is called when one is no date. Raises ExecutionError for a value that does not fit.
        """
        import pyarrow as pa

        if self.kind == "null":
            return pa.nulls(len(texts))
        if self.kind == "binary":
            return texts
        if texts.type != pa.string():
            texts = texts.cast(pa.string())
        if self.kind == "duration":
            return pa.array([None if t is None else _microseconds(t) for t in texts.to_pylist()], self.arrow())
        try:
            return texts.cast(self.arrow())
        except pa.ArrowInvalid:
            if self.kind not in ("date", "timestamp"):
                raise self._unfit() from None
        no_date(self)
        dates = [text if text is not None and self._is_date(text) else None for text in texts.to_pylist()]
        return pa.array(dates, pa.string()).cast(self.arrow())

    def _is_date(self, text: str) -> bool:
        import pyarrow as pa

        try:
            pa.scalar(text).cast(self.arrow())
        except pa.ArrowInvalid:
            return False
        return True

    def _unfit(self) -> OsirisError:
        if self.kind == "decimal":
            error = ExecutionError(
                f"A value of the column {self.name} has more than the {MOST_DIGITS} digits that numbers can have here.",
                hint=f"Read it by a query, as text: CAST({self.name} AS CHAR).",
            )
        else:
            error = ExecutionError(f"A value of the column {self.name} cannot be read as {self.kind}.")
        error.category = ErrorCategory.DATA
        return error


def _microseconds(cell: str) -> int:
    match = _DURATION.fullmatch(cell)
    if match is None:
        raise ExecutionError(f"MySQL sent a TIME that is none ({len(cell)} characters).")
    sign, hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    total = whole * 1_000_000 + int((fraction or "0").ljust(6, "0"))
    return -total if sign else total
