"""What the components know of connections: their families, and the fields that these hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from osiris.components.registry import ComponentRegistry
from osiris.language.edits import quoted
from osiris.language.findings import finding, replacement
from osiris.language.secrets import is_secret_key
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix
from osiris.syntax.tree import Entry, Node, Scalar, Sequence, Style, walk_scalars
from osiris.syntax.tree import Mapping as MappingNode

_TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a map",
    "null": "empty",
}


def family_findings(entry: Entry, families: Collection[str], registry: ComponentRegistry) -> Iterator[Diagnostic]:
    """A family that no installed component takes connections of (OML328); ``families`` are those of the file."""
    name = entry.key.text
    if name.startswith("x-") or registry.connection_fields(name):
        return
    known = registry.families()
    near = nearest(name, known)
    hint = f"Did you mean `{near}`?" if near else f"Families are {listing(known, 10)}."
    message = f"No installed component takes a connection of the family `{name}`. {hint}"
    editable = near is not None and near not in families and not entry.key.synthetic
    fix = replacement(f"Replace by `{near}`", entry.key.span, str(near), preferred=True) if editable else None
    yield finding("OML328", entry.key.span, message, fix)


def field_findings(family: str, connection: MappingNode, registry: ComponentRegistry) -> Iterator[Diagnostic]:
    """Fields that the components of the family do not know, and values of another type than they want."""
    known = registry.connection_fields(family)
    if not known:
        return
    present = {entry.key.text for entry in connection.entries}
    for entry in connection.entries:
        key = entry.key.text
        if not entry.has_colon or entry.synthetic or key == "default" or key.startswith("x-"):
            continue
        if key in known:
            yield from _type(entry, known[key])
        else:
            yield _unknown(family, entry, known, present, registry)


def _unknown(
    family: str, entry: Entry, known: Mapping[str, Any], present: set[str], registry: ComponentRegistry
) -> Diagnostic:
    key, span = entry.key.text, entry.key.span
    near = nearest(key, known)
    meant = near or _by_alias(registry, family, key, known)
    if meant is None:
        message = (
            f"A connection of the family `{family}` has no field `{key}`; it is ignored. Fields are "
            f"{listing(known, 12)}. Own fields start with `x-`."
        )
        return finding("OML329", span, message, unnecessary=True)
    taken = meant in present
    hint = f"`{meant}` is there already; remove this one." if taken else f"Did you mean `{meant}`?"
    message = f"A connection of the family `{family}` has no field `{key}`. {hint}"
    fix = None if taken else replacement(f"Replace by `{meant}`", span, meant, preferred=True)
    return finding("OML331" if near else "OML329", span, message, fix)


def _by_alias(registry: ComponentRegistry, family: str, key: str, known: Mapping[str, Any]) -> str | None:
    """The field that is known elsewhere by this name, or by one close to it, such as ``db`` for ``path``."""
    fields: dict[str, str] = {}
    for spec in registry.specs_of(family):
        for name, others in (spec.llm_hints.get("inputAliases") or {}).items():
            fields.update((other, name) for other in others if name in known)
    near = nearest(key, fields)
    return fields[near] if near else None


def _type(entry: Entry, schema: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """OML332 where the value has another type than the field; what a variable will hold is seen by the run."""
    wanted = schema.get("type", ())
    types: tuple[str, ...] = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    node = entry.value
    if not types or _is_open(node) or _fits(node, types):
        return
    what = " or ".join(_TYPE_NAMES.get(name, name) for name in types)
    secret = bool(schema.get("x-secret")) or is_secret_key(entry.key.text)
    span = entry.key.span if secret or node.span.end <= node.span.start else node.span  # a secret is not pointed at
    fix = None if secret else _as_wanted(node, types)
    yield finding("OML332", span, f"`{entry.key.text}` is {what}.", fix)


def _is_open(node: Node) -> bool:
    """No value, or one that a variable is part of."""
    if isinstance(node, Scalar):
        return node.value is None or node.synthetic or "${" in node.text
    return any("${" in scalar.text for scalar in walk_scalars(node))


def _fits(node: Node, types: tuple[str, ...]) -> bool:
    if isinstance(node, MappingNode):
        return "object" in types
    if isinstance(node, Sequence):
        return "array" in types
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int):
        return "integer" in types or "number" in types
    if isinstance(value, float):
        return "number" in types or ("integer" in types and value.is_integer())
    return not isinstance(value, str) or "string" in types


def _as_wanted(node: Node, types: tuple[str, ...]) -> Fix | None:
    """Quotes around what should be text, none around what should be a number."""
    if not isinstance(node, Scalar):
        return None
    if "string" in types and node.style is Style.PLAIN:
        return replacement("Put it in quotes", node.span, quoted(node.text), preferred=True)
    word = node.text.strip()
    if "integer" in types and isinstance(node.value, str) and word.isascii() and word.isdigit() and len(word) < 20:
        return replacement(f"Write `{int(word)}`", node.span, str(int(word)), preferred=True)
    return None
