"""What is known of a database after a run has written to it: that table may be new, or have other columns."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import OsirisError

WAIT_SECONDS = 2.0


def note_written(step: Mapping[str, Any], config: Mapping[str, Any], root: Path) -> None:
    """Note in the state store that a step of the project in ``root`` has written to its table.

    ``step`` is the step of the manifest, ``config`` its configuration with all parameters. Never raises: the rows are
    where they were to go, whatever becomes of what is known.
    """
    from osiris.components.registry import ComponentRegistry

    spec = ComponentRegistry.builtin().get(str(step.get("component")))
    reference = step.get("connection")
    if step.get("mode") != "write" or spec is None or spec.table_key is None or not isinstance(reference, str):
        return
    table, schema = config.get(spec.table_key), config.get(spec.schema_key) if spec.schema_key else None
    if not isinstance(table, str):
        return
    with contextlib.suppress(OsirisError):
        _note(reference, table, schema if isinstance(schema, str) else None, root)


def _note(reference: str, table: str, schema: str | None, root: Path) -> None:
    from osiris.core.state_store import StateStore

    with StateStore(wait=WAIT_SECONDS) as store:
        if not store.path.exists():
            return
        from osiris.core.cache_fingerprint import SchemaFingerprint
        from osiris.core.config import Config
        from osiris.core.schema_cache import SchemaCache

        config = Config.load(root)
        fingerprint = SchemaFingerprint.of(config.connection(reference), root=root, env=config.env)
        SchemaCache(store).mark_written(fingerprint, table, schema)
