"""A path with ``*`` reads all files that fit as one table: in a fixed order, and only when their columns agree."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

COMPONENTS = {
    "csv": "filesystem.csv_extractor",
    "json": "filesystem.json_extractor",
    "parquet": "filesystem.parquet_extractor",
}


def read(project, kind, path, out="out.csv", **options):
    """The rows of the files as CSV; the run itself when it failed."""
    step = project.step("t", COMPONENTS[kind], path=path, **options)
    run = project.run_here(step, project.to_csv("w", "t", out))
    return project.read(out) if run.state == "succeeded" else run.error("t")


@pytest.fixture
def put(project):
    """Write a table to a file of any kind: columns by name, each a list."""

    def write(path, **columns):
        target = project.write(path, b"")
        kind = path.rpartition(".")[2]
        rows = list(zip(*columns.values(), strict=True))
        if kind == "parquet":
            pq.write_table(pa.table(columns), target)
        elif kind == "json":
            target.write_text(str([dict(zip(columns, row, strict=True)) for row in rows]).replace("'", '"'))
        else:
            target.write_text("\n".join(",".join(map(str, line)) for line in [list(columns), *rows]) + "\n")

    return write


@pytest.mark.parametrize("kind", COMPONENTS)
def test_files_are_read_in_the_order_of_their_names(project, put, kind):
    for name, value in (("b", 3), ("a", 1), ("c/d", 9), (".hidden", 7), ("a2", 2)):
        put(f"in/{name}.{kind}", n=[value], s=["x"])
    project.write("in/other.txt", "no table")

    assert read(project, kind, f"in/*.{kind}") == "n,s\n1,x\n2,x\n3,x\n"
    assert read(project, kind, f"in/**/*.{kind}", columns=["n"]) == "n\n1\n2\n3\n9\n"
    assert read(project, kind, f"in/[ab].{kind}", limit=1) == "n,s\n1,x\n"
    assert read(project, kind, f"in/?2.{kind}", base_dir=".") == "n,s\n2,x\n"


def test_a_step_may_be_called_as_another_one_numbers_its_files(project):
    for name, text in (("a", "a\nä\n"), ("b", "a\nö\n"), ("other", "a\nü\n")):
        project.write(f"{'in/' if name != 'other' else ''}{name}.csv", text.encode("latin-1"))
    many = project.step("t", COMPONENTS["csv"], path="in/*.csv", encoding="latin-1")
    one = project.step("t-000001", COMPONENTS["csv"], path="other.csv", encoding="latin-1")
    both = project.sql("both", ["t", "t-000001"], "FROM df_t UNION ALL FROM df_t_000001 ORDER BY a")

    run = project.run_here(many, one, both, project.to_csv("w", "both", "out.csv"))

    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == "a\nä\nö\nü\n"


@pytest.mark.parametrize("kind", COMPONENTS)
def test_where_links_by_name_are_forbidden_files_are_reached_all_the_same(project, put, kind, monkeypatch):
    def forbidden(*_):
        raise OSError("A required privilege is not held by the client")  # as Windows says to most users

    monkeypatch.setattr("pathlib.Path.symlink_to", forbidden)
    put(f"in/a[1].{kind}", n=[1])
    put(f"in/b.{kind}", n=[2])

    assert read(project, kind, f"in/*.{kind}") == "n\n1\n2\n"
    assert read(project, kind, f"in/a[1].{kind}") == "n\n1\n"


@pytest.mark.parametrize("kind", COMPONENTS)
def test_folders_of_partitions_are_text_columns(project, put, kind):
    put(f"in/year=2025/month=12/a.{kind}", n=[1])
    put(f"in/year=2026/month=01/a.{kind}", n=[2])

    assert read(project, kind, f"in/*/*/*.{kind}") == "n,year,month\n1,2025,12\n2,2026,01\n"
    assert read(project, kind, f"in/year=2026/*/*.{kind}") == "n,month\n2,01\n", "what the pattern says is no column"
    assert read(project, kind, f"in/year=2026/month=01/a.{kind}") == "n\n2\n"


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_dtype_of_a_partition(project, put, kind):
    put(f"in/day=2026-01-02/a.{kind}", n=[1])

    types = read(project, kind, f"in/*/*.{kind}", dtype={"day": "date", "n": "string"})

    assert types == "n,day\n1,2026-01-02\n"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"n": [1]}, "lacks s"),
        ({"n": [1], "s": ["x"], "more": [1]}, "has more besides"),
        ({"s": ["x"], "n": [1]}, "has them in another order"),
        ({"n": [1], "t": ["x"]}, "lacks s and has t besides"),
    ],
)
def test_columns_that_differ_name_the_file(project, put, kind, columns, why):
    put(f"in/a.{kind}", n=[1], s=["x"])
    put(f"in/b.{kind}", **columns)

    assert read(project, kind, f"in/*.{kind}") == f"The columns of in/b.{kind} are not those of in/a.{kind}: it {why}."


def test_numbers_of_both_kinds_are_fractions_in_all_files(project, put):
    put("in/a.csv", n=[1], s=["x"])
    put("in/b.csv", n=[1.5], s=[7])
    put("in/c.csv", n=[], s=[])
    put("p/a.parquet", n=pa.array([1], pa.int32()))
    put("p/b.parquet", n=pa.array([2**40], pa.int64()))

    assert read(project, "csv", "in/*.csv") == "n,s\n1.0,x\n1.5,7\n"
    assert read(project, "parquet", "p/*.parquet") == f"n\n1\n{2**40}\n"


def test_a_file_without_rows_or_values_does_not_change_the_types(project, put):
    put("in/a.csv", n=[], s=[])
    put("in/b.csv", n=["", ""], s=["x", "y"])
    put("in/c.csv", n=[3], s=["z"])
    read(project, "csv", "in/*.csv")
    query = project.sql("q", "t", "SELECT typeof(n) AS type, count(*) AS rows FROM df GROUP BY 1")

    run = project.run_here(project.csv("t", "in/*.csv"), query, project.to_csv("w", "q", "types.csv"))

    assert run.state == "succeeded", run.error()
    assert project.read("types.csv") == "type,rows\nBIGINT,3\n"


def test_types_of_parquet_files_that_nothing_holds(project, put):
    put("in/a.parquet", n=[1])
    put("in/b.parquet", n=["x"])

    assert read(project, "parquet", "in/*.parquet") == (
        "The column n is BIGINT in in/a.parquet, but VARCHAR in in/b.parquet."
    )


def test_objects_of_several_json_files_need_not_have_the_same_keys(project, put):
    put("in/a.json", a=[1])
    put("in/b.json", b=["x"])

    assert read(project, "json", "in/*.json") == "a,b\n1,\n,x\n"


def test_files_that_are_packed_in_different_ways(project):
    project.write("in/a.csv", "n\n1\n")
    project.write("in/b.csv.gz", gzip.compress(b"\nn\n2\n"))
    project.write("in/c.csv", "\n\nn\r\n3\n")
    project.write("in/a.json", '[{"n": 1}]')
    project.write("in/b.json.gz", gzip.compress(b'[{"n": 2}]'))

    assert read(project, "csv", "in/*.csv*") == "n\n1\n2\n3\n"
    assert read(project, "json", "in/*.json*") == "n\n1\n2\n"


@pytest.mark.parametrize("kind", COMPONENTS)
def test_a_broken_file_is_named(project, put, kind):
    put(f"in/a.{kind}", n=[1])
    project.write(f"in/b.{kind}", b'[{"n": ' if kind == "json" else b"")

    assert f"in/b.{kind}" in read(project, kind, f"in/*.{kind}")


def test_a_cell_that_does_not_fit_is_found_in_its_file(project):
    project.write("in/a.csv", "n\n1\n")
    project.write("in/b.csv", "n\n" + "1\n" * 30_000 + "x\n")

    run = project.run_here(project.csv("t", "in/*.csv"), project.to_csv("w", "t", "out.csv"))

    assert "b.csv" in run.error("t"), run.error("t")
    assert "30002" in run.error("t")


def test_json_files_that_are_laid_out_differently(project):
    project.write("in/a.json", '[{"n": 1}]')
    project.write("in/b.json", '{"n": 1}\n{"n": 2}\n')

    assert "in/b.json is laid out in another way than in/a.json" in read(project, "json", "in/*.json")


def test_no_headers(project):
    project.write("in/k=1/a.csv", "1,x\n")
    project.write("in/k=2/a.csv", "2,y\n")

    assert read(project, "csv", "in/*/*.csv", header=False) == "column0,column1,k\n1,x,1\n2,y,2\n"


def test_nothing_that_fits(project):
    project.write("in/a.csv", "n\n1\n")

    assert read(project, "csv", "in/*.tsv") == "No file fits the pattern in/*.tsv."
    assert read(project, "csv", "no/*.tsv") == "No file fits the pattern no/*.tsv."


def test_a_name_that_is_there_as_it_is_written_is_no_pattern(project):
    project.write("in/a*[1].csv", "n\n1\n")
    project.write("in/ab1.csv", "n\n2\n")
    project.write("x[1]/b?.csv", "n\n3\n")

    assert read(project, "csv", "in/a*[1].csv") == "n\n1\n"
    assert read(project, "csv", "in/*.csv") == "n\n1\n2\n"
    assert read(project, "csv", "x[1]/*.csv") == "n\n3\n"


def test_a_link_among_the_files_leads_nowhere_else(project, tmp_path):
    (tmp_path / "private.csv").write_text("n\n7\n")
    project.write("in/a.csv", "n\n1\n")
    (project.root / "in/b.csv").symlink_to(tmp_path / "private.csv")

    assert read(project, "csv", "in/*.csv") == "in/b.csv is a link that leads outside the project folder."


def test_folders_that_differ_in_their_partitions(project, put):
    put("in/year=2025/a.csv", n=[1])
    put("in/other/a.csv", n=[2])

    assert "The folders key=value of in/year=2025/a.csv are not those of in/other/a.csv" in (
        read(project, "csv", "in/*/*.csv")
    )


def test_what_an_earlier_step_writes_is_among_the_files(project):
    project.write("in/a.csv", "n\n1\n")

    run = project.run_here(
        project.sql("new", (), "SELECT 2 AS n"),
        project.to_csv("add", "new", "in/b.csv"),
        project.csv("t", "in/*.csv", ) | {"needs": ["add"]},
        project.to_csv("w", "t", "out.csv"),
    )  # fmt: skip

    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == "n\n1\n2\n"
