"""The log of a run elsewhere: before rows become final, the host has it on its disk that they are about to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from osiris.core.secrets_masking import Masker
from osiris.core.session_logging import SessionLogger
from osiris.drivers.context import StepStopped

WRITTEN = ("artifact_created", "step_complete")  # what a step has written is whole at these


class KeptLogger(SessionLogger):
    """Holds a writer back at ``step_commit`` until the host has kept that event.

    Else a machine that is lost in that moment would leave nobody who knows that the rows may have arrived, and a
    resumed run would write them twice.
    """

    def __init__(
        self,
        run_dir: Path | str,
        session_id: str,
        masker: Masker | None = None,
        on_written: Callable[[str], None] = lambda step: None,
    ) -> None:
        """As SessionLogger. ``on_written`` is called before it is told that a step has written, or is done."""
        super().__init__(run_dir, session_id, masker)
        self._on_written = on_written
        self._turn = threading.Condition()
        self._written = 0
        self._kept = 0
        self._over = False

    def log_event(self, event: str, data: Mapping[str, object] | None = None, **fields: object) -> None:
        """Write one event; wait for the host where that matters. Raises StepStopped when the run is to stop."""
        if event in WRITTEN:
            self._on_written(str({**(data or {}), **fields}.get("step_id")))
        with self._turn:
            super().log_event(event, data, **fields)
            self._written += 1
            mine = self._written
            if event == "step_commit" and not {**(data or {}), **fields}.get("repeatable"):
                self._turn.wait_for(lambda: self._kept >= mine or self._over)
                if self._kept < mine:
                    raise StepStopped("nobody keeps the log of the run any more")

    def kept(self, events: int) -> None:
        """The host has so many events."""
        with self._turn:
            self._kept = max(self._kept, events)
            self._turn.notify_all()

    def give_up(self) -> None:
        """The run is to stop: nobody waits any longer."""
        with self._turn:
            self._over = True
            self._turn.notify_all()
