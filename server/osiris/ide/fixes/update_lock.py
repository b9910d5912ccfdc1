"""The action that brings ``osiris.schema.json`` up to date, where a finding says that it is not."""

from __future__ import annotations

from dataclasses import dataclass

from osiris.ide.fixes.quick_fixes import Checked, touched
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.text import Span


@dataclass(frozen=True, slots=True)
class UpdateLock:
    """What the server is to do for a finding: ``command`` with the URI of the document (``[{"uri": ...}]``)."""

    diagnostic: Diagnostic
    title: str = "Update osiris.schema.json"
    command: str = "osiris.lockSchema"


def update_lock(checked: Checked, span: Span) -> UpdateLock | None:
    """The action for the first such finding that touches ``span``; None where there is none."""
    found = next((finding for finding in touched(checked, span) if finding.relock), None)
    return UpdateLock(found) if found is not None else None
