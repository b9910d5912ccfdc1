"""What a spec asks of a step's ``config``, and what is said when that does not hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CONNECTION_KEY = "connection"
"""The config key that every component accepts: ``connection: "@family.alias"``."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong with a step's ``config``.

    ``path`` leads to the value at fault; for ``unknown_key`` it ends with that key, for ``required`` it leads to the
    mapping the key is missing from. ``kind``: ``required``, ``unknown_key``, ``type``, ``enum``, ``minimum``,
    ``maximum``, ``multiple_of``, ``pattern``, ``min_length``, ``max_length``, ``min_items``, ``max_items``,
    ``unique_items``, ``constraint`` (keys that do not go together) or ``schema`` (any other keyword).
    ``key`` is the config key at fault or missing; None when the whole config is. ``expected`` is what would be right:
    the type names, the allowed values, the bound, the known keys (``unknown_key``), or the keys of a constraint.
    ``message`` never repeats the value of a secret key.
    """

    path: tuple[str | int, ...]
    kind: str
    message: str
    key: str | None
    expected: Any


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule over several config keys.

    ``kind``: ``required`` (when ``when`` holds, every key of ``must`` is there and fits its schema), ``exactlyOneOf``,
    ``anyOf`` or ``atMostOneOf`` (of ``keys``, when ``when`` holds). ``when`` maps keys to a constant, or to a schema;
    a key that is not written counts with its default.
    """

    kind: str
    when: Mapping[str, Any]
    keys: tuple[str, ...]
    must: Mapping[str, Any]
    error: str


class ConfigRules(Protocol):
    """The part of a component spec that a ``config`` is checked against."""

    @property
    def name(self) -> str:
        """The component's name."""

    @property
    def config_schema(self) -> Mapping[str, Any]:
        """The JSON Schema of its config."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """The schemas of its config keys."""

    @property
    def required(self) -> tuple[str, ...]:
        """The keys that must be there."""

    @property
    def connection_fields(self) -> Mapping[str, Any]:
        """The keys that a connection may supply."""

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """The rules over several keys."""

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The default values by key."""

    def is_secret(self, path: Collection[str | int]) -> bool:
        """Whether the value at ``path`` is a secret."""
