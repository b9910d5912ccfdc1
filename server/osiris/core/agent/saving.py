"""The one place where a proposal becomes a file."""

from __future__ import annotations

from pathlib import Path

from osiris.core.agent.proposals import Proposal, checked, checked_path
from osiris.core.error_taxonomy import ValidationError
from osiris.core.files import atomic_write
from osiris.core.project import Project
from osiris.core.source import read_source


def save(project: Project, proposal: Proposal) -> Path:
    """Write the text of ``proposal`` to its pipeline; the path.

    It is judged once more, as things are now. Raises ValidationError for one with errors, and when the file is not the
    one that the proposal was made for: somebody has changed it since.
    """
    target = project.root / checked_path(project, proposal.path)
    now = checked(project, proposal)
    if not now.ok:
        first = now.errors()
        why = f": {first[0].message}" if first else "."
        raise ValidationError(f"A draft with errors is not written to a pipeline{why}")
    there = read_source(target) if target.exists() else None
    if there != proposal.before and there != proposal.text:
        raise ValidationError(
            f"{proposal.path} has changed since this was proposed.", hint="Ask again, so that nothing is lost."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(target, proposal.text.encode("utf-8"))
    project.invalidate()
    return target
