"""The providers by name: where they are and which environment variables may hold their key."""

from __future__ import annotations

import ipaddress
import urllib.parse
from dataclasses import dataclass

from osiris.core.error_taxonomy import ConfigurationError

EDITOR = "editor"


@dataclass(frozen=True, slots=True)
class Provider:
    """An endpoint that speaks chat completions. ``key_variables``: the first one that is set is the key."""

    name: str
    title: str
    base_url: str
    key_variables: tuple[str, ...]


PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("openai", "OpenAI", "https://api.openai.com/v1", ("OPENAI_API_KEY",)),
        Provider("anthropic", "Anthropic", "https://api.anthropic.com/v1/", ("ANTHROPIC_API_KEY",)),
        Provider(
            "google",
            "Google",
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ),
    )
}
NAMES: tuple[str, ...] = (*PROVIDERS, EDITOR)


def provider_named(name: str) -> Provider:
    """The provider called ``name``. Raises ConfigurationError that lists them."""
    found = PROVIDERS.get(name)
    if found is None:
        raise ConfigurationError(
            f"There is no AI provider {name!r}.",
            hint=f"Use one of {', '.join(NAMES)}; for any other endpoint openai with its base_url.",
        )
    return found


def checked_url(url: str, *, with_key: bool) -> str:
    """``url`` when requests may go there. Raises ConfigurationError.

    ``with_key``: whether a key would travel with them, which it never does unencrypted to another machine.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port  # a port that is none raises here
    except ValueError:
        parts, host = urllib.parse.SplitResult("", "", "", "", ""), None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "The base_url of the AI provider is not an address that can be used.",
            hint="It looks like https://host/v1 or http://localhost:11434/v1, without a user or password.",
        )
    if with_key and parts.scheme == "http" and not _is_this_machine(host):
        raise ConfigurationError(
            f"The AI key would travel unencrypted to {host}.",
            hint="Use https for the base_url, or set no key if the server wants none.",
        )
    return url


def host_of(url: str) -> str:
    """The host of an address, with the port where one is written: what a log says of it."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port is not None else parts.hostname or ""


def origin_of(url: str) -> str:
    """Scheme, host and port of an address: what a key for it is kept for. Raises ConfigurationError for none."""
    return f"{urllib.parse.urlsplit(checked_url(url, with_key=False)).scheme}://{host_of(url)}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
