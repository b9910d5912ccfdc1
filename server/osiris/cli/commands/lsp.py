"""``osiris lsp``: the language server on standard input and output."""

from __future__ import annotations

import click


@click.command(context_settings={"ignore_unknown_options": False})
@click.option("--stdio", is_flag=True, hidden=True, help="Accepted because many editors add it; it is the only way.")
@click.option("--clientProcessId", "client_process_id", type=int, hidden=True)
def command(stdio: bool, client_process_id: int | None) -> int:
    """Start the language server on standard input and output.

    Editors start this themselves. Nothing but the protocol is ever written to standard output.
    """
    from osiris.lsp import server

    return server.main()
