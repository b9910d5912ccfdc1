"""The server's log: standard error, one line per record, masked. Standard output is the wire and never gets any."""

from __future__ import annotations

import logging
import os
import sys


class MaskedFormatter(logging.Formatter):
    """Formats a record, its traceback included, and masks what looks like a secret in the whole of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The masked line or lines of a record."""
        from osiris.core.secrets_masking import mask_secrets

        return mask_secrets(super().format(record))


def configure_logging() -> None:
    """Send all logging to standard error. ``OSIRIS_LOG_LEVEL`` sets the level of Osiris itself (default: warning).

    pygls logs whole messages at lower levels, so it stays at warning whatever the level of Osiris is.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskedFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    wanted = os.environ.get("OSIRIS_LOG_LEVEL", "").upper()
    level = logging.getLevelName(wanted)
    logging.getLogger("osiris").setLevel(level if isinstance(level, int) else logging.WARNING)
    for name in ("pygls", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
