"""``osiris preview`` and the page of ``osiris runs show``."""

from __future__ import annotations

import json

TOTALS = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/orders.csv
  - id: totals
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT count(*) AS n, sum(amount) AS total, NULL AS nothing FROM df
  - id: write
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/totals.csv
"""


def test_preview_as_a_table(osiris, project):
    done = osiris("preview", "pipelines/orders.oml.yaml", "read-orders", "--limit", "1")

    assert (done.returncode, done.stdout) == (0, "id  amount\n1   10.5\n")
    assert done.stderr == "the first 1 row of read-orders\n"
    assert not (project / "build").exists()
    assert not (project / "logs").exists()
    assert not (project / "out").exists()


def test_preview_as_csv_and_json(osiris, project):
    (project / "pipelines/totals.oml").write_text(TOTALS)

    as_csv = osiris("preview", "pipelines/totals.oml", "write", "--format", "csv")
    as_json = osiris("preview", "pipelines/totals.oml", "totals", "--format", "json")

    assert as_csv.stdout == "n,total,nothing\n2,30.5,\n"
    assert json.loads(as_json.stdout) == {
        "step": "totals",
        "columns": [
            {"name": "n", "type": "BIGINT"},
            {"name": "total", "type": "DOUBLE"},
            {"name": "nothing", "type": '"NULL"'},
        ],
        "rows": [[2, 30.5, None]],
        "more": False,
    }


def test_preview_tells_null_from_texts_that_look_like_it(osiris, project):
    query = """SELECT * FROM (VALUES (NULL, 1), ('NULL', 2), ('', 3), ('a, "b"', 4)) v(t, n)"""
    (project / "pipelines/totals.oml").write_text(
        TOTALS.replace("SELECT count(*) AS n, sum(amount) AS total, NULL AS nothing FROM df", query)
    )

    as_table = osiris("preview", "pipelines/totals.oml", "totals")
    as_csv = osiris("preview", "pipelines/totals.oml", "totals", "--format", "csv")
    osiris("run", "pipelines/totals.oml")

    assert [line.split("  ")[0] for line in as_table.stdout.splitlines()] == ["t", "NULL", "'NULL'", "", 'a, "b"']
    assert as_csv.stdout == 't,n\n,1\nNULL,2\n"",3\n"a, ""b""",4\n'
    assert as_csv.stdout == (project / "out/totals.csv").read_text()


def test_preview_of_what_does_not_compile_shows_the_findings(osiris, project):
    (project / "pipelines/totals.oml").write_text(TOTALS.replace("data/orders.csv", "[1]"))

    done = osiris("preview", "pipelines/totals.oml", "totals")

    assert done.returncode == 1
    assert "error OML" in done.stderr


def test_errors_in_steps_that_are_not_needed_do_not_keep_from_a_preview(osiris, project):
    half_written = TOTALS.replace("component: filesystem.csv_writer", "component: filesystem.csv_wri")
    half_written += "  - id: later\n    needs: [nobody]\n"
    (project / "pipelines/totals.oml").write_text(half_written)

    done = osiris("preview", "pipelines/totals.oml", "totals", "--format", "csv")

    assert (done.returncode, done.stdout) == (0, "n,total,nothing\n2,30.5,\n")
    assert osiris("preview", "pipelines/totals.oml", "write").returncode == 1


def test_errors_of_the_whole_document_keep_from_a_preview(osiris, project):
    for wrong in ("name: totals\nnam: x", "name: [totals", "nme: totals"):
        (project / "pipelines/totals.oml").write_text(TOTALS.replace("name: totals", wrong))
        assert osiris("preview", "pipelines/totals.oml", "totals").returncode == 1


def test_preview_of_a_step_that_is_not_there(osiris, project):
    done = osiris("preview", "pipelines/orders.oml.yaml", "read-order")

    assert done.returncode == 1
    assert "There is no step read-order" in done.stderr
    assert "Did you mean read-orders?" in done.stderr


def test_the_page_of_a_run(osiris, project):
    osiris("run", "pipelines/orders.oml.yaml")

    lines = osiris("runs", "show", "latest").stdout.splitlines()

    assert lines[0].startswith("orders  run_")
    assert lines[1].startswith("state:  succeeded in ")
    assert [line.partition(":")[0] for line in lines[2:5]] == ["began", "output", "memory"]
    assert lines[3] == "output: 24 B in 1 file"
    assert lines[6].split()[:4] == ["succeeded", "read-orders", "2", "rows"]
    assert lines[7].split()[:6] == ["succeeded", "write-orders", "2", "rows", "24", "B"]
    assert lines[9:] == ["wrote:  out/orders.csv  24 B", lines[10]]
    assert lines[10].startswith("log:    logs/run_")


def test_the_page_of_a_run_that_failed_says_why_and_what_did_not_run(osiris, project):
    (project / "pipelines/totals.oml").write_text(TOTALS.replace("sum(amount)", "sum(cast('x' || amount AS INTEGER))"))
    osiris("run", "pipelines/totals.oml")

    page = osiris("runs", "show", "latest").stdout

    assert "error:  the step totals failed: " in page
    assert "skip:   write: it needs totals, which failed" in page
    assert lines_of(page)["steps"] == "1 succeeded, 1 failed, 1 skipped"
    assert lines_of(page)["next"] == f"osiris run --resume {lines_of(page)['log'].removeprefix('logs/')}"


def test_the_page_of_a_run_that_another_one_went_on_with_names_it(osiris, project):
    text = TOTALS.replace("sum(amount)", "sum(cast('x' || amount AS INTEGER))")
    (project / "pipelines/totals.oml").write_text(text)
    first = json.loads(osiris("run", "pipelines/totals.oml", "--format", "json").stdout)["run_id"]
    second = json.loads(osiris("run", "--resume", first, "--format", "json").stdout)["run_id"]

    assert lines_of(osiris("runs", "show", first).stdout)["next"] == f"osiris runs show {second}, which went on with it"
    assert lines_of(osiris("runs", "show", second).stdout)["after"] == f"{first}, with which it went on"


def test_the_page_shows_when_each_step_was_at_work_and_how_long_the_run_waited(osiris, project):
    """The page is made of what stands in the run's folder, so a run of some seconds is told, not waited for."""
    osiris("run", "pipelines/orders.oml.yaml")
    (folder,) = (project / "logs").glob("run_*")
    status = json.loads((folder / "status.json").read_text())
    times = {"queued": "10:00:00", "started": "10:00:05", "finished": "10:00:17"}
    status |= {key: f"2026-03-01T{time}.000Z" for key, time in times.items()}
    (folder / "status.json").write_text(json.dumps(status))
    at_work = {"read-orders": ("10:00:05", "10:00:08"), "write-orders": ("10:00:08", "10:00:17")}
    events = [
        {"ts": f"2026-03-01T{time}.000Z", "session": folder.name, "event": event, "step_id": step}
        for step, span in at_work.items()
        for event, time in zip(("step_start", "step_complete"), span, strict=True)
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))

    page = osiris("runs", "show", "latest", env={"PYTHONIOENCODING": "utf-8"}).stdout
    plain = osiris("runs", "show", "latest", env={"PYTHONIOENCODING": "ascii"}).stdout

    assert lines_of(page)["began"].endswith(", after waiting 5.00 s")
    bars = [line.split()[-1] for line in page.splitlines() if line.startswith("  succeeded")]
    assert bars == ["━" * 6 + "·" * 18, "·" * 6 + "━" * 18]
    assert "======.................." in plain


def lines_of(page):
    """What stands behind each label of the page."""
    return {label: value.strip() for label, _, value in (line.partition(":") for line in page.splitlines())}
