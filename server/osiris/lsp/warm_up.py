"""Brings in, after the client is ready, what the first keystroke would otherwise wait for."""

from __future__ import annotations

import asyncio
from importlib import import_module

MODULES = (
    "osiris.syntax.document",
    "osiris.components.registry",
    "osiris.language.analysis",
    "osiris.core.project",
    "osiris.core.secrets_masking",
    "osiris.lsp.features.completion",
    "osiris.lsp.features.completion_resolve",
    "osiris.lsp.features.hover",
    "osiris.lsp.features.code_action",
    "osiris.lsp.features.document_symbol",
)


async def warm_up() -> None:
    """Import module by module, with the loop free in between: a message that waits goes first."""
    for name in MODULES:
        import_module(name)
        await asyncio.sleep(0)
