"""Find the OML files of a project, and what their pipelines are called, without reading more than is needed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from osiris.core.config import CONFIG_FILE, CONNECTIONS_FILE
from osiris.syntax.limits import MAX_BYTES
from osiris.syntax.tree import Mapping, Scalar

MARKERS = (CONFIG_FILE, CONNECTIONS_FILE)
OML_ENDINGS = (".oml", ".oml.yaml", ".oml.yml")
YAML_ENDINGS = (".yaml", ".yml")
SKIPPED_FOLDERS = frozenset({"node_modules", "build", "logs", "venv", "__pycache__", "site-packages"})
MAX_ENTRIES = 50_000
MAX_ENTRIES_UNMARKED = 5_000  # a file in a home folder must not make an editor search all of it
MAX_DEPTH = 16
HEAD_BYTES = 64 * 1024

_VERSION_LINE = re.compile(r"""^\ufeff?(?:[ \t]*\{\s*)?["']?oml_version["']?[ \t]*:""", re.MULTILINE)
_NAME_LINE = re.compile(r"""^["']?name["']?[ \t]*:.*$""", re.MULTILINE)
# The entry `params` with all lines that are indented below it.
_PARAMS = re.compile(r"""^["']?params["']?[ \t]*:.*$(?:\r?\n(?:[ \t].*|#.*|)$)*""", re.MULTILINE)

Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class FoundPipeline:
    """An OML file. ``path`` is relative to the root with ``/``; ``name`` is None when it cannot be told.

    ``params`` are the names of its parameters, as far as they can be told.
    """

    path: str
    name: str | None
    params: tuple[str, ...] = ()


def signature(state: os.stat_result) -> Signature:
    """What changes when a file is written: time, size, inode."""
    return (state.st_mtime_ns, state.st_size, state.st_ino)


def is_oml_name(name: str) -> bool:
    """Whether a file of this name is OML by its ending."""
    return name.lower().endswith(OML_ENDINGS)


def has_oml_version(text: str) -> bool:
    """Whether ``text`` says ``oml_version`` at its top level, which makes any YAML file an OML file."""
    return _VERSION_LINE.search(text[:HEAD_BYTES]) is not None


def pipeline_name(text: str) -> str | None:
    """The ``name`` at the top level of ``text``, None when there is none that is text."""
    from osiris.syntax.document import parse

    match = _NAME_LINE.search(text)
    root = parse(match.group().rstrip("\r") if match else text[:HEAD_BYTES]).root()
    node = root.get("name") if isinstance(root, Mapping) else None
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def find_roots(folder: Path) -> list[Path]:
    """The folders in and below ``folder`` that are projects of their own, sorted. Reads no file; is bounded, too."""
    roots: list[Path] = []
    for prefix, entries in _walk(folder, nested=True, most=MAX_ENTRIES):
        if any(entry.name in MARKERS for entry in entries or ()):
            roots.append(folder / prefix)
    return sorted(roots)


def _walk(root: Path, *, nested: bool, most: int) -> Iterator[tuple[str, list[os.DirEntry[str]] | None]]:
    """The folders that may hold pipelines, each as its path below the root (empty, or with ``/`` at its end) and its
    entries. None in place of the entries says that there were more than ``most`` in all; it comes last.
    """
    folders: list[tuple[str, str, int]] = [(str(root), "", 0)]
    visited = 0
    while folders:
        folder, prefix, depth = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue  # vanished or closed to us: then it holds no pipelines for us
        if prefix and not nested and any(entry.name in MARKERS for entry in entries):
            continue
        visited += len(entries)
        if visited > most:
            yield prefix, None
            return
        yield prefix, entries
        for entry in entries:
            hidden = entry.name.startswith(".") or entry.name in SKIPPED_FOLDERS
            if not hidden and depth < MAX_DEPTH and entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, f"{prefix}{entry.name}/", depth + 1))


def parameter_names(text: str) -> tuple[str, ...]:
    """The keys of ``params`` at the top level of ``text``."""
    from osiris.syntax.document import parse

    match = _PARAMS.search(text)
    root = parse(match.group()).root() if match else None
    params = root.get("params") if isinstance(root, Mapping) else None
    return tuple(entry.key.text for entry in params.entries) if isinstance(params, Mapping) else ()


class Scanner:
    """Lists the OML files below a root again and again, reading only files that changed in between.

    Links are not followed; hidden folders, those in SKIPPED_FOLDERS, and (unless ``nested``) folders that are a
    project of their own are left out. ``truncated`` says that a limit stopped the last scan.
    """

    def __init__(self, root: Path, *, nested: bool = False, most: int = MAX_ENTRIES) -> None:
        self.root = root
        self.most = most
        self.nested = nested
        self.truncated = False
        self._known: dict[str, tuple[Signature, FoundPipeline | None]] = {}

    def scan(self, overlay: Callable[[str], str | None] = lambda path: None) -> list[FoundPipeline]:
        """The OML files, sorted by path. ``overlay`` gives the text of a file that is open in an editor."""
        self.truncated = False
        known, self._known = self._known, {}
        found: list[FoundPipeline] = []
        for path, entry in self._files():
            open_text = overlay(path)
            if open_text is not None:
                pipeline = self._judge(path, open_text)
            else:
                pipeline = self._from_disk(path, entry, known)
            if pipeline is not None:
                found.append(pipeline)
        return sorted(found, key=lambda p: p.path)

    def _files(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        for prefix, entries in _walk(self.root, nested=self.nested, most=self.most):
            if entries is None:
                self.truncated = True
                return
            for entry in entries:
                wanted = entry.name.lower().endswith((".oml", *YAML_ENDINGS)) and entry.name not in MARKERS
                odd = entry.name.startswith(".") or entry.is_symlink() or entry.is_dir(follow_symlinks=False)
                if wanted and not odd:
                    yield prefix + entry.name, entry

    def _from_disk(
        self, path: str, entry: os.DirEntry[str], known: dict[str, tuple[Signature, FoundPipeline | None]]
    ) -> FoundPipeline | None:
        try:
            state = entry.stat(follow_symlinks=False)
            now = signature(state)
            before = known.get(path)
            if before is None or before[0] != now:
                before = (now, self._read(path, entry.path, state))
        except OSError:
            return None  # vanished in between
        self._known[path] = before
        return before[1]

    def _read(self, path: str, full: str, state: os.stat_result) -> FoundPipeline | None:
        readable = stat.S_ISREG(state.st_mode) and state.st_size <= MAX_BYTES
        if not readable:
            return FoundPipeline(path, None) if is_oml_name(path) else None
        from osiris.syntax.document import decode

        try:
            with open(full, "rb") as file:
                text, problem = decode(file.read(HEAD_BYTES))
                if problem is not None and state.st_size > HEAD_BYTES:  # the cut may have hit the middle of a letter
                    text, problem = decode(_whole_lines(file))
        except OSError:
            return FoundPipeline(path, None) if is_oml_name(path) else None
        if problem is not None:
            return FoundPipeline(path, None) if is_oml_name(path) else None
        return self._judge(path, text)

    def _judge(self, path: str, text: str) -> FoundPipeline | None:
        if not is_oml_name(path) and not has_oml_version(text):
            return None
        return FoundPipeline(path, pipeline_name(text), parameter_names(text))


def _whole_lines(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    return head[: head.rfind(b"\n") + 1]
