"""The contract between a manifest and the place where it runs (this machine, a sandbox, a cluster)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osiris.core.session_logging import SessionLogger


@dataclass
class ExecutionContext:
    """Passed to drivers and adapters: who is running, where, and where to say so."""

    session_id: str
    working_dir: Path
    artifacts_dir: Path
    logger: SessionLogger

    def log_event(self, event: str, data: Mapping[str, object] | None = None) -> None:
        """Log structured event. Raises ExecutionError when it cannot be written."""
        self.logger.log_event(event, data)

    def log_metric(self, name: str, value: float, unit: str | None = None, **tags: object) -> None:
        """Log performance metric. Raises ExecutionError when it cannot be written."""
        self.logger.log_metric(name, value, unit, **tags)


@dataclass
class PreparedRun:
    """What ``prepare`` hands to ``execute`` and ``collect``: the manifest, the run's folder, and the adapter's own."""

    manifest: dict[str, Any]
    run_dir: Path
    details: dict[str, Any] = field(default_factory=dict)


class ExecutionAdapter(ABC):
    """A place where manifests run. One object may carry several runs, one after the other."""

    @abstractmethod
    def prepare(self, manifest: dict[str, Any], context: ExecutionContext) -> PreparedRun:
        """Prepare execution package. Raises ConfigurationError when something that the run needs is missing."""

    @abstractmethod
    def execute(self, prepared: PreparedRun, context: ExecutionContext) -> Any:
        """Execute the pipeline. Raises ExecutionError when a step fails."""

    @abstractmethod
    def collect(self, prepared: PreparedRun, context: ExecutionContext) -> dict[str, Any]:
        """Collect results and artifacts."""
