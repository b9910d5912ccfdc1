"""Looking at rows for an agent, which waits for the answer: it is given up after a while."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.execution.preview import Preview, preview
from osiris.execution.process import Worker

MOST_SECONDS = 120.0


def preview_in_time(manifest: Mapping[str, Any], step: str, *, root: Path, limit: int) -> Preview:
    """The first rows of a step. Raises as ``preview`` does, and ExecutionError when it takes too long."""
    worker = Worker()
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        worker.kill()

    late = threading.Timer(MOST_SECONDS, stop)
    late.daemon = True
    late.start()
    try:
        return preview(manifest, step, root=root, limit=limit, worker=worker)
    except ExecutionError:
        if stopped.is_set():
            raise ExecutionError(f"The preview of {step} was stopped after {MOST_SECONDS:.0f} s.") from None
        raise
    finally:
        late.cancel()
        worker.dismiss()
