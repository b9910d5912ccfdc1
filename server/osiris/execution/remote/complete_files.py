"""On the other machine: which files of the project a run has made or changed, once they are complete."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from osiris.execution.remote.set_aside import SetAside

_OURS = frozenset({".osiris", "osiris.yaml"})


def digest_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def writes_anywhere(manifest: Mapping[str, Any]) -> bool:
    """Whether a step is one of a plug-in, which may write where it likes. Ours write where their configuration says."""
    return not all(str(step.get("driver") or "").startswith("osiris.drivers.") for step in manifest["steps"])


class CompleteFiles:
    """The files below ``root``, compared with what was there at first."""

    def __init__(self, root: Path, request: dict[str, Any]) -> None:
        self._root = root
        self._outputs: dict[str, list[str]] = request["outputs"]
        self._anywhere = writes_anywhere(request["manifest"])
        self._known = {path: _stamp(root / path) for path in _below(root)}
        self._aside = SetAside(root, self._outputs)

    def of_step(self, step: str) -> Iterator[dict[str, Any]]:
        """What a step that is done has written where it is known to write."""
        for path in self._outputs.get(step, ()):
            place = self._root / path
            for found in [f"{path}/{below}" for below in _below(place)] if place.is_dir() else [path]:
                yield from self._changed(found, self._aside.found(step, found))

    def at_the_end(self) -> Iterator[dict[str, Any]]:
        """What else was made, by steps of plug-ins: when nothing is on its way any more.

        A place that a step is known to write to holds nothing for others unless that step was done. Hidden files stay.
        """
        if not self._anywhere:
            return
        known = [path for paths in self._outputs.values() for path in paths]
        for path in sorted(_below(self._root)):
            hidden = any(name.startswith(".") for name in path.split("/"))
            if not hidden and not any(_belongs_to(path, output) for output in known):
                yield from self._changed(path)

    def of_run(self, run_dir: Path) -> Iterator[dict[str, Any]]:
        """What drivers left in the folder of the run."""
        for path in ("worker.log", *(f"artifacts/{below}" for below in sorted(_below(run_dir / "artifacts")))):
            if _stamp(run_dir / path) is not None:
                yield _told("run", path, run_dir / path)

    def _changed(self, path: str, copy: str | None = None) -> Iterator[dict[str, Any]]:
        place = self._root / (copy or path)
        stamp = _stamp(place)
        if stamp is not None and stamp != self._known.get(path):
            self._known[path] = stamp
            yield _told("project", path, place) | ({"at": copy} if copy else {})


def _belongs_to(path: str, output: str) -> bool:
    return path == output or path.startswith((f"{output}/", f"{output}-", f"{output}.wal"))


def _told(where: str, path: str, place: Path) -> dict[str, Any]:
    return {"place": where, "path": path, "size": place.stat().st_size, "sha256": digest_of(place)}


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes with the content; None for what is no file."""
    try:
        state = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return (state.st_size, state.st_mtime_ns) if path.is_file() and not path.is_symlink() else None


def _below(folder: Path) -> Iterator[str]:
    """The files below a folder by their paths; neither ours nor those that are not complete."""
    for home, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if Path(home, name) != folder / ".osiris"]
        for name in names:
            if name.startswith(".") and name.endswith(".part"):
                continue
            path = Path(home, name).relative_to(folder).as_posix()
            if path not in _OURS:
                yield path
