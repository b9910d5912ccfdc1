"""The compiled form of a pipeline, and the one way it is written down: canonical JSON.

The bytes follow RFC 8785 (keys ordered by UTF-16 code units, no spaces, ECMAScript numbers, minimal escapes) with one
deviation: integers are written in full, since 2**53 + 1 must not change its value on the way through a manifest.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from json.encoder import encode_basestring as _string  # escapes just what RFC 8785 escapes
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from osiris.core.error_taxonomy import CompilationError, ConfigurationError
from osiris.core.files import read_error

MANIFEST_VERSION = "1"
MANIFEST_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 64 * 1024 * 1024


class ManifestStep(TypedDict):
    """One step, ready to run; absent keys mean "none".

    ``inputs``: table name to the id of the step whose data it is. ``connection``: ``@family.alias``, or ``@family``
    for the family's default. ``unresolved``: the ways into ``config`` (or just ``connection``) to texts that still
    hold ``${params.x}``.
    """

    id: str
    component: str
    mode: str
    driver: str | None
    config: dict[str, Any]
    connection: NotRequired[str]
    needs: list[str]
    inputs: dict[str, str]
    retry: NotRequired[dict[str, Any]]
    timeout: NotRequired[float]
    description: NotRequired[str]
    unresolved: NotRequired[list[list[str | int]]]


class WholeManifest(TypedDict):
    """What every manifest holds.

    ``params`` are the values that are already in the steps. ``run_params`` still stand there as ``${params.x}``: their
    declarations, for the run that will get their values. ``sensitive_params`` are those of them that are secret.
    """

    manifest_version: str
    oml_version: str
    compiler: dict[str, str]
    pipeline: dict[str, str]
    profile: str | None
    params: dict[str, Any]
    run_params: dict[str, dict[str, Any]]
    sensitive_params: list[str]
    steps: list[ManifestStep]
    on_failure: str
    fingerprints: dict[str, str]
    fingerprint: str


class Manifest(WholeManifest, total=False):
    """What ``build/<name>/manifest.json`` holds.

    ``to`` says of a part of a pipeline which step it leads to; see ``partial_manifest``.
    """

    to: str


def canonical_json(value: object) -> bytes:
    """The canonical bytes of plain data (dict with text keys, list, tuple, str, int, float, bool, None).

    Raises ValueError for NaN, infinity, a lone surrogate, a key that is not text, or data of any other type.
    """
    parts: list[str] = []
    _write(value, parts)
    try:
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair is not a character and cannot be written as JSON") from error


def _write(value: object, parts: list[str]) -> None:
    if value is None:
        parts.append("null")
    elif value is True or value is False:
        parts.append("true" if value else "false")
    elif isinstance(value, str):
        parts.append(_string(value))
    elif isinstance(value, int):
        parts.append(int.__repr__(value))
    elif isinstance(value, float):
        parts.append(number_text(value))
    elif isinstance(value, Mapping):
        _write_object(value, parts)
    elif isinstance(value, list | tuple):
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    else:
        raise ValueError(f"{type(value).__name__} has no form in JSON")


def _write_object(value: Mapping[Any, object], parts: list[str]) -> None:
    plain = True
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"the key {key!r} is not text")
        plain = plain and key.isascii()
    parts.append("{")
    for index, key in enumerate(sorted(value) if plain else sorted(value, key=_utf16_order)):
        if index:
            parts.append(",")
        parts.append(_string(key))
        parts.append(":")
        _write(value[key], parts)
    parts.append("}")


def _utf16_order(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def number_text(value: float) -> str:
    """A float as ECMAScript's Number.prototype.toString writes it. Raises ValueError for NaN and infinity."""
    if math.isnan(value) or math.isinf(value):
        raise ValueError(f"{value} has no form in JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    # repr and ECMAScript both take the shortest digits that read back as the same number; only the layout differs.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return sign + _layout(digits, point)


def _layout(digits: str, point: int) -> str:
    """Place the decimal point ``point`` digits from the left (ECMA-262, Number::toString)."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    exponent = point - 1
    tail = f"e{'+' if exponent >= 0 else '-'}{abs(exponent)}"
    return digits + tail if count == 1 else f"{digits[0]}.{digits[1:]}{tail}"


def digest(value: object) -> str:
    """SHA-256 (hex) of the canonical bytes of ``value``. Raises ValueError as canonical_json does."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def generate_fingerprint(manifest: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a manifest without its own ``fingerprint``: equal manifests, equal fingerprints.

    Raises CompilationError when the manifest holds something that JSON cannot (NaN, infinity, a date, ...).
    """
    try:
        return digest({key: value for key, value in manifest.items() if key != "fingerprint"})
    except ValueError as error:
        raise CompilationError(f"The manifest cannot be written as JSON: {error}.") from error


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """The bytes of a manifest file: canonical JSON and one line end. Raises CompilationError."""
    try:
        return canonical_json(manifest) + b"\n"
    except ValueError as error:
        raise CompilationError(f"The manifest cannot be written as JSON: {error}.") from error


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest file: its version, its shape at the top, and that nobody edited it by hand.

    Raises ConfigurationError when the file cannot be read, is not a manifest, or does not match its fingerprint.
    """
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ConfigurationError(f"{path} is larger than {MAX_MANIFEST_BYTES // 2**20} MB: it is not a manifest.")
        data = path.read_bytes()
    except OSError as error:
        raise read_error(path, error) from None
    return parse_manifest(data, str(path))


def parse_manifest(data: bytes, where: str) -> Manifest:
    """The manifest in ``data``; ``where`` names its source in errors. Raises as read_manifest does."""
    try:
        manifest = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{where} is not a manifest: it is not valid JSON.", hint=_COMPILE_AGAIN) from None
    if not isinstance(manifest, dict) or "manifest_version" not in manifest:
        raise ConfigurationError(f"{where} is not a manifest: it has no manifest_version.", hint=_COMPILE_AGAIN)
    version = manifest["manifest_version"]
    if version != MANIFEST_VERSION:
        raise ConfigurationError(
            f"{where} has manifest_version {version!r}; this version of Osiris reads {MANIFEST_VERSION!r}.",
            hint=_COMPILE_AGAIN,
        )
    missing = sorted(Manifest.__required_keys__ - manifest.keys())
    if missing or not isinstance(manifest["steps"], list):
        what = f"it has no {', '.join(missing)}" if missing else "its steps are not a list"
        raise ConfigurationError(f"{where} is not a whole manifest: {what}.", hint=_COMPILE_AGAIN)
    if manifest["fingerprint"] != generate_fingerprint(manifest):
        raise ConfigurationError(
            f"{where} was changed after it was compiled: it does not match its fingerprint.", hint=_COMPILE_AGAIN
        )
    result: Manifest = manifest  # type: ignore[assignment]  # its shape was checked above
    return result


_COMPILE_AGAIN = "Compile the pipeline again: osiris compile FILE."
