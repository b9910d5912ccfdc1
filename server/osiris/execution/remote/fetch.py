"""Files that come back from another machine: in parts, each checked, put in their place when they are whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from osiris.core.files import cause as without_name
from osiris.core.files import is_inside, write_error
from osiris.drivers.context import temporary_sibling
from osiris.execution.remote.complete_files import digest_of
from osiris.execution.remote.errors import NotBroughtBack
from osiris.execution.remote.machine import Machine
from osiris.execution.remote.package import BESIDE, SentFile
from osiris.execution.remote.protocol import CHUNK, CHUNK_BYTES, LOGS, PROJECT
from osiris.language.project_file_names import is_own_file

_Answer = TypeVar("_Answer")
Again = Callable[[Callable[[], _Answer]], _Answer]


class Fetcher:
    """Brings the files of one run to this machine; what is whole here already is not fetched again."""

    def __init__(
        self,
        root: Path,
        run_dir: Path,
        outputs: Mapping[str, Sequence[str]],
        sent: Sequence[SentFile],
        limit: int,
        *,
        anywhere: bool,
    ) -> None:
        """``outputs``: where steps said that they write; ``sent``: what went along; ``limit``: bytes in all.

        ``anywhere``: whether a step may write other files, too.
        """
        self._root = root
        self._run_dir = run_dir
        self._outputs = [path for paths in outputs.values() for path in paths]
        self._sent = {file.path: file for file in sent}
        self._limit = limit
        self._anywhere = anywhere
        self._total = 0
        self._came: dict[str, str] = {}
        self._part: Path | None = None

    def fetch(self, machine: Machine, python: Sequence[str], told: Mapping[str, Any], again: Again[Any]) -> None:
        """Bring one file. Raises NotBroughtBack when that cannot be, with what to do about it."""
        path, size, digest = str(told["path"]), max(0, int(told["size"])), str(told["sha256"])
        target = self._place(str(told["place"]), path)
        if target.is_file() and target.stat().st_size == size and digest_of(target) == digest:
            self._came[path] = digest
            return
        self._require_unchanged(path, target)
        self._count(path, size)
        home = f"{machine.home}/{PROJECT if told['place'] == 'project' else f'{LOGS}/{self._run_dir.name}'}"
        self._part = part = temporary_sibling(target, self._run_dir.name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            for attempt in (1, 2):
                _fill(part, machine, python, f"{home}/{told.get('at', path)}", size, again)
                if digest_of(part) == digest:
                    break
                part.unlink()
                if attempt == 2:
                    raise NotBroughtBack(f"The file {path} came back twice in another form than it has there.")
            self._require_unchanged(path, target)  # it took a while
            os.replace(part, target)
            self._forget_beside(path, target)
            self._came[path] = digest
        except OSError as error:
            raise write_error(target, error) from without_name(error)

    def came_before(self, told: Mapping[str, Any]) -> None:
        """A file that was brought before this process began to listen."""
        self._came[str(told["path"])] = str(told["sha256"])

    def parts(self) -> list[str]:
        """The names under which files are kept here until they are whole."""
        return [str(temporary_sibling(self._root / path, self._run_dir.name)) for path in self._outputs]

    def remove_parts(self) -> None:
        """Nobody goes on with what has not come back whole."""
        for part in (*map(Path, self.parts()), self._part):
            if part is not None:
                with contextlib.suppress(OSError):
                    part.unlink()

    def _place(self, place: str, path: str) -> Path:
        """Where a file belongs on this machine. Another machine has no say in anything but what the run writes."""
        names = path.split("/")
        home = self._root if place == "project" else self._run_dir
        target = home / path
        bad = path.startswith("/") or any(name in ("", ".", "..") for name in names) or "\0" in path
        if not bad and place == "project":
            known = any(path == output or path.startswith(f"{output}/") for output in self._outputs)
            free = not any(name.startswith(".") for name in names) and ".oml" not in names[-1].lower()
            bad = is_own_file(path) or not (known or (self._anywhere and free))
        elif not bad:
            bad = place != "run" or not (path == "worker.log" or names[0] == "artifacts")
        if bad or not is_inside(target, home):
            raise NotBroughtBack(
                f"The run wrote {path!a} on the other machine, which is no place for what a pipeline writes."
            )
        return Path(os.path.realpath(target))

    def _require_unchanged(self, path: str, target: Path) -> None:
        """Refuse to replace a file that was changed here while a copy of it was worked on there."""
        if path not in self._sent:
            return
        beside = [(f"{path}{ending}", target.with_name(target.name + ending)) for ending in BESIDE]
        if self._changed(path, target) or any(self._changed(name, place) for name, place in beside):
            raise NotBroughtBack(
                f"The file {path} was changed on this machine while the run worked on a copy of it elsewhere; it was "
                "left as it is here.",
                hint="Run it again when nobody else writes to the file.",
            )

    def _changed(self, path: str, target: Path) -> bool:
        """Whether a file here is another one than went along, or came back last."""
        try:
            state = target.stat()
        except OSError:
            return False  # removed: nothing of anybody's is lost
        sent = self._sent.get(path)
        if sent is not None and (state.st_size, state.st_mtime_ns) == sent.stamp:
            return False
        return path not in self._came or digest_of(target) != self._came[path]

    def _forget_beside(self, path: str, target: Path) -> None:
        """What stood beside a database was part of the file that has been replaced."""
        if path in self._sent:
            for ending in (*BESIDE, "-shm"):
                target.with_name(target.name + ending).unlink(missing_ok=True)

    def _count(self, path: str, size: int) -> None:
        self._total += size
        if self._total > self._limit:
            raise NotBroughtBack(
                f"The run has written more than may be brought back: with {path} it is {_size(self._total)}, and the "
                f"limit is {_size(self._limit)}.",
                hint="Raise max_download in your settings.yaml, or write less.",
            )


def _fill(part: Path, machine: Machine, python: Sequence[str], source: str, size: int, again: Again[Any]) -> None:
    """Fetch what is still missing of a file."""
    begun = part.stat().st_size if part.exists() else 0
    begun -= begun % CHUNK_BYTES
    if begun > size:
        begun = 0
    with part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(begun)
        file.seek(begun)
        while (position := file.tell()) < size:
            wanted = min(CHUNK_BYTES, size - position)
            file.write(again(partial(_chunk, machine, python, source, position, wanted, size)))
        file.flush()
        os.fsync(file.fileno())


def _chunk(machine: Machine, python: Sequence[str], source: str, position: int, wanted: int, size: int) -> bytes:
    """A part of a file. One that does not come whole counts as a connection that was lost."""
    from osiris.execution.remote.errors import ConnectionLost

    if position == 0 and wanted == size:
        data = machine.get(source)
        if len(data) != size:
            raise ConnectionLost(f"{Path(source).name} did not come whole.")
        return data
    place = f"{machine.home}/{CHUNK}"
    ran = machine.run([*python, "osiris.execution.remote.errands", "cut", source, str(position), str(wanted), place])
    if ran.code != 0:
        raise NotBroughtBack(f"{Path(source).name} cannot be read on the other machine: {ran.err.strip()[-300:]}")
    told, data = json.loads(ran.out), machine.get(place)
    if len(data) != wanted or hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise ConnectionLost(f"A part of {Path(source).name} did not come whole.")
    return data


def _size(number: int) -> str:
    return f"{number / 1e9:.2f} GB" if number >= 1e8 else f"{number / 1e6:.2f} MB"
