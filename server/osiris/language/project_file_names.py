"""What the files of a project are called that every part of Osiris knows by name."""

from __future__ import annotations

SETTINGS_FILE = "osiris.yaml"
CONNECTIONS_FILE = "osiris_connections.yaml"
DOTENV_FILE = ".env"
LOCK_FILE = "osiris.schema.json"
"""The tables that the pipelines use, as they are to be: written by ``osiris discover --lock``, and committed."""
