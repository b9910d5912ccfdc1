"""Pipelines that come as plain data instead of text: written as YAML that reads back as exactly that data."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping
from os import PathLike, fspath

from osiris.core.error_taxonomy import CompilationError
from osiris.syntax.limits import MAX_DEPTH

# What JSON leaves as it is although YAML does not print it, and line ends that YAML would fold.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def oml_text(data: Mapping[str, object]) -> str:
    """The YAML text of a pipeline given as data (dicts with text keys, lists, texts, numbers, booleans, None).

    Dates become text. Raises CompilationError for keys that are not text, other types, and data that holds itself.
    """
    return "\n".join(_block(data, "", 0)) + "\n"


def _block(value: object, indent: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise CompilationError(f"The pipeline is nested more than {MAX_DEPTH} levels deep.", code="OML009")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                message = (
                    f"The key {key!r} of the pipeline is not text; YAML 1.1 readers do that to on, off, yes and no."
                )
                raise CompilationError(message, hint="Give the text of the file instead of parsed data.", code="OML013")
            yield from _entry(f"{indent}{_quoted(key)}:", item, indent, depth)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _entry(f"{indent}-", item, indent, depth)


def _entry(head: str, item: object, indent: str, depth: int) -> Iterator[str]:
    if isinstance(item, Mapping | list | tuple) and item:
        yield head
        yield from _block(item, indent + "  ", depth + 1)
    else:
        yield f"{head} {_scalar(item)}"


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, datetime.date | datetime.time):
        return _quoted(value.isoformat())
    if isinstance(value, PathLike):
        return _quoted(str(fspath(value)))
    raise CompilationError(f"The pipeline holds a {type(value).__name__}, which OML has no form for.", code="OML104")


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


def _quoted(text: str) -> str:
    return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m.group()):04x}", json.dumps(text, ensure_ascii=False))
