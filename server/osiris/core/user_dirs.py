"""Where Osiris keeps what belongs to a user and not to a project."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from osiris.core.error_taxonomy import ConfigurationError

STATE_VARIABLE = "OSIRIS_STATE_DIR"
SETTINGS_VARIABLE = "OSIRIS_CONFIG_DIR"


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the user's state, absolute; nothing is made.

    ``$OSIRIS_STATE_DIR``, else ``osiris`` in the place that the system has for such files: ``$XDG_STATE_HOME`` or
    ``~/.local/state``, on macOS ``~/Library/Application Support``, on Windows ``%LOCALAPPDATA%``. Raises
    ConfigurationError for an OSIRIS_STATE_DIR that is not absolute, and when the user has no home folder.
    """
    env = os.environ if environ is None else environ
    return _named_folder(env, STATE_VARIABLE) or _system_folder(env) / "osiris"


def settings_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the user's own settings, absolute; nothing is made.

    ``$OSIRIS_CONFIG_DIR``, else ``osiris`` in ``$XDG_CONFIG_HOME`` or ``~/.config``, on Windows in ``%APPDATA%``.
    Raises as ``state_dir``.
    """
    env = os.environ if environ is None else environ
    named = _named_folder(env, SETTINGS_VARIABLE)
    if named is not None:
        return named
    if sys.platform == "win32":
        return (_absolute(env.get("APPDATA")) or _home() / "AppData" / "Roaming") / "osiris"
    return (_absolute(env.get("XDG_CONFIG_HOME")) or _home() / ".config") / "osiris"


def _named_folder(env: Mapping[str, str], variable: str) -> Path | None:
    """The folder that ``variable`` names, None when it is not set."""
    given = env.get(variable, "")
    if not given:
        return None
    path = Path(os.path.expanduser(given))
    if not path.is_absolute():  # it would be another folder, perhaps one of a workspace, wherever we are started
        raise ConfigurationError(
            f"{variable} is {given}, which is not an absolute path.",
            hint=f"Set {variable} to a folder of your own, written from the root of the file system.",
        )
    return Path(os.path.abspath(path))


def is_named_by_variable(folder: Path) -> bool:
    """Whether ``folder`` is the one that OSIRIS_STATE_DIR names."""
    given = os.environ.get(STATE_VARIABLE, "")
    return bool(given) and Path(os.path.abspath(os.path.expanduser(given))) == folder


def _system_folder(env: Mapping[str, str]) -> Path:
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support"
    if sys.platform == "win32":
        return _absolute(env.get("LOCALAPPDATA")) or _home() / "AppData" / "Local"
    return _absolute(env.get("XDG_STATE_HOME")) or _home() / ".local" / "state"


def _absolute(text: str | None) -> Path | None:
    """The folder, None for one that is not absolute: the XDG rules say to ignore it."""
    return Path(text) if text and os.path.isabs(text) else None


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise ConfigurationError(
            "This user has no home folder, so there is no place for what Osiris keeps.",
            hint=f"Set {STATE_VARIABLE} and {SETTINGS_VARIABLE} to folders of your own.",
        ) from None
