"""``osiris.compile``: ``{"uri", "profile"?}`` -> ``{"manifest", "cached", "fingerprint"}``."""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Compile the saved file. The findings of one that does not compile are the text of the error."""
    require_trust(session, "Compiling")
    path = arguments.saved_file(session)
    async with session.progress(f"Compiling {path.name}", arguments.token):
        result = await session.compiler.compile(path, profile=arguments.text("profile"))
    session.log(
        f"{path.name}: {'unchanged' if result.cached else 'compiled to'} {session.compiler.shown(path, result.path)}"
    )
    return {
        "manifest": str(result.path),
        "cached": result.cached,
        "fingerprint": result.manifest["fingerprint"],
    }
