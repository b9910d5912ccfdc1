"""Looking at rows for an agent, which waits for the answer: it is given up after a while, or when it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.execution.preview import Preview, preview
from osiris.execution.process import Worker

MOST_SECONDS = 120.0
_LOOK_SECONDS = 0.05


def preview_in_time(
    manifest: Mapping[str, Any], step: str, *, root: Path, limit: int, cancel: threading.Event
) -> Preview:
    """The first rows of a step. Raises as ``preview`` does, and ExecutionError when it takes too long or ``cancel`` is
    set: then nothing of it is left."""
    worker = Worker()
    over, ended = threading.Event(), threading.Event()

    def watch() -> None:
        end = time.monotonic() + MOST_SECONDS
        while not over.wait(_LOOK_SECONDS):
            if cancel.is_set() or time.monotonic() > end:
                ended.set()
                worker.kill()
                return

    threading.Thread(target=watch, name="osiris-preview", daemon=True).start()
    try:
        return preview(manifest, step, root=root, limit=limit, worker=worker)
    except ExecutionError:
        if ended.is_set():
            after = "" if cancel.is_set() else f" after {MOST_SECONDS:.0f} s"
            raise ExecutionError(f"The preview of {step} was stopped{after}.") from None
        raise
    finally:
        over.set()
        worker.dismiss()
