"""Whether git ignores a file, from its own files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from osiris.core.git_ignore import is_ignored


@pytest.mark.parametrize(
    ("patterns", "ignored"),
    [
        ("", False),
        ("# .env\n", False),
        (".env\n", True),
        ("/shop/.env\n", True),
        ("/.env\n", False),
        ("*.env\n", True),
        (".env*\n", True),
        ("**/.env\n", True),
        ("shop/\n", True),
        (".env/\n", False),
        (".env\n!.env\n", False),
        ("!.env\n.env\n", True),
    ],
)
def test_the_patterns_at_the_top_hold_below(tmp_path: Path, patterns: str, ignored: bool) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop").mkdir()
    (tmp_path / ".gitignore").write_text(patterns)

    assert is_ignored(tmp_path / "shop", ".env") is ignored


def test_the_nearer_file_wins(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop").mkdir()
    (tmp_path / ".gitignore").write_text(".env\n")
    (tmp_path / "shop" / ".gitignore").write_text("!/.env\n")

    assert is_ignored(tmp_path / "shop", ".env") is False


def test_what_only_this_copy_leaves_out_counts(tmp_path: Path) -> None:
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text(".env\n")

    assert is_ignored(tmp_path, ".env") is True


def test_outside_a_repository_nobody_ignores(tmp_path: Path) -> None:
    assert is_ignored(tmp_path, ".env") is None
