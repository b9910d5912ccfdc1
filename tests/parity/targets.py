"""Where pipelines run: a new target joins the whole suite by one line in ``TARGETS``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2b_double import E2BDouble

# The variables that lead a run there; the first target is the one that others are compared with.
TARGETS: dict[str, Callable[[E2BDouble], dict[str, str]]] = {
    "local": lambda double: {},
    "e2b": lambda double: double.settings,
}


@dataclass
class Place:
    """A project folder, and how commands are given in it."""

    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def osiris(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(given, timeout=150)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start a command."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "osiris", *arguments],
            cwd=self.root,
            env=self.variables(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """End the commands that are still under way: a test that failed leaves nothing behind."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def variables(self) -> dict[str, str]:
        """The whole environment of a command: nothing of the tester's own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OSIRIS_", "E2B_"))}
        own = {
            "OSIRIS_STATE_DIR": str(self.root.parent / "state"),
            "XDG_CONFIG_HOME": str(self.root.parent / "config"),
            "XDG_CACHE_HOME": str(self.root.parent / "cache"),
        }
        found = {**kept, **own, **self.environ}
        paths = [path for path in (self.environ.get("PYTHONPATH"), os.environ.get("PYTHONPATH")) if path]
        return {**found, "PYTHONPATH": os.pathsep.join(paths)} if paths else found

    # --- what is to be read of the last run

    def run_dir(self) -> Path:
        """The folder of the newest run."""
        return max((self.root / "logs").glob("run_*"))

    def status(self) -> dict[str, Any]:
        """How the newest run stands."""
        status: dict[str, Any] = json.loads((self.run_dir() / "status.json").read_bytes())
        return status

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The events or metrics of the newest run."""
        path = self.run_dir() / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
