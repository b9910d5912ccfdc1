"""``${...}`` inside text: finding it and saying what it is meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from osiris.syntax.text import Span

# What a reference can look like: words, dots, dashes, and the `:-default` of a variable. Anything else in braces is
# text of another language (a template, a regular expression) and none of ours.
_PLACEHOLDER = re.compile(r"\$\{([^${}\r\n]*)\}")
_REFERENCE = re.compile(r"\s*[\w.\-]*\s*(:-.*)?")
_PARAM = re.compile(r"\s*params\.([A-Za-z_][A-Za-z0-9_-]*)\s*")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*(:-.*)?|[A-Za-z_]\w*:-.*")
# A brace that nothing closes before the line ends or another one opens.
_UNCLOSED = re.compile(r"\$\{[ \t]*params\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*+)?+(?![^${}\r\n]*\})")
_IN_BRACES = re.compile(r"\$?\{\{-?[ \t]*(?:(?P<prefix>[A-Za-z_]+)\.)?(?P<name>[A-Za-z_][A-Za-z0-9_-]*?)[ \t]*-?\}\}")
_PREFIXES = frozenset({"params", "param", "parameters", "vars"})
_STEP_PORT = re.compile(r"\s*([A-Za-z0-9_][A-Za-z0-9_.-]*)\.(df)\s*")

PlaceholderKind = Literal["param", "variable", "step", "other", "unclosed", "bare", "prefixed"]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One ``${...}``. ``span`` and ``name_span`` are indices into the text that it was found in.

    ``name``: the parameter, the variable, the step id (``kind`` "step", written ``${id.df}``), or what stands between
    the braces. A step id may hold dots: the last ``.df`` is the port.
    """

    kind: PlaceholderKind
    name: str
    span: Span
    name_span: Span


def find_placeholders(text: str) -> Iterator[Placeholder]:
    """Every ``${...}`` of ``text`` that has the form of a reference, in order."""
    if "${" not in text:
        return
    for match in _PLACEHOLDER.finditer(text):
        inner, at = match[1], match.start(1)
        if not _REFERENCE.fullmatch(inner):
            continue
        span = Span(*match.span())
        param = _PARAM.fullmatch(inner)
        port = _STEP_PORT.fullmatch(inner)
        if param:
            yield Placeholder("param", param[1], span, Span(at + param.start(1), at + param.end(1)))
        elif port and port[1] != "params":
            yield Placeholder("step", port[1], span, Span(at + port.start(1), at + port.end(1)))
        elif _VARIABLE.fullmatch(inner.strip()):
            name = inner.partition(":-")[0].strip()
            begin = at + inner.find(name)
            yield Placeholder("variable", name, span, Span(begin, begin + len(name)))
        else:
            yield Placeholder("other", inner.strip(), span, Span(*match.span(1)))


def find_broken(text: str) -> Iterator[Placeholder]:
    """What is meant as a parameter and is none: ``${params.x`` (``kind`` "unclosed", its ``name`` may be empty), and
    in the braces of a template language ``{{ params.x }}`` ("prefixed") or ``{{ x }}`` ("bare")."""
    if "${" in text:
        for match in _UNCLOSED.finditer(text):
            name = match["name"] or ""
            yield Placeholder("unclosed", name, Span(*match.span()), Span(match.end() - len(name), match.end()))
    if "{{" in text:
        for match in _IN_BRACES.finditer(text):
            if match["prefix"] is None or match["prefix"] in _PREFIXES:
                kind: PlaceholderKind = "prefixed" if match["prefix"] else "bare"
                yield Placeholder(kind, match["name"], Span(*match.span()), Span(*match.span("name")))
