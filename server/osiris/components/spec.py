"""A component spec: what a step of this component may say, what it gives and takes, and what runs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from osiris.components.config_rules import CONNECTION_KEY as CONNECTION_KEY
from osiris.components.config_rules import ConfigProblem as ConfigProblem
from osiris.components.config_rules import Constraint as Constraint
from osiris.syntax.tree import Plain

Mode = Literal["read", "transform", "write"]
Policy = Literal["allowed", "forbidden", "warning"]
Direction = Literal["input", "output"]

_MODES: dict[str, Mode] = {"read": "read", "extract": "read", "transform": "transform", "write": "write"}
_CONNECTION_PROPERTY: dict[str, Any] = {
    "type": "string",
    "description": (
        'The connection to use, written `"@family.alias"`, from `osiris_connections.yaml`. '
        "Without it the default connection of the family is used, where the component needs one."
    ),
}
# What only people and editors read.
_PROSE = frozenset(
    {
        "title",
        "description",
        "markdownDescription",
        "examples",
        "$comment",
        "x-osiris-names",
        "x-osiris-input-columns",
    }
)


@dataclass(frozen=True, slots=True)
class ConnectionField:
    """A field that a connection supplies; ``override`` says whether a step may set it as well.

    ``unless``: another field of the connection; where that is given, this one is not needed.
    """

    name: str
    override: Policy
    schema: Mapping[str, Any]
    secret: bool
    unless: str | None = None


@dataclass(frozen=True, eq=False)
class ComponentSpec:
    """One component. Built by :func:`spec_from_data` from the mapping a spec file holds.

    ``modes``: the modes a step may say. ``required``: config keys that must be there, from the step or, where they are
    connection fields, from the connection. ``secrets``: JSON pointers without the leading slash (``password``,
    ``headers/Authorization``). ``driver``: ``"module:Class"``, or None when nothing runs this component yet.
    ``sql_keys``: config key to SQL dialect. ``path_keys``: config key to what the path is for. ``path_base_key``: the
    connection field or config key whose folder relative paths start from. ``source``: the distribution it comes from.
    """

    name: str
    version: str
    title: str
    description: str
    modes: tuple[Mode, ...]
    config_schema: Mapping[str, Any]
    required: tuple[str, ...]
    secrets: tuple[str, ...]
    connections: tuple[ConnectionField, ...]
    constraints: tuple[Constraint, ...]
    driver: str | None
    examples: tuple[Mapping[str, Any], ...]
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    llm_hints: Mapping[str, Any] = field(default_factory=dict)
    requirements: Mapping[str, Any] = field(default_factory=dict)
    source: str = "osiris"

    @property
    def family(self) -> str:
        """The text before the first dot; also the family of the connections it takes."""
        return self.name.partition(".")[0]

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of the config keys in the order of the spec; ``connection`` is not among them."""
        found: Mapping[str, Mapping[str, Any]] = self.config_schema.get("properties", {})
        return found

    @property
    def yields_data(self) -> bool:
        """Whether a later step can take data from it."""
        return any(mode != "write" for mode in self.modes)

    @property
    def consumes_data(self) -> bool:
        """Whether it takes data from earlier steps."""
        return any(mode != "read" for mode in self.modes)

    @property
    def takes_connection(self) -> bool:
        """Whether a connection means anything to it."""
        return bool(self.connections)

    @property
    def needs_connection(self) -> bool:
        """Whether a required key normally comes from a connection.

        A step that writes all of those keys itself needs none: see :meth:`connection_needed`.
        """
        return any(key in self.connection_fields for key in self.required)

    def connection_needed(self, config_keys: Collection[str]) -> bool:
        """Whether a step with these config keys needs a connection (the named one, or else the default one)."""
        return any(key in self.connection_fields and key not in config_keys for key in self.required)

    @cached_property
    def connection_fields(self) -> dict[str, Policy]:
        """What a connection supplies: field to whether a step may override it."""
        return {f.name: f.override for f in self.connections}

    @cached_property
    def sql_keys(self) -> dict[str, str]:
        """Config keys that hold SQL (or GraphQL) to their dialect: ``duckdb``, ``mysql``, ``sqlite``, ``graphql``."""
        return {key: p["x-osiris-sql"] for key, p in self.properties.items() if "x-osiris-sql" in p}

    @cached_property
    def path_keys(self) -> dict[str, Direction]:
        """Config keys that hold a file path to ``input`` (must exist) or ``output`` (is made)."""
        return {key: p["x-osiris-path"] for key, p in self.properties.items() if "x-osiris-path" in p}

    @cached_property
    def table_key(self) -> str | None:
        """The config key that holds the name of a table of the connection."""
        return next(self._naming("table"), None)

    @cached_property
    def schema_key(self) -> str | None:
        """The config key that says which schema ``table_key`` is looked for in."""
        return next(self._naming("schema"), None)

    @cached_property
    def column_keys(self) -> tuple[str, ...]:
        """The config keys that hold names of columns, as a list or as one text: of the table in ``table_key``."""
        return tuple(self._naming("columns"))

    @cached_property
    def input_column_keys(self) -> tuple[str, ...]:
        """The config keys that name columns which the data of the step must have, as a list or as one text."""
        return tuple(key for key, p in self.properties.items() if p.get("x-osiris-input-columns"))

    def _naming(self, what: str) -> Iterator[str]:
        return (key for key, p in self.properties.items() if p.get("x-osiris-names") == what)

    @cached_property
    def path_base_key(self) -> str | None:
        """The key whose folder relative paths start from when it is given, else they start from the project."""
        for schema in self.properties.values():
            if "x-osiris-path-base" in schema:
                return str(schema["x-osiris-path-base"])
        return None

    @cached_property
    def deprecated_keys(self) -> frozenset[str]:
        """Config keys that are accepted but have no effect; their description says why."""
        return frozenset(key for key, p in self.properties.items() if p.get("deprecated"))

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The defaults of all config keys that have one."""
        return {key: schema["default"] for key, schema in self.properties.items() if "default" in schema}

    @cached_property
    def connection_defaults(self) -> dict[str, Any]:
        """Defaults of connection fields. They hold only where neither the step nor the connection sets the field."""
        return {f.name: f.schema["default"] for f in self.connections if "default" in f.schema}

    @cached_property
    def unless(self) -> dict[str, str]:
        """Connection fields that are not needed where the connection gives another one, to that other one."""
        return {f.name: f.unless for f in self.connections if f.unless}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over everything that can change what a step does.

        That is name, version, modes, the config schema with its defaults, secrets, connection fields, constraints and
        driver; not prose (titles, descriptions, examples, error texts, hints).
        """
        behaviour = {
            "name": self.name,
            "version": self.version,
            "modes": sorted(self.modes),
            "config": _without_prose(self.config_schema),
            "secrets": sorted(self.secrets),
            "connection": [[f.name, f.override, f.secret, _without_prose(f.schema)] for f in self.connections],
            "constraints": [[c.kind, c.when, c.keys, c.must] for c in self.constraints],
            "driver": self.driver,
        }
        text = json.dumps(behaviour, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def property(self, key: str) -> Mapping[str, Any] | None:
        """The schema of a config key (``description``, ``type``, ``default`` ...), None for an unknown key."""
        schema = self.properties.get(key)
        return _CONNECTION_PROPERTY if schema is None and key == CONNECTION_KEY else schema

    def is_secret(self, path: Iterable[str | int]) -> bool:
        """Whether the value at ``path`` in the config is, or lies inside, a secret of this component."""
        parts = [str(part).casefold() for part in path]
        for pointer in self.secrets:
            wanted = pointer.casefold().split("/")
            if len(wanted) <= len(parts) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=False)):
                return True
        return False

    def missing(self, config_keys: Collection[str], *, connection: bool = False) -> tuple[str, ...]:
        """The required keys that are not there, in the order of the spec.

        With ``connection`` (the step names a connection, or the default one will be used) the keys that a connection
        supplies are not asked of the step.
        """
        return tuple(
            key
            for key in self.required
            if key not in config_keys and not (connection and key in self.connection_fields)
        )

    def check(self, config: Plain, *, connection: bool = False) -> list[ConfigProblem]:
        """Everything that is wrong with ``config``, in document order. Never raises.

        The key ``connection`` itself is not looked at. For ``connection`` see :meth:`missing`.
        """
        from osiris.components.check import check_config

        return check_config(self, config, connection=connection)

    def with_defaults(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """``config`` with the defaults of its missing keys, written keys first.

        Connection fields get no default here (it would win over the connection; see :attr:`connection_defaults`), nor
        do deprecated keys. Whole floats become integers where the spec wants an integer.
        """
        result = {key: _whole(value, self.properties.get(key, {})) for key, value in config.items()}
        for key, schema in self.properties.items():
            if key in result or key in self.connection_fields or "default" not in schema or schema.get("deprecated"):
                continue
            result[key] = json.loads(json.dumps(schema["default"]))
        return result


def _whole(value: Any, schema: Mapping[str, Any]) -> Any:
    """An integral float as an integer where only an integer is wanted (JSON Schema lets 3.0 pass as one)."""
    types = schema.get("type", ())
    types = (types,) if isinstance(types, str) else types
    if isinstance(value, float) and "integer" in types and "number" not in types and value.is_integer():
        return int(value)
    return value


def _without_prose(schema: Any) -> Any:
    """A schema without the parts that only people read. Names of properties are never taken for keywords."""
    if isinstance(schema, list | tuple):
        return [_without_prose(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties") and isinstance(value, Mapping):
            result[key] = {name: _without_prose(sub) for name, sub in value.items()}
        elif key in ("default", "enum", "const"):
            result[key] = value
        elif key not in _PROSE:
            result[key] = _without_prose(value)
    return result


def spec_from_data(data: Mapping[str, Any], source: str = "osiris") -> ComponentSpec:
    """A spec from the mapping that its file holds. ``data`` has passed :func:`osiris.components.meta.spec_problems`."""
    schema = data["configSchema"]
    pointers = dict.fromkeys(
        pointer.removeprefix("/") for pointer in (*data.get("secrets", ()), *data.get("x-secret", ()))
    )
    runtime = data.get("x-runtime") or {}
    return ComponentSpec(
        name=data["name"],
        version=str(data["version"]),
        title=data.get("title", data["name"]),
        description=str(data.get("description", "")).strip(),
        modes=tuple(dict.fromkeys(_MODES[mode] for mode in data["modes"] if mode in _MODES)),
        config_schema=schema,
        required=tuple(schema.get("required", ())),
        secrets=tuple(pointers),
        connections=_connection_fields(data.get("x-connection-fields") or (), schema, pointers),
        constraints=tuple(_constraints(data.get("constraints") or {})),
        driver=runtime.get("driver"),
        examples=tuple(data.get("examples") or ()),
        capabilities=data.get("capabilities") or {},
        limits=data.get("limits") or {},
        llm_hints=data.get("llmHints") or {},
        requirements=runtime.get("requirements") or {},
        source=source,
    )


def _connection_fields(
    fields: Iterable[str | Mapping[str, Any]], schema: Mapping[str, Any], secrets: Collection[str]
) -> tuple[ConnectionField, ...]:
    """A field is a name (a step may override it) or a mapping; it takes on the schema of the config key it names."""
    result = []
    for item in fields:
        entry: Mapping[str, Any] = {"name": item} if isinstance(item, str) else item
        name = entry["name"]
        own = {key: value for key, value in entry.items() if key not in ("name", "override", "secret", "unless")}
        shape = {**schema.get("properties", {}).get(name, {}), **own}
        secret = name in secrets or bool(entry.get("secret"))
        result.append(ConnectionField(name, entry.get("override", "allowed"), shape, secret, entry.get("unless")))
    return tuple(result)


def _constraints(data: Mapping[str, Any]) -> Iterable[Constraint]:
    for kind in ("required", "exactlyOneOf", "anyOf", "atMostOneOf"):
        for item in data.get(kind, ()):
            must = item.get("must", {})
            keys = tuple(item.get("keys", must))
            yield Constraint(kind, item.get("when", {}), keys, must, item["error"])
