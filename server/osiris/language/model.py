"""The pipeline as its author meant it: steps, parameters and profiles, each with the nodes it was read from.

Nothing here judges. What has the wrong type is left out of the model and reported by ``rules.structure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from osiris.language.placeholders import Placeholder
from osiris.syntax.document import Part
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Plain, Scalar
from osiris.syntax.tree import Mapping as MappingNode

Path = tuple[str | int, ...]

MODES = ("read", "transform", "write")
LEGACY_MODES = {"extract": "read", "load": "write"}


@dataclass(frozen=True, slots=True, eq=False)
class NeedRef:
    """One id in ``needs``; the span of its scalar is relative to the step's part."""

    id: str
    node: Scalar


@dataclass(frozen=True, slots=True, eq=False)
class InputRef:
    """One entry of ``inputs``. ``id`` is None when the value is not ``${step-id.df}``.

    ``id_span`` is the place of the id inside the value, or of the whole value.
    """

    table: str
    key: Scalar
    value: Node
    id: str | None
    id_span: Span


@dataclass(frozen=True, slots=True, eq=False)
class HeldPlaceholder:
    """A ``${...}`` in a string of a step: the scalar, the way to it from the step, and what was found."""

    scalar: Scalar
    path: Path
    found: Placeholder

    @property
    def key(self) -> str:
        """The key of the step that it stands under; empty in a step that is a text or a list, as while it is typed."""
        return str(self.path[0]) if self.path else ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class StepShape:
    """All that a step says by itself, whatever stands around it. Spans are relative to its part.

    Parameters in ``component``, ``mode`` and ``needs`` have their values here (see ``templates``); ``shaped_by`` names
    them. What has no value counts as not written.
    """

    part: Part
    mapping: MappingNode | None
    id: str | None
    id_node: Scalar | None
    component: str | None
    component_node: Scalar | None
    mode: str | None
    mode_node: Scalar | None
    needs: tuple[NeedRef, ...] | None
    inputs: tuple[InputRef, ...] | None
    config: MappingNode | None
    placeholders: tuple[HeldPlaceholder, ...]
    broken: tuple[HeldPlaceholder, ...]
    """What looks like a parameter, and is not written as one."""
    param_names: tuple[str, ...]
    shaped_by: tuple[str, ...]
    flow: tuple[object, ...]
    """All of the step that the graph depends on: equal flows make equal graphs."""

    @property
    def span(self) -> Span:
        """The step's node, relative to its part."""
        return self.part.node.span

    @property
    def connection(self) -> Scalar | None:
        """The value of ``config.connection`` when it is a scalar."""
        value = self.config.get("connection") if self.config else None
        return value if isinstance(value, Scalar) else None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step at its place. ``base`` is the offset of its part in the document."""

    index: int
    base: int
    shape: StepShape

    @property
    def id(self) -> str | None:
        """The id as written, None when there is none that could be referred to."""
        return self.shape.id

    @property
    def component(self) -> str | None:
        """The component's name."""
        return self.shape.component

    @property
    def mode(self) -> str | None:
        """The mode as OML 0.1 spells it; legacy spellings are translated."""
        mode = self.shape.mode
        return LEGACY_MODES.get(mode, mode) if mode else mode

    @property
    def needs(self) -> tuple[str, ...] | None:
        """The ids in ``needs``; None when the key is absent or has no value."""
        needs = self.shape.needs
        return None if needs is None else tuple(need.id for need in needs)

    @property
    def inputs(self) -> Mapping[str, str] | None:
        """Table name to step id as written in ``inputs``; None when the key is absent or has no value."""
        inputs = self.shape.inputs
        return None if inputs is None else {i.table: i.id for i in inputs if i.id is not None}

    @property
    def config(self) -> MappingNode | None:
        """The node of ``config``; its spans are relative to the step's part."""
        return self.shape.config

    @property
    def span(self) -> Span:
        """The step's node in the document."""
        return self.shape.span.shift(self.base)

    @property
    def anchor(self) -> Span:
        """Where to point at when the step as a whole is meant: its id, else its first key, in the document."""
        return step_anchor(self.shape).shift(self.base)

    def get(self, key: str) -> Node | None:
        """The value of a key of the step."""
        return self.shape.mapping.get(key) if self.shape.mapping else None

    def place(self, span: Span) -> Span:
        """A span of the step's part in the document."""
        return span.shift(self.base)


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    """A declared parameter; spans are in the document.

    ``type`` is one of string, integer, number, boolean, list, map; None when nothing says it. ``has_default`` tells a
    default of null from none; ``inferred``: the type is that of the default.
    ``sound`` is False when the declaration itself has findings: its values are not judged.
    """

    name: str
    span: Span
    key: Span
    type: str | None = None
    has_default: bool = False
    default: Plain = None
    default_span: Span | None = None
    enum: tuple[Plain, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    pattern: str | None = None
    description: str = ""
    sensitive: bool = False
    inferred: bool = False
    sound: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class ProfileValue:
    """What a profile gives to one parameter; spans are in the document. ``sound``: it fits the declaration."""

    name: str
    key: Span
    value: Plain
    span: Span
    sound: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A named set of parameter values."""

    name: str
    key: Span
    values: Mapping[str, ProfileValue]


@dataclass(frozen=True, slots=True, eq=False)
class TopEntry:
    """An entry of the top level and the offset of its part."""

    base: int
    entry: Entry
    part: Part

    @property
    def key(self) -> Span:
        """The key in the document."""
        return self.entry.key.span.shift(self.base)

    @property
    def value(self) -> Span:
        """The value in the document; the key when there is no value."""
        span = self.entry.value.span
        return span.shift(self.base) if span.end > span.start else self.key


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """The whole document."""

    top: tuple[TopEntry, ...]
    steps: tuple[Step, ...]
    params: Mapping[str, Param] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    def entry(self, key: str) -> TopEntry | None:
        """The first top-level entry with this key."""
        return next((item for item in self.top if item.entry.key.text == key), None)

    def _text(self, key: str) -> str | None:
        item = self.entry(key)
        value = item.entry.value if item else None
        return value.text if isinstance(value, Scalar) and isinstance(value.value, str) else None

    @property
    def oml_version(self) -> str | None:
        """The version as written, when it is text."""
        return self._text("oml_version")

    @property
    def name(self) -> str | None:
        """The pipeline's name, when it is text."""
        return self._text("name")

    @property
    def description(self) -> str | None:
        """The description, when it is text."""
        return self._text("description")

    def step(self, step_id: str) -> Step | None:
        """The first step with this id."""
        return next((step for step in self.steps if step.id == step_id), None)


def step_anchor(shape: StepShape) -> Span:
    """The id's value, else the first key, else the start of the step; relative to its part."""
    if shape.id_node is not None and shape.id_node.span.end > shape.id_node.span.start:
        return shape.id_node.span
    if shape.mapping is not None and shape.mapping.entries:
        return shape.mapping.entries[0].key.span
    return first_line(shape.part.text, shape.span)


def first_line(text: str, span: Span) -> Span:
    """``span`` cut at the end of its first line, so that a finding does not underline half a file."""
    end = min((i for i in (text.find("\n", span.start), text.find("\r", span.start)) if i >= 0), default=span.end)
    return Span(span.start, max(span.start, min(span.end, end)))
