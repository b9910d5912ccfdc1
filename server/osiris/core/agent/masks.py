"""Masks in what a model proposes: ``***`` stands for a secret that it was not shown, so it must never reach a file."""

from __future__ import annotations

import re
from collections import Counter

from osiris.core.error_taxonomy import ValidationError
from osiris.core.secrets_masking import MASK, Masker

_MASKED_WORD = re.compile(rf"\S*(?<!\*){re.escape(MASK)}(?!\*)\S*")


def require_no_masks(text: str, before: str | None) -> None:
    """Raise ValidationError when a mask stands in ``text`` that is not in ``before``, what stands in the file now."""
    new = Counter(_MASKED_WORD.findall(text)) - Counter(_MASKED_WORD.findall(before or ""))
    if new:
        raise ValidationError(
            f"{MASK} stands for a secret that is not shown to a model, and would take its place in the pipeline.",
            hint="Leave such a comment out: it stays. A secret has its place in a connection. Who means three stars "
            "writes repeat('*', 3).",
        )


def unmasked(text: str, there: str, masker: Masker) -> str:
    """``text``, which has been kept masked, with the lines of ``there`` that it shows masked as they are.

    A mask that is of no line of ``there``, or of different ones, stays.
    """
    if MASK not in text:
        return text
    hidden: dict[str, set[str]] = {}
    for line in there.split("\n"):
        if (masked := masker.text(line)) != line:
            hidden.setdefault(masked, set()).add(line)
    known = {masked: next(iter(lines)) for masked, lines in hidden.items() if len(lines) == 1}
    return "\n".join(known.get(line, line) for line in text.split("\n"))
