"""The entry point of the command ``osiris``."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line ``args`` (default: the process's own) and return the exit code. Never raises."""
    arguments = list(sys.argv[1:] if args is None else args)
    if arguments[:1] == ["lsp"] and set(arguments[1:]) <= {"--stdio"}:
        return _serve()
    # The trees of documents hold no circles, so there is next to nothing to find: look for it seldom.
    gc.set_threshold(500_000, 20, 50)
    from osiris.cli.app import run

    return run(arguments)


def _serve() -> int:
    """What ``osiris lsp`` does, without the command line's own imports: an editor waits for every millisecond."""
    try:
        from osiris.lsp import server

        return server.main()
    except KeyboardInterrupt:
        return 130
    except Exception as problem:  # noqa: BLE001 - the last resort, as in app.py
        from osiris.cli.failures import report

        return report(problem)
