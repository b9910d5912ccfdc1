"""How much the property tests try, a state folder for each test, and the traps in every folder that a test works in.

What a test starts hears Ctrl-C, also when the tests themselves run in the background, where shells have it ignored.

Property tests try a bounded, repeatable number by default, much more under ``make soak``.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import limits
from hostile import set_traps
from osiris.components.registry import ComponentRegistry
from planned import NAME as PLANNED
from planned import install as install_planned
from servers import mariadb, postgres  # noqa: F401 - the fixtures that start private database servers

_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

_NUMBERS = map(str, itertools.count())

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("bounded", max_examples=25, derandomize=True, **_ALWAYS)
settings.register_profile("soak", max_examples=5000, print_blob=True, **_ALWAYS)
settings.load_profile("soak" if os.environ.get("OSIRIS_SOAK") else "bounded")


def pytest_configure(config: pytest.Config) -> None:
    """No test goes on for ever."""
    limits.register(config)


@pytest.fixture(scope="session", autouse=True)
def state_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the state folders are; what lives longer than one test has one here, too."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSIRIS_STATE_DIR", str(folder / "shared"))
        yield folder


@pytest.fixture(autouse=True)
def nobody_knows_anything_of_databases(state_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test, with all the processes it starts, has a state folder of its own; it is made when something is kept."""
    monkeypatch.setenv("OSIRIS_STATE_DIR", str(state_folders / next(_NUMBERS)))


@pytest.fixture
def planned(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a component without a driver; its plug-in is installed for this process and those that it starts."""
    site = tmp_path_factory.mktemp("site-packages")
    install_planned(site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    registry = ComponentRegistry()
    monkeypatch.setattr(ComponentRegistry, "builtin", classmethod(lambda cls: registry))
    return PLANNED


@pytest.fixture(autouse=True)
def nothing_of_the_workspace_is_executed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Every folder that a test works in holds a ``.venv`` and modules that must not be run, whatever the test does."""
    if "tmp_path" not in request.fixturenames or request.node.get_closest_marker("without_traps"):
        yield
        return
    folder: Path = request.getfixturevalue("tmp_path")
    traps = set_traps(folder, tmp_path_factory.mktemp("sprung") / "traps.txt")
    yield
    assert traps.sprung() == "", "something of the workspace was executed"
