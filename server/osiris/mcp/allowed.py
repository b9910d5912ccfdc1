"""What the user who starts the server lets agents do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowed:
    """Each is off unless the user says so. ``connect``: also to databases that the user has not agreed to in the
    editor; ``data``: see rows; ``write``: change pipelines; ``run``: run them, and cancel runs."""

    connect: bool = False
    data: bool = False
    write: bool = False
    run: bool = False
