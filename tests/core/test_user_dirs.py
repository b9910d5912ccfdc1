"""Where the user's state is kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.user_dirs import state_dir


def test_the_variable_of_our_own_wins(tmp_path: Path) -> None:
    assert state_dir({"OSIRIS_STATE_DIR": str(tmp_path / "x"), "XDG_STATE_HOME": "/elsewhere"}) == tmp_path / "x"


def test_a_folder_that_depends_on_where_one_stands_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="OSIRIS_STATE_DIR is state, which is not an absolute path"):
        state_dir({"OSIRIS_STATE_DIR": "state"})


def test_the_home_of_a_user_who_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="OSIRIS_STATE_DIR is ~nobody-here/state, which is not an absolute"):
        state_dir({"OSIRIS_STATE_DIR": "~nobody-here/state"})


@pytest.mark.skipif(sys.platform != "linux", reason="the rules of Linux")
def test_on_linux_the_xdg_folder_counts_unless_it_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_dir({"XDG_STATE_HOME": "/var/state"}) == Path("/var/state/osiris")
    assert state_dir({"XDG_STATE_HOME": "relative"}) == tmp_path / ".local/state/osiris"
    assert state_dir({}) == tmp_path / ".local/state/osiris"


def test_asking_makes_nothing(tmp_path: Path) -> None:
    assert not state_dir({"OSIRIS_STATE_DIR": str(tmp_path / "x")}).exists()
