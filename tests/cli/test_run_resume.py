"""``osiris run --resume``."""

from __future__ import annotations


def test_resume_goes_on_with_the_run_s_own_manifest(osiris, project):
    orders = project / "data/orders.csv"
    text = orders.read_text()
    orders.write_text("id,amount\n1\n2,3,4\n" + text)
    assert osiris("run", "pipelines/orders.oml.yaml").returncode == 1
    orders.write_text(text)
    (project / "pipelines/orders.oml.yaml").write_text("something else")

    done = osiris("run", "--resume", "latest")

    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "out/orders.csv").read_text() == "id,amount\n1,10.5\n2,20.0\n"

    again = osiris("run", "--resume", "latest")
    assert again.returncode == 1
    assert "succeeded: there is nothing to resume." in again.stderr


def test_resume_goes_without_a_file(osiris):
    done = osiris("run", "pipelines/orders.oml.yaml", "--resume", "latest")

    assert done.returncode == 2
    assert "--resume goes without a file" in done.stderr


def test_a_run_needs_a_file_or_a_run_to_resume(osiris):
    done = osiris("run")

    assert done.returncode == 2
    assert "Name the OML file or the manifest to run, or --resume RUN." in done.stderr


def test_answers_go_with_resume(osiris):
    done = osiris("run", "pipelines/orders.oml.yaml", "--redo", "x")

    assert done.returncode == 2
    assert "--redo and --done go with --resume." in done.stderr
