"""How the columns of a read come from the server: most of them together, as one line of CSV that it writes itself.

Taking rows apart cell by cell in Python takes several times as long as everything else together, so the server joins
the cells of a row to a line, and Arrow's reader of CSV takes the lines apart. The texts are the same as those of cells
that come alone, and so are the values. Binary and very long values come alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from osiris.drivers.mysql.catalog import quote_name
from osiris.drivers.mysql.extractor_rows import Cells
from osiris.drivers.mysql.extractor_types import Field

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST = 1 << 18  # the bytes of a TEXT
_ALONE = frozenset({"binary", "null"})
_TEXTS = frozenset({"string", "duration"})


@dataclass(frozen=True)
class Columns:
    """The columns that are read, in their order. ``together`` are the places of those that come as one line.

    ``alone`` says for each other place which cell of a row it is; a row has ``width`` cells.
    """

    fields: Sequence[Field]
    together: Sequence[int]
    alone: dict[int, int]
    width: int

    @classmethod
    def each_alone(cls, found: Sequence[Field], wanted: Sequence[int]) -> Columns:
        """The columns at the places ``wanted`` of a result with the columns ``found``."""
        fields = [found[place] for place in wanted]
        return cls(fields, (), dict(enumerate(wanted)), len(found))

    @classmethod
    def joined(cls, fields: Sequence[Field], most: int) -> Columns:
        """As many as possible in a line; ``most``: the bytes that the server can put into one value."""
        together: list[int] = []
        room = min(most, 1 << 24) // 2
        for place, field in enumerate(fields):
            length = 2 * field.length + 3
            if field.kind not in _ALONE and field.length <= _LONGEST and length <= room:
                together.append(place)
                room -= length
        if len(together) < 2:
            together = []
        others = [place for place in range(len(fields)) if place not in together]
        first = 1 if together else 0
        return cls(fields, together, {place: first + i for i, place in enumerate(others)}, first + len(others))

    def select_list(self) -> str:
        """What stands behind SELECT."""
        items = [_value(self.fields[place]) for place in self.alone]
        if self.together:
            cells = ", ".join(_cell(self.fields[place]) for place in self.together)
            items.insert(0, f"CONCAT_WS(',', {cells})")
        return ", ".join(items)

    def arrays(self, cells: Cells, no_date: Callable[[Field], None]) -> list[pa.Array]:
        """The rows as columns. Raises ExecutionError for a value that does not fit, see ``Field.array``."""
        import pyarrow as pa

        read = dict(zip(self.together, self._lines(cells), strict=True)) if self.together else {}
        arrays = []
        for place, field in enumerate(self.fields):
            values = read.get(place)
            if values is None:
                values = pa.array(cells[self.alone[place] :: self.width], pa.binary())
            arrays.append(values if values.type == field.arrow() else field.array(values, no_date))
        return arrays

    def _lines(self, cells: Cells) -> Sequence[pa.Array]:
        """The columns of the lines, with their types where all values fit, else as strings."""
        import pyarrow as pa

        lines = cells[:: self.width]
        lines.append(b"")
        data = b"\n".join(cast("list[bytes]", lines))  # no line is NULL: CONCAT_WS gives none
        fields = [self.fields[place] for place in self.together]
        try:
            return _parsed(data, [pa.string() if field.kind in _TEXTS else field.arrow() for field in fields])
        except pa.ArrowInvalid:
            return _parsed(data, [pa.string()] * len(fields))


def _parsed(data: bytes, types: Sequence[pa.DataType]) -> Sequence[pa.Array]:
    # Types are asked for here and not by a cast, since the first cast in a process takes 50 MB.
    import pyarrow as pa
    from pyarrow import csv

    names = [str(place) for place in range(len(types))]
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict(zip(names, types, strict=True)),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    columns: Sequence[pa.Array] = table.combine_chunks().to_batches()[0].columns
    return columns


def _cell(field: Field) -> str:
    """The cell in a line: nothing for NULL, a text in quotes."""
    if field.kind != "string":
        return f"IFNULL({_plain(field)}, '')"
    # In one character set, else the server joins the bytes of several.
    text = f"CONVERT({quote_name(field.name)} USING utf8mb4)"
    return f"""IFNULL(CONCAT('"', REPLACE({text}, '"', '""'), '"'), '')"""


def _value(field: Field) -> str:
    name = quote_name(field.name)
    return f"{_plain(field)} AS {name}" if field.kind == "float" else name


def _plain(field: Field) -> str:
    """A FLOAT is written with six digits, but all of them as a DOUBLE."""
    name = quote_name(field.name)
    return f"{name} + 0e0" if field.kind == "float" else name
