"""Checks a step's config against its component's spec: the JSON Schema first, then the constraints over several keys.

Two validators can do the schema part, ``jsonschema-rs`` (native, where it has a wheel) and ``jsonschema``. From either
only *where* a keyword fails is taken; what is said about it is worked out here, so both give the same problems.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from osiris.components.config_rules import CONNECTION_KEY, ConfigProblem, ConfigRules, Constraint
from osiris.syntax.tree import Plain

Path = tuple[str | int, ...]
Failures = Callable[[Any], Iterable[tuple[Path, Path]]]

_TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def compile_rust(schema: Mapping[str, Any]) -> Failures:
    """The failures of an instance as (instance path, schema path), found by ``jsonschema-rs``."""
    import jsonschema_rs

    validator = jsonschema_rs.Draft7Validator(dict(schema))

    def failures(instance: Any) -> Iterable[tuple[Path, Path]]:
        return [(tuple(e.instance_path), tuple(e.schema_path)) for e in validator.iter_errors(instance)]

    return failures


def compile_python(schema: Mapping[str, Any]) -> Failures:
    """The same as :func:`compile_rust`, found by ``jsonschema``."""
    import jsonschema

    validator = jsonschema.Draft7Validator(dict(schema))

    def failures(instance: Any) -> Iterable[tuple[Path, Path]]:
        return [(tuple(e.absolute_path), tuple(e.absolute_schema_path)) for e in validator.iter_errors(instance)]

    return failures


def compile_schema(schema: Mapping[str, Any]) -> Failures:
    """The faster of the two that is installed."""
    try:
        return compile_rust(schema)
    except ImportError:
        return compile_python(schema)


_compiled: dict[int, tuple[Mapping[str, Any], Failures]] = {}


def _failures_of(schema: Mapping[str, Any]) -> Failures:
    """The compiled validator of a schema object, made once (the schema is kept alive with it, so its id stays its)."""
    entry = _compiled.get(id(schema))
    if entry is None:
        if len(_compiled) > 1000:
            _compiled.clear()
        entry = _compiled[id(schema)] = (schema, compile_schema(schema))
    return entry[1]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is checked: its name for messages, its schema, and which values must not be shown."""

    name: str
    schema: Mapping[str, Any]
    is_secret: Callable[[Path], bool]


def explain_failures(schema: Mapping[str, Any], data: Any, failures: Failures, name: str = "the spec") -> list[str]:
    """What is wrong with any ``data`` under ``schema``, as sentences without a full stop."""
    instance, _ = _storable(data)
    subject = _Subject(name, schema, lambda path: False)
    problems = [
        problem
        for instance_path, schema_path in dict.fromkeys(failures(instance))
        for problem in _explain(subject, instance, instance_path, schema_path)
    ]
    problems.sort(key=lambda p: (_position(instance, p.path), p.kind, p.key or ""))
    return [problem.message.rstrip(".") for problem in problems]


def check_config(
    spec: ConfigRules, config: Plain, *, connection: bool = False, compile_with: Callable[..., Failures] | None = None
) -> list[ConfigProblem]:
    """See ``ComponentSpec.check``. ``compile_with`` chooses the validator (for tests)."""
    if not isinstance(config, dict):
        return [ConfigProblem((), "type", f"config must be a mapping, not {_what(config)}.", None, ("object",))]
    own_connection = CONNECTION_KEY in spec.properties
    instance, not_finite = _storable({k: v for k, v in config.items() if own_connection or k != CONNECTION_KEY})
    schema = spec.config_schema
    failures = compile_with(schema) if compile_with else _failures_of(schema)
    failed = dict.fromkeys(failures(instance))
    problems = [_not_finite(path) for path in not_finite]
    if failed:
        subject = _Subject(spec.name, schema, spec.is_secret)
        for instance_path, schema_path in failed:
            if instance_path not in not_finite:
                problems.extend(_explain(subject, instance, instance_path, schema_path))
    if connection:
        problems = [
            p for p in problems if not (p.kind == "required" and not p.path and p.key in spec.connection_fields)
        ]
    if len(problems) > 1:
        problems.sort(key=lambda p: (_position(instance, p.path), p.kind, _schema_position(spec, p)))
    if spec.constraints:
        problems.extend(_broken_constraints(spec, instance, {p.path[0] for p in problems if p.path}))
    return problems


def _storable(value: Any, path: Path = ()) -> tuple[Any, frozenset[Path]]:
    """A copy that every validator can read, and the paths of numbers JSON has no notion of (NaN, infinity)."""
    if _is_simple(value):
        return value, frozenset()
    odd: set[Path] = set()

    def copy(item: Any, at: Path) -> Any:
        if isinstance(item, dict):
            return {_encodable(str(key)): copy(sub, (*at, str(key))) for key, sub in item.items()}
        if isinstance(item, list | tuple):
            return [copy(sub, (*at, index)) for index, sub in enumerate(item)]
        if isinstance(item, str):
            return _encodable(item)
        if isinstance(item, float) and not math.isfinite(item):
            odd.add(at)
            return None
        return item

    return copy(value, path), frozenset(odd)


def _is_simple(value: Any) -> bool:
    """Whether there is nothing odd in ``value``, which is nearly always so."""
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, dict):
        return all(isinstance(key, str) and key.isascii() and _is_simple(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_simple(item) for item in value)
    return value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _encodable(text: str) -> str:
    """Lone surrogates (``"\\ud800"`` in YAML) have no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _position(instance: Any, path: Path) -> tuple[int, ...]:
    """Where a path stands in the document; what is missing from a mapping comes before what is in it."""
    position = []
    for part in path:
        if isinstance(instance, dict):
            keys = list(instance)
            position.append(keys.index(part) if part in instance else len(keys))
            instance = instance.get(part)
        elif isinstance(instance, list) and isinstance(part, int) and part < len(instance):
            position.append(part)
            instance = instance[part]
    return tuple(position)


def _schema_position(spec: ConfigRules, problem: ConfigProblem) -> int:
    """The place of a missing key in the spec's own list."""
    if problem.kind == "required" and problem.key in spec.required:
        return spec.required.index(problem.key)
    return 0


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _name(path: Path) -> str:
    """``filter.tags[2]`` as a person writes it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "config"


def _what(value: Any) -> str:
    """The kind of a value in plain words; the value itself may be a secret."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def _shown(subject: _Subject, path: Path, value: Any) -> str:
    """The value, quoted and cut, or its kind when it is secret or large."""
    if subject.is_secret(path) or isinstance(value, dict | list):
        return _what(value)
    if value is None or isinstance(value, bool):
        return "empty" if value is None else str(value).lower()
    text = str(value) if len(str(value)) <= 40 else str(value)[:37] + "..."
    return f"{text!r}" if isinstance(value, str) else text


def _not_finite(path: Path) -> ConfigProblem:
    message = f"{_name(path)} must be a finite number; NaN and infinity cannot be stored."
    return ConfigProblem(path, "type", message, _key(path), ("number",))


def _key(path: Path) -> str | None:
    return next((part for part in reversed(path) if isinstance(part, str)), None)


def _explain(subject: _Subject, instance: Any, path: Path, schema_path: Path) -> Iterator[ConfigProblem]:
    """The problems behind one failed keyword."""
    keyword = str(schema_path[-1]) if schema_path else ""
    schema = _at(subject.schema, schema_path[:-1]) if schema_path else None
    schema = schema if isinstance(schema, Mapping) else {}
    value = _at(instance, path)
    if keyword == "required" and isinstance(value, dict):
        for key in schema.get("required", ()):
            if key not in value:
                where = f" in {_name(path)}" if path else ""
                yield ConfigProblem(path, "required", f"{key} is missing{where}; {subject.name} needs it.", key, key)
    elif keyword == "additionalProperties" and isinstance(value, dict):
        yield from _unknown_keys(subject, path, value, schema)
    else:
        yield _one_value(subject, path, value, keyword, schema)


def _unknown_keys(
    subject: _Subject, path: Path, value: dict[str, Any], schema: Mapping[str, Any]
) -> Iterator[ConfigProblem]:
    known = tuple(schema.get("properties", {}))
    for key in value:
        if key in known or key.startswith("x-"):
            continue
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(known)}." if known else ""
        where = f"{_name(path)} of {subject.name}" if path else subject.name
        message = f"{where} has no key {_shown(subject, (), key)}. {hint}".rstrip()
        yield ConfigProblem((*path, key), "unknown_key", message, key, known)


def _one_value(subject: _Subject, path: Path, value: Any, keyword: str, schema: Mapping[str, Any]) -> ConfigProblem:
    """A keyword that speaks about the value at ``path`` alone."""
    name, shown, bound = _name(path), _shown(subject, path, value), schema.get(keyword)
    kind, text = "schema", f"{name} does not fit the spec of {subject.name} ({keyword})."
    expected: Any = bound
    if keyword == "type":
        expected = (bound,) if isinstance(bound, str) else tuple(bound or ())
        wanted = " or ".join(_TYPE_NAMES.get(t, t) for t in expected)
        kind, text = "type", f"{name} must be {wanted}, not {_what_shown(shown, value)}."
        if value is None:
            text = f"{name} has no value; it must be {wanted}."
    elif keyword in ("enum", "const"):
        expected = tuple(bound) if keyword == "enum" and isinstance(bound, list) else (bound,)
        kind, text = "enum", f"{name} must be {_choices(expected, value)}; it is {shown}."
    elif keyword in _BOUNDS:
        kind, words = _BOUNDS[keyword]
        text = f"{name} must be {words.format(bound)}; it is {shown}."
    elif keyword in _SIZES:
        kind, unit, most = _SIZES[keyword]
        has = len(value) if isinstance(value, str | list | dict) else 0
        units = unit if bound == 1 else f"{unit}s"
        text = f"{name} must have at {'most' if most else 'least'} {bound} {units}; it has {has}."
        if has == 0:
            text = f"{name} must not be empty."
    elif keyword == "uniqueItems":
        kind, text = "unique_items", f"{name} must not hold the same item twice."
    elif keyword == "pattern":
        wanted = schema.get("x-pattern-hint") or f"match the pattern {bound}"
        kind, text = "pattern", f"{name} must {wanted}; it is {shown}."
    return ConfigProblem(path, kind, text, _key(path), expected)


_BOUNDS = {
    "minimum": ("minimum", "{} or more"),
    "maximum": ("maximum", "{} or less"),
    "exclusiveMinimum": ("minimum", "more than {}"),
    "exclusiveMaximum": ("maximum", "less than {}"),
    "multipleOf": ("multiple_of", "a multiple of {}"),
}
_SIZES = {
    "minLength": ("min_length", "character", False),
    "maxLength": ("max_length", "character", True),
    "minItems": ("min_items", "item", False),
    "maxItems": ("max_items", "item", True),
    "minProperties": ("min_items", "entry", False),
    "maxProperties": ("max_items", "entry", True),
}


def _what_shown(shown: str, value: Any) -> str:
    """``the text 'ten'``: the kind and the value, or the kind alone when the value is not shown."""
    if isinstance(value, str) and shown != "text":
        return f"the text {shown}"
    if isinstance(value, int | float) and not isinstance(value, bool) and shown != "a number":
        return f"the number {shown}"
    return shown


def _choices(allowed: tuple[Any, ...], value: Any) -> str:
    """The allowed values, or, of many, those that are near to what is written."""
    words = [_plain(choice) for choice in allowed]
    if len(words) == 1:
        return words[0]
    near = difflib.get_close_matches(str(value), words, n=3)
    if len(words) > 12:
        return f"one of {', '.join(near or words[:8])} and others (see the description)"
    return f"one of {', '.join(words)}"


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _broken_constraints(spec: ConfigRules, instance: dict[str, Any], broken: set[str | int]) -> Iterator[ConfigProblem]:
    """Constraints that do not hold; those over keys that are wrong by themselves are not judged."""
    effective = {**spec.defaults, **instance}
    for constraint in spec.constraints:
        if broken.intersection((*constraint.when, *constraint.keys)):
            continue
        if not all(_meets(effective, key, wanted) for key, wanted in constraint.when.items()):
            continue
        given = [key for key in constraint.keys if instance.get(key) is not None]
        if not _holds(constraint, given, instance):
            extra = given[1] if len(given) > 1 else None
            anchor = extra or next((key for key in constraint.when if key in instance), None)
            path = (anchor,) if anchor else ()
            key = constraint.keys[0] if not given and constraint.keys else extra
            yield ConfigProblem(path, "constraint", constraint.error, key, constraint.keys)


def _holds(constraint: Constraint, given: list[str], instance: dict[str, Any]) -> bool:
    if constraint.kind == "required":
        return all(_meets(instance, key, wanted) for key, wanted in constraint.must.items())
    if constraint.kind == "exactlyOneOf":
        return len(given) == 1
    if constraint.kind == "anyOf":
        return bool(given)
    return len(given) <= 1


def _meets(config: Mapping[str, Any], key: str, wanted: Any) -> bool:
    """Whether a key is there and is the constant, or fits the schema, ``wanted``."""
    if config.get(key) is None:
        return False
    if isinstance(wanted, dict):
        return not wanted or not list(_constraint_schema(_frozen(wanted))(config[key]))
    return bool(config[key] == wanted)


def _frozen(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, sort_keys=True)


@lru_cache(maxsize=512)
def _constraint_schema(text: str) -> Failures:
    return compile_schema(json.loads(text))
