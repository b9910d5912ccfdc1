"""``osiris run`` and ``osiris runs``: what they print, how they end, and that a run outlives its terminal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

SLOW = """\
oml_version: "0.1.0"
name: slow
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/orders.csv
  - id: many
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT sum(hash(a.range * b.range)) AS total FROM range(200000) a, range(2000000) b, df_read_orders
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/slow.csv
"""


@pytest.fixture
def slow(project):
    """A pipeline that runs for minutes if nobody stops it."""
    (project / "pipelines/slow.oml.yaml").write_text(SLOW)
    return "pipelines/slow.oml.yaml"


def test_a_run_says_what_each_step_did_and_its_record_stays(osiris, project):
    done = osiris("run", "pipelines/orders.oml.yaml")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert any(line.startswith("done    write-orders  2 rows, ") for line in lines)
    assert any(line.startswith("wrote   ") and "orders.csv" in line for line in lines)
    assert lines[-1].startswith("succeeded in ")
    assert (project / lines[-1].rpartition(" ")[2] / "status.json").exists()
    assert (project / "out/orders.csv").read_text() == "id,amount\n1,10.5\n2,20.0\n"

    listed = osiris("runs", "list").stdout.splitlines()
    assert listed[0].split() == ["RUN", "PIPELINE", "STATE", "STARTED", "TOOK"]
    assert listed[1].split()[1:3] == ["orders", "succeeded"]
    shown = osiris("runs", "show", "latest").stdout
    assert "state:  succeeded" in shown
    assert "  succeeded  write-orders  2 rows" in shown
    assert osiris("runs", "follow", "latest").stdout.endswith("succeeded\n")
    over = osiris("runs", "cancel", "latest")
    assert over.returncode == 1
    assert "is over already: succeeded." in over.stderr
    assert osiris("runs", "clean").stdout == "Removed 0 runs.\n"
    assert osiris("runs", "clean", "--keep-gb", "0").stdout == "Removed 1 run.\n"
    assert osiris("runs", "list").stdout == "No runs yet.\n"


@pytest.mark.parametrize("arguments", [["list"], ["show", "latest"], ["follow", "latest"], ["clean"]])
def test_runs_outside_any_project_say_that_there_is_none(osiris, tmp_path, arguments):
    (tmp_path / "elsewhere").mkdir()
    done = osiris("runs", *arguments, cwd=tmp_path / "elsewhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: There is no project here: ")
    assert "--logs-dir DIR" in done.stderr


def test_a_folder_without_settings_that_has_runs_lists_them(osiris, project):
    (project / "osiris.yaml").unlink()
    assert osiris("run", "orders.oml.yaml", cwd=project / "pipelines").returncode == 1
    assert "orders" in osiris("runs", "list", cwd=project / "pipelines").stdout


@pytest.mark.parametrize("subcommand", ["show", "follow", "cancel"])
def test_an_unknown_run_is_said_in_words(osiris, subcommand):
    done = osiris("runs", subcommand, "run_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no run run_01ARZ3NDEKTSV4RRFFQ69G5FAV" in done.stderr


def test_json_is_one_object_about_the_whole_run(osiris, project):
    said = json.loads(osiris("run", "pipelines/orders.oml.yaml", "--format", "json").stdout)
    assert (said["ok"], said["state"], said["pipeline"]) == (True, "succeeded", "orders")
    assert [(step["id"], step["state"]) for step in said["steps"]] == [
        ("read-orders", "succeeded"),
        ("write-orders", "succeeded"),
    ]
    assert json.loads((project / "logs" / said["run_id"] / "status.json").read_text())["state"] == "succeeded"


def test_events_as_json_lines_are_those_of_the_log(osiris, project):
    done = osiris("run", "pipelines/orders.oml.yaml", "--log-format", "json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    written = (project / "logs" / events[0]["session"] / "events.jsonl").read_text().splitlines()
    assert events == [json.loads(line) for line in written]
    assert [events[0]["event"], events[-1]["event"]] == ["run_queued", "run_complete"]


def test_a_manifest_runs_without_its_oml(osiris, project):
    osiris("compile", "pipelines/orders.oml.yaml")
    (project / "pipelines/orders.oml.yaml").unlink()
    done = osiris("run", "build/orders/manifest.json")
    assert done.returncode == 0
    assert (project / "out/orders.csv").exists()


def test_params_that_a_manifest_has_no_place_for_are_refused(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text(
        (project / "pipelines/orders.oml.yaml").read_text().replace("steps:", "params: {day: 1}\nsteps:")
    )
    osiris("compile", "pipelines/orders.oml.yaml")
    fixed = osiris("run", "build/orders/manifest.json", "--param", "day=2")
    unknown = osiris("run", "build/orders/manifest.json", "--param", "dya=2")
    assert (fixed.returncode, unknown.returncode) == (1, 1)
    assert "The parameter day has its value in the manifest already." in fixed.stderr
    assert "dya" in unknown.stderr
    assert not (project / "out/orders.csv").exists()


def test_a_manifest_from_another_folder_runs_in_the_project_one_stands_in(osiris, project, tmp_path):
    osiris("compile", "pipelines/orders.oml.yaml", "--output", str(tmp_path / "elsewhere.json"))
    assert not (project / "build").exists()
    assert osiris("run", str(tmp_path / "elsewhere.json")).returncode == 0
    assert (project / "out/orders.csv").exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", "not json", '{"manifest_version": "9"}'])
def test_what_is_no_manifest_is_refused(osiris, project, content):
    (project / "m.json").write_text(content)
    done = osiris("run", "m.json")
    assert done.returncode == 1
    assert done.stderr.startswith("error: m.json ")
    assert not (project / "logs").exists()


def test_logs_go_where_the_user_says(osiris, project, tmp_path):
    done = osiris("run", "pipelines/orders.oml.yaml", "--logs-dir", str(tmp_path / "elsewhere"))
    assert done.returncode == 0
    assert not (project / "logs").exists()
    assert len(list((tmp_path / "elsewhere").glob("run_*"))) == 1


def test_a_failed_step_is_named_with_its_reason_and_exit_code_1(osiris, project):
    text = (project / "pipelines/orders.oml.yaml").read_text()
    (project / "pipelines/orders.oml.yaml").write_text(text.replace("path: data/orders.csv", "path: data/gone.csv"))
    done = osiris("run", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert done.stderr.startswith("failed  read-orders: ")
    assert "data/gone.csv" in done.stderr
    assert "skipped write-orders" in done.stdout
    assert not (project / "out").exists()


QUERY = """\
  - id: totals
    component: duckdb.processor
    mode: transform
    config:
      query: |
        SELECT id,
               {expression}
        FROM df_read_orders
  - id: write-orders
"""


def with_query(project, expression, params=""):
    """Put a SQL step with ``expression`` into the pipeline, where no wrong column is looked for before it runs; its
    line number."""
    (project / "osiris.yaml").write_text("diagnostics: {severity: {OML411: off}}\n")
    path = project / "pipelines/orders.oml.yaml"
    text = path.read_text().replace("  - id: write-orders\n", QUERY.replace("{expression}", expression))
    path.write_text(text.replace("steps:", f"{params}steps:"))
    return next(number for number, line in enumerate(path.read_text().split("\n"), 1) if expression in line)


@pytest.mark.parametrize(
    ("path", "meant"), [("data/oders.csv", "data/orders.csv"), ("data/Orders.CSV", "data/orders.csv")]
)
def test_a_misspelt_input_file_suggests_the_one_that_is_there(osiris, project, path, meant):
    pipeline = project / "pipelines/orders.oml.yaml"
    pipeline.write_text(pipeline.read_text().replace("data/orders.csv", path))
    done = osiris("run", str(pipeline))
    assert done.returncode == 1
    assert f"Did you mean {meant}?" in done.stdout + done.stderr


def test_a_failure_is_said_once_with_its_place_in_the_file(osiris, project):
    line = with_query(project, "amont")
    done = osiris("run", "pipelines/orders.oml.yaml")
    said = done.stderr.splitlines()
    assert said[:2] == [
        'failed  totals: Referenced column "amont" not found in FROM clause! Did you mean amount? '
        "(line 2, column 8 of the query)",
        f"        at pipelines/orders.oml.yaml:{line}:16",
    ]
    assert len(said) == 3
    assert said[2].startswith("failed in ")
    assert "amont" not in done.stdout


def test_a_place_behind_a_parameter_has_no_column(osiris, project):
    line = with_query(project, "${params.n} + amont", "params: {n: {type: integer, default: 1000000}}\n")
    done = osiris("run", "pipelines/orders.oml.yaml")
    assert f"        at pipelines/orders.oml.yaml:{line}\n" in done.stderr


def test_the_event_of_a_failed_query_has_its_place_in_the_query_and_no_path(osiris, project):
    with_query(project, "amont")
    done = osiris("run", "pipelines/orders.oml.yaml", "--log-format", "json")
    (error,) = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "step_error"]
    assert (error["line"], error["column"]) == (2, 8)
    assert str(project) not in json.dumps(error)


def test_a_function_that_fits_no_types_is_said_without_the_list_of_those_that_exist(osiris, project):
    with_query(project, "sum(id || 'x')")
    done = osiris("run", "pipelines/orders.oml.yaml")
    assert done.stderr.startswith(
        "failed  totals: No function matches the given name and argument types 'sum(VARCHAR)'. "
        "You might need to add explicit type casts. (line 2, column 8 of the query)\n"
    )


def test_paths_are_those_from_the_current_folder(osiris, project):
    done = osiris("run", "project/pipelines/orders.oml.yaml", cwd=project.parent)
    assert "wrote   project/out/orders.csv\n" in done.stdout
    assert ", log in project/logs/run_" in done.stdout
    followed = osiris("runs", "follow", "latest", cwd=project / "pipelines").stdout
    shown = osiris("runs", "show", "latest", cwd=project / "pipelines").stdout
    assert f"wrote   {project}/out/orders.csv\n" in followed
    assert f"log:    {project}/logs/run_" in shown


def test_a_component_without_a_driver_is_named_when_it_should_run(osiris, project, planned):
    text = (project / "pipelines/orders.oml.yaml").read_text()
    written = "filesystem.csv_writer\n    mode: write\n    config:\n      path: out/orders.csv\n"
    writer = f"{planned}\n    mode: write\n    config:\n      table: orders\n"
    (project / "pipelines/orders.oml.yaml").write_text(text.replace(written, writer))
    done = osiris("run", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert "acme.writer has no driver in this version of Osiris yet" in done.stderr


def test_text_in_a_column_of_numbers_is_a_warning_among_the_lines_of_a_run(osiris, project):
    with contextlib.closing(sqlite3.connect(project / "data/shop.db")) as database:
        database.execute("CREATE TABLE orders (id INTEGER, amount REAL)")
        database.execute("INSERT INTO orders VALUES (1, 10.5), (2, 'n/a')")
        database.commit()
    text = (project / "pipelines/orders.oml.yaml").read_text()
    reader = "sqlite.extractor\n    mode: read\n    config:\n      path: data/shop.db\n      table: orders\n"
    (project / "pipelines/orders.oml.yaml").write_text(
        text.replace("filesystem.csv_extractor\n    mode: read\n    config:\n      path: data/orders.csv\n", reader)
    )
    done = osiris("run", "pipelines/orders.oml.yaml")
    assert done.returncode == 0
    assert (
        "warning read-orders: The column amount of data/shop.db is declared as numbers but holds text, first in row 2: "
        "the whole column is read as text.\n"
    ) in done.stdout


def test_an_unknown_target_is_said_before_anything_runs(osiris, project):
    done = osiris("run", "pipelines/orders.oml.yaml", "--target", "moon")
    assert done.returncode == 1
    assert "There is no target 'moon'." in done.stderr
    assert not (project / "logs").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_run(project, slow, number, code):
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "osiris", "run", slow, "--log-format", "json"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == "step_start" and events[-1]["step_id"] == "many":
            process.send_signal(number)
    assert process.wait(30) == code
    assert events[-1]["event"] == "run_cancelled"
    assert not (project / "out/slow.csv").exists()


def test_a_detached_run_is_followed_and_cancelled_by_its_id(osiris, project, slow):
    started = osiris("run", slow, "--detach")
    run = started.stdout.strip()
    assert started.returncode == 0
    assert run.startswith("run_")
    follower = subprocess.Popen(
        [sys.executable, "-P", "-m", "osiris", "runs", "follow", run, "--format", "json"],
        cwd=project, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert follower.stdout is not None
    names = []
    for line in follower.stdout:
        event = json.loads(line)
        names.append(event["event"])
        if event["event"] == "step_start" and event["step_id"] == "many":
            active = json.loads(osiris("runs", "list", "--active", "--format", "json").stdout)
            assert [(r["run_id"], r["state"]) for r in active] == [(run, "running")]
            cancelled = osiris("runs", "cancel", run)
            assert (cancelled.returncode, cancelled.stdout) == (0, f"{run} is told to stop\n")
    assert (names[0], names[-1]) == ("run_queued", "run_cancelled")
    assert follower.wait(30) == 1
    assert json.loads(osiris("runs", "show", run, "--format", "json").stdout)["state"] == "cancelled"


def test_a_detached_run_answers_programs_in_json(osiris, project):
    said = json.loads(osiris("run", "pipelines/orders.oml.yaml", "--detach", "--format", "json").stdout)
    assert said["folder"] == str(project / "logs" / said["run_id"])
    assert osiris("runs", "follow", said["run_id"]).stdout.endswith("succeeded\n")


def test_while_it_runs_a_second_one_skips_or_fails_as_told(osiris, project, slow):
    run = osiris("run", slow, "--detach").stdout.strip()
    skipped = osiris("run", slow, "--if-running", "skip")
    refused = osiris("run", slow, "--if-running", "fail")
    osiris("runs", "cancel", run)
    assert skipped.returncode == 0
    assert skipped.stdout.startswith("Skipped: The pipeline slow is running already")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: The pipeline slow is running already")
    osiris("runs", "follow", run)


def test_a_sensitive_param_reaches_the_run_and_nothing_else(osiris, project):
    text = (project / "pipelines/orders.oml.yaml").read_text()
    (project / "pipelines/orders.oml.yaml").write_text(
        text.replace("steps:", "params:\n  folder: {type: string, sensitive: true}\nsteps:").replace(
            "path: out/orders.csv", 'path: "out/${params.folder}/orders.csv"'
        )
    )
    done = osiris("run", "pipelines/orders.oml.yaml", "--param", "folder=Tr0ub4dor-3-horse")
    assert done.returncode == 0
    assert (project / "out/Tr0ub4dor-3-horse/orders.csv").exists()
    assert "Tr0ub4dor" not in done.stdout + done.stderr
    for path in (project / "logs").rglob("*"):
        if path.is_file():
            assert b"Tr0ub4dor" not in path.read_bytes(), path


def test_params_come_as_json_on_standard_input_too(osiris, project):
    text = (project / "pipelines/orders.oml.yaml").read_text()
    (project / "pipelines/orders.oml.yaml").write_text(
        text.replace("steps:", "params: {folder: x, day: 1}\nsteps:").replace(
            "path: out/orders.csv", 'path: "out/${params.folder}/${params.day}.csv"'
        )
    )
    given = osiris("run", "pipelines/orders.oml.yaml", "--params-stdin", "--param", "day=3", **piped('{"folder": "a"}'))
    refused = osiris("run", "pipelines/orders.oml.yaml", "--params-stdin", **piped("[1]"))
    assert given.returncode == 0
    assert (project / "out/a/3.csv").exists()
    assert refused.returncode == 2
    assert "standard input must hold a JSON object" in refused.stderr


def piped(text):
    return {"stdin": None, "input": text}


def test_a_run_on_a_terminal_ends_with_the_same_words(project):
    import pty

    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
    command = [sys.executable, "-P", "-m", "osiris", "run", "pipelines/orders.oml.yaml"]
    process = subprocess.Popen(command, cwd=project, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break  # Linux answers EIO once the other side is closed
        if not chunk:
            break
        text += chunk
    os.close(ours)
    assert process.wait(30) == 0
    assert b"write-orders  2 rows" in text
    assert b"succeeded in " in text


def test_a_closed_reader_does_not_stop_a_run(project):
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "osiris", "run", "pipelines/orders.oml.yaml"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    process.wait(60)
    assert b"Traceback" not in process.stderr.read()
    assert (project / "out/orders.csv").exists()


@pytest.mark.parametrize("options", [[], ["--log-format", "json"], ["--format", "json"]])
def test_a_full_disk_behind_standard_output_does_not_stop_a_run_but_is_told(osiris, project, options):
    with open("/dev/full", "w") as full:
        done = osiris(
            "run", "pipelines/orders.oml.yaml", *options,
            capture_output=False, stdout=full, stderr=subprocess.PIPE,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"
    assert (project / "out/orders.csv").exists()


def test_a_run_in_the_background_can_be_followed_at_once(osiris):
    done = osiris("run", "pipelines/orders.oml.yaml", "--detach", "--follow")

    first, *lines = done.stdout.splitlines()
    assert first.startswith("run_")
    assert "goes on when this ends" in first
    assert "done    write-orders" in [line[:20] for line in lines]
    assert lines[-1] == "succeeded"
    assert done.returncode == 0


def test_following_is_for_runs_in_the_background(osiris):
    done = osiris("run", "pipelines/orders.oml.yaml", "--follow")

    assert (done.returncode, "goes with --detach" in done.stderr) == (2, True)


def test_a_machine_that_gives_no_process_for_the_run_is_told_in_its_events_and_its_status(project):
    nowhere = "import sys; sys.executable = '/nowhere/python'; from osiris.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-P", "-c", nowhere, "run", "pipelines/orders.oml.yaml", "--log-format", "json"]

    done = subprocess.run(command, cwd=project, capture_output=True, encoding="utf-8", timeout=60)

    events = [json.loads(line) for line in done.stdout.splitlines()]
    status = json.loads(next((project / "logs").glob("run_*/status.json")).read_text())
    assert (done.returncode, done.stderr) == (1, "")
    assert [event["event"] for event in events] == ["run_queued", "run_error"]
    assert events[-1]["message"] == (
        "The process that carries out the run could not be started: No such file or directory."
    )
    assert (status["state"], status["error"]["code"]) == ("failed", "OML618")
    assert {step["state"] for step in status["steps"]} == {"skipped"}
