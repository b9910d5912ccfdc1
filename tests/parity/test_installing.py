"""A sandbox without Osiris gets this very version of it, and the plug-ins of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import osiris
from e2b_double import E2BDouble
from parity.cases import ATTEMPTS
from parity.targets import Place


@pytest.fixture(scope="module")
def bare() -> Iterator[E2BDouble]:
    """A service whose template has Python and the packages that Osiris needs, but not Osiris."""
    with E2BDouble(osiris=False) as double:
        yield double


def test_a_bare_template_gets_this_version_and_the_plug_in(bare, site: Path, tmp_path: Path):
    root = tmp_path / "project"
    root.mkdir()
    file = ATTEMPTS.lay_out(root)
    place = Place(root, {"PYTHONPATH": str(site), **bare.settings})
    done = place.osiris("run", file, "--target", "e2b")
    assert done.returncode == 0, done.stderr
    assert (root / "out/odd.csv").read_text() == "n\n0\n1\n2\n"
    (box,) = bare.boxes.values()
    ours = Path(osiris.__file__)
    (there,) = [path for path in box.files() if path.as_posix().endswith("/osiris/__init__.py")]
    assert there.read_bytes() == ours.read_bytes()
    assert [path.name for path in box.files() if path.parent.name == "odd_osiris"].count("driver.py") == 1
    assert bare.running() == []
