"""``osiris fmt``: which files change, what is said about it, and what becomes of files that are not as they should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Osiris = Callable[..., subprocess.CompletedProcess[str]]

# The pipeline of the project that these tests work in, as formatting leaves it.
GOOD = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/orders.csv
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/orders.csv
"""

MESSY = GOOD.replace("name: orders", "name:   orders").replace("\n  ", "\n")
BROKEN = 'oml_version:  "0.1.0"\nsteps:\n  -  id: a\n  -  id: "b\n'


def write(project: Path, content: str | bytes, name: str = "pipelines/orders.oml.yaml") -> Path:
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# -- what changes


def test_without_paths_the_whole_project_is_formatted(osiris: Osiris, project: Path) -> None:
    pipeline = write(project, MESSY)
    connections = write(project, "connections:\n    filesystem:  {}\n", "osiris_connections.yaml")
    other = write(project, "services:   {}\n", "compose.yaml")

    done = osiris("fmt")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "pipelines/orders.oml.yaml: formatted\n"
        "osiris_connections.yaml: formatted\n"
        "2 files formatted, 1 file formatted already.\n"
    )
    assert pipeline.read_text() == GOOD
    assert connections.read_text() == "connections:\n  filesystem: {}\n"
    assert other.read_text() == "services:   {}\n"
    assert osiris("fmt").stdout == "3 files formatted already.\n"


def test_only_the_named_files_and_folders_change(osiris: Osiris, project: Path) -> None:
    named, inside, outside = (write(project, MESSY, name) for name in ("a.oml", "deep/b.oml.yml", "c.oml"))

    done = osiris("fmt", "a.oml", "deep")

    assert done.returncode == 0
    assert named.read_text() == inside.read_text() == GOOD
    assert outside.read_text() == MESSY


def test_check_lists_what_would_change_and_changes_nothing(osiris: Osiris, project: Path) -> None:
    path = write(project, MESSY)

    done = osiris("fmt", "--check")

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "pipelines/orders.oml.yaml: would be formatted\n1 file would be formatted, 1 file formatted already.\n"
    )
    assert path.read_text() == MESSY


def test_check_is_content_with_what_is_formatted(osiris: Osiris) -> None:
    assert osiris("fmt", "--check").returncode == 0


def test_diff_shows_the_lines_and_changes_nothing(osiris: Osiris, project: Path) -> None:
    path = write(project, GOOD.replace("name: orders", "name:   orders"))

    done = osiris("fmt", "--diff")

    assert done.returncode == 0
    assert done.stdout.splitlines()[:6] == [
        "--- pipelines/orders.oml.yaml",
        "+++ pipelines/orders.oml.yaml (formatted)",
        "@@ -1,5 +1,5 @@",
        ' oml_version: "0.1.0"',
        "-name:   orders",
        "+name: orders",
    ]
    assert path.read_text() != GOOD
    assert osiris("fmt", "--diff", "--check").returncode == 1


def test_diff_shows_no_secret(osiris: Osiris, project: Path) -> None:
    secret = "hunter2-" + "correct-horse"
    write(project, f"connections:\n  mysql:\n    a:   {{password:   {secret}}}\n", "osiris_connections.yaml")

    done = osiris("fmt", "--diff")

    assert "+    a: {password: ***" in done.stdout
    assert secret not in done.stdout + done.stderr


def test_json_for_programs(osiris: Osiris, project: Path) -> None:
    write(project, MESSY)

    done = osiris("fmt", "--check", "--format", "json")

    assert json.loads(done.stdout) == [
        {"file": "pipelines/orders.oml.yaml", "status": "would be formatted", "problem": None},
        {"file": "osiris.yaml", "status": "unchanged", "problem": None},
    ]


# -- standard input


def test_standard_input_goes_formatted_to_standard_output(osiris: Osiris) -> None:
    done = osiris("fmt", "-", stdin=None, input=MESSY)

    assert (done.returncode, done.stdout, done.stderr) == (0, GOOD, "")


def test_standard_input_can_be_checked(osiris: Osiris) -> None:
    done = osiris("fmt", "-", "--check", stdin=None, input=MESSY)

    assert (done.returncode, done.stdout) == (1, "")


def test_standard_input_stands_alone(osiris: Osiris) -> None:
    done = osiris("fmt", "-", "a.oml")

    assert done.returncode == 2
    assert "takes no other paths" in done.stderr


# -- what a file keeps


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encoding_and_line_ends_are_kept(osiris: Osiris, project: Path, codec: str, line_end: str) -> None:
    path = write(project, f"# für 😀\n{MESSY}".replace("\n", line_end).encode(codec))

    assert osiris("fmt").returncode == 0

    assert path.read_bytes() == f"# für 😀\n{GOOD}".replace("\n", line_end).encode(codec)


def test_permissions_and_links_are_kept(osiris: Osiris, project: Path) -> None:
    target = write(project, MESSY, "elsewhere/real.oml")
    target.chmod(0o640)
    link = project / "link.oml"
    link.symlink_to(target)

    assert osiris("fmt", "link.oml").returncode == 0

    assert link.is_symlink()
    assert target.read_text() == GOOD
    assert target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(target.parent) == ["real.oml"]


def test_nothing_outside_the_project_is_formatted_behind_a_link(osiris: Osiris, project: Path) -> None:
    outside = project.parent / "settings-of-somebody-else.yaml"
    outside.write_text("runs:   {max_parallel:   2}\n")
    (project / "osiris.yaml").unlink(missing_ok=True)
    (project / "osiris.yaml").symlink_to(outside)

    osiris("fmt")
    osiris("fmt", ".")

    assert outside.read_text() == "runs:   {max_parallel:   2}\n"


def test_a_file_that_needs_no_change_is_not_touched(osiris: Osiris, project: Path) -> None:
    path = project / "pipelines/orders.oml.yaml"
    before = path.stat()

    osiris("fmt")

    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


# -- what is not as it should be


def test_what_is_broken_keeps_its_layout_and_the_rest_is_formatted(osiris: Osiris, project: Path) -> None:
    broken = write(project, BROKEN, "pipelines/broken.oml")
    good = write(project, MESSY)

    done = osiris("fmt")

    assert done.returncode == 1
    assert done.stderr.startswith("error: pipelines/broken.oml:4:10: OML003 ")
    assert done.stderr.endswith("What is broken keeps its layout.\n")
    assert done.stdout.splitlines()[-1] == "2 files formatted, 1 file formatted already, 1 file with errors."
    assert broken.read_text() == 'oml_version: "0.1.0"\nsteps:\n  - id: a\n  -  id: "b\n'
    assert good.read_text() == GOOD


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("", 0, ""),
        ("# nothing\n", 0, ""),
        ("- id: a\n", 0, ""),
        ("steps: 3\n", 0, ""),
        (b"\x7fELF\x02\x01\x01\x00\x00\xff\xfe\x80", 1, "is not text"),
        (b"# " + b"x" * 50_000_000, 1, "too large"),
        ("a:\n\t- b\n", 1, "OML002"),
        ("a: " + "[" * 5000 + "]" * 5000 + "\n", 0, ""),
        ("<<<<<<< ours\na:  1\n=======\na:  2\n>>>>>>> theirs\n", 1, "conflict"),
    ],
    ids=["empty", "comment", "list", "steps: 3", "binary", "50 MB", "tab", "deep", "conflict"],
)
def test_bad_input_is_named_and_left_alone(
    osiris: Osiris, project: Path, content: str | bytes, code: int, said: str
) -> None:
    path = write(project, content, "bad.oml")
    before = path.read_bytes()

    done = osiris("fmt", "bad.oml")

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert path.read_bytes() == before


def test_a_missing_file_and_a_file_that_is_no_oml_are_wrong_usage(osiris: Osiris, project: Path) -> None:
    write(project, "services: {}\n", "compose.yaml")

    missing, foreign = osiris("fmt", "missing.oml"), osiris("fmt", "compose.yaml")

    assert (missing.returncode, foreign.returncode) == (2, 2)
    assert "there is no such file" in missing.stderr
    assert "is not an OML file" in foreign.stderr


def test_a_folder_without_oml_files_is_wrong_usage(osiris: Osiris, project: Path) -> None:
    done = osiris("fmt", "data")

    assert (done.returncode, done.stderr) == (2, "error: data: is a folder without OML files.\n")


def test_a_read_only_file_is_named_and_the_others_are_formatted(osiris: Osiris, project: Path) -> None:
    locked = write(project, MESSY, "a.oml")
    locked.chmod(0o444)
    other = write(project, MESSY, "b.oml")

    done = osiris("fmt", "a.oml", "b.oml")

    assert done.returncode == 1
    assert "Cannot write a.oml: it is read-only." in done.stderr
    assert (locked.read_text(), other.read_text()) == (MESSY, GOOD)


@pytest.mark.without_traps
def test_formatting_imports_nothing_heavy() -> None:
    code = "import sys; from osiris.cli.app import run; run(['fmt', '--check']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2] / "examples/shop",
        capture_output=True,
        text=True,
        check=True,
    )

    heavy = {"duckdb", "pyarrow", "sqlglot", "sqlalchemy", "jsonschema", "rich", "pygls", "lsprotocol", "ruamel"}
    assert not heavy & set(done.stderr.split())
