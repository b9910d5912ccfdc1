"""Which model the user has chosen: in settings.yaml of their own, in the environment, or by an option.

Never from a workspace: a folder that somebody else wrote must not say where prompts and keys go.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.llm.errors import NoModelError
from osiris.core.llm.providers import EDITOR, PROVIDERS, checked_url, origin_of, provider_named
from osiris.core.user_dirs import settings_dir
from osiris.core.user_settings import FILE_NAME as FILE_NAME
from osiris.core.user_settings import section_of

SECTION = "ai"
KEY_VARIABLE = "OSIRIS_AI_KEY"
_VARIABLES = {
    "provider": "OSIRIS_AI_PROVIDER",
    "model": "OSIRIS_AI_MODEL",
    "base_url": "OSIRIS_AI_BASE_URL",
    "fallback": "OSIRIS_AI_FALLBACK",
    "timeout": "OSIRIS_AI_TIMEOUT",
}


@dataclass(frozen=True, slots=True)
class AiSettings:
    """What the user has chosen. ``fallback``: another model of the same provider, or ``provider/model``, for when the
    first cannot answer. ``timeout``: seconds. ``key`` overrides the variables of the provider, and so do ``keys``: what
    an editor keeps, each for one of ``key_places``."""

    provider: str | None = None
    model: str | None = None
    base_url: str | None = None
    fallback: str | None = None
    timeout: float = 60.0
    key: str | None = field(default=None, repr=False)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Another server that speaks chat completions speaks like OpenAI's."""
        if self.base_url is not None and self.provider is None:
            object.__setattr__(self, "provider", "openai")

    def with_options(self, **options: str | float | None) -> AiSettings:
        """These settings with what is given and not None instead."""
        return replace(self, **{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]

    def of_provider(self, provider: str | None) -> AiSettings:
        """These settings for ``provider``. What was chosen for another one, its key among it, is none of its."""
        if provider is None or provider == self.provider:
            return self
        key = self.key if self.provider is None else None
        return replace(self, model=None, base_url=None, fallback=None, key=key)

    def key_places(self) -> tuple[str, ...]:
        """What a key may be kept for: the provider, or the other server that is asked instead of it, and the provider
        that steps in. Empty where no provider with a key is chosen. Raises ConfigurationError for a base_url that is no
        address."""
        stepping_in = (self.fallback or "").partition("/")[0]
        others = [stepping_in] if stepping_in in PROVIDERS and "/" in (self.fallback or "") else []
        first = [self.key_place(self.provider)] if self.provider in PROVIDERS else []
        return tuple(dict.fromkeys([*first, *others]))

    def key_place(self, provider: str) -> str:
        """What a key for requests to ``provider`` is kept for. A key for one server never goes to another."""
        return provider if self.base_url is None else origin_of(self.base_url)

    def chosen(self) -> tuple[str, str]:
        """Provider and model. Raises NoModelError that says how to set them."""
        if self.provider == EDITOR:
            return EDITOR, self.model or ""
        if not self.provider or not self.model:
            raise no_model("No AI model is set up." if not self.provider else f"No model of {self.provider} is chosen.")
        return self.provider, self.model


def no_model(message: str) -> NoModelError:
    """The error that says in one sentence that no model can be used, and how to set one up."""
    return NoModelError(
        message,
        hint=(
            "Set OSIRIS_AI_PROVIDER (openai, anthropic, google) and OSIRIS_AI_MODEL and the key of the provider in the "
            f"environment, or write them under `{SECTION}:` in {_shown_file()}. Any other server that speaks chat "
            "completions: openai with OSIRIS_AI_BASE_URL, as http://localhost:11434/v1 for Ollama."
        ),
    )


def load_ai_settings(environ: Mapping[str, str] | None = None) -> AiSettings:
    """The user's choice: the environment before settings.yaml. Raises ConfigurationError for a file or value that
    cannot be used."""
    env = os.environ if environ is None else environ
    path = settings_dir(env) / FILE_NAME
    values: dict[str, Any] = {
        name: _checked(name, value, str(path))
        for name, value in section_of(path, SECTION, "provider and model").items()
    }
    for name, variable in _VARIABLES.items():
        if env.get(variable, "").strip():
            values[name] = _checked(name, env[variable].strip(), variable)
    if env.get(KEY_VARIABLE, "").strip():
        values["key"] = env[KEY_VARIABLE].strip()
    return AiSettings(**values)


def key_for(provider: str, settings: AiSettings, environ: Mapping[str, str] | None = None) -> str | None:
    """The key for requests to ``provider``, None where none is needed. Raises NoModelError when one is missing.

    A server at a base_url gets the user's own key only if they said OSIRIS_AI_KEY, or gave it to their editor for that
    server: the key of a provider is for that provider.
    """
    if settings.key:
        return settings.key
    if kept := settings.keys.get(settings.key_place(provider)):
        return kept
    known = provider_named(provider)
    if settings.base_url is not None:
        return None
    env = os.environ if environ is None else environ
    for variable in known.key_variables:
        if env.get(variable, "").strip():
            return env[variable].strip()
    raise no_model(f"There is no key for {known.title}: {known.key_variables[0]} is not set.")


def _checked(name: str, value: object, where: str) -> str | float:
    allowed = [item.name for item in fields(AiSettings) if item.name not in ("key", "keys")]
    if name == "key":
        raise ConfigurationError(
            f"{where}: a key does not belong into a file that is easily shared.",
            hint=f"Set {KEY_VARIABLE}, or the variable of the provider.",
        )
    if name not in allowed:
        raise ConfigurationError(
            f"{where}: there is no setting `{SECTION}.{name}`.", hint=f"Known: {', '.join(allowed)}."
        )
    if name == "timeout":
        return _seconds(value, where)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{where}: `{SECTION}.{name}` must be a text.")
    if name == "provider" and value != EDITOR:
        provider_named(value)
    if name == "base_url":
        checked_url(value, with_key=False)
    return value.strip()


def _seconds(value: object, where: str) -> float:
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else 0.0
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise ConfigurationError(f"{where}: `{SECTION}.timeout` must be a number of seconds from 1 to 3600.")
    return seconds


def _shown_file() -> str:
    try:
        return str(settings_dir() / FILE_NAME)
    except ConfigurationError:
        return FILE_NAME
