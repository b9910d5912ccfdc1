"""JSON files: one array of objects, or one object on each line."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from osiris.core.error_taxonomy import ExecutionError, ValidationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, single_input, step_context
from osiris.drivers.filesystem import text
from osiris.drivers.filesystem.csv_options import hive, struct, text_list, wanted_types
from osiris.drivers.filesystem.json_problems import first_problem
from osiris.drivers.filesystem.sources import (
    Source,
    find_column,
    limited,
    links,
    literal_path,
    open_partitions,
    projection,
    sources,
)
from osiris.drivers.filesystem.writing import copy_to
from osiris.drivers.paths import Place
from osiris.drivers.targets import complete_file
from osiris.sql.columns import Column, quote_name, quote_names, quote_text
from osiris.sql.gate import engine_message

if TYPE_CHECKING:
    from duckdb import sqltypes

_BY_LINES = (".jsonl", ".ndjson")
_NOT_GUESSED = frozenset({"date", "time", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "uuid"})
_NOT_GUESSED_EITHER = frozenset({"timestamp with time zone", "time with time zone"})
_NUMBERED = re.compile(r"(?P<name>.+)_\d+", re.DOTALL)
_FLOATS = ("FLOAT", "DOUBLE")


class JsonExtractor:
    """Reads the objects of a JSON file; their keys and types are found in the whole file first."""

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the objects of the file as a lazy Dataset. Raises OsirisError or duckdb.Error."""
        step = step_context(ctx)
        place = step.path(config)
        found = sources(place, step)
        texts = [_text(source, config, step) for source in found]
        texts = _alike_packed(texts, step)
        for one in texts:
            if one.layout != texts[0].layout:
                raise ValidationError(
                    f"{one.source.place.shown} is laid out in another way than {texts[0].source.place.shown}: one is "
                    "an array, the other has an object on each line.",
                    hint="Make the pattern narrower, and read them with several steps.",
                )
        layout = texts[0].layout
        if all(one.empty for one in texts):
            return {"df": _no_rows(config, place, step)}
        options = {
            "format": quote_text(layout),
            "records": "'true'",
            "compression": quote_text(texts[0].compression),
            "convert_strings_to_integers": "false",
            "hive_partitioning": "false",
        }
        types = self._types(texts, options, layout, step)
        partitions = open_partitions(found, types)
        fixed = _wanted(types, config, place, partitions)
        options["columns"] = struct({name: fixed.get(name) or _read_as(type_) for name, type_ in types.items()})
        scan = _scan(_paths(texts, step, partitions), options | hive(partitions, config))
        types |= dict.fromkeys(partitions)
        fixed |= {key: wanted_types(config).get(key, "VARCHAR") for key in partitions}
        shown = [Column(name, fixed.get(name) or str(type_)) for name, type_ in types.items()]
        _, kept = projection(shown, config, place.shown)
        selected = ", ".join(
            quote_name(column.name)
            if column.name in fixed
            else _selected(column.name, types[column.name], nested=config.get("nested") != "text")
            for column in kept
        )
        query = f"SELECT {selected} FROM {scan}{limited(config)}"
        return {"df": step.dataset(query, columns=step.database.describe(f"({query})"))}

    def _types(
        self, texts: list[_Text], options: dict[str, str], layout: str, step: StepContext
    ) -> dict[str, sqltypes.DuckDBPyType]:
        """The columns of the files and their types; every object counts. Raises OsirisError for odd JSON."""
        import duckdb

        whole = {"sample_size": "-1", "map_inference_threshold": "-1", "maximum_depth": "-1"}
        whole |= {"maximum_sample_files": str(len(texts)), "union_by_name": "true"} if len(texts) > 1 else {}
        scan = _scan(_paths(texts, step, ()), options | whole)
        try:
            relation = step.database.connection.sql(f"FROM {scan}")
        except (duckdb.InvalidInputException, duckdb.BinderException) as error:
            step.checkpoint()
            found = (first_problem(Place(t.path, t.source.place.shown), t.compression, layout, step) for t in texts)
            raise next(filter(None, found), None) or _unreadable(error, texts) from error
        names = list(relation.columns)
        for name in names:
            first = _NUMBERED.fullmatch(name)
            if first and any(_alike(first["name"], other) for other in names):
                # DuckDB calls the second of two such keys so, and finds nothing under that name.
                who = f"{texts[0].source.place.shown} has" if len(texts) == 1 else "The files have"
                raise ValidationError(
                    f"{who} keys that differ in nothing but case: {first['name']}.",
                    hint="Column names do not tell case apart; rename one of the keys where the file is made.",
                )
        return dict(zip(names, relation.types, strict=True))


def _alike(one: str, other: str) -> bool:
    """Whether two names differ in nothing but case."""
    return one != other and one.lower() == other.lower()


@dataclass(frozen=True)
class _Text:
    """A file that DuckDB can read: where its text is, how it is packed and laid out. ``empty``: it is ``[]``."""

    source: Source
    path: Path
    compression: str
    layout: str
    empty: bool


def _text(source: Source, config: dict[str, Any], step: StepContext) -> _Text:
    """A file, looked at, or its copy in UTF-8 in the spill folder. Raises OsirisError."""
    step.checkpoint()
    place = source.place
    path, compression = _as_utf8(source, config, step)
    with text.opened(Place(path, place.shown), compression) as stream:
        head = stream.read(text.CHUNK).lstrip(b" \t\r\n")
    if not head:
        raise ValidationError(f"{place.shown} is empty: it holds no JSON.", hint="A file without rows holds [].")
    layout = _layout(head, config)
    empty = layout == "array" and head[1:].strip(b" \t\r\n") == b"]"
    return _Text(source, path, compression, layout, empty)


def _alike_packed(texts: list[_Text], step: StepContext) -> list[_Text]:
    """The same files, unpacked where they are packed in different ways."""
    if len({one.compression for one in texts}) == 1:
        return texts
    return [one if one.compression == "none" else _unpacked(one, step) for one in texts]


def _unpacked(one: _Text, step: StepContext) -> _Text:
    copy = _copy(one.source, one.compression, "utf-8", step)
    return replace(one, path=copy, compression="none")


def _paths(texts: list[_Text], step: StepContext, partitions: tuple[str, ...]) -> list[Path]:
    if len(texts) == 1 and not texts[0].source.partitions:
        return [texts[0].path]
    return links([(one.source, one.path) for one in texts], step, partitions)


def _as_utf8(source: Source, config: dict[str, Any], step: StepContext) -> tuple[Path, str]:
    """The file itself where DuckDB can read it, else a copy in UTF-8 in the spill folder; and its compression."""
    place = source.place
    compression = text.compression_of(place.path, config.get("compression", "infer"))
    encoding = config.get("encoding", "utf-8")
    with text.opened(place, compression) as stream:
        marked = stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    if encoding == "utf-8" and not marked and compression in ("none", "gzip", "zstd"):
        return literal_path(place, step, source.tag), compression
    return _copy(source, compression, encoding, step), "none"


def _copy(source: Source, compression: str, encoding: str, step: StepContext) -> Path:
    copy = step.spill / f"{source.tag}-utf8.json"
    with text.opened(source.place, compression) as stream, copy.open("wb") as target:
        for chunk in text.to_utf8(stream, encoding, source.place.shown, step.checkpoint):
            target.write(chunk)
    return copy


def _layout(head: bytes, config: dict[str, Any]) -> str:
    """The layout in DuckDB's words. ``head``: how the file begins, without blanks."""
    wanted = config.get("format", "auto")
    if wanted != "auto":
        return str(wanted)
    if head.startswith(b"["):
        return "array"
    line, end, _ = head.partition(b"\n")
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        # One object over several lines; what is broken in its first line is a line's fault.
        return "unstructured" if end and line.strip() in (b"{", b"{}") else "newline_delimited"
    return "newline_delimited"


def _no_rows(config: dict[str, Any], place: Place, step: StepContext) -> Any:
    """The rows of ``[]``: none, with the columns that the step names."""
    names = list(config.get("columns") or config.get("dtype") or [])
    if not names:
        raise ValidationError(
            f"{place.shown} holds no objects, so its columns are not known.", hint="Name them in columns or dtype."
        )
    types = wanted_types(config)
    cells = ", ".join(f"CAST(NULL AS {types[n]}) AS {quote_name(n)}" if n in types else f"NULL AS {quote_name(n)}"
                      for n in names)  # fmt: skip
    return step.dataset(f"SELECT {cells} LIMIT 0")


def _wanted(types: dict[str, Any], config: dict[str, Any], place: Place, partitions: tuple[str, ...]) -> dict[str, str]:
    """The types that ``dtype`` gives, by the names that the columns have in the file."""
    columns = [Column(name, str(type_)) for name, type_ in types.items()]
    return {
        find_column(columns, name, place.shown).name: type_
        for name, type_ in wanted_types(config).items()
        if name not in partitions
    }


def _scan(paths: list[Path], options: dict[str, str]) -> str:
    arguments = "".join(f", {name}={value}" for name, value in options.items())
    return f"read_json({text_list(map(str, paths))}{arguments})"


def _read_as(type_: sqltypes.DuckDBPyType) -> str:
    """The type to read a column as: dates and the like stay text, at every depth."""
    kind = type_.id
    if kind == "struct":
        fields = ", ".join(f"{quote_name(name)} {_read_as(part)}" for name, part in type_.children)
        return f"STRUCT({fields})"
    if kind == "list":
        return f"{_read_as(type_.children[0][1])}[]"
    if kind in _NOT_GUESSED | _NOT_GUESSED_EITHER or str(type_) == '"NULL"':
        return "VARCHAR"
    return str(type_)


def _selected(name: str, type_: sqltypes.DuckDBPyType, *, nested: bool) -> str:
    """The column in the select list."""
    quoted = quote_name(name)
    if str(type_) == '"NULL"':
        return f"NULL AS {quoted}"  # never a value: it binds with everything
    if str(type_) == "JSON":
        return f"{quoted} ->> '$' AS {quoted}"
    if type_.id in ("struct", "list") and not nested:
        return f"CAST(to_json({quoted}) AS VARCHAR) AS {quoted}"
    return quoted


def _unreadable(error: Exception, texts: list[_Text]) -> ExecutionError:
    """The error for what DuckDB does not read, without its advice on options that are none of ours."""
    said = engine_message(error).partition("\n")[0].partition("Try ")[0]
    for one in texts:
        said = said.replace(str(one.path), one.source.place.shown)
    reason = said.partition(" Error: ")[2] or said
    return ExecutionError(f"Cannot read {texts[0].source.place.shown}: {reason.strip().rstrip('.')}.")


class JsonWriter:
    """Writes a JSON file that appears under its name when it is complete."""

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError or duckdb.Error; then the target is as it was."""
        step = step_context(ctx)
        data = single_input(inputs, step_id)
        target = step.path(config)
        compression = text.compression_of(target.path, config.get("compression", "infer"))
        layout = config.get("format", "auto")
        if layout == "auto":
            endings = [suffix.lower() for suffix in target.path.suffixes[-2:]]
            layout = "newline_delimited" if any(suffix in _BY_LINES for suffix in endings) else "array"
        options = ["FORMAT json", f"COMPRESSION {compression}", f"ARRAY {'true' if layout == 'array' else 'false'}"]
        with complete_file(target, step.temporary(target.path), create_dirs=config.get("create_dirs", True)) as part:
            rows = copy_to(data, part, options, step, _json_columns(data.columns))
        step.wrote(rows, target)
        return {}


def _json_columns(columns: tuple[Column, ...]) -> str:
    """The select list: numbers that JSON has no word for become null."""
    if not any(column.type in _FLOATS for column in columns):
        return quote_names(column.name for column in columns)
    return ", ".join(
        f"CASE WHEN isfinite({quote_name(name)}) THEN {quote_name(name)} END AS {quote_name(name)}"
        if type_ in _FLOATS
        else quote_name(name)
        for name, type_ in columns
    )
