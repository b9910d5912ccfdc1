"""``osiris.doctor``: a report on the installation and on this session, as text to read and to paste. No secrets."""

from __future__ import annotations

import sys

from osiris.core.secrets_masking import mask_secrets
from osiris.lsp.cli import run_osiris
from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> str:
    """What ``osiris doctor`` says, and what the server knows of itself."""
    folder = next(iter(session.projects.folders), None)
    answer = await run_osiris(["doctor"], cwd=folder if session.settings.trusted else None)
    own = [
        f"language server: process of {sys.executable}",
        f"position encoding: {session.client.encoding}",
        f"workspace: {'trusted' if session.settings.trusted else 'not trusted'}",
        f"folders: {', '.join(map(str, session.projects.folders)) or 'none'}",
        f"open documents: {len(list(session.documents))}",
    ]
    return mask_secrets("\n".join([answer.output.strip(), *own]))
