"""What the files of a project are called that every part of Osiris knows by name."""

from __future__ import annotations

import posixpath

SETTINGS_FILE = "osiris.yaml"
CONNECTIONS_FILE = "osiris_connections.yaml"
DOTENV_FILE = ".env"
LOCK_FILE = "osiris.schema.json"
"""The tables that the pipelines use, as they are to be: written by ``osiris discover --lock``, and committed."""

_OWN_FOLDERS = frozenset({".git", ".osiris"})


def is_own_file(path: str) -> bool:
    """Whether a path in a project (with ``/``) is what the project itself is made of, which no step may write.

    A run that could write it might allow the next one what it may not do, or have a program carried out by git.
    """
    parts = posixpath.normpath(path.casefold()).split("/")  # some file systems do not tell case apart
    return not _OWN_FOLDERS.isdisjoint(parts) or parts[-1] in (SETTINGS_FILE, CONNECTIONS_FILE, DOTENV_FILE, LOCK_FILE)
