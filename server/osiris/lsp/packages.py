"""Says before a run starts which Python packages its components lack, so that an editor can bring them first."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from osiris.core.lookup import missing_package
from osiris.lsp.session import Session


def require_packages(session: Session, path: Path) -> None:
    """Raise MissingPackageError for the first component of the saved pipeline that needs an absent package."""
    from osiris.core.check import check_text
    from osiris.core.source import read_source

    project = session.projects.project_of(path)
    pipeline = check_text(read_source(path), project, path).pipeline
    importlib.invalidate_caches()  # an editor installs while the server runs
    registry = session.projects.environment_of(path).registry
    for component in dict.fromkeys(step.component for step in pipeline.steps if step.component):
        spec = registry.get(component)
        for package in spec.requirements.get("imports") or () if spec is not None and spec.driver is not None else ():
            if importlib.util.find_spec(package) is None:
                raise missing_package(ModuleNotFoundError(name=package), f"The component {component}")
