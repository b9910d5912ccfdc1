"""The one place where a proposal becomes a file."""

from __future__ import annotations

from pathlib import Path

from osiris.core.agent.proposals import Proposal, checked, checked_path, with_ends_of, with_plain_ends
from osiris.core.error_taxonomy import ValidationError
from osiris.core.files import atomic_write, rewrite
from osiris.core.project import Project
from osiris.core.source import read_encoded


def save(project: Project, proposal: Proposal) -> Path:
    """Write the text of ``proposal`` to its pipeline; the path. A file that is there keeps its encoding, ends of lines
    and permissions.

    It is judged once more, as things are now. Raises ValidationError for one with errors, and when the file is not the
    one that the proposal was made for: somebody has changed it since.
    """
    target = project.root / checked_path(project, proposal.path)
    now = checked(project, proposal)
    if not now.ok:
        first = now.errors()
        why = f": {first[0].message}" if first else "."
        raise ValidationError(f"A draft with errors is not written to a pipeline{why}")
    there = read_encoded(target) if target.exists() else None
    plain = with_plain_ends(there.text) if there is not None else None
    if plain not in (proposal.before, proposal.text):
        raise ValidationError(
            f"{proposal.path} has changed since this was proposed.", hint="Ask again, so that nothing is lost."
        )
    if plain == proposal.text:
        return target
    if there is None:
        atomic_write(target, proposal.text.encode("utf-8"))
    else:
        rewrite(target, there.encode(with_ends_of(there.text, proposal.text)))
    project.invalidate()
    return target
