"""Fixes that are offered in editors only: they decide something for the author, who sees at once what was decided."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.components.spec import ComponentSpec
from osiris.ide.tree_place import TreePlace, tree_place
from osiris.language.analysis import Analysis
from osiris.language.declaring import declare_param, free_param_name
from osiris.language.edits import remove_entry, scalar_text
from osiris.language.naming import is_param_name
from osiris.language.params import type_of
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Node, Scalar

_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "array": "list"}


def more_fixes(analysis: Analysis, diagnostic: Diagnostic) -> Iterator[Fix]:
    """What can be done about a finding beyond its own fixes."""
    if diagnostic.code not in ("OML006", "OML143", "OML311", "OML312"):
        return
    place = tree_place(analysis, diagnostic.span.start)
    if place is None:
        return
    found = {
        "OML006": _without_repeated,
        "OML143": _declare_for_profile,
        "OML311": _declare_used,
        "OML312": _variable_as_param,
    }[diagnostic.code](analysis, diagnostic, place)
    if found is not None:
        yield found


def _without_repeated(analysis: Analysis, diagnostic: Diagnostic, place: TreePlace) -> Fix | None:
    """The second of two equal keys, which does not count anyway, goes."""
    mapping, at = (
        _mapping_of_key(place.part.node, diagnostic.span.start - place.base),
        diagnostic.span.start - place.base,
    )
    entry = next((one for one in mapping.entries if one.key.span.start == at), None) if mapping else None
    edit = remove_entry(place.part.text, mapping, entry) if mapping and entry else None
    return Fix(f"Remove this `{entry.key.text}`", (edit,)).shift(place.base) if edit and entry else None


def _mapping_of_key(node: Node, at: int) -> Mapping | None:
    if isinstance(node, Scalar):
        return None
    if isinstance(node, Mapping) and any(entry.key.span.start == at for entry in node.entries):
        return node
    children = [entry.value for entry in node.entries] if isinstance(node, Mapping) else list(node.items)
    return next((found for one in children if one.span.touches(at) and (found := _mapping_of_key(one, at))), None)


def _declare_used(analysis: Analysis, diagnostic: Diagnostic, place: TreePlace) -> Fix | None:
    """A declaration of the parameter, with the type that its place wants; its value is given when it runs."""
    name = analysis.document.text[diagnostic.span.start : diagnostic.span.end]
    if not is_param_name(name):
        return None
    return _declare(analysis, name, f"{{type: {_wanted_type(analysis, place)}}}")


def _declare_for_profile(analysis: Analysis, diagnostic: Diagnostic, place: TreePlace) -> Fix | None:
    """A declaration with the type of the value that the profile gives."""
    value = place.entry.value if place.entry is not None and place.on_key else None
    if place.entry is None or not isinstance(value, Scalar) or not is_param_name(place.entry.key.text):
        return None
    return _declare(analysis, place.entry.key.text, f"{{type: {type_of(value.value) or 'string'}}}")


def _declare(analysis: Analysis, name: str, value: str) -> Fix | None:
    edit = declare_param(analysis.document.text, analysis.pipeline, name, value)
    return Fix(f"Declare the parameter `{name}`", (edit,)) if edit else None


def _variable_as_param(analysis: Analysis, diagnostic: Diagnostic, place: TreePlace) -> Fix | None:
    """A parameter, which the environment may give, in the place of a variable."""
    written = analysis.document.text[diagnostic.span.start : diagnostic.span.end]
    variable, _, default = written.removeprefix("${").removesuffix("}").partition(":-")
    if written[:2] != "${" or written[-1:] != "}":
        return None
    name = free_param_name(analysis.pipeline, (variable,))
    value = scalar_text(default) if default else "{type: string}"
    edit = declare_param(analysis.document.text, analysis.pipeline, name, value)
    use = TextEdit(Span(*diagnostic.span), f"${{params.{name}}}")
    return Fix(f"Make it the parameter `{name}`", (edit, use)) if edit else None


def _wanted_type(analysis: Analysis, place: TreePlace) -> str:
    """The type of the value that is this parameter and nothing else; else text."""
    spec: ComponentSpec | None = analysis.specs[place.step.index] if place.step is not None else None
    whole = place.scalar is not None and place.scalar.text.startswith("${") and place.scalar.text.count("}") == 1
    if spec is None or not whole or len(place.path) != 2 or place.path[0] != "config":
        return "string"
    kind = (spec.property(str(place.path[1])) or {}).get("type", "string")
    return _TYPES.get(kind if isinstance(kind, str) else next(iter(kind), "string"), "string")
