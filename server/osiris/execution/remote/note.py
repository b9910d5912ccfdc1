"""What the folder of a run says of the machine that carries it out, so that somebody else can find it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from osiris.core.files import atomic_write

NOTE_FILE = "remote.json"


class Note:
    """``remote.json``: the target, the machine, how far the preparation is. Holds no secret."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / NOTE_FILE
        self._held: dict[str, Any] | None = None

    def read(self) -> dict[str, Any]:
        """What is known; nothing for a run that never left this machine."""
        if self._held is None:
            try:
                found = json.loads(self._path.read_bytes())
            except (OSError, ValueError):
                found = {}
            self._held = found if isinstance(found, dict) else {}
        return self._held

    def write(self, **known: Any) -> None:
        """Add what has become known. Raises ExecutionError."""
        self._held = {**self.read(), **known}
        atomic_write(self._path, json.dumps(self._held, indent=2).encode() + b"\n", private=True)

    @property
    def unfinished(self) -> bool:
        """Whether there may be a machine at work."""
        return self.read().get("phase") in ("preparing", "running")
