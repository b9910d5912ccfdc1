"""Files that a pipeline writes over: its own source, or what another of its steps has written."""

import pytest

READ = "- id: {}\n  component: filesystem.csv_extractor\n  mode: read\n  config: {{path: {}}}\n"
WRITE = "- id: {}\n  component: filesystem.csv_writer\n  mode: write\n  config: {{path: {}}}\n"
LAKE = "connections:\n  filesystem:\n    lake: {base_dir: '${LAKE:-lake}'}\n    sea: {base_dir: /data/sea}\n"


@pytest.mark.parametrize(
    "steps",
    [
        READ.format("a", "data/orders.csv") + WRITE.format("w", "out/orders.csv"),
        READ.format("a", "data/orders.csv") + WRITE.format("w", "«OML333 data/orders.csv»"),
        READ.format("a", "data/orders.csv") + WRITE.format("w", "«OML333 ./data/../data/orders.csv»"),
        READ.format("a", "data/orders.csv")
        + WRITE.format("w", "orders.csv, base_dir: data").replace("orders.csv,", "«OML333 orders.csv»,"),
        READ.format("a", "data/*.csv") + WRITE.format("w", "data/orders.csv"),
        READ.format("a", "'${params.«OML311 file»}'") + WRITE.format("w", "data/orders.csv"),
    ],
)
def test_a_pipeline_does_not_write_over_its_source(check, steps):
    check.steps(steps)


def test_the_place_of_the_source_is_related(check):
    analysis = check.steps(READ.format("a", "data/orders.csv") + WRITE.format("w", "«OML333 data/orders.csv»"))
    (found,) = analysis.diagnostics
    (related,) = found.related
    assert related.message == "The step `a` reads the file here."
    assert analysis.document.text[related.span.start : related.span.end] == "data/orders.csv"


def test_what_was_written_may_be_read_afterwards(check):
    a, w = READ.format("a", "data/orders.csv"), WRITE.format("w", "out/orders.csv")
    check.steps(a + w + READ.format("again", "out/orders.csv"))
    check.steps(a + w + READ.format("b", "data/more.csv") + READ.format("again", "out/orders.csv") + "  needs: [b]\n")


def test_a_reader_that_does_not_wait_for_the_writer_is_in_its_way(check):
    a, w = READ.format("a", "data/orders.csv"), WRITE.format("w", "«OML333 out/orders.csv»")
    check.steps(a + w + READ.format("again", "out/orders.csv") + "  needs: []\n")


def test_two_writers_have_two_files(check):
    a = READ.format("a", "data/orders.csv")
    check.steps(a + WRITE.format("w", "out/x.csv") + WRITE.format("w2", "«OML334 out/x.csv»") + "  needs: [a]\n")
    check.steps(a + WRITE.format("w", "out/x.csv") + WRITE.format("w2", "out/y.csv") + "  needs: [a]\n")


@pytest.mark.parametrize("folder", ["lake", "sea"])
def test_folders_of_connections_are_compared_as_they_are_written(check, connections, folder):
    check.env.connections = connections(LAKE)
    inside = f"{{path: orders.csv, connection: '@filesystem.{folder}'}}"
    read = READ.format("a", "x").replace("{path: x}", inside)
    write = WRITE.format("w", "x").replace("{path: x}", inside)
    check.steps(read + write.replace("path: orders.csv", "path: «OML333 orders.csv»"))
    check.steps(read + WRITE.format("w", "orders.csv"))


def test_one_database_may_be_read_and_written(check, connections):
    check.env.connections = connections("connections: {sqlite: {shop: {path: shop.db, default: true}}}\n")
    check.steps(
        "- {id: a, component: sqlite.extractor, mode: read, config: {table: orders}}\n"
        "- {id: w, component: sqlite.writer, mode: write, config: {table: totals}}\n"
    )
