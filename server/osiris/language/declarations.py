"""Reading ``params`` and ``profiles``: the declarations and what is wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from osiris.language.edits import quoted, remove_entry
from osiris.language.findings import finding, replacement
from osiris.language.model import Param, Profile, ProfileValue, TopEntry
from osiris.language.naming import file_name_problem, is_param_name, variable_name
from osiris.language.params import TYPE_ALIASES, TYPE_MISTAKES, TYPES, describe_type, misfit, type_of
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Plain, Scalar, Sequence, to_plain
from osiris.syntax.tree import Mapping as MappingNode

_KEYS = ("type", "default", "enum", "minimum", "maximum", "pattern", "description", "sensitive")


class Declarations:
    """The parameters and profiles of one document, read once per version of those sections."""

    def __init__(self, params: TopEntry | None, profiles: TopEntry | None) -> None:
        self.params: dict[str, Param] = {}
        self.profiles: dict[str, Profile] = {}
        self.diagnostics: list[Diagnostic] = []
        self._base = 0
        self._text = params.part.text if params is not None else ""
        if params is not None:
            self._base = params.base
            self._read_params(params.entry)
        if profiles is not None:
            self._base = profiles.base
            self._read_profiles(profiles.entry)

    def _report(
        self, code: str, span: Span, message: str, *fixes: Fix | None, related: tuple[Span, str] | None = None
    ) -> None:
        """``related`` is a place in the document and what is there; the other spans are relative to the part."""
        found = finding(code, span, message, *fixes).shift(self._base)
        self.diagnostics.append(replace(found, related=(Related(*related),)) if related else found)

    def _map(self, node: Node, what: str) -> MappingNode | None:
        if isinstance(node, MappingNode):
            return node
        if not _is_empty(node):
            self._report("OML104", node.span, f"{what} is a map.")
        return None

    def _read_params(self, entry: Entry) -> None:
        declared = self._map(entry.value, "`params`")
        variables: dict[str, str] = {}
        for item in declared.entries if declared else ():
            name = item.key.text
            if not item.has_colon or name in self.params or name.startswith("x-"):
                continue
            if not is_param_name(name):
                message = f"`{name}` is no usable parameter name: a letter or `_`, then letters, digits, `_` and `-`."
                self._report("OML141", item.key.span, message, self._better_name(item, declared))
            elif variables.setdefault(variable_name(name), name) != name:
                other = variables[variable_name(name)]
                message = f"`{name}` and `{other}` would both be given by {variable_name(name)}. Rename one of them."
                self._report("OML141", item.key.span, message, related=(self.params[other].key, f"`{other}` is here."))
            self.params[name] = self._param(item)

    def _better_name(self, item: Entry, declared: MappingNode | None) -> Fix | None:
        """A usable name that no other parameter has; nothing can refer to the present one."""
        name = re.sub(r"[^A-Za-z0-9_]+", "_", item.key.text).strip("_")
        taken = {variable_name(entry.key.text) for entry in declared.entries} if declared else set()
        if not is_param_name(name) or variable_name(name) in taken or item.key.synthetic:
            return None
        return replacement(f"Rename to `{name}`", item.key.span, name)

    def _param(self, item: Entry) -> Param:
        span, key = item.span.shift(self._base), item.key.span.shift(self._base)
        value = item.value
        if not isinstance(value, MappingNode):
            plain = to_plain(value)
            if _is_empty(value):
                return Param(item.key.text, span, key, type="string")
            sound = self._finite(value, plain)
            place = value.span.shift(self._base)
            return Param(item.key.text, span, key, type_of(plain), True, plain, place, inferred=True, sound=sound)
        before = len(self.diagnostics)
        self._unknown_keys(item, value)
        kind = self._type(value.get("type"))
        default = value.get("default")
        plain = to_plain(default) if default is not None else None
        param = Param(
            name=item.key.text,
            span=span,
            key=key,
            type=kind or type_of(plain),
            has_default=default is not None,
            default=plain,
            default_span=default.span.shift(self._base) if default is not None else None,
            enum=self._enum(value.get("enum")),
            minimum=self._bound(value.get("minimum"), "minimum"),
            maximum=self._bound(value.get("maximum"), "maximum"),
            pattern=self._pattern(value.get("pattern")),
            description=_text(value.get("description")),
            sensitive=self._flag(value.get("sensitive")),
            inferred=kind is None,
            sound=True,
        )
        if len(self.diagnostics) == before:
            self._check_limits(param, value)
        if default is not None and len(self.diagnostics) == before and self._finite(default, plain):
            self._check_default(param, default, plain, value)
        if len(self.diagnostics) == before:
            return param
        return Param(**{f: getattr(param, f) for f in param.__slots__ if f != "sound"}, sound=False)

    def _check_limits(self, param: Param, declared: MappingNode) -> None:
        """Limits that no value can keep, and choices that are none."""
        if param.minimum is not None and param.maximum is not None and param.minimum > param.maximum:
            node = declared.get("minimum")
            message = f"`minimum` is above `maximum`, so no value of `{param.name}` can fit. Swap them."
            self._report("OML140", node.span if node else declared.span, message)
        choices = declared.get("enum")
        for node, choice in zip(choices.items if isinstance(choices, Sequence) else (), param.enum or (), strict=False):
            problem = misfit(param, choice)
            if problem:
                self._report("OML140", node.span, f"This choice of `{param.name}` {problem}.")

    def _without_default(self, declared: MappingNode, variable: str) -> Fix | None:
        entry = declared.entry("default")
        edit = remove_entry(self._text, declared, entry) if entry else None
        title = f"Take it from the environment as {variable}"
        return Fix(title, (edit,), variable=variable) if edit else None

    def _check_default(self, param: Param, node: Node, value: Plain, declared: MappingNode) -> None:
        if param.sensitive and value not in (None, ""):
            message = (
                f"`{param.name}` is sensitive, so its value must not stand here. Remove the default and give it as "
                f"{variable_name(param.name)} in the environment or in `.env`."
            )
            self._report("OML507", node.span, message, self._without_default(declared, variable_name(param.name)))
            return
        problem = misfit(param, value)
        if problem:
            message = f"The default of `{param.name}` {problem}."
            self._report("OML142", node.span, message, _retyped(param, node, value))

    def _finite(self, node: Node, value: Plain) -> bool:
        if isinstance(value, float) and not math.isfinite(value):
            self._report("OML212", node.span, "NaN and infinity cannot be written into a manifest. Give a number.")
            return False
        return True

    def _unknown_keys(self, item: Entry, declared: MappingNode) -> None:
        unknown = [e for e in declared.entries if e.key.text not in _KEYS and not e.key.text.startswith("x-")]
        if (
            declared.entries
            and len(unknown) == len(declared.entries)
            and not any(nearest(e.key.text, _KEYS) for e in unknown)
        ):
            message = (
                f"`{item.key.text}` is a map, which is read as a declaration (`type`, `default` ...). To give a map as "
                "the value, write `{type: map, default: {...}}`."
            )
            self._report("OML140", item.key.span, message)
            return
        for entry in unknown:
            if not entry.has_colon:
                continue
            near = nearest(entry.key.text, _KEYS)
            hint = f"Did you mean `{near}`?" if near else f"Known are {listing(_KEYS, 10)}."
            fix = replacement(f"Replace by `{near}`", entry.key.span, near, preferred=True) if near else None
            message = f"A parameter's declaration has no key `{entry.key.text}`. {hint}"
            self._report("OML108" if near else "OML107", entry.key.span, message, fix)

    def _type(self, node: Node | None) -> str | None:
        if node is None:
            return None
        text = node.text if isinstance(node, Scalar) else ""
        name = TYPE_ALIASES.get(text, text)
        if name in TYPES:
            return name
        meant = TYPE_MISTAKES.get(text.lower()) or nearest(text, TYPES)
        fix = replacement(f"Replace by `{meant}`", node.span, meant, preferred=True) if meant else None
        hint = f"Did you mean `{meant}`? " if meant else ""
        self._report("OML140", node.span, f"There is no such parameter type. {hint}Types are {listing(TYPES)}.", fix)
        return None

    def _enum(self, node: Node | None) -> tuple[Plain, ...] | None:
        if node is None:
            return None
        if isinstance(node, Sequence) and node.items:
            return tuple(to_plain(item) for item in node.items)
        self._report("OML140", node.span, "`enum` is a list of the allowed values, with at least one.")
        return None

    def _bound(self, node: Node | None, key: str) -> int | float | None:
        if node is None:
            return None
        value = to_plain(node)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
        self._report("OML140", node.span, f"`{key}` is a number.")
        return None

    def _pattern(self, node: Node | None) -> str | None:
        if node is None:
            return None
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._report("OML140", node.span, "`pattern` is a regular expression, as text.")
            return None
        try:
            re.compile(node.text)
        except (re.error, RecursionError, OverflowError) as error:
            self._report("OML140", node.span, f"`pattern` is no regular expression: {error}.")
            return None
        return node.text

    def _flag(self, node: Node | None) -> bool:
        if node is None or _is_empty(node):
            return False
        value = to_plain(node)
        if isinstance(value, bool):
            return value
        self._report("OML140", node.span, "`sensitive` is `true` or `false`.")
        # Whoever writes anything here wants the value kept secret.
        return True

    def _read_profiles(self, entry: Entry) -> None:
        declared = self._map(entry.value, "`profiles`")
        for item in declared.entries if declared else ():
            name = item.key.text
            if not item.has_colon or name in self.profiles or name.startswith("x-"):
                continue
            if problem := file_name_problem(name):
                message = f"The profile `{name}` {problem}, so it cannot name the folder `build/<name>/<profile>/`."
                self._report("OML110", item.key.span, message)
            body = self._map(item.value, f"The profile `{name}`")
            values: dict[str, ProfileValue] = {}
            for part in body.entries if body else ():
                if part.key.text == "params":
                    inner = self._map(part.value, "`params` of a profile")
                    values = self._profile_values(name, inner) if inner else {}
                elif not part.key.text.startswith("x-") and part.has_colon:
                    self._unknown_in_profile(name, part)
            self.profiles[name] = Profile(name, item.key.span.shift(self._base), values)

    def _unknown_in_profile(self, profile: str, part: Entry) -> None:
        name = part.key.text
        near = nearest(name, ("params",))
        hint = (
            f"Values stand below `params`: `{profile}: {{params: {{{name}: ...}}}}`."
            if name in self.params
            else ("Did you mean `params`?" if near else "A profile holds `params`.")
        )
        fix = replacement("Replace by `params`", part.key.span, "params", preferred=True) if near else None
        code = "OML108" if near or name in self.params else "OML107"
        self._report(code, part.key.span, f"A profile has no key `{name}`. {hint}", fix)

    def _profile_values(self, profile: str, given: MappingNode) -> dict[str, ProfileValue]:
        values: dict[str, ProfileValue] = {}
        for entry in given.entries:
            name, node = entry.key.text, entry.value
            if name in values or name.startswith("x-") or not entry.has_colon:
                continue
            param = self.params.get(name)
            if param is None:
                self._unknown_param(profile, entry)
                continue
            value = to_plain(node)
            span = node.span if node.span.end > node.span.start else entry.key.span
            before = len(self.diagnostics)
            if param.sensitive and value not in (None, ""):
                message = (
                    f"`{name}` is sensitive, so its value must not stand here. Give it as {variable_name(name)} in the "
                    "environment or in `.env`."
                )
                self._report("OML507", span, message, related=(param.key, f"`{name}` is declared as sensitive here."))
            elif param.sound and self._finite(node, value) and (problem := misfit(param, value)):
                message = f"The value of `{name}` in the profile `{profile}` {problem}."
                fix = _retyped(param, node, value)
                self._report("OML142", span, message, fix, related=(param.key, f"`{name}` is declared here."))
            key, place = entry.key.span.shift(self._base), span.shift(self._base)
            values[name] = ProfileValue(name, key, value, place, len(self.diagnostics) == before)
        return values

    def _unknown_param(self, profile: str, entry: Entry) -> None:
        near = nearest(entry.key.text, self.params)
        hint = f"Did you mean `{near}`?" if near else "Declare it under `params`."
        fix = replacement(f"Replace by `{near}`", entry.key.span, near, preferred=True) if near else None
        message = f"The profile `{profile}` sets `{entry.key.text}`, which is no declared parameter. {hint}"
        self._report("OML143", entry.key.span, message, fix)


def _retyped(param: Param, node: Node, value: Plain) -> Fix | None:
    """Quotes around a number that should be text, or away from a text that should be a number or boolean."""
    if not isinstance(node, Scalar) or node.synthetic:
        return None
    if param.type == "string" and isinstance(value, int | float) and misfit(param, node.text) is None:
        return replacement("Put it in quotes", node.span, quoted(node.text), preferred=True)
    if isinstance(value, str) and param.type in ("integer", "number", "boolean"):
        from osiris.language.params import typed

        meant, problem = typed(param, value)
        if problem is None:
            text = ("true" if meant else "false") if isinstance(meant, bool) else str(meant)
            title = f"Write it as {describe_type(param.type)}"
            return Fix(title, (TextEdit(node.span, text),), preferred=True)
    return None


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) and isinstance(node.value, str) else ""


def declared_sensitive(params: Mapping[str, Param]) -> frozenset[str]:
    """The names of the parameters whose values are never written down."""
    return frozenset(name for name, param in params.items() if param.sensitive)
