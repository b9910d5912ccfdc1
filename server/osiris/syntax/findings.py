"""The findings that both readers of a part, the strict and the recovering one, can have."""

from __future__ import annotations

from collections.abc import Sequence

from osiris.syntax.diagnostic import Diagnostic, Fix, Related, Severity, TextEdit
from osiris.syntax.limits import MAX_DEPTH
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry


def error(code: str, span: Span, message: str, *fixes: Fix) -> Diagnostic:
    """An error at ``span``."""
    return Diagnostic(code, span, message, Severity.ERROR, fixes)


def edit_fix(title: str, span: Span, new_text: str, *, preferred: bool = True) -> Fix:
    """A fix that replaces one span."""
    return Fix(title, (TextEdit(span, new_text),), preferred)


def duplicate(name: str, second: Span, first: Span) -> Diagnostic:
    """A repeated key."""
    what = f"The key `{name}`" if name.strip() else "A key without text"
    return Diagnostic(
        "OML006",
        second,
        f"{what} stands here a second time; only the first one counts. Remove or rename one of them.",
        Severity.ERROR,
        related=(Related(first, f"{what} is first set here."),),
    )


def duplicates(entries: Sequence[Entry]) -> list[Diagnostic]:
    """A finding at every repeated key, pointing to the first."""
    if len({entry.key.text for entry in entries}) == len(entries):
        return []
    found: list[Diagnostic] = []
    first: dict[str, Span] = {}
    for entry in entries:
        if entry.synthetic or entry.key.span.start == entry.key.span.end:
            continue  # a key that is not there at all is reported as that
        name = entry.key.text
        if name in first:
            found.append(duplicate(name, entry.key.span, first[name]))
        else:
            first[name] = entry.key.span
    return found


def too_deep(at: int) -> Diagnostic:
    """Collections nested past the limit."""
    return error(
        "OML009",
        Span(at, at + 1),
        f"Lists and mappings are nested more than {MAX_DEPTH} levels deep here; what lies deeper is not read. "
        "Flatten this value.",
    )


def no_such_anchor(name: str, span: Span, *, inside: bool = False) -> Diagnostic:
    """An alias without an anchor before it."""
    why = "it stands inside that anchor's own value" if inside else f"no anchor `&{name}` stands before it"
    return error("OML007", span, f"The alias `*{name}` points nowhere: {why}. Define the anchor first.")


def too_many_copies(span: Span) -> Diagnostic:
    """An alias past the expansion limit."""
    return error(
        "OML008",
        span,
        "The aliases of this file copy too much, so this one is left empty. Write the value out, or use fewer aliases.",
    )


def no_merge(span: Span) -> Diagnostic:
    """``<<`` with something else than mappings."""
    return error(
        "OML001", span, "`<<` merges mappings, so its value must be an alias of a mapping, or a list of such aliases."
    )


def key_is_no_text(span: Span) -> Diagnostic:
    """A list or mapping as key."""
    return error("OML013", span, "A key must be text, not a list or a mapping. Put it in quotes.")


def no_colon(key: Span, name: str) -> Diagnostic:
    """A key in braces without colon: YAML takes it for one without value."""
    message = (
        f"The key `{name}` has no colon yet. Write `{name}:` and its value; or, if this belongs to the text before the "
        "comma, put that text in quotes."
    )
    one_word = not any(letter.isspace() for letter in name)  # else it is rather a part of the text
    return error("OML004", key, message, edit_fix("Add the colon", Span(key.end, key.end), ": ", preferred=one_word))


def no_key(colon: int) -> Diagnostic:
    """A colon with nothing before it."""
    span = Span(colon, colon + 1)
    return error("OML013", span, "A key is missing here. Write one, or remove the line.")
