"""The three steps of a run elsewhere, for users of the Python API."""

from __future__ import annotations

from typing import Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.core.execution_adapter import ExecutionContext, PreparedRun
from osiris.execution.adapter import EngineAdapter
from osiris.execution.remote.machine import Machines
from osiris.execution.remote.session import Job, Session


class RemoteAdapter(EngineAdapter):
    """Runs a manifest on a machine of some kind, and brings back what it made.

    prepared = adapter.prepare(manifest, context)
    adapter.execute(prepared, context)
    adapter.collect(prepared, context)
    """

    def __init__(self, machines: Machines) -> None:
        self.machines = machines

    def prepare(self, manifest: dict[str, Any], context: ExecutionContext) -> PreparedRun:
        """Pack the manifest and what it needs; nothing is sent.

        Raises ConfigurationError for what is missing here, and RemoteError for what is not set up or not to be reached
        from there.
        """
        from osiris.core.config import Config

        root = context.working_dir.absolute()
        runtime = Config.load(root).runtime
        settings = {
            "memory": runtime.memory_bytes,
            "parallel": runtime.max_parallel_steps,
            "deterministic": runtime.deterministic,
        }
        run_dir = context.logger.run_dir
        job = Job(manifest=manifest, root=root, run_dir=run_dir, logger=context.logger, settings=settings)
        session = Session(job, self.machines)
        session.prepare()
        return PreparedRun(manifest, run_dir, {"session": session})

    def execute(self, prepared: PreparedRun, context: ExecutionContext) -> dict[str, Any]:
        """Execute the pipeline; how it ended. No machine is left. Raises ExecutionError when a step fails."""
        session: Session = prepared.details["session"]
        end = session.run()
        outcome = end.get("outcome")
        if outcome is None:
            raise ExecutionError(f"The process that carried out the run is gone: {end['died']}.", code="OML618")
        return self.ended(outcome, prepared, context)
