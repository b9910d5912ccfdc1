"""A project's configuration: the command line over ``OSIRIS_*`` variables over osiris.yaml over defaults.

    config = Config.load(Path("."), overrides={"runs.logs_dir": "/var/log/osiris"})
    config.runtime.logs_dir, config.source("runs.logs_dir")      # '/var/log/osiris', 'command line'

osiris.yaml is read with the same positioned parser as a pipeline, so that what is wrong in it has a place.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.env_loader import EnvSource, load_env, resolve_value, values_in, variables_in
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.llm.ceiling import AiCeiling
from osiris.core.settings import ALLOWED_FOLDERS, BY_KEY, SETTINGS, Value, parse_size, read_setting, read_setting_text
from osiris.core.settings import CONFIG_FILE as CONFIG_FILE
from osiris.core.settings import CONNECTIONS_FILE as CONNECTIONS_FILE
from osiris.syntax.diagnostic import Severity

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.language.connections import Connection, ConnectionFault, Connections


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """Execution settings. ``logs_dir`` is relative to the project; None in ``max_parallel`` means one per core."""

    logs_dir: str = "logs"
    max_parallel: int | None = None
    max_parallel_steps: int = 4
    keep_days: int = 30
    keep_gb: float = 5
    memory_limit: str | None = None
    on_failure: str = "continue"
    deterministic: bool = False
    journal: bool = True
    target: str = "local"

    @property
    def memory_bytes(self) -> int | None:
        """``memory_limit`` in bytes, None when there is none."""
        return None if self.memory_limit is None else parse_size(self.memory_limit)


@dataclass(frozen=True, slots=True)
class ResolvedConnection:
    """A connection with its variables filled in. ``secrets`` are the values that must never be shown."""

    reference: str
    fields: dict[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class ConnectionConfig:
    """One connection of osiris_connections.yaml, its ``${VAR}`` not filled in."""

    family: str
    alias: str
    fields: Mapping[str, Any] = field(repr=False)
    is_default: bool = False
    file: str = CONNECTIONS_FILE
    fault: ConnectionFault | None = None

    @classmethod
    def of(cls, connection: Connection, file: str = CONNECTIONS_FILE) -> ConnectionConfig:
        """The connection that the language read from ``file``."""
        given = connection.family, connection.alias, connection.fields, connection.is_default
        return cls(*given, file, connection.fault)

    def require_sound(self) -> None:
        """Raise ConfigurationError with the place when something is wrong in the connection as it is written."""
        if self.fault is not None:
            raise ConfigurationError(
                self.fault.text,
                hint=f"{self.reference} cannot be used before that is mended.",
                code=self.fault.code,
            )

    @property
    def reference(self) -> str:
        """How a step names it: ``@family.alias``."""
        return f"@{self.family}.{self.alias}"

    def variables(self) -> list[str]:
        """The names of the environment variables it refers to, sorted."""
        return sorted({name for text in _texts(dict(self.fields)) for name in variables_in(text)})

    def resolve(self, env: Mapping[str, str], spec: ComponentSpec | None = None) -> ResolvedConnection:
        """Fill in ``${VAR}`` and ``${VAR:-default}`` from ``env``.

        With a ``spec``, text from a variable becomes the number or boolean that the component wants, and fields that
        the connection leaves out get the component's defaults. Raises ConfigurationError that names the variable, the
        field, the alias and the file; it never holds a value. Raises as require_sound does, too.
        """
        self.require_sound()
        secrets: list[str] = []
        fields: dict[str, Any] = copy.deepcopy(spec.connection_defaults) if spec is not None else {}
        for name, value in self.fields.items():
            if name == "default":
                continue
            resolved = self._fill(value, name, env)
            secrets += [*_secrets_in(resolved, (name,), spec), *_secret_variables(value, env)]
            fields[name] = self._typed(name, value, resolved, spec)
        every = [part for secret in secrets for part in (secret, *_parts_of(secret))]
        return ResolvedConnection(self.reference, fields, tuple(dict.fromkeys(every)))

    def _fill(self, value: Any, name: str, env: Mapping[str, str]) -> Any:
        if isinstance(value, str):
            return resolve_value(value, env, field=name, where=f"{self.family}.{self.alias}", file=self.file)
        if isinstance(value, list):
            return [self._fill(item, name, env) for item in value]
        if isinstance(value, dict):
            return {key: self._fill(item, f"{name}.{key}", env) for key, item in value.items()}
        return value

    def _typed(self, name: str, written: Any, resolved: Any, spec: ComponentSpec | None) -> Any:
        schema = spec.property(name) if spec is not None else None
        if schema is None or not isinstance(resolved, str) or not variables_in(str(written)):
            return resolved
        kinds = schema.get("type")
        kinds = {kinds} if isinstance(kinds, str) else set(kinds or ())
        if "string" in kinds:
            return resolved
        try:
            if "integer" in kinds:
                return int(resolved)
            if "number" in kinds:
                return float(resolved)
            if "boolean" in kinds:
                return read_setting(BY_KEY["compile.on_save"], resolved)
        except ValueError:
            wanted = "a whole number" if "integer" in kinds else "a number" if "number" in kinds else "true or false"
            raise ConfigurationError(
                f"The field {name} of {self.family}.{self.alias} in {self.file} must be {wanted}, but the value of "
                f"{', '.join(variables_in(str(written)))} is not."
            ) from None  # int() would repeat the value
        return resolved


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []


def _secrets_in(value: Any, path: tuple[str | int, ...], spec: ComponentSpec | None) -> list[str]:
    """The texts in ``value`` that must never be shown: by the name of their key, or as a password in an address."""
    from osiris.language.secrets import assigned_secret_spans, dsn_password_spans, is_secret_key

    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _secrets_in(item, (*path, key), spec)]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _secrets_in(item, (*path, index), spec)]
    if not isinstance(value, str) or not value:
        return []
    named = any(is_secret_key(part) for part in path if isinstance(part, str))
    if named or (spec is not None and spec.is_secret(path)):
        return [value]
    return [value[start:end] for start, end in (*dsn_password_spans(value), *assigned_secret_spans(value))]


def _secret_variables(value: Any, env: Mapping[str, str]) -> list[str]:
    """What the variables hold that ``value`` refers to and whose names say that it is a secret."""
    from osiris.language.secrets import is_secret_key

    return [held for text in _texts(value) for name, held in values_in(text, env) if is_secret_key(name) and held]


def _parts_of(secret: str) -> list[str]:
    """What a driver may take out of a secret, and complain of alone: a password of an address, a token of a header."""
    from urllib.parse import unquote

    from osiris.language.secrets import dsn_password_spans, find_known_formats

    spans = [*dsn_password_spans(secret), *(found[:2] for found in find_known_formats(secret))]
    inside = {secret[start:end] for start, end in spans} - {secret}
    scheme, _, token = secret.partition(" ")
    if scheme.lower() in ("bearer", "basic", "token", "apikey"):
        inside.add(token.strip())
    return sorted({part for found in inside for part in (found, unquote(found))})


@dataclass(frozen=True)
class Config:
    """The main configuration container of a project.

    ``values`` holds every setting by its dotted key; ``sources`` says for each that is not a default where it comes
    from: ``command line``, the name of a variable, or ``osiris.yaml``.
    """

    root: Path | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    env: EnvSource = field(default_factory=lambda: EnvSource({}, {}), repr=False)

    @classmethod
    def load(
        cls,
        root: Path | str | None,
        overrides: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Config:
        """Read the configuration of the project in ``root`` (None: no project, no file).

        ``overrides`` are settings from the command line by dotted key (``runs.logs_dir``); None means "not given".
        ``environ`` defaults to the process environment. Raises ConfigurationError with the place when osiris.yaml is
        broken, and with the name of the variable or option when its value is not usable.
        """
        from osiris.core.config_file import ConfigFile, read_config_file

        real = os.environ if environ is None else environ
        folder = Path(root) if root is not None else None
        file = read_config_file(folder / CONFIG_FILE) if folder is not None else ConfigFile()
        file.raise_errors()
        values: dict[str, Value] = {setting.key: setting.default for setting in SETTINGS}
        sources: dict[str, str] = {}
        for key, value in file.values.items():
            values[key], sources[key] = value, CONFIG_FILE
        _apply_environment(real, values, sources)
        _apply_overrides(overrides or {}, values, sources)
        return cls(folder, values, sources, file.severities, load_env(folder, real))

    def source(self, key: str) -> str:
        """Where the value of a setting comes from; ``default`` when nobody set it."""
        return self.sources.get(key, "default")

    @property
    def runtime(self) -> RuntimeConfig:
        """The execution settings."""
        names = [item.name for item in fields(RuntimeConfig)]
        given: dict[str, Any] = {name: self.values[f"runs.{name}"] for name in names if f"runs.{name}" in self.values}
        given["on_failure"] = str(self.values.get("on_failure", "continue"))
        return RuntimeConfig(**given, deterministic=bool(self.values.get("deterministic")))

    @property
    def ai(self) -> AiCeiling:
        """What the project allows of AI."""
        return AiCeiling.of(self.values)

    @property
    def compile_on_save(self) -> bool:
        """Whether the editor compiles when a pipeline is saved."""
        return bool(self.values.get("compile.on_save", True))

    @property
    def discovery_max_age_hours(self) -> float:
        """How long a discovered schema counts as fresh, in hours."""
        return float(str(self.values.get("discovery.max_age_hours", 24)))

    @property
    def logs_dir(self) -> Path:
        """The folder of the runs; below the project unless it is written as an absolute path."""
        return (self.root or Path()) / self.runtime.logs_dir

    @property
    def reuse_sources_seconds(self) -> float:
        """For how long rows read from a server may be used again."""
        return 60 * float(str(self.values.get("runs.reuse_sources_minutes") or 0))

    @property
    def allowed_folders(self) -> tuple[str, ...]:
        """The folders outside of the project that steps may touch, as osiris.yaml writes them."""
        value = self.values.get(ALLOWED_FOLDERS)
        return value if isinstance(value, tuple) else ()

    def connections(self) -> Connections | None:
        """The project's connections; None when there is no file. Raises ConfigurationError when it is broken."""
        from osiris.core.config_file import read_connections_file

        return read_connections_file(self.root / CONNECTIONS_FILE) if self.root is not None else None

    def connection(self, reference: str) -> ConnectionConfig:
        """The connection that ``@family.alias`` or ``@family`` (its default) names.

        Raises ConfigurationError when there is no connections file, or no such family or alias in it.
        """
        from osiris.core.config_file import choose_connection

        return ConnectionConfig.of(choose_connection(self.connections(), reference))


def _apply_environment(environ: Mapping[str, str], values: dict[str, Value], sources: dict[str, str]) -> None:
    for setting in SETTINGS:
        text = environ.get(setting.variable, "") if setting.variable else ""
        if not text or setting.variable is None:
            continue
        try:
            values[setting.key] = read_setting_text(setting, text)
        except ValueError as error:
            raise ConfigurationError(f"The environment variable {setting.variable} cannot be used: {error}.") from error
        sources[setting.key] = setting.variable


def _apply_overrides(overrides: Mapping[str, object], values: dict[str, Value], sources: dict[str, str]) -> None:
    for key, value in overrides.items():
        if value is None:
            continue
        setting = BY_KEY.get(key)
        if setting is None:
            raise ConfigurationError(f"There is no setting {key}.", hint=f"Settings: {', '.join(BY_KEY)}.")
        try:
            read = read_setting_text(setting, value) if isinstance(value, str) else read_setting(setting, value)
        except ValueError as error:
            raise ConfigurationError(f"The value given for {key} cannot be used: {error}.") from error
        values[key], sources[key] = read, "command line"
