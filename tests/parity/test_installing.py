"""A sandbox without Osiris gets this very version of it, and the plug-ins of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2b_double import E2BDouble
from parity.cases import ATTEMPTS
from parity.comparing import contents, same, told
from parity.targets import Place


@pytest.fixture(scope="module")
def bare() -> Iterator[E2BDouble]:
    """A service whose template has Python and the packages that Osiris needs, but not Osiris."""
    with E2BDouble(osiris=False) as double:
        yield double


def test_a_bare_template_gets_this_version_and_the_plug_in_and_the_run_is_the_same(bare, site: Path, tmp_path: Path):
    places = []
    for target in ("local", "e2b"):
        root = tmp_path / target / "project"
        root.mkdir(parents=True)
        file = ATTEMPTS.lay_out(root)
        place = Place(root, {"PYTHONPATH": str(site), **bare.settings})
        done = place.osiris("run", file, "--target", target)
        assert done.returncode == 0, done.stderr
        places.append(place)
    ours, theirs = places
    assert told(theirs) == told(ours)
    assert same(contents(ours.root / "out/odd.csv"), contents(theirs.root / "out/odd.csv"))
    (box,) = bare.boxes.values()
    modules = {
        path.name for path in box.files() if path.suffix == ".py" and path.parent.name in ("osiris", "odd_osiris")
    }
    assert {"__init__.py", "driver.py"} <= modules
    assert bare.running() == []
