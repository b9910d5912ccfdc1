"""Every option of filesystem.json_extractor and filesystem.json_writer does what its spec says."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
import sys
import zipfile

import duckdb
import pytest


def read(project, path, content, **config):
    """What filesystem.json_extractor reads: the columns with DuckDB's types, and the rows as DuckDB writes them."""
    if content is not None:
        project.write(path, content)
    run = project.run_here(
        project.step("t", "filesystem.json_extractor", path=path, **config),
        project.sql("types", "t", "SELECT column_name, column_type FROM (DESCRIBE df)"),
        project.sql("texts", "t", "SELECT COLUMNS(*)::VARCHAR FROM df"),
        project.step("p", "filesystem.parquet_writer", sources="types", path="types.parquet"),
        project.step("q", "filesystem.parquet_writer", sources="texts", path="texts.parquet"),
    )
    assert run.state == "succeeded", run.error()
    types, texts = (duckdb.sql(f"FROM '{project.root}/{name}.parquet'").fetchall() for name in ("types", "texts"))
    return dict(types), texts


def refused(project, path, content, **config):
    """Why filesystem.json_extractor does not read."""
    project.write(path, content)
    run = project.run_here(
        project.step("t", "filesystem.json_extractor", path=path, **config), project.to_csv("w", "t", "out.csv")
    )
    assert run.state == "failed"
    return run.error("t")


ARRAY = '[{"id": 1, "name": "Ann", "at": {"city": "Bonn"}, "tags": [1, 2]},\n {"id": 2, "more": true}]'
LINES = '{"id": 1, "name": "Ann", "at": {"city": "Bonn"}, "tags": [1, 2]}\n\n{"id": 2, "more": true}\n'
TYPES = {
    "id": "BIGINT",
    "name": "VARCHAR",
    "at": "STRUCT(city VARCHAR)",
    "tags": "BIGINT[]",
    "more": "BOOLEAN",
}
ROWS = [("1", "Ann", "{'city': Bonn}", "[1, 2]", None), ("2", None, None, None, "true")]


@pytest.mark.parametrize("content", [ARRAY, LINES, "\ufeff" + ARRAY, LINES.replace("\n", "\r\n")])
def test_an_array_and_lines_are_the_same_table(project, content):
    assert read(project, "a.json", content) == (TYPES, ROWS)


def test_one_object_over_several_lines_is_a_row(project):
    assert read(project, "a.json", '{\n  "id": 1,\n  "tags": ["x"]\n}\n')[1] == [("1", "[x]")]


READS = {
    "nested as text": (
        {"nested": "text"},
        {"id": "BIGINT", "name": "VARCHAR", "at": "VARCHAR", "tags": "VARCHAR", "more": "BOOLEAN"},
        [("1", "Ann", '{"city":"Bonn"}', "[1,2]", None), ("2", None, None, None, "true")],
    ),
    "columns": ({"columns": ["name", "id"]}, {"name": "VARCHAR", "id": "BIGINT"}, [("Ann", "1"), (None, "2")]),
    "columns in other case": ({"columns": ["ID"]}, {"id": "BIGINT"}, [("1",), ("2",)]),
    "limit": ({"columns": ["id"], "limit": 1}, {"id": "BIGINT"}, [("1",)]),
    "dtype": ({"columns": ["id"], "dtype": {"id": "string"}}, {"id": "VARCHAR"}, [("1",), ("2",)]),
}


@pytest.mark.parametrize("case", READS)
@pytest.mark.parametrize("content", [ARRAY, LINES])
def test_options_of_reading(project, case, content):
    config, types, rows = READS[case]
    assert read(project, "a.json", content, **config) == (types, rows)


VALUES = {
    "dates stay text": ('[{"a": "2024-01-31"}]', {}, "VARCHAR", ["2024-01-31"]),
    "dates inside stay text": ('[{"a": {"date": ["2024-01-31"]}}]', {}, 'STRUCT(date VARCHAR[])', None),
    "a date by dtype": ('[{"a": "2024-01-31"}]', {"dtype": {"a": "date"}}, "DATE", ["2024-01-31"]),
    "a timestamp by dtype": (
        '[{"a": "2024-01-31T10:00:00"}]', {"dtype": {"a": "timestamp"}}, "TIMESTAMP", ["2024-01-31 10:00:00"],
    ),
    "numbers in text stay text": ('[{"a": "007"}]', {}, "VARCHAR", ["007"]),
    "a uuid stays text": ('[{"a": "6B0A8A5E-6f0e-4a39-8d5b-1f7c6a2f3c11"}]', {}, "VARCHAR", None),
    "whole and broken numbers": ('[{"a": 1}, {"a": 1.5}]', {}, "DOUBLE", ["1.0", "1.5"]),
    "large numbers": ('[{"a": 18446744073709551615}]', {}, "HUGEINT", ["18446744073709551615"]),
    "all digits by dtype": (
        '[{"a": 123456789012345678901234567890}]', {"dtype": {"a": "string"}}, "VARCHAR",
        ["123456789012345678901234567890"],
    ),
    "now a number, now a text": ('[{"a": 1}, {"a": "x y"}, {"a": [1]}]', {}, "VARCHAR", ["1", "x y", "[1]"]),
    "escapes": (r'[{"a": "\ud83d\ude00 \" \n"}]', {}, "VARCHAR", ['😀 " \n']),
    "keys with blanks": ('[{"a": {"x y": {"select": 1}}}]', {}, 'STRUCT("x y" STRUCT("select" BIGINT))', None),
    "a null row": ('[{"a": 1}, null]', {}, "BIGINT", ["1", None]),
    "only empty lists": ('[{"a": []}]', {}, "JSON[]", ["[]"]),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_values_and_their_types(project, case):
    content, config, kind, values = VALUES[case]
    types, rows = read(project, "a.json", content, **config)
    assert types == {"a": kind}
    assert values is None or [row[0] for row in rows] == values


def test_the_last_of_many_objects_counts_for_the_types(project):
    types, rows = read(project, "a.jsonl", '{"a": 1}\n' * 50_000 + '{"a": 1.5, "z": "late"}\n')

    assert types == {"a": "DOUBLE", "z": "VARCHAR"}
    assert len(rows) == 50_001
    assert rows[-1] == ("1.5", "late")


def test_more_keys_than_usual_are_columns(project):
    types, _ = read(project, "a.jsonl", "".join(f'{{"k{number}": {number}}}\n' for number in range(400)))
    assert list(types) == [f"k{number}" for number in range(400)]


def test_a_column_without_values_binds_with_everything(project):
    project.write("a.json", '[{"a": null}]')
    run = project.run_here(
        project.step("t", "filesystem.json_extractor", path="a.json"),
        project.sql("q", "t", "SELECT sum(a) AS s, max(upper(a)) AS m, count(*) AS n FROM df"),
        project.to_csv("w", "q", "out.csv"),
    )
    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == "s,m,n\n,,1\n"


def test_an_empty_array_has_the_columns_that_the_step_names(project):
    types, rows = read(project, "a.json", " [ ]\n", columns=["a", "b"], dtype={"a": "int64"})
    assert (types["a"], list(types), rows) == ("BIGINT", ["a", "b"], [])


def zipped(data):
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.json", data)
    return out.getvalue()


def zstd(data):
    import pyarrow as pa

    return pa.compress(data, codec="zstd", asbytes=True)


PACKED = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zip": zipped, ".zst": zstd}


@pytest.mark.parametrize("ending", PACKED)
@pytest.mark.parametrize("content", [ARRAY, LINES])
def test_compressed_files(project, ending, content):
    assert read(project, f"a.json{ending}", PACKED[ending](content.encode())) == (TYPES, ROWS)


def test_utf16(project):
    assert read(project, "a.json", ARRAY.encode("utf-16"), encoding="utf-16") == (TYPES, ROWS)


def test_names_with_stars_are_one_file(project):
    project.write("ab.json", '[{"id": 9}]')
    assert read(project, "a*.json", '[{"id": 1}]')[1] == [("1",)]


def test_the_connection_says_where_the_file_is(project):
    project.write("osiris_connections.yaml", "connections:\n  filesystem:\n    lake: {base_dir: lake}\n")
    project.write("lake/a.json", ARRAY)
    types, _ = read(project, "a.json", None, step__connection="@filesystem.lake")
    assert types == TYPES


ODD = {
    "a broken line": ('{"a": 1}\n{"a": 2\n{"a": 3}\n', {}, "Line 2 of a.json is no JSON object: "),
    "a line too short": ('{"a": 1}\n\n{"a": 2', {}, "Line 3 of a.json is no JSON object: "),
    "a line that is a number": ('{"a": 1}\n5\n', {}, "Line 2 of a.json is a number, not an object."),
    "a broken array": ('[{"a": 1},\n\n {"a" 2}]', {}, "Line 3 of a.json is not JSON: "),
    "an array that stops": ('[{"a": 1},\n{"a": 2}', {}, "Line 2 of a.json is not JSON: "),
    "something behind the array": ('[{"a": 1}]\nxyz', {}, "Line 2 of a.json is not JSON: extra data"),
    "an array of numbers": ("[1, 2]", {}, "The element 1 of the array in a.json is a number, not an object."),
    "a number among objects": ('[{"a": 1}, [2]]', {}, "The element 2 of the array in a.json is an array, not an"),
    "text": ("hello\n", {}, "Line 1 of a.json is no JSON object: "),
    "an empty file": ("", {}, "a.json is empty: it holds no JSON."),
    "blanks": (" \n", {}, "a.json is empty: it holds no JSON."),
    "an empty array": ("[]", {}, "a.json holds no objects, so its columns are not known."),
    "an array, lines wanted": ('[{"a": 1},\n{"a": 2}]', {"format": "newline_delimited"}, "Line 1 of a.json is no JSON"),
    "lines, an array wanted": ('{"a": 1}\n{"a": 2}\n', {"format": "array"}, "Line 2 of a.json is not JSON: extra data"),
    "one key twice": (
        '{"a": 1}\n{"a": 1, "a": 2}\n',
        {},
        'Line 2 does not fit: Object {"a":1,"a":2} has duplicate key',
    ),
    "keys alike but for case": ('[{"a": 1, "A": 2}]', {}, "a.json has keys that differ in nothing but case: A."),
    "too deep": ('[{"a": ' + "[" * 5000 + "]" * 5000 + "}]", {}, "a.json cannot be read: it is nested too deeply."),
    "Latin-1": (b'{"a": 1}\n{"a": "\xe9"}\n', {}, "Line 2 of a.json cannot be read: it is not UTF-8 (the byte 0xE9)."),
    "half a character": (r'[{"a": "\ud83d"}]', {}, "Cannot read a.json: Malformed JSON"),
    "no such column": (ARRAY, {"columns": ["nme"]}, "a.json has no column nme."),
    "dtype of no column": (ARRAY, {"dtype": {"nme": "string"}}, "a.json has no column nme."),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_json_is_explained(project, case):
    content, config, expected = ODD[case]
    message = refused(project, "a.json", content, **config)
    assert message.startswith(expected)
    assert str(project.root) not in message


def test_a_value_that_is_not_of_its_dtype_stops_the_step(project):
    project.write("a.json", '[{"a": 1}, {"a": "x"}]')
    run = project.run_here(
        project.step("t", "filesystem.json_extractor", path="a.json", dtype={"a": "int64"}),
        project.to_csv("w", "t", "out.csv"),
    )
    assert run.state == "failed"
    assert run.error() == 'Object 2 does not fit: Failed to cast value to numerical: "x".'
    assert not (project.root / "out.csv").exists()


def put(project, query, path, **config):
    """Write the rows of ``query``."""
    project.write("one.csv", "one\n1\n")
    return project.run_here(
        project.csv("s", "one.csv"),
        project.sql("q", "s", query),
        project.step("w", "filesystem.json_writer", sources="q", path=path, **config),
    )


QUERY = """SELECT 1 AS id, 'A "b" é' AS name, {'city': 'Bonn', 'n': [1, 2]} AS at, MAP {'k': 1} AS m, NULL AS nothing,
 DATE '2024-01-31' AS d, TIMESTAMP '2024-01-31 10:00:00' AS ts, 1.50::DECIMAL(5,2) AS price, true AS ok,
 '{"x": [1]}'::JSON AS j, 0.1::DOUBLE AS f, 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS inf,
 170141183460469231731687303715884105727::HUGEINT AS h
 UNION ALL SELECT 2, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM df"""
WRITTEN = [
    {
        "id": 1,
        "name": 'A "b" é',
        "at": {"city": "Bonn", "n": [1, 2]},
        "m": {"k": 1},
        "nothing": None,
        "d": "2024-01-31",
        "ts": "2024-01-31 10:00:00",
        "price": 1.5,
        "ok": True,
        "j": {"x": [1]},
        "f": 0.1,
        "nan": None,
        "inf": None,
        "h": 170141183460469231731687303715884105727,
    },
    {"id": 2, "name": ""}
    | dict.fromkeys(("at", "m", "nothing", "d", "ts", "price", "ok", "j", "f"))
    | dict.fromkeys(("nan", "inf", "h")),
]


def parsed(text):
    """The value of JSON in the strict sense, in which NaN is none."""

    def never(word):
        raise AssertionError(word)

    return json.loads(text, parse_constant=never)


@pytest.mark.parametrize(
    ("path", "config", "lines"),
    [
        ("a.json", {}, False),
        ("a.jsonl", {}, True),
        ("a.ndjson", {}, True),
        ("a.json", {"format": "newline_delimited"}, True),
        ("a.jsonl", {"format": "array"}, False),
        ("out/new/a.txt", {}, False),
    ],
)
def test_writing(project, path, config, lines):
    run = put(project, QUERY, path, **config)

    assert run.state == "succeeded", run.error()
    text = project.read(path)
    found = [parsed(line) for line in text.splitlines()] if lines else parsed(text)
    assert found == WRITTEN
    assert [list(row) for row in found] == [list(WRITTEN[0])] * 2
    assert text.endswith("\n")


@pytest.mark.parametrize(("path", "empty"), [("a.json", []), ("a.jsonl", None)])
def test_no_rows_are_an_empty_array_or_an_empty_file(project, path, empty):
    put(project, "SELECT 1 AS a FROM df WHERE false", path)
    assert project.read(path) == "" if empty is None else parsed(project.read(path)) == empty


@pytest.mark.parametrize(("path", "unpack"), [("a.jsonl.gz", gzip.decompress), ("b.ndjson.zst", None)])
def test_compressed_output_is_the_same_each_time(project, path, unpack):
    put(project, QUERY, path)
    first = (project.root / path).read_bytes()
    put(project, QUERY, path)

    assert (project.root / path).read_bytes() == first
    types, rows = read(project, path, None, columns=["id", "name"])
    assert (types, rows) == ({"id": "BIGINT", "name": "VARCHAR"}, [("1", 'A "b" é'), ("2", "")])
    assert unpack is None or len(unpack(first).splitlines()) == 2


@pytest.mark.parametrize("path", ["a.json", "a.jsonl"])
def test_what_fails_leaves_the_old_file(project, path):
    project.write(path, "old")

    run = put(project, "SELECT CASE WHEN i = 199999 THEN error('no') ELSE i END AS i FROM range(200000) t(i)", path)

    assert run.state == "failed"
    assert project.read(path) == "old"
    assert project.leftovers() == []


def test_a_missing_folder_stops_the_step_when_none_is_to_be_made(project):
    run = put(project, QUERY, "no/a.json", create_dirs=False)
    assert run.error() == "Cannot write no/a.json: its folder does not exist."


def test_what_is_written_is_read_again_as_it_was(project):
    put(project, "SELECT i AS id, {'x': i % 3, 'l': [i, NULL]} AS s FROM range(100000) t(i)", "a.jsonl")
    types, rows = read(project, "a.jsonl", None)
    assert types == {"id": "BIGINT", "s": "STRUCT(x BIGINT, l BIGINT[])"}
    assert len(rows) == 100_000
    assert rows[-1] == ("99999", "{'x': 0, 'l': [99999, NULL]}")


PIPELINE = """\
oml_version: 0.1.0
name: events
steps:
  - id: events
    component: filesystem.json_extractor
    mode: read
    config: {path: events.jsonl}
  - id: by-city
    component: duckdb.processor
    mode: transform
    config: {query: "SELECT place.city AS city, sum(n) AS n FROM df_events GROUP BY 1 ORDER BY 1"}
  - id: store
    component: duckdb.writer
    mode: write
    needs: [by-city]
    config: {connection: "@duckdb.report", table: cities, write_mode: replace}
  - id: again
    component: duckdb.extractor
    mode: read
    needs: [store]
    config: {connection: "@duckdb.report", query: SELECT city FROM cities WHERE n > 1}
  - id: out
    component: filesystem.json_writer
    mode: write
    needs: [again]
    config: {path: out/cities.json}
"""


def test_osiris_run_from_json_through_a_duckdb_database_to_json(project):
    project.write("events.jsonl", '{"place": {"city": "Ulm"}, "n": 2}\n{"place": {"city": "Bonn"}, "n": 1}\n')
    project.write("osiris_connections.yaml", "connections:\n  duckdb:\n    report: {path: out/report.duckdb}\n")
    project.write("events.oml.yaml", PIPELINE)

    command = [sys.executable, "-m", "osiris", "run", "events.oml.yaml"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert parsed(project.read("out/cities.json")) == [{"city": "Ulm"}]
    with duckdb.connect(str(project.root / "out/report.duckdb"), read_only=True) as database:
        assert database.execute("FROM cities").fetchall() == [("Bonn", 1), ("Ulm", 2)]


KINDS = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zip": ".zip", "zstd": ".zst"}


@pytest.mark.parametrize("kind", KINDS)
def test_compression_that_the_name_does_not_tell(project, kind):
    packed = PACKED[KINDS[kind]](b'[{"id": 7}]')

    assert read(project, "a.json", packed, compression=kind) == ({"id": "BIGINT"}, [("7",)])


def test_a_name_that_tells_of_a_compression_that_is_none(project):
    assert read(project, "a.json.gz", b'[{"id": 7}]', compression="none") == ({"id": "BIGINT"}, [("7",)])


@pytest.mark.parametrize(("kind", "begin"), [("gzip", b"\x1f\x8b"), ("zstd", b"\x28\xb5\x2f\xfd"), ("none", b"[")])
def test_compression_of_what_is_written(project, kind, begin):
    run = project.run_here(
        project.sql("t", (), "SELECT 7 AS id"),
        project.step("w", "filesystem.json_writer", sources="t", path="out.json", compression=kind),
    )

    assert run.state == "succeeded", run.error()
    assert (project.root / "out.json").read_bytes().startswith(begin)
    assert read(project, "out.json", None, compression=kind) == ({"id": "BIGINT"}, [("7",)])
