"""Atomic writes and what is said when a file cannot be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from osiris.core.error_taxonomy import ErrorCategory, ExecutionError, classify, describe
from osiris.core.files import atomic_write, is_inside, private_folder, write_if_changed


def test_missing_folders_are_made(tmp_path: Path) -> None:
    atomic_write(tmp_path / "a" / "b.json", b"{}")
    assert (tmp_path / "a" / "b.json").read_bytes() == b"{}"


@pytest.mark.without_traps
def test_nothing_but_the_file_is_left_behind(tmp_path: Path) -> None:
    atomic_write(tmp_path / "b.json", b"1")
    atomic_write(tmp_path / "b.json", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]


def test_equal_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    assert write_if_changed(path, b"1")
    before = path.stat()
    assert not write_if_changed(path, b"1")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert write_if_changed(path, b"2")


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "b.json" / "x").mkdir(parents=True)
    with pytest.raises(ExecutionError, match=r"Cannot write .*b\.json: it is a folder"):
        atomic_write(tmp_path / "b.json", b"1")


def test_the_reason_is_said_once_and_its_kind_is_known(tmp_path: Path) -> None:
    (tmp_path / "b.json").mkdir()
    with pytest.raises(ExecutionError) as raised:
        atomic_write(tmp_path / "b.json" / ".." / "b.json", b"1")
    assert describe(raised.value).count("folder") == 1
    assert classify(raised.value) is ErrorCategory.CONFIGURATION


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("")
    with pytest.raises(ExecutionError, match=r"Cannot write .*manifest\.json: a part of the path is a file"):
        atomic_write(tmp_path / "build" / "shop" / "manifest.json", b"1")


# The kernel refuses to let the file grow, as a full disk does in the middle of a write.
DISK_THAT_FILLS_UP = """
import resource, signal, sys
from pathlib import Path
from osiris.core.error_taxonomy import ErrorCategory, ExecutionError, classify, describe
from osiris.core.files import atomic_write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    atomic_write(Path(sys.argv[1]), b"x" * 100_000)
except ExecutionError as error:
    print(error)
"""


@pytest.mark.without_traps
def test_a_disk_that_fills_up_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", DISK_THAT_FILLS_UP, str(path)], capture_output=True, text=True, check=True
    )
    assert "Cannot write" in done.stdout
    assert "larger than is allowed" in done.stdout
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]


def test_a_private_folder_is_closed_to_others_also_when_it_was_open(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    assert private_folder(tmp_path / "run").stat().st_mode & 0o777 == 0o700
    assert private_folder(tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_links_and_dots_do_not_lead_out_of_a_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    assert is_inside(root / "a" / "b", root)
    assert not is_inside(root / ".." / "x", root)
    assert not is_inside(root / "out" / "x", root)
    assert not is_inside(Path("/etc/passwd"), root)
