"""What every check returns: a finding with its place, its code and, where possible, its mend."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from osiris.syntax.text import Span


class Severity(enum.IntEnum):
    """The four severities, numbered as in LSP."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 3
    HINT = 4


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace the text in ``span`` (code points) by ``new_text``."""

    span: Span
    new_text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A mend a machine can apply: edits of one file that do not overlap.

    ``path`` is None for the diagnosed document itself, else a path relative to the project root (``/`` separated).
    ``preferred`` marks the one fix that is right without a choice, so that "fix all" may apply it. ``variable`` names
    the environment variable that must get the value which the fix takes away; the fix itself never repeats a secret.
    """

    title: str
    edits: tuple[TextEdit, ...]
    preferred: bool = False
    path: str | None = None
    variable: str | None = None

    def shift(self, by: int) -> Fix:
        """The same fix in a document where its part stands ``by`` code points further on."""
        if self.path is not None:
            return self
        return replace(self, edits=tuple(TextEdit(e.span.shift(by), e.new_text) for e in self.edits))


@dataclass(frozen=True, slots=True)
class Related:
    """Another place of the same document that explains a finding."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding. ``code`` is a key of ``osiris.syntax.codes.CODES``; ``message`` says what, why and what to do.

    ``unnecessary``: what it covers has no effect; ``deprecated``: it is still understood, and has been replaced.
    ``relock``: ``osiris.schema.json`` is to be written anew, which no edit of a file does.
    """

    code: str
    span: Span
    message: str
    severity: Severity
    fixes: tuple[Fix, ...] = ()
    related: tuple[Related, ...] = ()
    unnecessary: bool = False
    deprecated: bool = False
    relock: bool = False

    def shift(self, by: int) -> Diagnostic:
        """The same finding in a document where its part stands ``by`` code points further on."""
        if by == 0:
            return self
        return replace(
            self,
            span=self.span.shift(by),
            fixes=tuple(f.shift(by) for f in self.fixes),
            related=tuple(Related(r.span.shift(by), r.message) for r in self.related),
        )
