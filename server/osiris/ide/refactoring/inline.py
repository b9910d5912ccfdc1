"""Putting the value of a parameter in all its places, and its declaration away; the compiled steps stay as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from osiris.ide.refactoring.catalogue import INLINE, Asked, Refactoring
from osiris.ide.tree_place import TreePlace, tree_place
from osiris.language.analysis import Analysis
from osiris.language.declaring import undeclare_param
from osiris.language.edits import quoted, scalar_text
from osiris.language.model import HeldPlaceholder, Param, Step
from osiris.language.placeholders import find_placeholders
from osiris.language.substitution import as_text, sql_fillings
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.scalars import resolve_plain
from osiris.syntax.text import Span
from osiris.syntax.tree import Plain, Scalar, Style

# What can stand anywhere in plain text that goes on before or behind it.
_HARMLESS = re.compile(r"[\w./-]*")


def inline(asked: Asked) -> Iterator[Refactoring]:
    """The parameter under the cursor, at its declaration or where it is used."""
    analysis = asked.analysis
    place = tree_place(analysis, asked.span.start)
    param = _param_at(analysis, place, asked.span.start) if place else None
    if param is None or not param.sound:
        return
    title = f"Inline the parameter `{param.name}`"
    gone = undeclare_param(analysis.document.text, analysis.pipeline, param.name)
    refused, edits = _refusal(analysis, param), None
    if not refused and gone is None:
        refused = "Its declaration cannot be taken out: it stands behind an alias, or in braces on its own."
    elif not refused and gone is not None and (edits := _edits(analysis, param, gone)) is None:
        refused = "One of its places cannot hold the value, or stands behind an alias."
    yield Refactoring(INLINE, title, lambda: edits or (), refused)


def _param_at(analysis: Analysis, place: TreePlace, offset: int) -> Param | None:
    if place.step is None:
        name = str(place.path[1]) if place.path[:1] == ("params",) and len(place.path) > 1 else ""
        return analysis.pipeline.params.get(name)
    if place.scalar is None or "${" not in place.scalar.text:
        return None
    places = SourceMap(place.scalar, place.part.text)
    for found in find_placeholders(place.scalar.text):
        if found.kind == "param" and places.span(*found.span).shift(place.base).touches(offset):
            return analysis.pipeline.params.get(found.name)
    return None


def _refusal(analysis: Analysis, param: Param) -> str | None:
    """Why the value of a parameter is not the one that its default says."""
    if param.sensitive:
        return "It is sensitive: its value must not stand in a pipeline."
    if not param.has_default:
        return "It has no default: its value is given when the pipeline runs."
    setting = [profile.name for profile in analysis.pipeline.profiles.values() if param.name in profile.values]
    if setting:
        return f"The profile `{setting[0]}` gives it another value."
    known = analysis.values.values.get(param.name)
    if known is None or known.source != "default":
        return "It is given by the environment."
    if any(not placed.part.intact for placed in (*analysis.document.sections, *analysis.document.steps)):
        return "The file has errors of syntax, so that not all of its places are known."
    return None


def _edits(analysis: Analysis, param: Param, gone: TextEdit) -> tuple[TextEdit, ...] | None:
    """All edits, ``gone`` that of the declaration; None when one of the places cannot hold the value."""
    edits = [gone]
    for step in analysis.pipeline.steps:
        held: dict[Scalar, HeldPlaceholder] = {}
        for one in step.shape.placeholders:
            if one.found.kind == "param" and one.found.name == param.name:
                held.setdefault(one.scalar, one)
        for scalar, one in held.items():
            found = _in_scalar(analysis, step, scalar, one, param)
            if found is None:
                return None
            edits += (TextEdit(step.place(edit.span), edit.new_text) for edit in found)
    return tuple(edits)


def _in_scalar(
    analysis: Analysis, step: Step, scalar: Scalar, held: HeldPlaceholder, param: Param
) -> list[TextEdit] | None:
    """The edits of one text that holds the parameter, once or more often."""
    if scalar.synthetic:
        return None
    spec, text = analysis.specs[step.index], scalar.text
    dialect = spec.sql_keys.get(str(held.path[1])) if spec and held.path[:1] == ("config",) else None
    whole = any(found.span == (0, len(text)) for found in find_placeholders(text))
    if whole and dialect in (None, "graphql"):
        return [TextEdit(scalar.span, _as_value(param.default))]
    if isinstance(param.default, list | dict) and dialect in (None, "graphql"):
        return None
    told = as_text(param.default)
    same = [found.span for found in find_placeholders(text) if found.kind == "param" and found.name == param.name]
    filled = dict.fromkeys(same, told)
    if dialect not in (None, "graphql"):
        for span, literal, problem in sql_fillings(text, {param.name: param.default}, str(dialect)):
            if problem is not None:
                return None
            filled[span] = literal
            same.remove(span)
        if same and "*/" in told:  # what is left stands in comments
            return None
    return _written(scalar, step.shape.part.text, sorted(filled.items()))


def _written(scalar: Scalar, source: str, filled: list[tuple[Span, str]]) -> list[TextEdit] | None:
    """The new texts as the style of the scalar writes them."""
    places = SourceMap(scalar, source)
    edits: list[TextEdit] = []
    for span, literal in filled:
        if any(not char.isprintable() for char in literal):
            return None
        if scalar.style is Style.SINGLE:
            literal = literal.replace("'", "''")
        elif scalar.style is Style.DOUBLE:
            literal = quoted(literal)[1:-1]
        edits.append(TextEdit(places.span(*span), literal))
    if scalar.style is not Style.PLAIN:
        return edits
    text = scalar.text
    for span, literal in reversed(filled):
        text = text[: span.start] + literal + text[span.end :]
    harmless = all(_HARMLESS.fullmatch(literal) for _, literal in filled)
    if harmless and isinstance(resolve_plain(text), str) and text == text.strip() and text[:1] not in "-.":
        return edits
    several_lines = any(char in source[scalar.span.start : scalar.span.end] for char in "\r\n")
    return None if several_lines else [TextEdit(scalar.span, quoted(text))]


def _as_value(value: Plain) -> str:
    return scalar_text(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
