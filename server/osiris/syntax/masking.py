"""Characters that a YAML reader stumbles over, replaced at equal length before it reads and restored after."""

from __future__ import annotations

import re
from typing import NamedTuple

from osiris.syntax.diagnostic import Diagnostic, Fix, Severity, TextEdit
from osiris.syntax.limits import MAX_DIAGNOSTICS
from osiris.syntax.text import Span

# U+0085, U+2028 and U+2029 are text in YAML 1.2, but libyaml ends lines there. The others YAML does not allow.
_TEXT_AFTER_ALL = frozenset("\x85\u2028\u2029")
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_ODD_BYTES = bytes(byte for byte in range(128) if _ODD.match(chr(byte)))
_PRIVATE = (range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))


class Masked(NamedTuple):
    """``text`` at equal length, and how to get the replaced characters back (None: nothing was replaced)."""

    text: str
    restore: dict[int, str] | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def mask(text: str) -> Masked:
    """Replace every character of ``text`` that libyaml cannot take; report those that YAML forbids."""
    if text.isascii():
        if len(text.encode("ascii").translate(None, _ODD_BYTES)) == len(text):
            return Masked(text)
    elif _ODD.search(text) is None:
        return Masked(text)
    odd = sorted(set(_ODD.findall(text)))
    used = set(text)
    free = (chr(code) for codes in _PRIVATE for code in codes if chr(code) not in used)
    stand_in = dict(zip(odd, free, strict=False))
    masked = text.translate({ord(char): other for char, other in stand_in.items()})
    forbidden = [char for char in odd if char not in _TEXT_AFTER_ALL]
    return Masked(masked, {ord(other): char for char, other in stand_in.items()}, _report(text, forbidden))


def _report(text: str, forbidden: list[str]) -> tuple[Diagnostic, ...]:
    if not forbidden:
        return ()
    pattern = re.compile("([" + "".join(map(re.escape, forbidden)) + r"])\1*")
    found: list[Diagnostic] = []
    for match in pattern.finditer(text):
        name = f"U+{ord(match.group(1)):04X}"
        span = Span(*match.span())
        found.append(
            Diagnostic(
                "OML011",
                span,
                f"The character {name} is not allowed in YAML. Remove it, or write it as an escape in double quotes.",
                Severity.ERROR,
                (Fix(f"Remove {name}", (TextEdit(span, ""),), preferred=True),),
            )
        )
        if len(found) >= MAX_DIAGNOSTICS:
            break
    return tuple(found)
