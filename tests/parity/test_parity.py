"""The same pipeline gives the same files, events, metrics and status wherever it runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2b_double import E2BDouble
from osiris.core.adapter_factory import AdapterFactory
from osiris.core.compiler_v0 import compile_oml
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.session_logging import SessionLogger
from osiris.execution.ulid import new_run_id
from parity.cases import CASES, MISSING, SHAPES, Case
from parity.comparing import changed, contents, same, snapshot, told
from parity.targets import TARGETS, Place

REFERENCE, *OTHERS = TARGETS
EXAMPLES = Path(__file__).parents[2] / "examples"
RUNNABLE = [
    path.relative_to(EXAMPLES).as_posix()
    for path in sorted(EXAMPLES.glob("*/pipelines/*.oml.yaml"))
    if not path.read_text(encoding="utf-8").startswith("# Wrong on purpose")
]


class Runs:
    """The runs of one case at all targets, each in a project of its own."""

    def __init__(self, double: E2BDouble, site: Path, folder: Path) -> None:
        self.double = double
        self.site = site
        self.folder = folder

    def at(self, target: str, lay_out: Callable[[Path], str], case: Case) -> tuple[Place, list[str]]:
        """Run the case at ``target``; the project, and the files in it that the run changed."""
        root = self.folder / target / "project"
        root.mkdir(parents=True)
        file = lay_out(root)
        before = snapshot(root)
        environ = {"PYTHONPATH": str(self.site), **case.environ, **TARGETS[target](self.double)}
        place = Place(root, environ)
        done = place.osiris("run", file, "--target", target, "--no-cache", *case.arguments)
        assert done.returncode == case.code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return place, changed(before, snapshot(root))

    def compare(self, lay_out: Callable[[Path], str], case: Case) -> tuple[list[str], dict[str, Any]]:
        """Run at all targets and compare; the files that the run changed, and its status."""
        ours, written = self.at(REFERENCE, lay_out, case)
        for target in OTHERS:
            theirs, also = self.at(target, lay_out, case)
            assert also == written
            require_equal(ours, theirs, written)
            assert theirs.status()["target"] == target
        assert [box.alive for box in self.double.boxes.values()] == [False]  # there was one, and it is gone
        return written, ours.status()


def require_equal(ours: Place, theirs: Place, written: list[str]) -> None:
    """What two runs have written is equal, and what they tell of themselves."""
    for name in written:
        assert same(contents(ours.root / name), contents(theirs.root / name)), name
        assert (ours.root / name).stat().st_mode == (theirs.root / name).stat().st_mode, name
    expected, found = told(ours), told(theirs)
    for part in expected:
        assert found[part] == expected[part], part


@pytest.fixture
def runs(double: E2BDouble, site: Path, tmp_path: Path) -> Runs:
    return Runs(double, site, tmp_path)


def copied(example: str) -> Callable[[Path], str]:
    """Lays out a copy of the example that the pipeline ``example`` belongs to, with its data made."""
    folder, _, file = example.partition("/")

    def lay_out(root: Path) -> str:
        ignored = shutil.ignore_patterns("build", "logs", "out", "data", ".osiris")
        shutil.copytree(EXAMPLES / folder, root, ignore=ignored, dirs_exist_ok=True)
        if (root / "make_data.py").exists():
            subprocess.run([sys.executable, "make_data.py"], cwd=root, check=True, capture_output=True)
        return file

    return lay_out


@pytest.mark.parametrize("example", RUNNABLE)
def test_examples_give_the_same_everywhere(runs, example):
    runs.compare(copied(example), Case("example", ""))


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases_end_alike_everywhere(runs, case):
    written, status = runs.compare(case.lay_out, case)
    assert written == sorted(case.writes)
    assert status["state"] == ("failed" if case.code else "succeeded")


def test_a_run_that_failed_goes_on_alike_everywhere(runs):
    places = {}
    for target in TARGETS:
        place, written = runs.at(target, MISSING.lay_out, MISSING)
        assert written == sorted(MISSING.writes)
        (place.root / "later").mkdir()
        (place.root / "later/rows.csv").write_text("m\n1\n2\n")
        (place.root / "out/kept.csv").unlink()  # were it written again, it would be there
        done = place.osiris("run", "--resume", "latest", "--target", target)
        assert done.returncode == 0, done.stderr
        places[target] = place
    ours = places.pop(REFERENCE)
    assert sorted(path.name for path in (ours.root / "out").iterdir()) == ["saved.csv"]
    for theirs in places.values():
        require_equal(ours, theirs, ["out/saved.csv"])
        assert sorted(path.name for path in (theirs.root / "out").iterdir()) == ["saved.csv"]
    assert runs.double.running() == []


def test_the_python_api_gives_the_same_everywhere(double, tmp_path, monkeypatch):
    found = {}
    for target, environ in TARGETS.items():
        root = tmp_path / target / "project"
        root.mkdir(parents=True)
        manifest = compile_oml(root / SHAPES.lay_out(root))
        with monkeypatch.context() as patch:
            for name, value in environ(double).items():
                patch.setenv(name, value)
            found[target] = adapted(target, manifest, root)
    outcome, events, written = found.pop(REFERENCE)
    assert outcome["state"] == "succeeded"
    for theirs in found.values():
        assert theirs[0].keys() == outcome.keys()
        assert (theirs[0]["rows"], theirs[1]) == (outcome["rows"], events)
        assert theirs[2].keys() == written.keys()
        assert all(same(theirs[2][name], written[name]) for name in written)
    assert double.running() == []


def adapted(target: str, manifest: Any, root: Path) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """Run a manifest as users of the Python API do: the outcome, the sorted names of events, and what was written."""
    run_dir = root / "logs" / new_run_id()
    before = snapshot(root)
    with SessionLogger(run_dir, run_dir.name) as logger:
        context = ExecutionContext(run_dir.name, root, run_dir / "artifacts", logger)
        adapter = AdapterFactory.create(target=target)
        prepared = adapter.prepare(dict(manifest), context)
        adapter.execute(prepared, context)
        outcome = adapter.collect(prepared, context)
    lines = (run_dir / "events.jsonl").read_text(encoding="utf-8").splitlines()
    names = [json.loads(line)["event"] for line in lines]
    written = {name: contents(root / name) for name in changed(before, snapshot(root))}
    return outcome, sorted(name for name in names if not name.startswith("remote_")), written
