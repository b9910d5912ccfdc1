"""Every option of the CSV components does what its spec says."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile

import pyarrow as pa
import pytest


def types(project, path, **options):
    """The DuckDB types that the columns of a file get, by name."""
    query = "SELECT column_name, column_type FROM (DESCRIBE df)"
    run = project.run_here(
        project.csv("t", path, **options), project.sql("d", "t", query), project.to_csv("w", "d", "types.csv")
    )
    assert run.state == "succeeded", run.error()
    return dict(line.split(",", 1) for line in project.read("types.csv").splitlines()[1:])


def read(project, content, **options):
    """What comes out of a file, written as CSV with the standard options."""
    project.write("in.csv", content)
    run = project.run_here(project.csv("t", "in.csv", **options), project.to_csv("w", "t", "out.csv"))
    assert run.state == "succeeded", run.error()
    return project.read("out.csv")


def failure(project, content, **options):
    """The error of the step that reads a file."""
    project.write("in.csv", content)
    run = project.run_here(project.csv("t", "in.csv", **options), project.to_csv("w", "t", "out.csv"))
    assert run.state == "failed"
    assert not (project.root / "out.csv").exists()
    return run.error("t")


READS = {
    "delimiter": ("a;b\n1;2\n", {"delimiter": ";"}, "a,b\n1,2\n"),
    "delimiter tab": ("a\tb\n1\t2\n", {"delimiter": "\t"}, "a,b\n1,2\n"),
    "header true": ("a,b\n1,2\n", {"header": True}, "a,b\n1,2\n"),
    "header false": ("1,x\n2,y\n", {"header": False}, "column0,column1\n1,x\n2,y\n"),
    "header number": ("report\n\na,b\n1,2\n", {"header": 2}, "a,b\n1,2\n"),
    "skip_rows": ("x\ny\na,b\n1,2\n", {"skip_rows": 2}, "a,b\n1,2\n"),
    "skip_rows and header number": ("x\ny\na,b\n1,2\n", {"skip_rows": 1, "header": 1}, "a,b\n1,2\n"),
    "skip_rows without header": ("x\n1,2\n", {"skip_rows": 1, "header": False}, "column0,column1\n1,2\n"),
    "columns in their order": ("a,b,c\n1,2,3\n", {"columns": ["c", "a"]}, "c,a\n3,1\n"),
    "columns by position": ("1,2,3\n", {"header": False, "columns": ["column2"]}, "column2\n3\n"),
    "limit": ("a\n1\n2\n3\n", {"limit": 2}, "a\n1\n2\n"),
    "na_values": ("a,b\nNA,1\nx,-\n0,\n", {"na_values": ["NA", "-", 0]}, "a,b\n,1\nx,\n,\n"),
    "empty fields are null": ('a,b\n"",1\n,2\n', {}, "a,b\n,1\n,2\n"),
    "comment": ("#x\na,b\n1,2 # two\n#3,4\n5,6\n", {"comment": "#"}, "a,b\n1,2\n5,6\n"),
    "comments and blank lines before the header": ("#x\n\n#y\r\na,b\n1,2\n", {"comment": "#"}, "a,b\n1,2\n"),
    "comments before the header, blank lines kept": (
        "#x\n\n#y\na,b\n1,2\n\n",
        {"comment": "#", "skip_blank_lines": False},
        "a,b\n1,2\n,\n",
    ),
    "a comment is a row to skip": ("#x\nreport\na,b\n1,2\n", {"comment": "#", "skip_rows": 2}, "a,b\n1,2\n"),
    "comments alone are rows to skip": ("#x\n#y\na,b\n1,2\n", {"comment": "#", "skip_rows": 1}, "a,b\n1,2\n"),
    "a comment to skip without header": (
        "#x\nreport\n1,2\n",
        {"comment": "#", "skip_rows": 2, "header": False},
        "column0,column1\n1,2\n",
    ),
    "no comment unless asked for": ("a,b\n#1,2\n", {}, "a,b\n#1,2\n"),
    "blank lines skipped": ("a,b\n1,2\n\n3,4\n\n", {}, "a,b\n1,2\n3,4\n"),
    "blank lines skipped, one column": ('a\n1\n\n""\n3\n', {}, "a\n1\n\n3\n"),
    "blank lines kept": ("a,b\n1,2\n\n3,4\n", {"skip_blank_lines": False}, "a,b\n1,2\n,\n3,4\n"),
    "blank lines kept, one column": ("a\n1\n\n3\n", {"skip_blank_lines": False}, "a\n1\n\n3\n"),
    "blank lines kept, none before the header": ("\n\na,b\n1,2\n\n", {"skip_blank_lines": False}, "a,b\n1,2\n,\n"),
    "blank lines kept, one column behind one": ("\na\n1\n\n", {"skip_blank_lines": False}, "a\n1\n\n"),
    "blank lines in quotes": ('a,b\n1,"x\n\ny"\n\n', {"skip_blank_lines": False}, 'a,b\n1,"x\n\ny"\n,\n'),
    "dates stay text": ("d\n2024-1-5\n", {"parse_dates": False}, "d\n2024-1-5\n"),
    "windows line ends": ("a,b\r\n1,x\r\n", {}, "a,b\n1,x\n"),
    "old mac line ends": ("a,b\r1,x\r", {}, "a,b\n1,x\n"),
    "mixed line ends": ('a,b\r\n1,x\n2,"y\r\nz"\r\n', {}, 'a,b\n1,x\n2,"y\r\nz"\n'),
    "blank lines before the header": ("\n\r\na,b\n1,x\n", {}, "a,b\n1,x\n"),
    "blank lines behind what is skipped": ("report\n\n\na,b\n1,x\n", {"skip_rows": 1}, "a,b\n1,x\n"),
    "no last line end": ("a,b\n1,x", {}, "a,b\n1,x\n"),
    "header alone": ("a,b\n", {}, "a,b\n"),
    "words that are not true or false": ("a,b\nno,y\nyes,n\n", {}, "a,b\nno,y\nyes,n\n"),
    "leading zeros by dtype": ("zip\n00123\n", {"dtype": {"zip": "string"}}, "zip\n00123\n"),
    "chunk_size changes nothing": ("a\n1\n", {"chunk_size": 100}, "a\n1\n"),
}


@pytest.mark.parametrize("case", READS)
def test_reading(project, case):
    content, options, expected = READS[case]

    assert read(project, content, **options) == expected


TEXT = "jméno,město\nŽofie,Plzeň\n"
LATIN = "name,city\nJosé,Köln\n"
ENCODINGS = {
    ("utf-8", "utf-8"): TEXT,
    ("utf-8", "utf-8-sig"): TEXT,
    ("utf-16", "utf-16"): TEXT,
    ("utf-16", "utf-16-be"): "\ufeff" + TEXT,
    ("latin-1", "latin-1"): LATIN,
    ("iso-8859-1", "latin-1"): LATIN,
    ("ascii", "ascii"): "a,b\n1,x\n",
}


@pytest.mark.parametrize(("encoding", "saved_as"), ENCODINGS)
def test_reading_in_every_encoding(project, encoding, saved_as):
    text = ENCODINGS[encoding, saved_as]

    assert read(project, text.encode(saved_as), encoding=encoding) == text.lstrip("\ufeff")


def zipped(data):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", data)
    return target.getvalue()


def zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


PACKERS = {
    "gzip": ("gz", gzip.compress),
    "bz2": ("bz2", bz2.compress),
    "xz": ("xz", lzma.compress),
    "zip": ("zip", zipped),
    "zstd": ("zst", zstd),
}


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_reading_compressed_files_by_name_and_by_option(project, compression, encoding):
    suffix, pack = PACKERS[compression]
    data = pack(LATIN.encode(encoding))
    project.write(f"in.csv.{suffix}", data)
    project.write("in.bin", data)

    for path, wanted in ((f"in.csv.{suffix}", "infer"), ("in.bin", compression)):
        run = project.run_here(
            project.csv("t", path, compression=wanted, encoding=encoding), project.to_csv("w", "t", "out.csv")
        )
        assert run.state == "succeeded", run.error()
        assert project.read("out.csv") == LATIN


def test_a_compressed_name_with_plain_content(project):
    project.write("plain.gz", "a\n1\n")

    run = project.run_here(project.csv("t", "plain.gz", compression="none"), project.to_csv("w", "t", "out.csv"))

    assert run.state == "succeeded"
    assert project.read("out.csv") == "a\n1\n"


def test_the_types_that_are_detected(project):
    project.write("t.csv", "i,f,s,b,d,t,big\n1,1.5,x,true,2024-01-31,2024-01-31 10:00:00,9223372036854775807\n")

    found = types(project, "t.csv")

    assert found == {
        "i": "BIGINT",
        "f": "DOUBLE",
        "s": "VARCHAR",
        "b": "BOOLEAN",
        "d": "VARCHAR",
        "t": "VARCHAR",
        "big": "BIGINT",
    }


def test_dates_are_detected_when_asked_for(project):
    project.write(
        "t.csv", "d,t,mixed\n2024-01-31,2024-01-31 10:00:00,2024-01-31\n2024-02-01,2024-02-01 00:00:00,soon\n"
    )

    assert types(project, "t.csv", parse_dates=True) == {"d": "DATE", "t": "TIMESTAMP", "mixed": "VARCHAR"}
    assert types(project, "t.csv", parse_dates=["d"]) == {"d": "TIMESTAMP", "t": "VARCHAR", "mixed": "VARCHAR"}


DTYPES = {
    "VARCHAR": ["string", "str", "object", "category"],
    "BIGINT": ["int", "integer", "int64", "Int64"],
    "INTEGER": ["int32", "Int32"],
    "SMALLINT": ["int16", "Int16"],
    "TINYINT": ["int8", "Int8"],
    "UBIGINT": ["uint64", "UInt64"],
    "UINTEGER": ["uint32", "UInt32"],
    "USMALLINT": ["uint16", "UInt16"],
    "UTINYINT": ["uint8", "UInt8"],
    "DOUBLE": ["float", "double", "float64", "Float64"],
    "FLOAT": ["float32", "Float32"],
    "DECIMAL(18,3)": ["decimal"],
    "BOOLEAN": ["bool", "boolean"],
}


def test_every_dtype(project):
    wanted = {f"c{i}_{name}": (name, kind) for kind, names in DTYPES.items() for i, name in enumerate(names)}
    project.write("t.csv", ",".join(wanted) + "\n" + ",".join("1" for _ in wanted) + "\n")

    found = types(project, "t.csv", dtype={column: name for column, (name, _) in wanted.items()})

    assert found == {column: kind if "," not in kind else f'"{kind}"' for column, (_, kind) in wanted.items()}


def test_every_dtype_of_time(project):
    names = ["datetime", "timestamp", "datetime64", "datetime64[ns]"]
    project.write("t.csv", ",".join([*names, "date"]) + "\n" + ",".join(["2024-01-31"] * 5) + "\n")

    found = types(project, "t.csv", dtype={name: name for name in [*names, "date"]})

    assert found == {**dict.fromkeys(names, "TIMESTAMP"), "date": "DATE"}


def test_more_than_ten_columns_without_names(project):
    assert read(project, ",".join("abcdefghijkl") + "\n", header=False).splitlines()[0] == ",".join(
        f"column{i}" for i in range(12)
    )


def test_a_dtype_of_a_column_without_a_name(project):
    project.write("t.csv", ",".join("123456789012") + "\n")

    found = types(project, "t.csv", header=False, dtype={"column1": "string", "column11": "string"})

    assert [name for name, kind in found.items() if kind == "VARCHAR"] == ["column1", "column11"]


FAILURES = {
    "unknown column": ("a,b\n1,2\n", {"columns": ["c"]}, "in.csv has no column c."),
    "unknown dtype column": ("a,b\n1,2\n", {"dtype": {"c": "int"}}, "in.csv has no column c."),
    "dtype does not fit": (
        "a\n1\nx\n",
        {"dtype": {"a": "int64"}},
        "Line 3 does not fit: Could not convert string \"x\" to 'BIGINT' in column a.",
    ),
    "date does not fit": (
        "a\nsoon\n",
        {"parse_dates": ["a"]},
        "Line 2 does not fit: Could not convert string \"soon\" to 'TIMESTAMP' in column a.",
    ),
    "late text in a column of numbers": (
        "a\n" + "1\n" * 30_000 + "abc\n",
        {},
        "Line 30002 does not fit: Could not convert string \"abc\" to 'BIGINT' in column a.",
    ),
    "not utf-8": (b"a,b\n1,\xff\xfe\n", {}, "Line 2 is not UTF-8."),
    "not ascii": (
        "a\nž\n",
        {"encoding": "ascii"},
        "in.csv is not ascii: the byte 0xC5 at position 2 is not valid in it.",
    ),
    "not utf-16": (b"a,b\n1", {"encoding": "utf-16"}, "in.csv is not utf-16"),
    "broken gzip": (b"nonsense", {"compression": "gzip"}, "in.csv is not a whole gzip file."),
    "broken xz": (b"nonsense", {"compression": "xz"}, "in.csv is not a whole xz file."),
    "broken bz2": (b"nonsense", {"compression": "bz2"}, "in.csv is not a whole bz2 file."),
    "cut xz": (lzma.compress(b"a\n" * 10_000)[:-20], {"compression": "xz"}, "in.csv is not a whole xz file."),
    "broken zip": (b"nonsense", {"compression": "zip"}, "in.csv is not a whole zip file."),
    "a long text in a column of numbers": (
        "a\n" + "1\n" * 30_000 + "x" * 1_000_000 + "\n",
        {},
        f"Line 30002 does not fit: Could not convert string \"{'x' * 100}...\" to 'BIGINT' in column a.",
    ),
    "a line that never ends": ("a\n" + "x" * 3_000_000, {}, "A line is longer than 2,000,000 bytes."),
    "a row that is too long": ("a,b\n1,2\n1,2,3\n", {}, "Line 3 has 3 fields, but there are 2 columns."),
    "a row that is too short": ("a,b\n1\n1,2\n", {}, "Line 2 has 1 field, but there are 2 columns."),
    "a long row after fields of two lines": (
        'a,b\r\n1,"x\ny"\r\n\r\n1,2,3\r\n',
        {},
        "Line 5 has 3 fields, but there are 2 columns.",
    ),
    "a long row after skipped lines": (
        "report\nof;today\na;b\n1;2;3\n",
        {"skip_rows": 2, "delimiter": ";"},
        "Line 4 has 3 fields, but there are 2 columns.",
    ),
    "a long row after comments": (
        "#x\na,b\n1,2 # one, two\n1,2,3\n",
        {"comment": "#"},
        "Line 4 has 3 fields, but there are 2 columns.",
    ),
    "a long row in a packed file": (
        gzip.compress(b"a,b\n1,2\n1,2,3\n"),
        {"compression": "gzip"},
        "Line 3 has 3 fields, but there are 2 columns.",
    ),
    "a quote that is not closed": (
        'a,b\n1,2\n3,"x\n4,5\n',
        {},
        "Line 3 has a quote that is not closed, or that is not followed by the delimiter or the line's end.",
    ),
    "an empty file": ("", {}, "in.csv is empty: it has no header line, which names the columns."),
    "an empty file with a byte order mark": ("\ufeff", {}, "in.csv is empty: it has no header line"),
    "an empty packed file": (gzip.compress(b""), {"compression": "gzip"}, "in.csv is empty: it has no header line"),
    "an empty file in UTF-16": ("".encode("utf-16"), {"encoding": "utf-16"}, "in.csv is empty: it has no header line"),
    "an empty file without header": ("", {"header": False}, "in.csv is empty: it has no line, so its columns"),
    "blank lines alone": ("\n\n", {}, "in.csv holds nothing but blank lines, comments and lines to skip: it has no"),
    "fewer lines than are skipped": ("a,b\n", {"skip_rows": 3}, "in.csv holds nothing but blank lines"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_reading_what_does_not_fit(project, case):
    content, options, message = FAILURES[case]

    assert message in failure(project, content, **options)


def test_a_pipe_is_no_file(project):
    os.mkfifo(project.root / "in.csv")

    run = project.run_here(project.csv("t", "in.csv"), project.to_csv("w", "t", "out.csv"))

    assert run.error("t") == "Cannot read in.csv: it is a pipe or a device, not a file."


WRITES = {
    "standard": ({}, b'id,name,price,when\n1,"a,b",1.5,2024-01-31\n2,,,\n'),
    "delimiter": ({"delimiter": ";"}, b"id;name;price;when\n1;a,b;1.5;2024-01-31\n2;;;\n"),
    "no header": ({"header": False}, b'1,"a,b",1.5,2024-01-31\n2,,,\n'),
    "crlf": ({"newline": "crlf"}, b'id,name,price,when\r\n1,"a,b",1.5,2024-01-31\r\n2,,,\r\n'),
    "quoting all": (
        {"quoting": "all"},
        b'"id","name","price","when"\n"1","a,b","1.5","2024-01-31"\n"2",,,\n',
    ),
    "quoting nonnumeric": (
        {"quoting": "nonnumeric"},
        b'"id","name","price","when"\n1,"a,b",1.5,"2024-01-31"\n2,,,\n',
    ),
    "latin-1": ({"encoding": "latin-1"}, b'id,name,price,when\n1,"a,b",1.5,2024-01-31\n2,,,\n'),
    "ascii": ({"encoding": "ascii"}, b'id,name,price,when\n1,"a,b",1.5,2024-01-31\n2,,,\n'),
    "utf-16": (
        {"encoding": "utf-16", "newline": "crlf"},
        'id,name,price,when\r\n1,"a,b",1.5,2024-01-31\r\n2,,,\r\n'.encode("utf-16"),
    ),
    "compression none": ({"compression": "none"}, b'id,name,price,when\n1,"a,b",1.5,2024-01-31\n2,,,\n'),
    "chunk_size changes nothing": ({"chunk_size": 1}, b'id,name,price,when\n1,"a,b",1.5,2024-01-31\n2,,,\n'),
}
ROWS = "SELECT * FROM (VALUES (1, 'a,b', 1.5, DATE '2024-01-31'), (2, NULL, NULL, NULL)) t(id, name, price, \"when\")"


@pytest.mark.parametrize("case", WRITES)
def test_writing(project, case):
    options, expected = WRITES[case]

    run = project.run_here(project.sql("t", (), ROWS), project.to_csv("w", "t", "out.csv", **options))

    assert run.state == "succeeded", run.error()
    assert (project.root / "out.csv").read_bytes() == expected


def test_line_ends_inside_fields_stay_as_they_are(project):
    run = project.run_here(
        project.sql("t", (), "SELECT 'x' || chr(10) || 'y' AS a"), project.to_csv("w", "t", "out.csv", newline="crlf")
    )

    assert run.state == "succeeded"
    assert project.read("out.csv") == 'a\r\n"x\ny"\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_writing_compressed_files_by_name_and_by_option(project, compression, encoding):
    suffix = {"gzip": "gz", "zstd": "zst"}[compression]
    unpack = {
        "gzip": gzip.decompress,
        "zstd": lambda data: pa.input_stream(io.BytesIO(data), compression="zstd").read(),
    }

    for path, wanted in ((f"out.csv.{suffix}", "infer"), ("out.bin", compression)):
        run = project.run_here(
            project.sql("t", (), "SELECT 'ž' AS a"),
            project.to_csv("w", "t", path, compression=wanted, encoding=encoding),
        )
        assert run.state == "succeeded", run.error()
        assert unpack[compression]((project.root / path).read_bytes()) == "a\nž\n".encode(encoding)


def test_a_character_that_the_encoding_cannot_hold(project):
    run = project.run_here(
        project.sql("t", (), "SELECT 'Žofie' AS a"), project.to_csv("w", "t", "out.csv", encoding="ascii")
    )

    assert run.error("w") == "out.csv cannot be written as ascii: it has no character 'Ž' (U+017D)."
    assert [p.name for p in project.root.glob("*out.csv*")] == []


def test_missing_folders_are_made_unless_forbidden(project):
    step = project.sql("t", (), "SELECT 1 AS a")

    made = project.run_here(step, project.to_csv("w", "t", "deep/er/out.csv"))
    refused = project.run_here(step, project.to_csv("w", "t", "not/there/out.csv", create_dirs=False))

    assert made.state == "succeeded"
    assert (project.root / "deep/er/out.csv").exists()
    assert refused.error("w") == "Cannot write not/there/out.csv: its folder does not exist."
    assert not (project.root / "not").exists()


def test_base_dir_of_the_step_and_of_the_connection(project, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "t.csv").write_text("a\n1\n")
    project.write("osiris_connections.yaml", f"connections: {{filesystem: {{disk: {{base_dir: {outside}}}}}}}")
    project.write("inside/t.csv", "a\n2\n")

    run = project.run_here(
        project.csv("far", "t.csv", step__connection="@filesystem.disk"),
        project.to_csv("w1", "far", "copy.csv", step__connection="@filesystem.disk"),
        project.csv("near", "t.csv", base_dir="inside"),
        project.to_csv("w2", "near", "copy.csv", base_dir="inside"),
    )

    assert run.state == "succeeded", run.error()
    assert (outside / "copy.csv").read_text() == "a\n1\n"
    assert project.read("inside/copy.csv") == "a\n2\n"
