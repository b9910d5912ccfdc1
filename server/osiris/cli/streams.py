"""Standard output and error: encodings, colour, JSON, and a way to leave when one of them is gone."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any, TextIO

import click

_STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "information": {"fg": "blue", "bold": True},
    "hint": {"fg": "cyan"},
    "good": {"fg": "green"},
    "faint": {"dim": True},
    "strong": {"bold": True},
}


def prepare_streams() -> None:
    """Let no character of a message stop a command: what the locale cannot show is written as an escape.

    A stream that was closed before the command began (``>&-``) leads nowhere from here on.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def colour_wanted(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that shows colour (https://no-color.org, and TERM=dumb)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def paint(text: str, style: str, *, on: bool) -> str:
    """``text`` in one of the named styles, or as it is when ``on`` is False."""
    return click.style(text, **_STYLES[style]) if on else text


def write_json(value: Any) -> None:
    """Print ``value`` as indented JSON on standard output, in ASCII where the locale knows nothing else."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=not speaks_unicode(sys.stdout), default=str))


def write_json_line(value: Any) -> None:
    """Print ``value`` as one line of JSON and flush it, so that a reader sees it at once."""
    click.echo(json.dumps(value, separators=(",", ":"), ensure_ascii=not speaks_unicode(sys.stdout), default=str))
    sys.stdout.flush()


def speaks_unicode(stream: TextIO) -> bool:
    """Whether every character can be written to ``stream``."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def silence(stream: TextIO) -> None:
    """Point a broken stream to nowhere, so that the interpreter's own last flush stays quiet."""
    try:
        target = os.open(os.devnull, os.O_WRONLY)
        os.dup2(target, stream.fileno())
        os.close(target)
    except (OSError, ValueError):
        # A stream without a descriptor (a test's buffer) has nothing to flush at exit.
        return
