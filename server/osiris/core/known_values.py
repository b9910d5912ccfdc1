"""Secrets that are known by their value, found in text in every encoding they may appear in, and in parts."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator

_SHORT = 4  # shorter values would blank out ordinary text
_WORDLIKE = 8  # below this, a value of letters and digits counts only as a whole word
_GRAM = 5
_LEAST = 8  # a part of a value, cut out of it by whoever reports it, counts from this many characters on
_ENOUGH = 16  # and always from this many; in between, when it is half of the value
_STEP = _LEAST - _GRAM + 1  # whatever part counts, one of every so many places lies in it with all its gram
_INDEXED = 4096  # characters of one value
_SAME = 4  # places with the same gram in one form
_SHARED = 64  # forms with the same gram
_CUT = re.compile(r"\.{3,}+|\u2026")
_PLAIN_WORD = 12  # a part of letters alone, shorter than this, is an ordinary word ("Password")


class KnownValues:
    """The values, and where they stand in a text. Finding takes time linear in the text, whatever the values are."""

    def __init__(self) -> None:
        self._forms: tuple[tuple[str, bool], ...] = ()
        self._grams: dict[str, list[tuple[str, int]]] = {}

    def add(self, value: str) -> None:
        """Look for ``value`` from now on, unless it is shorter than 4 characters."""
        plain: set[str] = set()
        coded: set[str] = set()
        for variant in _variants(value):
            plain |= {form for form in _spellings(variant) if _usable(form)}
            coded |= {form for form in _codes(variant.encode("utf-8", "replace")) if _usable(form)}
            if "://" not in variant:  # of an address most is no secret; its password is a value of its own
                for form in (*_cut_spellings(variant), *coded):
                    self._index(form[:_INDEXED])
        forms = {*self._forms, *((form, _is_wordlike(form)) for form in plain), *((form, False) for form in coded)}
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form[0]), form)))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a value stands, or so much of one that it helps whoever reads it. Ranges may overlap."""
        for form, whole_word in self._forms:
            yield from _occurrences(form, text, whole_word)
        if self._grams and len(text) >= _LEAST:
            yield from self._parts(text)
            yield from self._beside_cuts(text)

    @property
    def longest(self) -> int:
        """The length of the longest form of a value, 0 when nothing is known."""
        return len(self._forms[0][0]) if self._forms else 0

    def _index(self, form: str) -> None:
        if len(form) <= _LEAST:
            return
        seen: dict[str, int] = {}
        for offset in range(len(form) - _GRAM + 1):
            gram = form[offset : offset + _GRAM]
            places = self._grams.setdefault(gram, [])
            if seen.get(gram, 0) < _SAME and len(places) < _SHARED and (form, offset) not in places:
                seen[gram] = seen.get(gram, 0) + 1
                places.append((form, offset))

    def _parts(self, text: str) -> Iterator[tuple[int, int]]:
        grams, position, last = self._grams, 0, len(text) - _GRAM
        while position <= last:
            end = position + _STEP
            for form, offset in grams.get(text[position : position + _GRAM], ()):
                part = _grown(text, position, form, offset)
                if _counts(text[slice(*part)], form):
                    yield part
                    end = max(end, part[1])
            position = end

    def _beside_cuts(self, text: str) -> Iterator[tuple[int, int]]:
        """The begin of a value before ``...`` or the end of the text, and the end of one behind ``...``."""
        cuts = [match.span() for match in _CUT.finditer(text)] if "..." in text or "\u2026" in text else []
        for start, end in (*cuts, (len(text), len(text))):
            for form, offset in self._grams.get(text[max(0, start - _GRAM) : start], ()):
                found = _grown(text, start - _GRAM, form, offset)
                begins = start - found[0] == offset + _GRAM
                if begins and found[1] == start and (end > start or not text[slice(*found)].isalpha()):
                    yield found
            for form, offset in self._grams.get(text[end : end + _GRAM], ()):
                found = _grown(text, end, form, offset)
                if found[0] == end and found[1] - end == len(form) - offset:
                    yield found


def _grown(text: str, position: int, form: str, offset: int) -> tuple[int, int]:
    """The range around ``position`` that is equal to what stands around ``offset`` in ``form``."""
    start, before = position, offset
    while start and before and text[start - 1] == form[before - 1]:
        start, before = start - 1, before - 1
    end, behind = position + _GRAM, offset + _GRAM
    while end < len(text) and behind < len(form) and text[end] == form[behind]:
        end, behind = end + 1, behind + 1
    return start, end


def _counts(part: str, form: str) -> bool:
    least = min(_ENOUGH, max(_LEAST, (len(form) + 1) // 2))
    return len(part) >= least and not (part.isalpha() and len(part) < _PLAIN_WORD)


def _usable(form: str) -> bool:
    return len(form) >= _SHORT and bool(form.strip("*")) and bool(form.strip())


def _is_wordlike(form: str) -> bool:
    return len(form) < _WORDLIKE and form.isalnum()


def _variants(value: str) -> set[str]:
    """A value, and what programs make of it before they show it: out of an address, on one line, one of its lines."""
    words = value.split()
    variants = {value, value.strip(), " ".join(words), "".join(words), urllib.parse.unquote(value)}
    if "\n" in value:
        variants |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _WORDLIKE}
    return {variant for variant in variants if len(variant) >= _SHORT}


def _spellings(value: str) -> set[str]:
    """A value as it is written in URLs, JSON, Python, SQL and HTML, also in JSON inside of JSON."""
    plain = value.encode("utf-8", "replace")
    in_json = json.dumps(value)[1:-1]
    forms = {
        value,
        urllib.parse.quote(plain, safe=""),
        urllib.parse.quote(plain),
        urllib.parse.quote_plus(plain),
        urllib.parse.quote(plain, safe="!#$&'()*+,/:;=?@[]~"),
        in_json,
        json.dumps(in_json)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        value.replace("'", "''"),
        value.replace('"', '""'),
        value.replace("\\", "\\\\").replace("'", "\\'"),
        html.escape(value),
        html.escape(value, quote=False),
    }
    return forms | {re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), form) for form in forms if "%" in form}


def _cut_spellings(value: str) -> set[str]:
    """Those of the spellings that are looked for in parts; what differs only here and there shows up in them, too."""
    plain = value.encode("utf-8", "replace")
    return {value, urllib.parse.quote(plain, safe=""), urllib.parse.quote_plus(plain), json.dumps(value)[1:-1]}


def _codes(value: bytes) -> set[str]:
    """What base64 makes of ``value`` at each of the three places it can have, and hexadecimal digits."""
    forms = set()
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + value).decode().rstrip("=")
        first = -(-offset * 8 // 6)
        core = coded[first : (offset + len(value)) * 8 // 6]  # without the characters it shares with its neighbours
        if len(core) >= 6:
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    whole = base64.b64encode(value).decode()
    if len(whole) >= _WORDLIKE:
        forms |= {whole, whole.rstrip("="), base64.urlsafe_b64encode(value).decode()}
    return forms | {value.hex(), value.hex().upper()}


def _occurrences(form: str, text: str, whole_word: bool) -> Iterable[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        if not whole_word or _stands_alone(text, start, end):
            yield start, end
        start = text.find(form, end)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit touches the range; those of ``%3A`` and ``\\n`` do not count."""
    if text[end : end + 1].isalnum():
        return False
    if not text[start - 1 : start].isalnum() or start == 0:
        return True
    return bool(re.search(r"%[0-9A-Fa-f]{2}$|\\[nrt]$|\\u[0-9a-f]{4}$", text[max(0, start - 6) : start]))
