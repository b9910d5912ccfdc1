"""How much the property tests try, and the traps in every folder that a test works in.

Property tests try a bounded, repeatable number by default, much more under ``make soak``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from hostile import set_traps
from servers import mariadb, postgres  # noqa: F401 - the fixtures that start private database servers

_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("bounded", max_examples=100, derandomize=True, **_ALWAYS)
settings.register_profile("soak", max_examples=5000, print_blob=True, **_ALWAYS)
settings.load_profile("soak" if os.environ.get("OSIRIS_SOAK") else "bounded")


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
