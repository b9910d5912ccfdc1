"""``osiris run --to STEP``: the step and what it waits for, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

MORE = """\
  - id: again
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/orders.csv
  - id: large
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT * FROM df_again WHERE amount > 15
"""


def test_steps_behind_it_do_not_run(osiris, project):
    done = osiris("run", "pipelines/orders.oml.yaml", "--to", "read-orders")

    assert (done.returncode, done.stderr) == (0, "")
    assert "2 rows" in done.stdout
    assert not (project / "out/orders.csv").exists()


def test_writers_that_it_waits_for_run(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text() + MORE)

    done = osiris("run", "pipelines/orders.oml.yaml", "--to", "again", "--format", "json")

    status = json.loads(done.stdout)
    assert [(step["id"], step["state"]) for step in status["steps"]] == [
        ("read-orders", "succeeded"),
        ("write-orders", "succeeded"),
        ("again", "succeeded"),
    ]
    assert status["to"] == "again"
    assert (project / "out/orders.csv").exists()


def test_the_last_step_says_its_rows_and_its_manifest_can_be_run_again(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text() + MORE.replace("    mode: read\n", "    mode: read\n    needs: []\n"))

    first = json.loads(osiris("run", "pipelines/orders.oml.yaml", "--to", "large", "--format", "json").stdout)
    again = json.loads(osiris("run", f"{first['folder']}/manifest.json", "--format", "json").stdout)

    for status in (first, again):
        assert [step["id"] for step in status["steps"]] == ["again", "large"]
        assert status["steps"][-1]["rows"] == 1
    assert not (project / "out").exists()


def test_a_compiled_manifest_takes_it_too(osiris, project):
    osiris("compile", "pipelines/orders.oml.yaml")

    done = osiris("run", "build/orders/manifest.json", "--to", "read-orders", "--format", "json")

    assert [step["id"] for step in json.loads(done.stdout)["steps"]] == ["read-orders"]


def test_an_unknown_step_starts_no_run(osiris, project):
    done = osiris("run", "pipelines/orders.oml.yaml", "--to", "read-order")

    assert done.returncode != 0
    assert "There is no step read-order in the pipeline orders." in done.stderr
    assert "Did you mean read-orders?" in done.stderr
    assert not (project / "logs").exists()


BROKEN = """\
  - id: unfinished
    component: duckdb.processor
    mode: transform
    config:
      qury: SELECT * FROM df_read_orders
"""


def test_errors_in_steps_that_do_not_run_do_not_matter(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    whole = json.loads(osiris("run", "pipelines/orders.oml.yaml", "--to", "read-orders", "--format", "json").stdout)
    path.write_text(path.read_text() + BROKEN)

    refused = osiris("run", "pipelines/orders.oml.yaml")
    done = json.loads(osiris("run", "pipelines/orders.oml.yaml", "--to", "read-orders", "--format", "json").stdout)

    assert (refused.returncode, "Nothing was compiled" in refused.stderr) == (1, True)
    assert [(step["id"], step["state"]) for step in done["steps"]] == [("read-orders", "succeeded")]
    manifests = [json.loads((Path(status["folder"]) / "manifest.json").read_text()) for status in (whole, done)]
    assert manifests[0]["steps"] == manifests[1]["steps"]
    assert not (project / "build").exists()


def test_errors_in_the_steps_that_run_start_nothing(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text() + BROKEN)

    done = osiris("run", "pipelines/orders.oml.yaml", "--to", "unfinished")

    assert done.returncode == 1
    assert "qury" in done.stderr
    assert not (project / "logs").exists()


def test_errors_in_steps_that_do_not_run_are_not_told(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text() + BROKEN + BROKEN.replace("unfinished", "other").replace("qury", "qurry"))

    done = osiris("run", "pipelines/orders.oml.yaml", "--to", "unfinished")

    assert done.returncode == 1
    assert "qury" in done.stderr
    assert "qurry" not in done.stderr
