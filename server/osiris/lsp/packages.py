"""Says before a run or a discovery starts which Python packages it lacks, so that an editor can bring them first."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.lsp.session import Session

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.lsp.connection_use import Target


async def require_run_packages(session: Session, path: Path, target: str | None = None) -> None:
    """Raise MissingPackageError for the first component of the saved pipeline that needs an absent package, or for the
    ``target`` that the run is for (None: that of the settings).

    Raises ConfigurationError when the file cannot be read.
    """
    importlib.invalidate_caches()  # an editor installs while the server runs
    target = target or session.settings_of(path).run_target
    await asyncio.to_thread(_require, path, session.projects.project_of(path), target)


def require_discovery_packages(targets: Iterable[Target]) -> None:
    """Raise MissingPackageError for the first of these connections whose discovery needs an absent package."""
    from osiris.core.catalog_source import require_source_packages

    importlib.invalidate_caches()
    for target in targets:
        require_source_packages(target.connection.family)


def _require(path: Path, project: Project | None, target: str | None) -> None:
    from osiris.components.registry import ComponentRegistry
    from osiris.core.check import check_text
    from osiris.core.config import Config
    from osiris.core.lookup import require_packages
    from osiris.core.source import read_source
    from osiris.core.targets import HERE, TARGETS

    where = target or (Config.load(project.root).runtime.target if project is not None else HERE)
    if where in TARGETS:
        require_packages(TARGETS[where].packages, f"The target {where}")
    registry = ComponentRegistry.builtin() if project is None else project.environment(path).registry
    pipeline = check_text(read_source(path), project, path).pipeline
    for component in dict.fromkeys(step.component for step in pipeline.steps if step.component):
        spec = registry.get(component)
        if spec is not None and spec.driver is not None:
            require_packages(spec.requirements.get("imports") or (), f"The component {component}")
