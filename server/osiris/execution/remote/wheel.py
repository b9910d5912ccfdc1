"""Wheels made of what is installed here, so that the other machine has the same code; without network and tools."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import osiris
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.lookup import DISTRIBUTION

_TAG = "py3-none-any"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LEFT_OUT = ("__pycache__", ".pyc")


def osiris_wheel() -> tuple[str, bytes]:
    """The running package: the name of the wheel, and its content."""
    home = Path(osiris.__file__).parent
    files = [(f"osiris/{path.relative_to(home).as_posix()}", path) for path in _below(home)]
    return _wheel(DISTRIBUTION, osiris.__version__, _metadata_of(DISTRIBUTION, osiris.__version__), files)


def plugin_wheel(name: str) -> tuple[str, bytes]:
    """Another installed distribution, one of Python alone. Raises ConfigurationError when its files are not known."""
    distribution = importlib.metadata.distribution(name)
    found: dict[str, Path] = {}
    packages = {entry.value.partition(":")[0].partition(".")[0] for entry in distribution.entry_points}
    for file in distribution.files or ():
        path = Path(str(file.locate()))
        if ".." not in file.parts and not file.parts[0].endswith(".dist-info") and path.is_file():
            found[file.as_posix()] = path
    for package in packages:
        if not any(path.startswith(f"{package}/") for path in found):  # installed as a link, or by hand
            found |= {f"{package}/{below}": path for below, path in _package_files(package)}
    if any(path.endswith((".so", ".pyd", ".dylib")) for path in found):
        raise ConfigurationError(
            f"The plug-in {name} holds compiled code, which cannot be sent to another machine.",
            hint="Use a template that has it installed.",
        )
    kept = [(path, place) for path, place in found.items() if not any(part in path for part in _LEFT_OUT)]
    return _wheel(name, distribution.version, _metadata_of(name, distribution.version), sorted(kept))


def requirements(extras: Iterable[str]) -> list[str]:
    """What the distribution needs, with these extras, as pip takes it."""
    wanted = [f"extra == {quote}{extra}{quote}" for extra in extras for quote in "'\""]
    found: list[str] = []
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        need, _, marker = line.partition(";")
        if "extra ==" not in marker:
            found.append(line)
        elif any(extra in marker for extra in wanted) and not need.startswith(DISTRIBUTION):
            found.append(need.strip())
    return list(dict.fromkeys(found))


def plugin_requirements(name: str) -> dict[str, str]:
    """By name, what another installed distribution needs of others, as pip takes it; Osiris left aside."""
    found: dict[str, str] = {}
    for line in importlib.metadata.requires(name) or []:
        need = _NAME.match(line)
        if need is not None and need[0] != DISTRIBUTION and "extra ==" not in line.partition(";")[2]:
            found[need[0]] = line
    return found


def _below(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and not any(part in str(path) for part in _LEFT_OUT)
    )


def _package_files(package: str) -> list[tuple[str, Path]]:
    from importlib.util import find_spec

    spec = find_spec(package)
    homes = [Path(home) for home in (spec.submodule_search_locations or ())] if spec is not None else []
    return [(path.relative_to(home).as_posix(), path) for home in homes for path in _below(home)]


def _metadata_of(name: str, version: str) -> dict[str, str]:
    """What stands in ``.dist-info`` that counts elsewhere."""
    kept = {"METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return kept
    for file in ("METADATA", "entry_points.txt"):
        if text := distribution.read_text(file):
            kept[file] = text
    return kept


def _wheel(name: str, version: str, about: dict[str, str], files: list[tuple[str, Path]]) -> tuple[str, bytes]:
    stem = f"{name.replace('-', '_')}-{version}"
    about = {**about, "WHEEL": f"Wheel-Version: 1.0\nGenerator: osiris\nRoot-Is-Purelib: true\nTag: {_TAG}\n"}
    contents = [(path, place.read_bytes()) for path, place in files]
    contents += [(f"{stem}.dist-info/{file}", text.encode()) for file, text in about.items()]
    record = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in contents]
    record.append(f"{stem}.dist-info/RECORD,,")
    contents.append((f"{stem}.dist-info/RECORD", "\n".join(record).encode() + b"\n"))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents:
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return f"{stem}-{_TAG}.whl", held.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
