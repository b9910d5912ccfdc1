"""``osiris_connections.yaml``: reading it with positions, and choosing a connection for a step."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import ComponentSpec
from osiris.language.connection_checks import VARIABLE, family_findings, field_findings, missing_findings
from osiris.language.edits import remove_entry
from osiris.language.findings import finding, replacement
from osiris.language.project_file_names import CONNECTIONS_FILE
from osiris.language.secret_forms import connection_secrets
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, Severity
from osiris.syntax.document import Document, parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Plain, Scalar, Style, to_plain, walk_scalars
from osiris.syntax.tree import Mapping as MappingNode

_REFERENCE = re.compile(r"@([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")

_NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class ConnectionFault:
    """Why one connection cannot be used, whatever the others are like. ``line`` and ``column`` start at 1."""

    code: str
    message: str
    line: int
    column: int

    @property
    def text(self) -> str:
        """The message with its place."""
        return f"{CONNECTIONS_FILE}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """One alias. ``fields`` as written, ``${VAR}`` unresolved; spans are in the connections file.

    ``span`` is the alias as it is written there, ``whole`` the alias with its fields. ``fault``: the first error in it,
    None when it can be used.
    """

    family: str
    alias: str
    fields: Mapping[str, Plain]
    is_default: bool
    span: Span
    node: MappingNode | None = None
    whole: Span = _NOWHERE
    fault: ConnectionFault | None = None

    @property
    def reference(self) -> str:
        """How a step names it: ``@family.alias``."""
        return f"@{self.family}.{self.alias}"

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the environment variables that its fields use, each once, in order."""
        return tuple(dict.fromkeys(_variables(dict(self.fields))))


@dataclass(frozen=True, slots=True)
class ConnectionProblem:
    """Why no connection could be chosen.

    ``kind``: ``no_family``, ``no_alias`` or ``no_default``. ``choices``: references that would do, sorted.
    """

    kind: str
    message: str
    choices: tuple[str, ...] = ()
    suggestion: str | None = None


@dataclass(frozen=True, eq=False)
class Connections:
    """All connections of a project."""

    families: Mapping[str, Mapping[str, Connection]]
    document: Document
    diagnostics: tuple[Diagnostic, ...] = field(default=())
    file_errors: tuple[Diagnostic, ...] = field(default=())
    """The errors that are not of one connection alone: nothing can be taken from such a file."""

    def get(self, family: str, alias: str) -> Connection | None:
        """The connection, None when there is none."""
        return self.families.get(family, {}).get(alias)

    def references(self, family: str | None = None) -> tuple[str, ...]:
        """``@family.alias`` of all connections (of one family), sorted."""
        return tuple(
            sorted(
                c.reference for name, group in self.families.items() if family in (None, name) for c in group.values()
            )
        )

    def choose(self, family: str, alias: str | None) -> Connection | ConnectionProblem:
        """The connection of a step: the named alias; else the one marked default; else the one named ``default``."""
        group = self.families.get(family, {})
        choices = self.references(family)
        if alias is not None:
            found = group.get(alias)
            return found if found else self._unknown(family, alias, choices)
        marked = [c for c in group.values() if c.is_default]
        if marked:
            return marked[0]
        if "default" in group:
            return group["default"]
        if not group:
            message = (
                f"{CONNECTIONS_FILE} has no connection of the family `{family}`. Add one under "
                f"`connections: {family}:`."
            )
            return ConnectionProblem("no_family", message)
        message = (
            f"The step names no connection, and none of the family `{family}` is the default. Say one of "
            f"{listing(choices)}, or mark one with `default: true` in {CONNECTIONS_FILE}."
        )
        return ConnectionProblem("no_default", message, choices)

    def _unknown(self, family: str, alias: str, choices: tuple[str, ...]) -> ConnectionProblem:
        if family not in self.families:
            near = nearest(family, self.families)
            there = listing(sorted(self.families))
            hint = f" Did you mean `{near}`?" if near else f" It has {there}." if there else " It has no connections."
            message = f"{CONNECTIONS_FILE} has no family `{family}`.{hint}"
            suggestion = f"@{near}.{alias}" if near and alias in self.families[near] else None
            return ConnectionProblem("no_family", message, self.references(), suggestion)
        near = nearest(alias, self.families[family])
        hint = f" Did you mean `@{family}.{near}`?" if near else f" There is {listing(choices)}." if choices else ""
        message = f"{CONNECTIONS_FILE} has no connection `@{family}.{alias}`.{hint}"
        return ConnectionProblem("no_alias", message, choices, f"@{family}.{near}" if near else None)


def parse_reference(text: str) -> tuple[str, str] | None:
    """Family and alias of ``@family.alias``, None when the text has another form."""
    match = _REFERENCE.fullmatch(text)
    return (match[1], match[2]) if match else None


def is_variable(text: str) -> bool:
    """Whether the text is one ``${VAR}`` or ``${VAR:-default}`` and nothing else."""
    return VARIABLE.fullmatch(text) is not None


def _variables(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        for match in VARIABLE.finditer(value):
            yield match[1]
    elif isinstance(value, list):
        for item in value:
            yield from _variables(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _variables(item)


def parse_connections(text: str, registry: ComponentRegistry | None = None) -> Connections:
    """Read the text of ``osiris_connections.yaml``. Never raises: what cannot be read is in ``diagnostics``.

    With ``registry`` the families and fields are compared with what its components know.
    """
    document = parse(text)
    reader = _Reader(registry)
    families: dict[str, dict[str, Connection]] = {}
    reader.diagnostics.extend(document.diagnostics)
    for placed in document.sections:
        if isinstance(placed.part.node, MappingNode):
            for entry in placed.part.node.entries:
                reader.base, reader.text, reader.intact = placed.base, placed.part.text, placed.part.intact
                reader.top(entry, families)
    reader.intact = True
    if document.top is not None or (document.steps_entry is not None and not families):
        span = document.top.span if document.top else document.steps_entry[1].key.span  # type: ignore[index]
        reader.base = 0 if document.top or document.steps_entry is None else document.steps_entry[0]
        reader.report(span, f"{CONNECTIONS_FILE} is a map `connections: {{family: {{alias: {{...}}}}}}`.")
    reader.diagnostics.sort(key=lambda d: (d.span, d.code))
    errors = [found for found in reader.diagnostics if found.severity == Severity.ERROR]
    rest = _assign(errors, families, document) if errors else ()
    return Connections(families, document, tuple(reader.diagnostics), rest)


def _assign(
    errors: Iterable[Diagnostic], families: Mapping[str, dict[str, Connection]], document: Document
) -> tuple[Diagnostic, ...]:
    """Give each error to the connection that it stands in; the others are returned.

    Text that is no YAML belongs to no connection: nobody knows what was meant by the lines around it. Of several
    defaults none can be used.
    """
    rest = []
    for error in errors:
        home = next(
            (c for group in families.values() for c in group.values() if _holds(c.whole, error.span)),
            None,
        )
        if home is None or (error.code.startswith("OML0") and error.code != "OML006"):
            rest.append(error)
            continue
        line, column = document.lines.line_column(error.span.start)
        fault = ConnectionFault(error.code, error.message, line + 1, column + 1)
        group = families[home.family]
        same = [c for c in group.values() if c.is_default] if error.code == "OML326" else [home]
        for connection in same:
            if connection.fault is None:
                group[connection.alias] = replace(connection, fault=fault)
    return tuple(rest)


def _holds(whole: Span, part: Span) -> bool:
    return whole.start <= part.start and part.end <= whole.end


class _Reader:
    """Walks the file; ``base`` is the offset of the part that is being read."""

    def __init__(self, registry: ComponentRegistry | None) -> None:
        self.registry = registry
        self.diagnostics: list[Diagnostic] = []
        self.base = 0
        self.text = ""
        self.intact = True

    def report(
        self, span: Span, message: str, code: str = "OML325", *fixes: Fix | None, related: tuple[Related, ...] = ()
    ) -> None:
        if self.intact or code != "OML325":  # what cannot be read has been reported already
            self.diagnostics.append(finding(code, span, message, *fixes, related=related).shift(self.base))

    def found(self, findings: Iterable[Diagnostic]) -> None:
        self.diagnostics.extend(item.shift(self.base) for item in findings)

    def top(self, entry: Entry, families: dict[str, dict[str, Connection]]) -> None:
        name = entry.key.text
        if name == "connections":
            if _is_null(entry.value):
                return
            if not isinstance(entry.value, MappingNode):
                self.report(entry.value.span, "`connections` is a map of families, each a map of aliases.")
                return
            named = {family.key.text for family in entry.value.entries}
            for family in entry.value.entries:
                if not family.has_colon:
                    continue
                if self.registry and self.intact:
                    self.found(family_findings(family, named, self.registry))
                families.setdefault(family.key.text, self.family(family))
        elif name != "version" and not name.startswith("x-") and entry.has_colon:
            hint = ", so indent it below `connections:`" if isinstance(entry.value, MappingNode) else ""
            self.report(entry.key.span, f"`{name}` means nothing here: families stand below `connections`{hint}.")

    def family(self, entry: Entry) -> dict[str, Connection]:
        if _is_null(entry.value):
            return {}
        if not isinstance(entry.value, MappingNode):
            self.report(entry.value.span, f"`{entry.key.text}` is a family: a map of aliases, each a map of fields.")
            return {}
        found: dict[str, Connection] = {}
        for alias in entry.value.entries:
            if alias.has_colon:
                found.setdefault(alias.key.text, self.alias(entry.key.text, alias))
        defaults = [c for c in found.values() if c.is_default]
        for extra in defaults[1:]:
            message = (
                f"`{extra.alias}` and `{defaults[0].alias}` are both the default of `{entry.key.text}`. "
                "Keep `default: true` on one of them."
            )
            node = extra.node.entry("default") if extra.node else None
            related = (Related(defaults[0].span.shift(-self.base), f"`{defaults[0].alias}` is the default, too."),)
            edit = remove_entry(self.text, extra.node, node) if extra.node and node else None
            fix = Fix(f"Let `{defaults[0].alias}` alone be the default", (edit,)) if edit else None
            place = node.key.span if node else extra.span.shift(-self.base)
            self.report(place, message, "OML326", fix, related=related)
        return found

    def alias(self, family: str, entry: Entry) -> Connection:
        span, whole = entry.key.span.shift(self.base), entry.span.shift(self.base)
        for name in (family, entry.key.text):
            if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
                self.report(entry.key.span, f"`{name}` cannot stand in `@family.alias`: use letters, digits, `_`, `-`.")
        if not isinstance(entry.value, MappingNode):
            if not _is_null(entry.value):
                self.report(entry.value.span, f"`{entry.key.text}` is a connection: a map of its fields.")
            elif self.registry and self.intact and not entry.synthetic:
                self.found(missing_findings(family, entry, self.registry, self.text))
            return Connection(family, entry.key.text, {}, False, span, None, whole)
        fields: dict[str, Plain] = {}
        is_default = False
        for item in entry.value.entries:
            if item.key.text == "default":
                is_default = self.default(item.value)
            elif not item.key.text.startswith("x-"):
                fields.setdefault(item.key.text, to_plain(item.value))
                self.value(family, entry.key.text, item)
        if self.registry and self.intact:
            self.found(field_findings(family, entry.value, self.registry))
            self.found(missing_findings(family, entry, self.registry, self.text))
        return Connection(family, entry.key.text, fields, is_default, span, entry.value, whole)

    def default(self, node: Node) -> bool:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        if isinstance(node, Scalar) and node.style is Style.PLAIN and node.text.lower() in ("yes", "on"):
            fix = replacement("Write `true`", node.span, "true", preferred=True)
            message = f"`{node.text}` is text in YAML 1.2; it is read as true. Write `true`."
            self.diagnostics.append(finding("OML208", node.span, message, fix).shift(self.base))
            return True
        self.report(node.span, "`default` is `true` or `false`.")
        return False

    def value(self, family: str, alias: str, entry: Entry) -> None:
        for scalar in walk_scalars(entry.value):
            if isinstance(scalar.value, str) and "${" in VARIABLE.sub("", scalar.text):
                message = "A variable is written `${VAR}` or `${VAR:-default}`, with a closing brace."
                self.report(scalar.span, message, "OML327")
        for found in connection_secrets(family, alias, entry, self.text):
            self.diagnostics.append(found.shift(self.base))


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def connection_of_step(
    spec: ComponentSpec, reference: str | None, config_keys: Collection[str], connections: Connections | None
) -> Connection | ConnectionProblem | None:
    """The connection that a step works with: the one it names, else, when it needs one, the default of its family.

    ``reference`` is the value of ``config.connection`` with parameters in it, ``config_keys`` the keys that the step
    writes itself. None when it uses none, or when there is no connections file to choose from.
    """
    if connections is None:
        return None
    if reference is None:
        return connections.choose(spec.family, None) if spec.connection_needed(config_keys) else None
    parsed = parse_reference(reference)
    if parsed is None:
        message = f"`{reference}` is no connection reference: write `@family.alias`, such as `@{spec.family}.main`."
        return ConnectionProblem("no_alias", message, connections.references(spec.family))
    return connections.choose(*parsed)
