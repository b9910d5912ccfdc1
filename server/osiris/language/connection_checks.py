"""What the components know of connections: their families, and the fields that these hold."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from osiris.components.registry import ComponentRegistry
from osiris.language.edits import insert_key, quoted
from osiris.language.findings import finding, replacement
from osiris.language.secrets import is_secret_key
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix
from osiris.syntax.document import Document
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Scalar, Sequence, Style, walk_scalars
from osiris.syntax.tree import Mapping as MappingNode

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
"""``${VAR}`` or ``${VAR:-default}``: the name, and the default where there is one."""

_PLAIN_KEY = re.compile(r"[\w.-]+")
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
        fix = None if entry.key.synthetic else replacement(f"Rename to `x-{key}`", span, f"x-{key}")
        return finding("OML329", span, message, fix if _PLAIN_KEY.fullmatch(key) else None, unnecessary=True)
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


def missing_findings(family: str, alias: Entry, registry: ComponentRegistry, source: str) -> Iterator[Diagnostic]:
    """Fields that no step can do without and that only the connection may give (OML335); ``source`` is the part."""
    connection = alias.value
    present = {entry.key.text for entry in connection.entries} if isinstance(connection, MappingNode) else set()
    known = registry.connection_fields(family)
    meant = {nearest(key, known) for key in present if key not in known}  # misspelt, which is told there
    missing = [name for name in registry.required_of_connections(family, present) if name not in present | meant]
    if not missing or alias.synthetic or (isinstance(connection, MappingNode) and connection.synthetic):
        return
    fields = listing(missing, 12)
    message = f"`@{family}.{alias.key.text}` lacks {fields}: every step needs {'it' if len(missing) == 1 else 'them'}, "
    message += f"and only the connection can give {'it' if len(missing) == 1 else 'them'}."
    yield finding("OML335", alias.key.span, message, _with_variables(family, alias, missing, source))


def _with_variables(family: str, alias: Entry, missing: list[str], source: str) -> Fix | None:
    """The fields, each from a variable of its own."""
    if not isinstance(alias.value, MappingNode):
        return None
    lines = [(name, f'"${{{field_variable(family, alias.key.text, name)}}}"') for name in missing]
    if alias.value.flow:
        text = ", ".join(f"{name}: {value}" for name, value in lines).removeprefix(f"{missing[0]}: ")
    else:
        text = "\n".join(f"{name}: {value}" for name, value in lines).removeprefix(f"{missing[0]}: ")
    edit = insert_key(source, alias.value, missing[0], text)
    return Fix(f"Add {listing(missing, 12)} from the environment", (edit,)) if edit is not None else None


def field_variable(family: str, alias: str, name: str) -> str:
    """The variable that a field of a connection is taken from, where the user has not chosen another name."""
    return re.sub(r"[^A-Z0-9]", "_", f"{family}_{alias}_{name}".upper())


def variable_findings(document: Document, is_set: Callable[[str], bool]) -> Iterator[Diagnostic]:
    """Variables without a default that the text of a connections file asks for and that are not set (OML336)."""
    text = document.text
    if "${" not in text:
        return
    comments = list(document.comments())
    for match in VARIABLE.finditer(text):
        at = bisect_right(comments, match.start(), key=lambda span: span.start) - 1
        if match[2] is not None or (at >= 0 and match.start() < comments[at].end) or is_set(match[1]):
            continue
        message = (
            f"The variable {match[1]} is set neither in the environment nor in `.env`. A run with this connection "
            "needs it."
        )
        yield finding("OML336", Span(*match.span(1)), message)


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
