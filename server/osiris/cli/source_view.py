"""The line of source that a finding stands in, with a caret below: safe for terminals, narrow, without secrets."""

from __future__ import annotations

import unicodedata

from osiris.core.secrets_masking import mask_secrets
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.text import LineIndex

_WIDTH = 140
_ABOUT_SECRETS = "OML5"
_ABOUT_PATHS = ("OML505", "OML509")  # of 5xx those that are about safety and not about a secret


def source_lines(
    text: str, lines: LineIndex, finding: Diagnostic, indent: str = "    ", *, alone: bool = False
) -> list[str]:
    """The source line of ``finding`` and a line with carets below it, both indented.

    A line longer than a screen is cut to a window around the finding. Where the finding is a secret, or the line
    holds one, it shows as ``***``. ``alone``: the rest of the line may be anything, so only what was found is shown.
    """
    line, _ = lines.line_column(finding.span.start)
    whole = lines.line_span(line, text)
    start = finding.span.start
    end = max(min(finding.span.end, whole.end), start)
    before, marked, after = text[whole.start : start], text[start:end], text[end : whole.end]
    if finding.code.startswith(_ABOUT_SECRETS) and finding.code not in _ABOUT_PATHS and marked:
        marked = "***"
    if alone:
        before = before[: len(before) - len(before.lstrip())] + ("…" if before.strip() else "")
        after = "…" if after.strip() else ""
    if mask_secrets(before + marked + after) != before + marked + after:
        before, marked, after = _masked(before, marked, after)
    before, marked, after = _window(before, marked, after)
    shown = _plain(before) + _plain(marked) + _plain(after)
    carets = "^" * max(columns(_plain(marked)), 1)
    return [indent + shown.rstrip(), indent + " " * columns(_plain(before)) + carets]


def _masked(before: str, marked: str, after: str) -> tuple[str, str, str]:
    """The same line without its secret; the caret goes to where the line still equals the original."""
    whole = mask_secrets(before + marked + after)
    shared = 0
    while shared < min(len(before), len(whole)) and before[shared] == whole[shared]:
        shared += 1
    if shared == len(before):
        return before, whole[shared : shared + len(marked)], whole[shared + len(marked) :]
    return whole[:shared], "***" if whole[shared:].startswith("***") else "", whole[shared:].removeprefix("***")


def _window(before: str, marked: str, after: str) -> tuple[str, str, str]:
    """Cut a long line to what stands around the mark."""
    if len(before) + len(marked) + len(after) <= _WIDTH:
        return before, marked, after
    if len(before) > _WIDTH // 2:
        before = "…" + before[-_WIDTH // 2 :]
    marked = marked[: _WIDTH // 2]
    room = _WIDTH - len(before) - len(marked)
    if len(after) > room:
        after = after[: max(room, 0)] + "…"
    return before, marked, after


def _plain(text: str) -> str:
    """Text without anything that a terminal would obey: tabs become a space, control characters a dot."""
    return "".join(" " if c == "\t" else "·" if unicodedata.category(c) in _UNSAFE else c for c in text)


_UNSAFE = {"Cc", "Cf", "Zl", "Zp", "Cs"}


def plain_line(text: str) -> str:
    """A message on one line, safe for a terminal."""
    return "".join(" " if c in "\n\r\t" else "·" if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)


def columns(text: str) -> int:
    """How many columns a terminal gives to ``text``."""
    width = 0
    for char in text:
        if unicodedata.combining(char):
            continue
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return width
