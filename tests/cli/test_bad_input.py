"""Input that nobody should write, and some will: a clear message, the right exit code, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from permissions import obey_permissions

HEAD = 'oml_version: "0.1.0"\nname: bad\n'


def step(step_id: str = "a", extra: str = "", config: str = "path: data/orders.csv") -> str:
    head = f"  - id: {step_id}\n    component: filesystem.csv_extractor\n    mode: read\n"
    return head + extra + f"    config:\n      {config}\n"


WRITE = "  - id: w\n    component: filesystem.csv_writer\n    mode: write\n    config: {path: out/o.csv}\n"


def sql(query: str) -> str:
    transform = f"  - id: t\n    component: duckdb.processor\n    mode: transform\n    config:\n      query: {query}\n"
    return HEAD + "steps:\n" + step() + transform + WRITE


# What is written to the file -> a part of what is said about it.
DOCUMENTS = {
    "empty": ("", "OML101"),
    "only a comment": ("# nothing\n", "OML101"),
    "binary": (b"\x7fELF\x02\x01\x01\x00\x00\xff\xfe\x80", "OML014"),
    "50 MB": (b"# " + b"x" * 50_000_000, "OML010"),
    "steps: 3": (HEAD + "steps: 3\n", "OML104"),
    "steps: []": (HEAD + "steps: []\n", "OML113"),
    "a list at top": ("- id: a\n- id: b\n", "OML102"),
    "a text at top": ('"hello"\n', "OML102"),
    "id: [1]": (HEAD + "steps:\n" + step("[1]"), "OML104"),
    "id that leaves its folder": (HEAD + "steps:\n" + step("../../x"), "../../x"),
    "id with a slash": (HEAD + "steps:\n" + step("a/b"), "a/b"),
    "name that leaves its folder": (HEAD.replace("bad", "../../x") + "steps:\n" + step() + WRITE, "OML110"),
    "oml_version: 0.1": (HEAD.replace('"0.1.0"', "0.1") + "steps:\n" + step() + WRITE, "oml_version"),
    "oml_version: 9.9.9": (HEAD.replace("0.1.0", "9.9.9") + "steps:\n" + step() + WRITE, "OML105"),
    "name: no": (HEAD.replace("bad", "") + "steps:\n" + step() + WRITE, "name"),
    "duplicate key": (HEAD + "name: again\nsteps:\n" + step() + WRITE, "OML006"),
    "duplicate id": (HEAD + "steps:\n" + step() + step() + WRITE, "`a`"),
    "cycle": (HEAD + "steps:\n" + step("a", "    needs: [b]\n") + step("b", "    needs: [a]\n"), "OML303"),
    "step that needs itself": (HEAD + "steps:\n" + step("a", "    needs: [a]\n"), "itself"),
    "unknown step": (HEAD + "steps:\n" + step("a", "    needs: [zzz]\n"), "zzz"),
    "tab": (HEAD + "steps:\n\t- id: a\n", "OML002"),
    "unclosed quote": (HEAD + 'description: "never closed\nsteps:\n' + step() + WRITE, "OML003"),
    "alias bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "OML008",
    ),
    "deep nesting": (HEAD + "steps: " + "[" * 5000 + "]" * 5000 + "\n", "OML009"),
    "SQL that reads a file": (sql("SELECT * FROM read_csv('/etc/passwd')"), "OML4"),
    "SQL that reads a file by name": (sql("SELECT * FROM '/etc/passwd'"), "/etc/passwd"),
    "SQL that writes": (sql("COPY df_a TO '/tmp/stolen.csv'"), "OML4"),
    "SQL with two statements": (sql("SELECT 1; SELECT 2"), "OML4"),
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What one `osiris validate` of all the documents says, by document."""
    root = tmp_path_factory.mktemp("bad")
    (root / "data").mkdir()
    (root / "data/orders.csv").write_text("id\n1\n")
    names = {name: f"{number}.oml.yaml" for number, name in enumerate(DOCUMENTS)}
    for name, (content, _) in DOCUMENTS.items():
        (root / names[name]).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = files(root)
    command = [sys.executable, "-P", "-m", "osiris", "validate", "--format", "json", *names.values()]
    done = subprocess.run(command, cwd=root, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (1, b"")
    assert files(root) == before
    found = json.loads(done.stdout)
    return {name: [item for item in found if item["file"] == file] for name, file in names.items()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_bad_document_is_refused_with_a_reason(findings, name):
    errors = [f"{item['code']} {item['message']}" for item in findings[name] if item["severity"] == "error"]
    assert any(DOCUMENTS[name][1] in error for error in errors), findings[name]


# `compile` and `run` stand on the same check, so a few are enough to see that they stop there.
@pytest.mark.parametrize("command", ["compile", "run"])
@pytest.mark.parametrize(
    "name", ["empty", "binary", "50 MB", "steps: 3", "id that leaves its folder", "SQL that writes"]
)
def test_what_does_not_validate_neither_compiles_nor_runs(osiris, project, command, name):
    said = refused(osiris, project, command, DOCUMENTS[name][0])
    assert DOCUMENTS[name][1] in said
    assert "Nothing was compiled." in said


def refused(osiris, project, command: str, content: str | bytes) -> str:
    """What the command says about a file with this content, which it must refuse, leaving nothing behind."""
    (project / "bad.oml.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    before = files(project)
    done = osiris(command, "bad.oml.yaml")
    assert done.returncode == 1
    assert "bad.oml.yaml" in done.stdout + done.stderr
    assert files(project) == before
    return done.stdout + done.stderr


def test_a_file_that_a_step_reads_is_a_warning_until_it_runs(osiris, project):
    (project / "data/orders.csv").unlink()
    assert osiris("validate", "pipelines/orders.oml.yaml").returncode == 0
    assert osiris("compile", "pipelines/orders.oml.yaml").returncode == 0
    done = osiris("run", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert "data/orders.csv" in done.stderr
    assert not (project / "out").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.oml.yaml", "there is no such file"),
        ("pipelines/orders.oml.yaml/x", "Not a directory"),
        ("loop.oml.yaml", "symbolic links"),
        ("x" * 300, "too long"),
        ("a\x01b", "there is no such file"),
    ],
)
def test_a_path_that_cannot_be_opened_is_wrong_usage(osiris, project, name, said):
    (project / "loop.oml.yaml").symlink_to("loop.oml.yaml")
    done = osiris("validate", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_file_without_permission_says_so(osiris, project):
    (project / "pipelines/orders.oml.yaml").chmod(0)
    done = osiris("validate", "pipelines/orders.oml.yaml", preexec_fn=obey_permissions)
    assert done.returncode == 1
    assert "pipelines/orders.oml.yaml: permission denied" in done.stdout


def test_a_device_is_not_read_for_ever(osiris):
    done = osiris("validate", "/dev/zero")
    assert done.returncode == 1
    assert "not a regular file" in done.stdout


def test_an_output_folder_that_cannot_be_written_fails_the_run_and_names_it(osiris, project):
    (project / "out").write_text("a file where a folder should be")
    done = osiris("run", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert "out" in done.stderr
    assert (project / "out").read_text() == "a file where a folder should be"


def test_a_full_disk_during_a_run_fails_it_and_leaves_no_output(osiris, project):
    rows = "".join(f"{n},{n}.5\n" for n in range(200_000))
    (project / "data/orders.csv").write_text("id,amount\n" + rows)

    def small_files_only() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    done = osiris("run", "pipelines/orders.oml.yaml", preexec_fn=small_files_only)
    assert done.returncode == 1
    assert "write-orders" in done.stdout + done.stderr
    assert not list((project / "out").glob("*.csv")) if (project / "out").exists() else True


def files(root):
    """Every file below ``root`` but the logs of runs, with its size."""
    return {
        str(p.relative_to(root)): p.stat().st_size for p in root.rglob("*") if p.is_file() and "logs" not in p.parts
    }
