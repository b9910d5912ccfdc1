"""Finds secrets in names and text. Pure functions on the standard library, shared by the rules and by masking.

Every detector takes time linear in its input: patterns start with a literal or at a word boundary and never give back
what they have read (possessive quantifiers), so no text can make them slow. Spans are half-open ranges of code points.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from osiris.language.entropy import high_entropy_spans as high_entropy_spans


class SecretSpan(NamedTuple):
    """Where a secret stands, and what it looks like: ``AWS access key``, ``bearer token`` ..."""

    start: int
    end: int
    kind: str


# --- Names ------------------------------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]++(?=[A-Z][a-z])|[A-Z]?[a-z]++|[A-Z]++|[0-9]++|[^\W\d_]++")
_SECRET_WORDS = _words(
    "password passwd passwort passphrase passcode pwd pw pass secret secrets passwords token apikey apitoken "
    "credential credentials authorization cookie privatekey secretkey accesskey authkey"
)
_SECRET_ENDINGS = ("password", "passwd", "passphrase", "secret", "token", "apikey")
_KEY_QUALIFIERS = _words(
    "api access secret private encryption decryption session signing service role anon master account shared client "
    "ssh auth license subscription admin deploy webhook hmac aes rsa gpg pgp ssl tls host"
)
_TOKEN_QUALIFIERS = _words("access auth api refresh bearer session id personal")
# A name that ends in one of these speaks about a secret and does not hold it.
_ABOUT = _words(
    "id ids name names type types url uri path file filename dir field fields header headers length size count limit "
    "ttl expiry expires expiration policy env var variable variables ref reference hint prompt enabled required "
    "at in username user method scheme mode index column columns position usage provider format algorithm arn "
    "issuer audience endpoint version label description strength rotation"
)


@lru_cache(maxsize=4096)
def is_secret_key(name: str) -> bool:
    """Whether a value under this name is a secret, going by the name alone.

    ``db_password``, ``apiKey``, ``X-Auth-Token``, ``service_role_key`` are; ``primary_key``, ``token_url``,
    ``max_tokens``, ``auth_type``, ``session_id`` are not.
    """
    words = [word.lower() for word in _WORD.findall(name[:200])]
    while words and (words[-1].isdigit() or words[-1] in ("value", "pem", "base64")):
        words.pop()
    if not words or words[-1] in _ABOUT:
        return False
    if any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words):
        return True
    before = words[:-1]
    if words[-1] in ("key", "keys"):
        return any(word in _KEY_QUALIFIERS for word in before)
    return words[-1] == "tokens" and any(word in _TOKEN_QUALIFIERS for word in before)


# --- Formats ----------------------------------------------------------------------------------------------------------


class _Format(NamedTuple):
    """``literal`` must be in the text before ``pattern``, which starts with it, is tried at all."""

    literal: str
    pattern: re.Pattern[str]
    kind: str
    sound: Callable[[str], bool] | None = None


def _format(literal: str, rest: str, kind: str, sound: Callable[[str], bool] | None = None) -> _Format:
    """A format that begins with ``literal``, not directly behind a letter or digit."""
    escaped = re.escape(literal)
    return _Format(literal, re.compile(f"{escaped}(?<![A-Za-z0-9]{escaped}){rest}"), kind, sound)


def _mixed(text: str) -> bool:
    """Not a name made of words: random tokens hold a digit, nearly always."""
    return any(char.isdigit() for char in text[3:])


_END = r"(?![A-Za-z0-9])"
_FORMATS = (
    _format("sk-", r"[A-Za-z0-9_\-]{16,}+", "API key", _mixed),
    _format("sk_live_", r"[A-Za-z0-9]{10,}+", "Stripe key"),
    _format("sk_test_", r"[A-Za-z0-9]{10,}+", "Stripe key"),
    _format("rk_live_", r"[A-Za-z0-9]{10,}+", "Stripe key"),
    _format("rk_test_", r"[A-Za-z0-9]{10,}+", "Stripe key"),
    _format("whsec_", r"[A-Za-z0-9+/=]{16,}+", "webhook secret"),
    _format("AKIA", rf"[A-Z0-9]{{16}}{_END}", "AWS access key"),
    _format("ASIA", rf"[A-Z0-9]{{16}}{_END}", "AWS access key"),
    _format("ghp_", r"[A-Za-z0-9]{20,}+", "GitHub token"),
    _format("gho_", r"[A-Za-z0-9]{20,}+", "GitHub token"),
    _format("ghu_", r"[A-Za-z0-9]{20,}+", "GitHub token"),
    _format("ghs_", r"[A-Za-z0-9]{20,}+", "GitHub token"),
    _format("ghr_", r"[A-Za-z0-9]{20,}+", "GitHub token"),
    _format("github_pat_", r"[A-Za-z0-9_]{20,}+", "GitHub token"),
    _format("glpat-", r"[A-Za-z0-9_\-]{20,}+", "GitLab token"),
    _format("xox", r"[abeprs]-[A-Za-z0-9\-]{10,}+", "Slack token"),
    _format("xapp-", r"[0-9]-[A-Za-z0-9\-]{10,}+", "Slack token"),
    _format("hooks.slack.com/services/", r"[A-Za-z0-9/_\-]{10,}+", "Slack webhook"),
    _format("eyJ", r"[A-Za-z0-9_\-]{5,}+\.[A-Za-z0-9_\-]{5,}+(?:\.[A-Za-z0-9_\-]*+)?", "JSON web token"),
    _format("AIza", r"[A-Za-z0-9_\-]{30,}+", "Google API key"),
    _format("ya29.", r"[A-Za-z0-9_\-]{20,}+", "Google access token"),
    _format("GOCSPX-", r"[A-Za-z0-9_\-]{20,}+", "Google client secret"),
    _format("sb_secret_", r"[A-Za-z0-9_\-]{16,}+", "Supabase key"),
    _format("sbp_", r"[a-f0-9]{20,}+", "Supabase token"),
    _format("e2b_", r"[A-Za-z0-9]{20,}+", "E2B key"),
    _format("phx_", r"[A-Za-z0-9]{20,}+", "PostHog key"),
    _format("npm_", r"[A-Za-z0-9]{30,}+", "npm token"),
    _format("pypi-", r"[A-Za-z0-9_\-]{50,}+", "PyPI token"),
    _format("hf_", r"[A-Za-z0-9]{30,}+", "Hugging Face token"),
    _format("gsk_", r"[A-Za-z0-9]{40,}+", "API key"),
    _format("xai-", r"[A-Za-z0-9]{40,}+", "API key"),
    _format("hvs.", r"[A-Za-z0-9_\-]{24,}+", "Vault token"),
    _format("dop_v1_", r"[a-f0-9]{40,}+", "DigitalOcean token"),
    _format("dapi", rf"[a-f0-9]{{32}}{_END}", "Databricks token"),
    _format("shpat_", r"[a-fA-F0-9]{20,}+", "Shopify token"),
    _format("SG.", r"[A-Za-z0-9_\-]{16,}+\.[A-Za-z0-9_\-]{16,}+", "SendGrid key"),
    _format("lin_api_", r"[A-Za-z0-9]{20,}+", "Linear key"),
    _format("ATATT3", r"[A-Za-z0-9_=\-]{40,}+", "Atlassian token"),
)
_SCHEME = re.compile(r"\b(bearer|basic|token)\s{1,4}+([A-Za-z0-9._~+/\-]{8,}+=*+)", re.IGNORECASE)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def find_known_formats(text: str) -> list[SecretSpan]:
    """The secrets in ``text`` that are known by their form, in order, not overlapping.

    API keys and tokens of well-known services, JSON web tokens, the tokens of ``Bearer`` and ``Basic`` headers, and
    private key blocks (one without its end goes to the end of the text).
    """
    found: list[SecretSpan] = []
    for literal, pattern, kind, sound in _FORMATS:
        if literal in text:
            matches = (match for match in pattern.finditer(text) if sound is None or sound(match[0]))
            found.extend(SecretSpan(match.start(), match.end(), kind) for match in matches)
    found.extend(_header_tokens(text))
    if "-----BEGIN " in text:
        found.extend(_key_blocks(text))
    return _without_overlaps(found)


def _header_tokens(text: str) -> Iterator[SecretSpan]:
    for match in _SCHEME.finditer(text):
        scheme, token = match[1].lower(), match[2]
        if scheme == "basic":
            secret = _is_basic(token)
        else:
            # "bearer authentication failed" is prose.
            secret = any(char.isdigit() for char in token) or len(token) >= 32
        if secret:
            yield SecretSpan(match.start(2), match.end(2), f"{scheme} token" if scheme == "bearer" else "credentials")


def _is_basic(token: str) -> bool:
    try:
        return b":" in base64.b64decode(token[:4096] + "=" * (-len(token[:4096]) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _key_blocks(text: str) -> Iterator[SecretSpan]:
    position = 0
    while match := _KEY_BLOCK.search(text, position):
        end = _KEY_BLOCK_END.search(text, match.end())
        position = end.end() if end else len(text)
        yield SecretSpan(match.start(), position, "private key")


def _without_overlaps(spans: list[SecretSpan]) -> list[SecretSpan]:
    """Sorted by place; of two that overlap, one over both, with the kind of the first."""
    result: list[SecretSpan] = []
    for span in sorted(spans):
        if result and span.start < result[-1].end:
            last = result[-1]
            result[-1] = SecretSpan(last.start, max(last.end, span.end), last.kind)
        else:
            result.append(span)
    return result


# --- Connection strings -----------------------------------------------------------------------------------------------

_AUTHORITY_END = re.compile(r"[/?#]")
_URL_END = re.compile(r'[\s"<>`]|$')
_PLAIN_URLS = frozenset(("http", "https", "ws", "wss", "ftp", "file", "s3", "gs", "git", "ssh"))
_SCHEME_NAME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,40}+$")
_ASSIGNMENT = re.compile(r"(?<![\w.\-])([\w.\-]++)(?:\\{0,4}+[\"'])?\s{0,4}+(?:=>|:=|[=:])(?!:)")
_DSN_KEYS = frozenset(
    ("host", "hostname", "server", "data source", "dbname", "database", "user", "uid", "port", "user id")
)
_PASSWORD_KEYS = frozenset(("password", "pwd", "passwd", "pass", "accountkey", "sharedaccesskey"))
_BARE_VALUE = re.compile(r"[^\s,;&)\]}\"'`<>]++")
_QUOTED = {'"': re.compile(r'(?:[^"\\\n]|\\.)*+'), "'": re.compile(r"(?:[^'\\\n]|\\.|'')*+")}
_OPENING = re.compile(r"(\\*+)([\"'])")
_FAR = 4000  # how far the end of a quoted value is looked for
_HEADER_VALUE = re.compile(r"(?:bearer|basic|token|digest|apikey)\s{1,4}+", re.IGNORECASE)


def dsn_password_spans(text: str) -> list[tuple[int, int]]:
    """Where passwords stand in the connection strings of ``text``.

    Two forms are known: ``scheme://user:password@host`` and ``host=... password=...`` (``;`` or space between pairs).
    A password that is a reference (``${DB_PASSWORD}``) or masked already is none.
    """
    spans = list(_url_passwords(text))
    if "=" in text:
        pairs = list(_assignments(text))
        if any(key.lower() in _DSN_KEYS for key, _, _ in pairs):
            spans.extend((start, end) for key, start, end in pairs if start < end and key.lower() in _PASSWORD_KEYS)
    return sorted({span for span in spans if not _is_reference(text[span[0] : span[1]])})


def dsn_password_span(text: str) -> tuple[int, int] | None:
    """The first of :func:`dsn_password_spans`, None when there is none."""
    return next(iter(dsn_password_spans(text)), None)


def _url_passwords(text: str) -> Iterator[tuple[int, int]]:
    position = text.find("://")
    while position >= 0:
        start = position + 3
        following = text.find("://", start)
        scheme = _SCHEME_NAME.search(text, max(0, position - 42), position)
        if scheme:
            stop = _URL_END.search(text, start, following if following >= 0 else len(text))
            span = _password_of_url(text, start, stop.start() if stop else following, scheme[0].lower())
            if span:
                yield span
        position = following


def _password_of_url(text: str, start: int, stop: int, scheme: str) -> tuple[int, int] | None:
    """The password between ``:`` and ``@``, which may hold unescaped ``@`` and ``/`` although it should not."""
    colon = text.find(":", start, stop)
    if colon < 0:
        return None
    slash = _AUTHORITY_END.search(text, start, stop)
    authority = slash.start() if slash else stop
    if scheme in _PLAIN_URLS:
        if colon > authority or text[colon + 1 : authority].isdigit():
            return None
        at = text.rfind("@", start, authority)
    else:
        query = text.find("?", start, stop)
        at = text.rfind("@", start, query if query >= 0 else stop)
    if at < 0:
        at = text.rfind("@", start, stop)
    return (colon + 1, at) if colon + 1 < at else None


def _is_reference(value: str) -> bool:
    """``${NAME}`` and ``***`` stand for a secret and are none; ``${NAME:-x}`` holds one as its default."""
    if value.startswith("${") and value.endswith("}"):
        return ":-" not in value
    return not value.strip("*")


def _assignments(text: str) -> Iterator[tuple[str, int, int]]:
    """All ``key=value`` and ``key: value`` in ``text``: the key and the range of the value without its quotes.

    Only of keys that are secret by their name is the value read, others come with an empty range: what looks like
    their value may hold assignments of its own.
    """
    position = 0
    while match := _ASSIGNMENT.search(text, position):
        start = end = position = match.end()
        if is_secret_key(match[1]) or match[1].lower() in _PASSWORD_KEYS:
            start, end, position = _value(text, match.end())
        yield match[1], start, end


def _value(text: str, position: int) -> tuple[int, int, int]:
    """The value that starts at ``position``: its start, its end, and where to read on."""
    while position < len(text) and text[position] in " \t":
        position += 1
    opening = _OPENING.match(text, position)
    if opening:
        start = opening.end()
        if opening[1]:  # quotes inside a quoted text: \"...\"
            far = min(start + _FAR, len(text))
            line = text.find("\n", start, far)
            end = text.find(opening[0], start, line if line >= 0 else far)
            end = end if end >= 0 else line if line >= 0 else far
        else:
            body = _QUOTED[opening[2]].match(text, start)
            end = body.end() if body else start
        return start, end, min(end + len(opening[0]), len(text))
    if text.startswith("{", position):  # {...} quotes in ODBC strings
        end = text.find("}", position, position + _FAR)
        if end >= 0:
            return position + 1, end, end + 1
    if text.startswith("${", position):
        end = text.find("}", position, position + _FAR)
        if end >= 0:
            return position, end + 1, end + 1
    scheme = _HEADER_VALUE.match(text, position)
    start = scheme.end() if scheme else position
    bare = _BARE_VALUE.match(text, start)
    end = bare.end() if bare else start
    return start, end, end


_OPTION = re.compile(r"(?<![\w\-])--?([A-Za-z][\w\-]*+)\s{1,4}+([^\s\-]\S*+)")


# What follows the name of a file in messages, and the name of the file that secrets are to stand in.
_NO_VALUE = re.compile(
    r"(?:No such (?:file|directory)|Permission denied|Operation not permitted|Is a directory|Not a directory|"
    r"File exists|File name too long|Read-only file system|Input/output error|No space left on device|"
    r"Too many open files|\.env(?:\.example)?(?![\w\-]|\.\w))"
)


def assigned_secret_spans(text: str) -> list[tuple[int, int]]:
    """Where text gives a secret by its name: ``password=x``, ``"apiKey": "x"``, ``token: x``, ``--password x``."""
    spans = [
        (start, end)
        for key, start, end in _assignments(text)
        if start < end and is_secret_key(key) and not _is_reference(text[start:end]) and not _is_prose(text, key, start)
    ]
    if "-" in text:
        spans.extend(
            match.span(2) for match in _OPTION.finditer(text) if is_secret_key(match[1]) and not _is_reference(match[2])
        )
    return sorted(spans)


def _is_prose(text: str, key: str, value: int) -> bool:
    """``unexpected token: SELECT``, as parsers say it, or ``my-secrets.csv: No such file`` as the system does."""
    if _NO_VALUE.match(text, value):
        return True
    if key.lower() != "token":
        return False
    before = text[max(0, value - 40) : value].lower().rpartition("token")
    return before[2].strip() == ":" and before[0][-2:-1].isalpha() and before[0].endswith(" ")
