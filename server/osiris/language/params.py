"""Parameters: what values fit a declaration, and which value counts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from osiris.language.model import Param, Profile
from osiris.language.naming import variable_name
from osiris.syntax.tree import Plain

TYPES = ("string", "integer", "number", "boolean", "list", "map")
TYPE_ALIASES = {"int": "integer", "bool": "boolean"}
# Names from other languages: an error, but one with a fix.
TYPE_MISTAKES = {
    "str": "string",
    "text": "string",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "array": "list",
    "object": "map",
    "dict": "map",
    "date": "string",
}
_ARTICLES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list",
    "map": "a map",
}

Source = Literal["given", "environment", "profile", "default"]


@dataclass(frozen=True, slots=True)
class ParamValue:
    """The value that counts, and where it is from (``given``: on the command line or by the caller)."""

    value: Plain
    source: Source
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """A value from outside the document that cannot be used; ``known`` is False when no such parameter is declared."""

    name: str
    source: Source
    message: str
    known: bool


@dataclass(frozen=True)
class ParamValues:
    """Effective values by name. A declared parameter that is not in ``values`` gets its value at run."""

    values: Mapping[str, ParamValue]
    declared: frozenset[str]
    sensitive: frozenset[str]
    profile: str | None = None
    problems: tuple[ValueProblem, ...] = field(default=())

    def plain(self) -> dict[str, Plain]:
        """The values by name, the sensitive ones left out: what may be written down."""
        return {name: v.value for name, v in self.values.items() if not v.sensitive}

    def missing(self) -> tuple[str, ...]:
        """Declared parameters without a value, sorted. Sensitive ones are always given at run."""
        return tuple(sorted(self.declared - self.values.keys() - self.sensitive))


def type_of(value: Plain) -> str | None:
    """The parameter type of a value, None for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "list" if isinstance(value, list) else "map"


def describe_type(name: str) -> str:
    """A parameter type in words: ``integer`` is "a whole number"."""
    return _ARTICLES.get(name, name)


def misfit(param: Param, value: Plain) -> str | None:
    """Why ``value`` breaks the declaration, as the end of "The value ...", None when it fits."""
    problem = _type_misfit(param, value)
    if problem:
        return problem
    if param.enum is not None and not any(_same(value, choice) for choice in param.enum):
        return f"must be one of {', '.join(_shown(choice) for choice in param.enum)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if param.minimum is not None and value < param.minimum:
            return f"must be {param.minimum} or more"
        if param.maximum is not None and value > param.maximum:
            return f"must be {param.maximum} or less"
    if isinstance(value, str) and param.pattern is not None:
        try:
            if not re.search(param.pattern, value):
                return f"must match the pattern `{param.pattern}`"
        except re.error:
            return None
    return None


def _type_misfit(param: Param, value: Plain) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if param.type is None or value is None:
        return None
    actual = type_of(value)
    whole = isinstance(value, float) and value.is_integer()
    if actual == param.type or (param.type == "number" and actual == "integer"):
        return None
    if param.type == "integer" and whole:
        return None
    return f"must be {describe_type(param.type)}, not {describe_type(actual or 'null')}"


def _same(a: Plain, b: Plain) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _shown(value: Plain) -> str:
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value, ensure_ascii=False)}`"


def typed(param: Param, text: str) -> tuple[Plain, str | None]:
    """A value given as text (command line, environment) in the type of its parameter, and why it does not fit.

    Lists and maps are JSON; a list may also be words with commas. A parameter without a type takes the text.
    """
    value: Plain = text
    stripped = text.strip()
    if param.type == "boolean":
        words = {
            "true": True,
            "false": False,
            "yes": True,
            "no": False,
            "on": True,
            "off": False,
            "1": True,
            "0": False,
        }
        value = words.get(stripped.lower(), text)
    elif param.type == "integer" and re.fullmatch(r"[-+]?\d{1,4000}", stripped):
        value = int(stripped)
    elif param.type == "number":
        value = _number(stripped, text)
    elif param.type in ("list", "map"):
        value = _structure(param.type, stripped, text)
    return value, misfit(param, value)


def _number(stripped: str, text: str) -> Plain:
    if re.fullmatch(r"[-+]?\d{1,4000}", stripped):
        return int(stripped)
    if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", stripped):
        return float(stripped)
    return text


def _structure(kind: str, stripped: str, text: str) -> Plain:
    try:
        value: Plain = json.loads(stripped)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, list if kind == "list" else dict):
        return value
    if kind == "list" and not stripped.startswith(("[", "{")):
        return [item.strip() for item in stripped.split(",") if item.strip()]
    return text


def effective_params(
    params: Mapping[str, Param],
    profiles: Mapping[str, Profile],
    *,
    profile: str | None = None,
    given: Mapping[str, Plain] | None = None,
    environ: Mapping[str, str] | None = None,
) -> ParamValues:
    """The value of every parameter: given > ``OSIRIS_PARAM_X`` > profile > default.

    ``given`` holds values by parameter name; texts are read in the parameter's type. ``environ`` is searched for
    ``OSIRIS_PARAM_<NAME>``. What does not fit is in ``problems`` and counts for nothing.
    """
    values: dict[str, ParamValue] = {}
    problems: list[ValueProblem] = []
    chosen = profiles[profile].values if profile is not None and profile in profiles else {}
    for name, param in params.items():
        if param.has_default and param.sound:
            values[name] = ParamValue(param.default, "default", param.sensitive)
        if name in chosen and chosen[name].sound:
            values[name] = ParamValue(chosen[name].value, "profile", param.sensitive)
        outside: list[tuple[Source, Plain]] = []
        if environ is not None and variable_name(name) in environ:
            outside.append(("environment", environ[variable_name(name)]))
        if given is not None and name in given:
            outside.append(("given", given[name]))
        for source, raw in outside[-1:]:
            value, problem = typed(param, raw) if isinstance(raw, str) else (raw, misfit(param, raw))
            if problem is None:
                values[name] = ParamValue(value, source, param.sensitive)
            else:
                problems.append(_problem(param, source, raw, problem))
    problems.extend(_unknown(name, params) for name in given or () if name not in params)
    return ParamValues(
        values,
        frozenset(params),
        frozenset(name for name, param in params.items() if param.sensitive),
        profile,
        tuple(problems),
    )


def _problem(param: Param, source: Source, raw: Plain, problem: str) -> ValueProblem:
    place = f"in {variable_name(param.name)}" if source == "environment" else "given"
    shown = ""
    if _may_be_shown(param, raw):
        shown = f" {_shown(raw)}"
        if isinstance(raw, str):
            problem = problem.removesuffix(", not text")  # it was given as text, and says what it is by itself
    message = f"The value{shown} {place} for the parameter `{param.name}` {problem}."
    return ValueProblem(param.name, source, message + _why_this_type(param, raw, bool(shown)), True)


_LONGEST_SHOWN = 40  # code points


def _may_be_shown(param: Param, value: Plain) -> bool:
    """Whether a value that does not fit may be repeated: it is short, and nothing says that it may be a secret."""
    from osiris.language.secrets import find_known_formats, is_secret_key

    if param.sensitive or is_secret_key(param.name) or param.type not in ("integer", "number", "boolean"):
        return False
    text = str(value)
    short = len(text) <= _LONGEST_SHOWN and text.isprintable() and "`" not in text
    return short and not any(find_known_formats(text))


def _why_this_type(param: Param, raw: Plain, shown: bool) -> str:
    """Where a type that nobody wrote down is from, and how to allow the value; for values that may be repeated."""
    if not (shown and param.inferred and param.has_default and param.default is not None):
        return ""
    value = _number(raw.strip(), raw) if isinstance(raw, str) else raw
    wanted = type_of(value)
    if wanted == param.type or wanted is None:
        return ""  # the type fits, something else does not
    default = json.dumps(param.default if wanted == "number" else str(param.default), ensure_ascii=False)
    allow = (
        f"; to allow it, declare `{param.name}: {{type: {wanted}, default: {default}}}`"
        if (wanted, param.type) == ("number", "integer") or wanted == "string"
        else ""
    )
    return f" The type is that of its default {_shown(param.default)}{allow}."


def _unknown(name: str, known: Iterable[str]) -> ValueProblem:
    from osiris.language.suggest import listing, nearest

    near = nearest(name, known)
    hint = (
        f"Did you mean `{near}`?" if near else f"Declared are {listing(sorted(known))}." if known else "There are none."
    )
    return ValueProblem(name, "given", f"A value is given for `{name}`, which is no declared parameter. {hint}", False)
