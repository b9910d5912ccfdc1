"""Finds random tokens in text: what no pattern knows, but nobody writes by hand."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

_TOKEN = re.compile(r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{20,}+=*+")
_PREFIX = re.compile(r"(?:[A-Za-z]{1,30}+[_\-])*+")
_HEX = re.compile(r"(?:0[xX])?[0-9a-f]++|(?:0[xX])?[0-9A-F]++")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_DIGEST = re.compile(r"(?:sha(?:1|224|256|384|512)|md5)[\-=_]")
_CAMEL_WORD = re.compile(r"[A-Za-z][a-z]{3,}+")
_PATH_PART = re.compile(r"[a-z]{3,}+(?:[_\-][a-z0-9]++)*+")
_WORDLIKE = re.compile(r"[A-Z]?[a-z]*+|[A-Z]++|[0-9]++|[A-Za-z]?[0-9]{1,8}|[A-Za-z]{1,24}[0-9]{0,4}")


def high_entropy_spans(text: str) -> list[tuple[int, int]]:
    """Where text holds long random tokens that no other detector knows.

    UUIDs, ULIDs (run ids), hex digests, paths, plain URLs and names made of words are left out.
    """
    return [match.span() for match in _TOKEN.finditer(text) if _is_random(text, match)]


def _is_random(text: str, match: re.Match[str]) -> bool:
    token = match[0].rstrip("=")
    prefix = _PREFIX.match(token)
    core = token[prefix.end() :] if prefix else token
    if len(token) < 20 or any(form.fullmatch(core) for form in (_HEX, _UUID, _ULID)):
        return False
    if _DIGEST.match(token) or _is_path(text, match):
        return False
    if all(_WORDLIKE.fullmatch(part) for part in re.split(r"[_\-+/]", token)):
        return False
    sample = token[:512]
    kinds = [_class_of(char) for char in sample]
    changes = sum(a != b for a, b in pairwise(kinds)) / (len(sample) - 1)
    digits = kinds.count("0") / len(sample)
    if {"a", "A"} <= set(kinds):
        # Names in camel case change between capitals and small letters as well, but hold words.
        words = sum(len(word) for word in _CAMEL_WORD.findall(sample)) / len(sample)
        random = changes >= 0.36 and digits >= 0.04 and words < 0.4
    else:
        random = changes >= 0.28 and digits >= 0.12
    return random and _entropy(sample) >= 3.6


def _is_path(text: str, match: re.Match[str]) -> bool:
    """A file path or the inside of a URL, by what stands around it, or because one of its parts is a word."""
    if "/" not in match[0]:
        return False
    before = text[max(0, match.start() - 1) : match.start()]
    after = text[match.end() : match.end() + 1]
    if match[0].startswith("/") or "//" in match[0] or before in tuple(".~:@\\") or after in (".", ":"):
        return True
    return any(_PATH_PART.fullmatch(part) for part in match[0].split("/"))


def _class_of(char: str) -> str:
    return "a" if char.islower() else "A" if char.isupper() else "0" if char.isdigit() else "-"


def _entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
