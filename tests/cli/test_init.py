"""``osiris init``: a project that works at once, and never at the cost of what was there."""

from __future__ import annotations

import subprocess


def test_a_new_project_validates_compiles_and_runs_at_once(osiris, tmp_path):
    done = osiris("init", "fresh", cwd=tmp_path)
    fresh = tmp_path / "fresh"
    assert done.returncode == 0
    assert done.stdout.endswith("Next:  osiris run fresh/pipelines/first-pipeline.oml.yaml\n")
    assert osiris("validate", cwd=fresh).stdout == "1 file checked: nothing wrong.\n"
    assert osiris("compile", "pipelines/first-pipeline.oml.yaml", cwd=fresh).returncode == 0
    assert osiris("run", "pipelines/first-pipeline.oml.yaml", cwd=fresh).returncode == 0
    assert (fresh / "out/revenue_by_country.csv").read_text() == (
        "country,orders,revenue\nDE,2,148.9\nCZ,2,113.9\nFR,2,95.0\nNL,1,12.5\n"
    )


def test_what_comes_next_works_in_a_folder_with_spaces(osiris, tmp_path):
    done = osiris("init", "my shop", cwd=tmp_path)
    assert done.stdout.endswith("Next:  osiris run 'my shop/pipelines/first-pipeline.oml.yaml'\n")


def test_git_sees_neither_outputs_nor_secrets(osiris, tmp_path):
    osiris("init", cwd=tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name in ("build/x/manifest.json", "logs/run_1/events.jsonl", "out/x.csv", ".osiris/data/x", ".env"):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=tmp_path).returncode == 0, name
    assert subprocess.run(["git", "check-ignore", "-q", ".env.example"], cwd=tmp_path).returncode == 1


def test_what_is_there_is_never_overwritten(osiris, tmp_path):
    (tmp_path / "osiris.yaml").write_text("on_failure: stop\n")
    (tmp_path / ".gitignore").write_text("*.tmp\nlogs/")
    done = osiris("init", cwd=tmp_path)
    assert done.returncode == 0
    assert "kept   osiris.yaml" in done.stdout
    assert (tmp_path / "osiris.yaml").read_text() == "on_failure: stop\n"
    added = "# made by osiris\nbuild/\nout/\n.osiris/\n.env\n.venv/\n"
    assert (tmp_path / ".gitignore").read_text() == f"*.tmp\nlogs/\n{added}"


def test_a_second_init_changes_nothing(osiris, tmp_path):
    osiris("init", cwd=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = osiris("init", cwd=tmp_path)
    assert done.returncode == 0
    assert "made" not in done.stdout
    assert "kept   .gitignore\n" in done.stdout
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_file_in_the_way_is_wrong_usage(osiris, tmp_path):
    (tmp_path / "x").write_text("")
    done = osiris("init", "x", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "error: x: is a file. Name a folder, which may be new.\n")


def test_a_folder_that_cannot_be_made_is_said_in_words(osiris, tmp_path):
    (tmp_path / "x").write_text("")
    done = osiris("init", "x/y", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Cannot write ")
