"""Steps that refer to steps: ``needs`` and ``inputs``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from osiris.language.edits import remove_item
from osiris.language.findings import finding, replacement
from osiris.language.model import NeedRef, Step
from osiris.language.rules.context import DocumentContext
from osiris.language.rules.dataflow import wait_for_none
from osiris.language.suggest import listing, nearest
from osiris.language.templates import holds_param
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Sequence

# A suggestion looks at every id, so a file full of unknown ones gets them for the first few.
_MOST_SUGGESTIONS = 20

# A circle of many steps is told by its first ones.
_MOST_RELATED = 50

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def needs(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Every id in ``needs`` is that of another step, and stands there once."""
    by_id, uncertain, unknown = ctx.graph.by_id, _uncertain(ctx), 0
    for step in ctx.pipeline.steps:
        refs = step.shape.needs
        if not refs:
            continue
        seen: dict[str, NeedRef] = {}
        for ref in refs:
            target = by_id.get(ref.id)
            if ref.id in seen:
                fix = _remove(step, ref, f"Remove the second `{ref.id}`")
                related = [Related(step.place(seen[ref.id].node.span), f"`{ref.id}` stands here first.")]
                message = f"`{ref.id}` stands in `needs` twice."
                yield finding("OML304", step.place(ref.node.span), message, fix, related=related, unnecessary=True)
            elif target == step.index:
                yield _self_need(step, ref)
            elif target is None and not (uncertain or ref.node.value is None):
                unknown += 1
                yield _unknown(ctx, step, ref.id, ref.node, step.place(ref.node.span), "OML301", unknown)
            seen.setdefault(ref.id, ref)


def _uncertain(ctx: DocumentContext) -> bool:
    """Whether a step's id cannot be read, so that an unknown reference may well be to it."""
    for step in ctx.pipeline.steps:
        shape = step.shape
        if shape.id is not None:
            continue
        mapping = shape.mapping
        if mapping is not None and (mapping.entries or not shape.part.intact):
            return True
    return any(item.entry.key.text in ("steps", "tasks") and not item.part.intact for item in ctx.pipeline.top)


def _unknown(
    ctx: DocumentContext, step: Step, name: str, node: Scalar, span: Span, code: str, count: int
) -> Diagnostic:
    taken = {need.id for need in step.shape.needs or ()} if code == "OML301" else set()
    others = [s.shape.id for s in ctx.pipeline.steps if s.shape.id is not None and s.index != step.index]
    others = [other for other in others if other not in taken]
    near = nearest(name, others) if count <= _MOST_SUGGESTIONS else None
    if near:
        hint = f"Did you mean `{near}`?"
    else:
        hint = f"The other steps are {listing(others)}." if others else "There is no other step."
    fix = replacement(f"Replace by `{near}`", span, near, preferred=True) if near and not node.synthetic else None
    return finding(code, span, f"There is no step `{name}`. {hint}", fix)


def _self_need(step: Step, ref: NeedRef) -> Diagnostic:
    message = f"`{ref.id}` cannot wait for itself. Name the step that it takes data from."
    return finding("OML302", step.place(ref.node.span), message, _remove(step, ref, f"Remove `{ref.id}`"))


def _remove(step: Step, ref: NeedRef, title: str, *, preferred: bool = True) -> Fix | None:
    needs_node = step.get("needs")
    if not isinstance(needs_node, Sequence):
        return None
    index = next((i for i, item in enumerate(needs_node.items) if item is ref.node), -1)
    edit = remove_item(step.shape.part.text, needs_node, index) if index >= 0 else None
    if index >= 0 and len(needs_node.items) == 1 and needs_node.flow and not needs_node.synthetic:
        edit = TextEdit(needs_node.span, "[]")
    return Fix(title, (edit,), preferred).shift(step.base) if edit else None


def inputs(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Every input is ``${step.df}`` of another step that yields data."""
    uncertain: bool | None = None
    unknown = 0
    for step in ctx.pipeline.steps:
        for ref in step.shape.inputs or ():
            if ref.table.startswith("x-"):
                continue
            if not _TABLE.fullmatch(ref.table):
                message = f"`{ref.table}` names no table: a letter or `_`, then letters, digits and `_`, such as `df`."
                yield finding("OML305", step.place(ref.key.span), message)
            span = step.place(ref.id_span if ref.id_span.end > ref.id_span.start else ref.key.span)
            if ref.id is None and holds_param(ref.value):
                continue  # reported where parameters are
            if ref.id is None:
                yield _malformed(ctx, step, ref.value if isinstance(ref.value, Scalar) else None, span)
                continue
            target = ctx.graph.by_id.get(ref.id)
            if target is None:
                if uncertain is None:
                    uncertain = _uncertain(ctx)
                if not uncertain and isinstance(ref.value, Scalar):
                    unknown += 1
                    yield _unknown(ctx, step, ref.id, ref.value, span, "OML306", unknown)
            elif target == step.index:
                yield finding("OML302", span, f"`{ref.id}` cannot take its own data. Name another step.")
            elif ctx.graph.roles[target].yields is False:
                other = ctx.pipeline.steps[target]
                message = f"`{ref.id}` writes, so it hands on no data. Name a step that reads or transforms."
                yield finding("OML307", span, message, related=[Related(other.anchor, f"`{ref.id}` is a writer.")])


def _malformed(ctx: DocumentContext, step: Step, node: Scalar | None, span: Span) -> Diagnostic:
    text = node.text.strip() if node is not None and isinstance(node.value, str) else ""
    bare = re.sub(r"^\$?\{?\s*|\s*\}?$", "", text)
    target = next((name for name in (bare, bare.removesuffix(".df")) if name in ctx.graph.by_id), None)
    fix = None
    if target and node is not None and not node.synthetic:
        fix = replacement(f"Write `${{{target}.df}}`", step.place(node.span), f'"${{{target}.df}}"', preferred=True)
    return finding("OML305", span, 'An input is the data of another step, written `"${step-id.df}"`.', fix)


def cycles(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Steps that wait for each other in a circle, each circle once."""
    for circle in ctx.graph.cycles:
        steps = [ctx.pipeline.steps[index] for index in circle]
        names = [step.shape.id or f"step {step.index + 1}" for step in steps]
        shown = names if len(names) <= 12 else [*names[:6], "...", *names[-5:]]
        path = " -> ".join((*shown, names[0]))
        links = [_link(ctx, step, steps[(n + 1) % len(steps)]) for n, step in enumerate(steps)]
        message = f"These steps wait for each other, so none can start: {path}. Remove one of the needs."
        fixes = [wait_for_none(step) for step in steps if step.index in ctx.graph.implicit]
        fixes += [_cut(ctx, step, steps[(n + 1) % len(steps)]) for n, step in enumerate(steps[:_MOST_CUTS])]
        yield finding("OML303", links[0].span, message, *fixes, related=links[1:_MOST_RELATED])


_MOST_CUTS = 5


def _cut(ctx: DocumentContext, step: Step, other: Step) -> Fix | None:
    """The need of a step that closes the circle goes, unless the step would be left without data."""
    if ctx.graph.roles[step.index].consumes is not False and len(ctx.graph.data[step.index]) < 2:
        return None
    ref = next((need for need in step.shape.needs or () if need.id == other.shape.id), None)
    if ref is None or any(given.id == ref.id for given in step.shape.inputs or ()):
        return None
    return _remove(step, ref, f"Let `{step.shape.id}` not wait for `{ref.id}`", preferred=False)


def _link(ctx: DocumentContext, step: Step, other: Step) -> Related:
    """The place where ``step`` says that it waits for ``other``."""
    name, wanted = step.shape.id or f"step {step.index + 1}", other.shape.id
    for ref in step.shape.needs or ():
        if ref.id == wanted:
            return Related(step.place(ref.node.span), f"`{name}` needs `{wanted}`.")
    for given in step.shape.inputs or ():
        if given.id == wanted:
            return Related(step.place(given.id_span), f"`{name}` takes data from `{wanted}`.")
    text = f"`{name}` waits for `{wanted or 'the step before it'}`, because it stands after it and has no `needs`."
    return Related(step.anchor, text)
