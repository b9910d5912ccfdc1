"""What the user has set for sandboxes: in the environment, or in settings.yaml of their own. Never in a workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.settings import parse_size
from osiris.core.user_settings import section_of, user_settings_file

SECTION = "e2b"
KEY_VARIABLE = "E2B_API_KEY"
_VARIABLES = {
    "api_url": "E2B_API_URL",
    "sandbox_url": "E2B_SANDBOX_URL",
    "template": "OSIRIS_E2B_TEMPLATE",
    "python": "OSIRIS_E2B_PYTHON",
    "timeout": "OSIRIS_E2B_TIMEOUT",
    "max_download": "OSIRIS_E2B_MAX_DOWNLOAD",
    "reachable": "OSIRIS_E2B_REACHABLE",
}
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class E2BSettings:
    """``timeout``: how many seconds a sandbox goes on after the last word of this machine. ``max_download``: bytes of
    files that one run may bring back. ``reachable``: hosts in a network of their own that sandboxes do reach.
    ``python``: the interpreter of the template."""

    key: str | None = field(default=None, repr=False)
    api_url: str | None = None
    sandbox_url: str | None = None
    template: str | None = None
    python: str | None = None
    timeout: int = 1800
    max_download: int = 5_000_000_000
    reachable: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """What every call of the package takes. Its own variables for debugging have no say."""
        told = {"api_key": self.key, "api_url": self.api_url, "sandbox_url": self.sandbox_url, "debug": False}
        return {name: value for name, value in told.items() if value is not None}


def load_settings(environ: Mapping[str, str] | None = None) -> E2BSettings:
    """The user's settings, the environment before the file. Raises ConfigurationError for what cannot be used."""
    env = os.environ if environ is None else environ
    path = user_settings_file(env)
    values: dict[str, Any] = {
        name: _checked(name, value, str(path)) for name, value in section_of(path, SECTION, "template").items()
    }
    for name, variable in _VARIABLES.items():
        if env.get(variable, "").strip():
            values[name] = _checked(name, env[variable].strip(), variable)
    if env.get(KEY_VARIABLE, "").strip():
        values["key"] = env[KEY_VARIABLE].strip()
    return E2BSettings(**values)


def _checked(name: str, value: object, where: str) -> object:
    allowed = [item.name for item in fields(E2BSettings) if item.name != "key"]
    if name in ("key", "api_key"):
        raise ConfigurationError(
            f"{where}: a key does not belong into a file that is easily shared.", hint=f"Set {KEY_VARIABLE}."
        )
    if name not in allowed:
        known = ", ".join(allowed)
        raise ConfigurationError(f"{where}: there is no setting `{SECTION}.{name}`.", hint=f"Known: {known}.")
    said = f"{where}: `{SECTION}.{name}`"
    if name == "timeout":
        return _seconds(value, said)
    if name == "max_download":
        try:
            return parse_size(str(value))
        except ValueError as error:
            raise ConfigurationError(f"{said}: {error}.") from None
    if name == "reachable":
        hosts = value.split(",") if isinstance(value, str) else value
        if not isinstance(hosts, list) or not all(isinstance(host, str) and host.strip() for host in hosts):
            raise ConfigurationError(f"{said} must be a list of hosts.")
        return tuple(host.strip().lower() for host in hosts)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{said} must be a text.")
    if name.endswith("_url") and not value.startswith(("http://", "https://")):
        raise ConfigurationError(f"{said} must begin with https://.")
    return value.strip()


def _seconds(value: object, said: str) -> int:
    try:
        seconds = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else 0
    except ValueError:
        seconds = 0
    if not 5 <= seconds <= _DAY:
        raise ConfigurationError(f"{said} must be a number of seconds from 5 to {_DAY}.")
    return seconds
