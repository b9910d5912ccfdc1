"""What adapters of the engine have in common, wherever it runs: how a run that has ended is told and collected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.core.execution_adapter import ExecutionAdapter, ExecutionContext, PreparedRun


class EngineAdapter(ExecutionAdapter):
    """An adapter whose ``execute`` ends with an outcome of the engine."""

    def ended(self, outcome: Mapping[str, Any], prepared: PreparedRun, context: ExecutionContext) -> dict[str, Any]:
        """Log the end of the run and keep its outcome for ``collect``. Raises ExecutionError when a step has failed."""
        prepared.details["outcome"] = outcome
        if error := outcome["error"]:
            context.log_event("run_error", {"step_id" if key == "step" else key: value for key, value in error.items()})
            step = f"The step {error['step']} failed: " if error.get("step") else ""
            raise ExecutionError(f"{step}{error['message']}", hint=error.get("hint"), code=error.get("code"))
        context.log_event("run_complete", {"steps": len(outcome["steps"])})
        return dict(outcome)

    def collect(self, prepared: PreparedRun, context: ExecutionContext) -> dict[str, Any]:
        """How the run ended, and the files in its artifacts folder, sorted. Raises ExecutionError before the end."""
        outcome = prepared.details.get("outcome")
        if outcome is None:
            raise ExecutionError("There is nothing to collect: the run was not executed.", hint="Call execute first.")
        files = sorted(path for path in context.artifacts_dir.rglob("*") if path.is_file())
        return {**outcome, "artifacts": [str(path) for path in files]}
