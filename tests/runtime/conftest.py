"""A project on disk and its runs, for tests that run real pipelines."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from osiris.components.registry import ComponentRegistry
from osiris.core.adapter_factory import AdapterFactory
from osiris.core.error_taxonomy import ExecutionError
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.manifest import generate_fingerprint
from osiris.core.session_logging import SessionLogger
from osiris.execution.local import RunResult, start_run
from osiris.execution.remote import targets
from osiris.execution.runs import RunStore
from osiris.execution.ulid import new_run_id
from runtime.process_machine import ProcessMachines

Step = dict[str, Any]


class Project:
    """A project folder in which tests put files and run steps."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: str | bytes) -> Path:
        """Put a file into the project."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def read(self, path: str) -> str:
        """A file of the project as text, line ends as they are."""
        return (self.root / path).read_bytes().decode()

    def database(self, path: str, *statements: str) -> Path:
        """A SQLite database in the project, made by ``statements``."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(target) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return target

    def step(self, id: str, component: str, /, *, sources: Any = (), needs: Any = (), **config: Any) -> Step:
        """A step of a manifest. ``sources``: the steps whose rows it takes; ``step__x`` keys go to the step itself."""
        spec = ComponentRegistry.builtin().get(component)
        names = [sources] if isinstance(sources, str) else list(sources)
        inputs = sources if isinstance(sources, dict) else {"df_" + n.replace("-", "_"): n for n in names}
        own = {key.removeprefix("step__"): config.pop(key) for key in list(config) if key.startswith("step__")}
        return {
            "id": id,
            "component": component,
            "mode": spec.modes[0] if spec else "read",
            "driver": spec.driver if spec else None,
            "config": spec.with_defaults(config) if spec else config,
            "needs": [*inputs.values(), *([needs] if isinstance(needs, str) else needs)],
            "inputs": inputs,
            **own,
        }

    def csv(self, id: str, path: str, **options: Any) -> Step:
        """A step that reads a CSV file."""
        return self.step(id, "filesystem.csv_extractor", path=path, **options)

    def sql(self, id: str, sources: Any, query: str, **options: Any) -> Step:
        """A step with a query over other steps."""
        return self.step(id, "duckdb.processor", sources=sources, query=query, **options)

    def to_csv(self, id: str, source: str, path: str, **options: Any) -> Step:
        """A step that writes a CSV file."""
        return self.step(id, "filesystem.csv_writer", sources=source, path=path, **options)

    def manifest(self, *steps: Step, name: str = "test", **fields: Any) -> dict[str, Any]:
        """A manifest made by hand, as no compiler would let it pass."""
        manifest: dict[str, Any] = {
            "manifest_version": "1",
            "oml_version": "0.1.0",
            "compiler": {"name": "osiris", "version": "test"},
            "pipeline": {"name": name},
            "profile": None,
            "params": {},
            "run_params": {},
            "sensitive_params": [],
            "steps": list(steps),
            "on_failure": "continue",
            "fingerprints": {},
            **fields,
        }
        return {**manifest, "fingerprint": generate_fingerprint(manifest)}

    def run(self, *steps: Step, manifest: dict[str, Any] | None = None, **options: Any) -> Run:
        """Run the steps in a worker process, to the end."""
        return Run(start_run(manifest or self.manifest(*steps), root=self.root, **options))

    def run_here(self, *steps: Step, **fields: Any) -> Run:
        """Run the steps in this process, as users of the Python API do."""
        run_dir = self.root / "logs" / new_run_id()
        with SessionLogger(run_dir, run_dir.name) as logger:
            context = ExecutionContext(run_dir.name, self.root, run_dir / "artifacts", logger)
            adapter = AdapterFactory.create(target="local")
            prepared = adapter.prepare(self.manifest(*steps, **fields), context)
            with contextlib.suppress(ExecutionError):  # the outcome says it
                adapter.execute(prepared, context)
            outcome = adapter.collect(prepared, context)
        return Run(RunResult(run_dir.name, run_dir, outcome["state"], outcome))

    def store(self) -> RunStore:
        """The runs of the project."""
        return RunStore(self.root / "logs")

    def end_runs(self) -> None:
        """Stop what is still under way: a test that failed leaves nothing behind that goes on for hours."""
        for run in self.store().list():
            if run.active:
                self.store().cancel(run.id)

    def leftovers(self) -> list[str]:
        """Files in the project that no user would want to see: parts of files, spilled data."""
        return [
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if path.name.endswith((".part", ".tmp", "-journal")) or path.name in ("spill", ".new")
        ]


class Run:
    """A run that has ended."""

    def __init__(self, result: RunResult) -> None:
        self.result = result
        self.state = result.state
        self.status = result.status
        self.path = result.path

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events."""
        return [json.loads(line) for line in (self.path / "events.jsonl").read_text().splitlines()]

    def named(self, *names: str) -> list[tuple[str, str | None]]:
        """The events with one of these names, as (name, step)."""
        return [(e["event"], e.get("step_id")) for e in self.events if e["event"] in names]

    def error(self, step: str | None = None) -> str:
        """The message of the step's error, or of the run's first one."""
        if step is None:
            return str((self.status.get("error") or {}).get("message"))
        return next(str(e["message"]) for e in self.events if e["event"] == "step_error" and e["step_id"] == step)

    def states(self) -> dict[str, str]:
        """The state of each step."""
        return {step["id"]: step["state"] for step in self.status["steps"]}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty project."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "osiris.yaml").write_text("version: 1\n")
    project = Project(root)
    yield project
    project.end_runs()


@pytest.fixture
def machines(monkeypatch) -> Iterator[ProcessMachines]:
    """A target ``process``; every machine of it is ended by the run itself."""
    machines = ProcessMachines()
    monkeypatch.setattr(targets, "machines_of", lambda target: machines)
    yield machines
    left = machines.running()
    for machine in machines.made:
        machine.end()
    assert left == []


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Wait until something is true, with a deadline far beyond what it should take; what it returned. It is looked at
    ``every`` so many seconds."""

    def wait(condition: Callable[[], Any], seconds: float = 90.0, every: float = 0.02) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            result = condition()
            if result:
                return result
            time.sleep(every)
        raise AssertionError(f"it did not happen within {seconds:g} s: {condition}")

    return wait
