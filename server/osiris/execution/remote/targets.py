"""The kinds of machines elsewhere, by the names of their targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.adapter_factory import AdapterFactory
from osiris.core.error_taxonomy import ConfigurationError
from osiris.execution.remote.adapter import RemoteAdapter
from osiris.execution.remote.session import Job
from osiris.execution.remote.worker import RemoteWorker

if TYPE_CHECKING:
    from osiris.core.session_logging import SessionLogger
    from osiris.execution.remote.machine import Machines
    from osiris.execution.supervisor import Request


def machines_of(target: str) -> Machines:
    """The machines of a target, with the user's settings. Raises ConfigurationError or NotSetUp."""
    adapter = AdapterFactory.create(target)
    if not isinstance(adapter, RemoteAdapter):
        raise ConfigurationError(f"The target {target} has no machines elsewhere.")
    return adapter.machines


def remote_worker(request: Request, run_dir: Path, logger: SessionLogger, *, attach: bool = False) -> RemoteWorker:
    """A worker for a run elsewhere; with ``attach`` for one that goes on there and lost its host."""
    settings = {"memory": request.memory, "parallel": request.parallel, "deterministic": request.deterministic}
    job = Job(
        manifest=request.manifest,
        root=request.root,
        run_dir=run_dir,
        logger=logger,
        params=request.params,
        settings=settings,
        resume=request.resume,
    )
    return RemoteWorker(job, machines_of(request.target), attach=attach)


def manifest_of(run_dir: Path) -> dict[str, Any]:
    """The manifest of a run. Raises ConfigurationError when it is gone."""
    from osiris.core.manifest import MANIFEST_NAME, read_manifest

    return dict(read_manifest(run_dir / MANIFEST_NAME))
