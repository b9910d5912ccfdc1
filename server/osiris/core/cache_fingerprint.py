"""What a connection is, as one number: what was discovered through it, and the consent to use it, hold for that alone.

    fingerprint = SchemaFingerprint.of(config.connection("@mysql.shop"), root=project.root, env=project.variables())

The fingerprint is a SHA-256 over the family, every field that is no secret with its variables filled in (paths made
absolute), the address inside a secret connection string without its password, and the names of the variables used. No
secret enters it, so it can be kept and shown.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from osiris.core.config import ConnectionConfig

if TYPE_CHECKING:
    from osiris.components.registry import ComponentRegistry
    from osiris.components.spec import ComponentSpec

_LAYOUT = 1
"""Of what is hashed: another layout means other fingerprints, and all is asked for and read anew."""
_PATHS = frozenset({"path", "base_dir"})
_IN_MEMORY = frozenset({"", ":memory:"})
_LEADS_SOMEWHERE = re.compile(r"dsn|url|uri|conn", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"([A-Za-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s;]+)")
# What says where a connection string leads. Whatever else it may hold stays out: it could be a secret.
_ADDRESS_KEYS = frozenset(
    {"host", "hostaddr", "port", "dbname", "database", "user", "username", "service", "server", "uid", "sslmode"}
)


@dataclass(frozen=True, slots=True)
class SchemaFingerprint:
    """The fingerprint of one connection; ``str()`` gives its 64 hexadecimal digits. Equal ones lead to the same place
    as the same user.
    """

    digest: str

    def __str__(self) -> str:
        """The 64 digits."""
        return self.digest

    @classmethod
    def of(
        cls,
        connection: ConnectionConfig,
        *,
        root: Path,
        env: Mapping[str, str],
        registry: ComponentRegistry | None = None,
    ) -> SchemaFingerprint:
        """The fingerprint of a connection of the project in ``root``, its variables taken from ``env``.

        ``registry`` (default: what is installed) knows which fields are secrets and paths. Raises ConfigurationError
        when a variable is not set.
        """
        resolved = connection.resolve(env)
        return cls.of_fields(
            connection.family, resolved.fields, variables=connection.variables(), root=root, registry=registry
        )

    @classmethod
    def of_fields(
        cls,
        family: str,
        fields: Mapping[str, Any],
        *,
        variables: list[str] | tuple[str, ...] = (),
        root: Path,
        registry: ComponentRegistry | None = None,
    ) -> SchemaFingerprint:
        """As ``of``, for ``fields`` that are filled in already and the names of the ``variables`` they used."""
        from osiris.core.manifest import canonical_json

        specs = specs_of_family(family, registry)
        # A default that is written down changes nothing.
        given = {**_defaults(specs), **{k: v for k, v in fields.items() if k != "default" and v is not None}}
        content = {
            "layout": _LAYOUT,
            "family": family,
            "fields": {name: _plain(value, (name,), specs, root) for name, value in given.items()},
            "variables": sorted(set(variables)),
        }
        return cls(hashlib.sha256(canonical_json(content)).hexdigest())


def specs_of_family(family: str, registry: ComponentRegistry | None = None) -> tuple[ComponentSpec, ...]:
    """The components that take connections of ``family``, by name: what they say of its fields."""
    from osiris.components.registry import ComponentRegistry

    registry = registry or ComponentRegistry.builtin()
    names = [name for name in registry.names() if name.partition(".")[0] == family]
    return tuple(spec for name in names if (spec := registry.get(name)) is not None and spec.takes_connection)


def _defaults(specs: tuple[ComponentSpec, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for spec in specs:
        for name, value in spec.connection_defaults.items():
            if not _is_secret((name,), specs):
                found.setdefault(name, value)
    return found


def _is_secret(path: tuple[str | int, ...], specs: tuple[ComponentSpec, ...]) -> bool:
    from osiris.language.secrets import is_secret_key

    return any(isinstance(part, str) and is_secret_key(part) for part in path) or any(
        spec.is_secret(path) for spec in specs
    )


def _plain(value: Any, path: tuple[str | int, ...], specs: tuple[ComponentSpec, ...], root: Path) -> Any:
    """What of a field enters the fingerprint. Numbers and booleans as text: a variable gives nothing else."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, (*path, str(key)), specs, root) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, index), specs, root) for index, item in enumerate(value)]
    if _is_secret(path, specs):
        return ["secret", *(_address(str(value)) if _LEADS_SOMEWHERE.search(str(path[-1])) else ())]
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    if _is_path(path, specs):
        return value if value in _IN_MEMORY else os.path.abspath(root / Path(os.path.expanduser(value)))
    return list(_address(value)) or _without_secrets(value)


def _is_path(path: tuple[str | int, ...], specs: tuple[ComponentSpec, ...]) -> bool:
    name = path[0]
    return len(path) == 1 and (
        name in _PATHS or any(name in spec.path_keys or name == spec.path_base_key for spec in specs)
    )


def _address(text: str) -> Iterator[str]:
    """Where a connection string leads and as whom: nothing for a text that is none."""
    more: list[tuple[str, str]] = _ASSIGNMENT.findall(text) if "://" not in text else []
    if "://" in text:
        try:
            parts = urlsplit(text.strip())
            more, port = parse_qsl(parts.query), parts.port
            sound = "@" not in parts.path + parts.query + parts.fragment
        except ValueError:
            sound = False
        if not sound:  # most often a password with a character that had to be written as %xx: all before @ may be it
            yield f"host={text.rpartition('@')[2] if '@' in text else ''}"
            return
        yield f"scheme={parts.scheme}"
        yield f"user={unquote(parts.username or '')}"
        yield f"host={parts.hostname or ''}"
        yield f"port={port or ''}"
        yield f"path={unquote(parts.path)}"
    for key, value in sorted(more):
        name = key.strip().casefold().replace(" ", "_")
        if name in _ADDRESS_KEYS:
            yield f"{name}={value}"


def _without_secrets(text: str) -> str:
    """``text`` without what is certainly a secret in it; what only looks random stays, as names of servers may."""
    from osiris.language.secrets import assigned_secret_spans, dsn_password_spans, find_known_formats

    spans = [(start, end) for start, end, _ in find_known_formats(text)]
    for start, end in sorted([*spans, *dsn_password_spans(text), *assigned_secret_spans(text)], reverse=True):
        text = text[:start] + text[end:]
    return text
