"""Putting parameter values into a step's config, by the rules of the language a string is written in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from osiris.components.spec import ComponentSpec
from osiris.language.placeholders import Placeholder, find_placeholders
from osiris.syntax.sql import SqlToken, tokenize_sql
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping as MappingNode
from osiris.syntax.tree import Node, Plain, Scalar, Sequence, Style

Path = tuple[str | int, ...]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_TRUE = frozenset(("yes", "on", "y"))
_FALSE = frozenset(("no", "off", "n"))


@dataclass(frozen=True, slots=True)
class SubstitutionProblem:
    """A parameter that cannot stand where it stands.

    ``kind``: ``unquoted`` (a text outside the quotes of SQL), ``shape`` (a list or map inside text) or ``place`` (no
    safe form at this place). ``span`` is that of the ``${...}`` in the text, ``param`` its name.
    """

    kind: str
    param: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Substituted:
    """``value``: the text with the known parameters in it; the typed value when the text is one parameter only.

    ``open`` are the parameters that are still there as ``${params.x}``: sensitive, or given at run.
    """

    value: Plain
    open: tuple[str, ...] = ()
    problems: tuple[SubstitutionProblem, ...] = ()


def substitute_text(text: str, values: Mapping[str, Plain], dialect: str | None = None) -> Substituted:
    """Put ``values`` (by parameter name) into ``text``; ``dialect`` is that of the SQL it holds, else None.

    When one of its parameters has no value the text stays as it is, whole: a run resolves it in one go.
    """
    if "${" not in text:
        return Substituted(text)
    found = [p for p in find_placeholders(text) if p.kind == "param"]
    missing = tuple(dict.fromkeys(p.name for p in found if p.name not in values))
    if not found or missing:
        return Substituted(text, missing)
    if dialect is not None and dialect != "graphql":
        return _in_sql(text, values, dialect)
    if len(found) == 1 and found[0].span == (0, len(text)):
        return Substituted(values[found[0].name])
    parts: list[str] = []
    problems: list[SubstitutionProblem] = []
    at = 0
    for hole in found:
        value = values[hole.name]
        if isinstance(value, list | dict):
            kind = "list" if isinstance(value, list) else "map"
            message = (
                f"`{hole.name}` is a {kind}, which cannot stand inside a text. Let the value be "
                f"`${{params.{hole.name}}}` alone, or use a parameter of another type."
            )
            problems.append(SubstitutionProblem("shape", hole.name, hole.span, message))
        parts += (text[at : hole.span.start], as_text(value))
        at = hole.span.end
    return Substituted("".join((*parts, text[at:])), (), tuple(problems))


def as_text(value: Plain) -> str:
    """A value as it stands inside a text; null is nothing, lists and maps are JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _in_sql(text: str, values: Mapping[str, Plain], dialect: str) -> Substituted:
    parts: list[str] = []
    problems: list[SubstitutionProblem] = []
    at = 0
    for span, literal, problem in sql_fillings(text, values, dialect):
        if problem:
            problems.append(problem)
        parts += (text[at : span.start], literal)
        at = span.end
    return Substituted("".join((*parts, text[at:])), (), tuple(problems))


def sql_fillings(
    text: str, values: Mapping[str, Plain], dialect: str
) -> Iterator[tuple[Span, str, SubstitutionProblem | None]]:
    """What each ``${params.x}`` of a SQL text becomes, and why it cannot; those without a value are left out."""
    tokens = tokenize_sql(text, dialect=dialect)
    for position, token in enumerate(tokens):
        if token.kind == "comment":
            continue
        spans = (token.span,) if token.kind == "placeholder" else token.placeholders
        for span in spans:
            hole = next(iter(find_placeholders(text[span.start : span.end])), None)
            if hole is None or hole.kind != "param" or hole.name not in values:
                continue
            value = values[hole.name]
            if token.kind == "placeholder":
                literal, problem = _literal(value, hole, span, _glued(tokens, position))
                if isinstance(value, list) and problem is None and _in_parentheses(tokens, position):
                    literal = literal[1:-1]
            else:
                literal, problem = _quoted(value, hole, span, token, dialect)
            yield span, literal, problem


def _glued(tokens: list[SqlToken], position: int) -> bool:
    """Whether a word touches the placeholder, as in ``orders_${params.year}``."""
    token = tokens[position]
    before = tokens[position - 1] if position else None
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    return bool(
        (before and before.span.end == token.span.start and before.kind in ("word", "number", "placeholder"))
        or (after and after.span.start == token.span.end and after.kind in ("word", "number", "placeholder"))
    )


def _in_parentheses(tokens: list[SqlToken], position: int) -> bool:
    """Whether the placeholder is all of a list that has parentheses already: ``IN (${params.regions})``."""
    around = [token.text.upper() for token in (*tokens[max(0, position - 2) : position], *tokens[position + 1 :][:1])]
    return around == ["IN", "(", ")"]


def _literal(value: Plain, hole: Placeholder, span: Span, glued: bool) -> tuple[str, SubstitutionProblem | None]:
    """A value outside quotes: a literal, or a plain identifier."""
    if isinstance(value, str):
        if _IDENTIFIER.fullmatch(value) or (glued and re.fullmatch(r"\w*", value)):
            return value, None
        message = (
            f"The parameter `{hole.name}` is text and stands outside quotes, where only a plain name is safe. "
            f"Put quotes around it: '${{params.{hole.name}}}'."
        )
        return "NULL", SubstitutionProblem("unquoted", hole.name, span, message)
    literal = _sql_literal(value)
    if literal is None:
        what = "an empty list" if value == [] else "a map" if isinstance(value, dict) else "a value without a SQL form"
        message = (
            f"The parameter `{hole.name}` is {what}, which has no form in SQL. Use text, numbers or a list of them."
        )
        return "NULL", SubstitutionProblem("place", hole.name, span, message)
    return literal, None


def _sql_literal(value: Plain) -> str | None:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list) and value:
        items = [_sql_literal(item) if not isinstance(item, list | dict) else None for item in value]
        return None if None in items else f"({', '.join(item for item in items if item is not None)})"
    return None


def _quoted(
    value: Plain, hole: Placeholder, span: Span, token: SqlToken, dialect: str
) -> tuple[str, SubstitutionProblem | None]:
    """A value inside quotes: its text, the quote doubled."""
    if isinstance(value, list | dict):
        kind = "list" if isinstance(value, list) else "map"
        message = f"The parameter `{hole.name}` is a {kind}, which cannot stand inside quotes. Take the quotes away."
        return "", SubstitutionProblem("place", hole.name, span, message)
    text = as_text(value)
    opening = token.text.lstrip("eEbBnNxXuU&")[:1]
    escapes = token.text[:1] in "eE" or (dialect in ("mysql", "mariadb") and token.kind == "string")
    if escapes:
        text = text.replace("\\", "\\\\")
    if token.kind == "dollar_string":
        tag = token.text[: token.text.index("$", 1) + 1]
        if tag in text or text.endswith("$"):
            message = f"The value of `{hole.name}` would end the quoted text {tag}. Use single quotes instead."
            return "", SubstitutionProblem("place", hole.name, span, message)
        return text, None
    if opening == "[" and "]" in text:
        message = f"The value of `{hole.name}` would end the name in brackets. Use double quotes instead."
        return "", SubstitutionProblem("place", hole.name, span, message)
    return text.replace(opening, opening * 2) if opening in ("'", '"', "`") else text, None


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """A step's config with parameters in it, ``connection`` included.

    ``open``: paths of values that still hold a ``${...}`` (sensitive, given at run, or a mistake that is reported as
    such); nobody can check those.
    ``booleans``: scalars that were written yes, no, on or off where the component wants a boolean; they count as one.
    """

    config: dict[str, Plain]
    open: frozenset[Path]
    problems: tuple[tuple[Scalar, SubstitutionProblem], ...]
    booleans: tuple[tuple[Path, Scalar], ...]


def resolve_config(
    config: MappingNode | None, spec: ComponentSpec | None, values: Mapping[str, Plain], *, booleans: bool = True
) -> ResolvedConfig:
    """Put ``values`` (by name; leave the sensitive ones out) into a config, keeping types.

    Values without parameters come out as YAML says; of duplicate keys the first counts.
    """
    walker = _Walker(spec, values, booleans)
    plain: dict[str, Plain] = {}
    for entry in config.entries if config else ():
        if entry.key.text not in plain:
            key = entry.key.text
            walker.dialect = spec.sql_keys.get(key) if spec else None
            plain[key] = walker.value(entry.value, (key,))
    return ResolvedConfig(plain, frozenset(walker.open), tuple(walker.problems), tuple(walker.found_booleans))


class _Walker:
    def __init__(self, spec: ComponentSpec | None, values: Mapping[str, Plain], booleans: bool) -> None:
        self.spec = spec
        self.values = values
        self.booleans = booleans
        self.dialect: str | None = None
        self.open: list[Path] = []
        self.problems: list[tuple[Scalar, SubstitutionProblem]] = []
        self.found_booleans: list[tuple[Path, Scalar]] = []

    def value(self, node: Node, path: Path) -> Plain:
        if isinstance(node, Scalar):
            return self.scalar(node, path)
        if isinstance(node, Sequence):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.items)]
        result: dict[str, Plain] = {}
        for entry in node.entries:
            if entry.key.text not in result:
                result[entry.key.text] = self.value(entry.value, (*path, entry.key.text))
        return result

    def scalar(self, node: Scalar, path: Path) -> Plain:
        value = node.value
        if not isinstance(value, str):
            return value
        if "${" in value:
            done = substitute_text(value, self.values, self.dialect)
            self.problems += ((node, problem) for problem in done.problems)
            if done.open or any(p.kind != "param" for p in find_placeholders(value)):
                self.open.append(path)
            return done.value
        if node.style is Style.PLAIN and self.booleans and len(path) == 1 and len(value) <= 3:
            meant = boolean_word(value)
            if meant is not None and self.wants_boolean(path[0]):
                self.found_booleans.append((path, node))
                return meant
        return value

    def wants_boolean(self, key: str | int) -> bool:
        schema = self.spec.property(str(key)) if self.spec else None
        types = schema.get("type", ()) if schema else ()
        types = (types,) if isinstance(types, str) else tuple(types)
        return "boolean" in types and "string" not in types


def boolean_word(text: str) -> bool | None:
    """What ``yes``, ``no``, ``on``, ``off``, ``y`` and ``n`` mean, in any case; None for other text."""
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else None
