"""What a user sees when a command cannot go on: one clear sentence, never a traceback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from osiris import __version__
from osiris.cli.streams import colour_wanted, paint, silence

DID_NOT_WORK = 1
OUR_FAULT = 3


class UsageProblem(click.UsageError):
    """Wrong usage whose text is complete: shown without click's usage line."""

    def show(self, file: object = None) -> None:
        """Print the message on standard error."""
        say_error(self.message)


def report(problem: Exception) -> int:
    """Tell the user about ``problem`` on standard error and return the exit code that fits it."""
    from osiris.core.error_taxonomy import OsirisError, describe

    if isinstance(problem, OsirisError):
        say_error(describe(problem), getattr(problem, "hint", None))
        return DID_NOT_WORK
    if isinstance(problem, OSError) and problem.strerror:
        if problem.filename is None:
            silence(sys.stdout)
        say_error(_os_sentence(problem))
        return DID_NOT_WORK
    place = _keep_details(problem)
    where = f" The details are in {place}." if place else ""
    say_error(f"Osiris met a defect of its own ({type(problem).__name__}).{where}")
    return OUR_FAULT


def say_error(message: str, hint: str | None = None) -> None:
    """Print ``error: message`` and, below it, the hint; both masked."""
    from osiris.core.secrets_masking import mask_secrets

    colour = colour_wanted(sys.stderr)
    click.echo(f"{paint('error:', 'error', on=colour)} {mask_secrets(message)}", err=True)
    if hint and hint not in message:
        click.echo(f"{paint('hint:', 'hint', on=colour)} {mask_secrets(hint)}", err=True)


def say_warning(message: str) -> None:
    """Print ``warning: message`` on standard error, masked: the command goes on."""
    from osiris.core.secrets_masking import mask_secrets

    click.echo(f"{paint('warning:', 'warning', on=colour_wanted(sys.stderr))} {mask_secrets(message)}", err=True)


def _os_sentence(problem: OSError) -> str:
    if problem.filename is None:
        return f"cannot write to standard output: {problem.strerror}"
    return f"{os.fsdecode(problem.filename)}: {problem.strerror}"


def _keep_details(problem: Exception) -> Path | None:
    """Write the masked traceback to a private file; None when nothing can be written anywhere."""
    import traceback
    from datetime import UTC, datetime

    from osiris.core.secrets_masking import mask_secrets

    text = "".join(traceback.format_exception(problem))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    head = f"osiris {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n"
    for place in (_cache_folder, _temporary_folder):
        try:
            folder = place()
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = folder / f"error-{stamp}-{os.getpid()}.log"
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(head + mask_secrets(text))
            return path
        except (OSError, RuntimeError):  # RuntimeError: this user has no home folder
            continue
    return None


def _temporary_folder() -> Path:
    import tempfile

    return Path(tempfile.gettempdir()) / f"osiris-{os.getpid()}"


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "osiris" / "errors"
