"""The double that all tests of a module share, and projects in which they run pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2b_double import E2BDouble
from parity.plugin import install


@pytest.fixture(scope="package")
def service() -> Iterator[E2BDouble]:
    """One double for all."""
    with E2BDouble() as double:
        yield double


@pytest.fixture
def double(service: E2BDouble) -> Iterator[E2BDouble]:
    """The double, as new; no test may leave a sandbox behind unless it ends it itself."""
    yield service
    service.new_test()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the import path with the plug-in of these tests."""
    return install(tmp_path_factory.mktemp("site-packages"))
