"""What a machine elsewhere and this one say to each other: JSON lines, one message each, of one version.

The worker there gets one ``request`` over its standard input. What it has to say it appends, numbered, to a file in its
own folder, and whoever wants to hear it follows that file from any place: a connection that is lost, or a host that is
started again, costs nothing. The other way there are two files: ``cancel``, and ``kept`` with the number of the last
message that the host has on its disk. ``schemas/remote.schema.json`` has the shapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from osiris.core.remote_schema import PROTOCOL as PROTOCOL

REQUEST = "request"
HELLO = "hello"  # the worker is there: versions, its clock
EVENT = "event"  # a line of events.jsonl
METRIC = "metric"  # a line of metrics.jsonl
FILE = "file"  # a file is complete and can be fetched
ALIVE = "alive"  # nothing to say, but still there
END = "end"  # how it ended; the last message

# In the folder that a run has on the other machine:
WIRE = "wire.jsonl"
CANCEL = "cancel"
KEPT = "kept"
PID = "pid"
PROJECT = "project"
LOGS = "logs"
SITE = "site"  # Python packages
CHUNK = "chunk"  # the part of a file that is being fetched
PARCEL = "parcel.tar"  # small files on their way there

CHUNK_BYTES = 16 * 2**20
ALIVE_SECONDS = 2.0


def line(message: Mapping[str, Any]) -> bytes:
    """A message as a line of ASCII, so that no stream can cut a character in two."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def read_line(data: bytes) -> dict[str, Any] | None:
    """The message in a line; None for one that is none, or came from nobody who speaks this protocol."""
    try:
        message = json.loads(data)
    except ValueError:
        return None
    if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
        return None
    return message if isinstance(message.get("n"), int) else None
