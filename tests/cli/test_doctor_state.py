"""What ``osiris doctor`` says of the file in which Osiris remembers databases."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from osiris.core.state_store import StateStore

Osiris = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def path(project: Path) -> Path:
    """Where the command keeps its state in these tests."""
    return project.parent / "state/state.db"


def said(osiris: Osiris) -> list[tuple[str, str]]:
    checks = json.loads(osiris("doctor", "--format", "json").stdout)["checks"]
    return [(check["state"], check["detail"]) for check in checks if check["name"] == "state of the user"]


def test_where_nothing_is_kept_yet_nothing_is_made(osiris: Osiris, path: Path) -> None:
    assert said(osiris) == [("ok", f"{path}, where nothing is kept yet")]
    assert not path.exists()


def test_a_file_that_can_be_used(osiris: Osiris, path: Path) -> None:
    with StateStore(path) as store:
        store.grant_consent("x")
    assert said(osiris) == [("ok", str(path))]


def test_a_file_of_a_newer_version_stands_in_the_way(osiris: Osiris, path: Path) -> None:
    with StateStore(path) as store:
        store.write(lambda db: db.execute("PRAGMA user_version = 1000"))
    ((state, detail),) = said(osiris)
    assert state == "problem"
    assert "was written by a newer version of Osiris" in detail


def test_a_damaged_file_is_set_aside_and_named(osiris: Osiris, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"damaged " * 100)
    (state, detail), _ = said(osiris)
    assert state == "note"
    assert "was damaged" in detail
    assert said(osiris) == [("ok", f"{path}, where nothing is kept yet")]
