"""Runs in the caller's own process, with drivers of the caller's own."""

from __future__ import annotations

import json
import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from osiris.core.adapter_factory import AdapterFactory
from osiris.core.driver import DriverRegistry
from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.session_logging import SessionLogger

FRAME = pd.DataFrame({"zebra": [1, 2], "apple": ["ž", None]})
TABLE = pa.table({"zebra": [1, 2], "apple": ["ž", None]})
FORMS = {
    "pandas frame": lambda: FRAME,
    "arrow table": lambda: TABLE,
    "arrow record batch": lambda: TABLE.to_batches()[0],
    "arrow reader": lambda: TABLE.to_reader(),
    "arrow IPC file": lambda: pa.ipc.open_file(ipc_bytes()),
    "duckdb relation": lambda: duckdb.sql("SELECT * FROM (VALUES (1, 'ž'), (2, NULL)) t(zebra, apple)"),
}


def ipc_bytes():
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue()


class Source:
    """A driver as the documentation shows it."""

    def __init__(self, make):
        self.make = make

    def run(self, step_id, config, inputs, ctx):
        ctx.log_event("step_progress", {"step_id": step_id, "percent": 50})
        ctx.log_metric("rows_read", 2)
        return {"df": self.make()}


@pytest.fixture
def register():
    names = []

    def register(name, driver):
        names.append(name)
        DriverRegistry.register(name, driver)
        return driver

    yield register
    for name in names:
        DriverRegistry.unregister(name)


@pytest.mark.parametrize("form", FORMS)
def test_a_driver_may_return_its_rows_in_any_form(project, register, form):
    register("my.source", Source(FORMS[form]))

    run = project.run_here(
        project.step("t", "my.source"),
        project.sql("twice", "t", "SELECT a.zebra, b.apple FROM df_t a JOIN df_t b USING (zebra) ORDER BY zebra"),
        project.to_csv("w", "twice", "joined.csv"),
        project.to_csv("v", "t", "plain.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("joined.csv") == "zebra,apple\n1,ž\n2,\n"
    assert project.read("plain.csv") == "zebra,apple\n1,ž\n2,\n"
    assert run.status["rows"]["t"] == 2


def test_a_driver_may_read_its_input_in_any_form(project, register):
    seen = {}

    class Sink:
        def run(self, step_id, config, inputs, ctx):
            data = inputs["df"]
            assert inputs["df_numbers"] is data
            seen["columns"] = [column.name for column in data.columns]
            seen["pandas"] = data.to_pandas()["n"].tolist()
            seen["batches"] = sum(batch.num_rows for batch in data.to_arrow_reader(1000))
            seen["relation"] = data.relation().aggregate("sum(n)").fetchall()[0][0]
            seen["stream"] = pa.RecordBatchReader.from_stream(data).read_all().num_rows
            (ctx.artifacts_dir / "note.txt").write_text("done")
            return {}

    register("my.sink", Sink())

    run = project.run_here(
        project.sql("numbers", (), "SELECT range AS n FROM range(5000)"),
        project.step("s", "my.sink", sources="numbers"),
    )

    assert run.state == "succeeded", run.error()
    assert seen["columns"] == ["n"]
    assert seen["pandas"] == list(range(5000))
    assert (seen["batches"], seen["relation"], seen["stream"]) == (5000, 12497500, 5000)
    assert [path.rpartition("/artifacts/")[2] for path in run.status["artifacts"]] == ["s/note.txt"]


def test_the_adapter_as_the_documentation_shows_it(project):
    project.write("t.csv", "a\n1\n2\n")
    manifest = project.manifest(project.csv("t", "t.csv"), project.to_csv("w", "t", "out.csv"))
    run_dir = project.root / "logs/run_mine"

    with SessionLogger(run_dir, "run_mine") as logger:
        context = ExecutionContext("run_mine", project.root, run_dir / "artifacts", logger)
        adapter = AdapterFactory.create(target="local")
        prepared = adapter.prepare(manifest, context)
        adapter.execute(prepared, context)
        result = adapter.collect(prepared, context)

    assert result["state"] == "succeeded"
    assert result["rows"] == {"t": 2, "w": 2}
    events = [json.loads(line) for line in (run_dir / "events.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "run_start"
    assert events[-1]["event"] == "run_complete"
    assert {event["session"] for event in events} == {"run_mine"}


def test_a_failed_step_raises_and_says_which(project):
    run_dir = project.root / "logs/run_mine"

    with SessionLogger(run_dir, "run_mine") as logger:
        context = ExecutionContext("run_mine", project.root, run_dir / "artifacts", logger)
        adapter = AdapterFactory.create(target="local")
        prepared = adapter.prepare(project.manifest(project.csv("t", "nope.csv")), context)
        with pytest.raises(ExecutionError, match=r"The step t failed: Cannot read nope\.csv"):
            adapter.execute(prepared, context)


def test_a_missing_package_is_named_with_the_command_that_brings_it(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)  # what an installation without the package looks like

    with pytest.raises(ConfigurationError) as missing:
        project.run_here(project.csv("t", "t.csv"))

    assert "duckdb, which is not installed" in str(missing.value)
    assert str(missing.value.hint).startswith('Install it: pip install "duckdb')
