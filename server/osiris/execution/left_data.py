"""What sources yielded, kept on disk as Arrow files until it is no longer needed: a resumed run stands on it.

    .osiris/data/<run>/<step>.arrow

A file gets its name when the last row is in it, and ends with a checksum. Nothing here may harm the run that leaves the
data: where it cannot be written, there is none. The folders are closed to others, and go when their run has succeeded.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import OsirisError
from osiris.core.files import private_folder
from osiris.execution.summed_files import SummedWriter, content
from osiris.execution.ulid import is_run_id, seconds_of

if TYPE_CHECKING:
    from osiris.sql.database import RunDatabase
    from osiris.sql.dataset import Dataset

FOLDER = ".osiris/data"
_ENDING = ".arrow"
PART = ".part"  # ends the name of a file that is not complete
_YOUNG_SECONDS = 86_400.0


def data_folder(root: Path) -> Path:
    """Where a project keeps what its runs leave."""
    return root / FOLDER


def left_by(root: Path, run_id: str) -> dict[str, Path]:
    """The steps of a run whose rows are there in full, each with its file."""
    folder = data_folder(root) / run_id
    return {path.name.removesuffix(_ENDING): path for path in folder.glob(f"*{_ENDING}")}


class Leaving:
    """Where one run leaves the rows of its sources."""

    def __init__(self, root: Path, run_id: str) -> None:
        self._root = root
        self.folder = data_folder(root) / run_id

    def place(self, step: str) -> Path | None:
        """The file for the rows of a step, its folder made; None where that cannot be."""
        try:
            private_folder(self._root / ".osiris")
            private_folder(self.folder.parent)
            private_folder(self.folder)
        except (OSError, OsirisError):  # a project that is read-only, a disk that is full
            return None
        return self.folder / f"{step}{_ENDING}"

    def take_over(self, step: str, source: Path) -> Path:
        """Have the rows of a step that another run left, too: where they are now, whatever becomes of that run's.

        The disk holds them once where it can; where there is no place for them they stay where they are.
        """
        place = self.place(step)
        if place is None or place.exists():
            return place or source
        try:
            os.link(source, place)
        except OSError:
            part = _part_of(place)
            try:
                shutil.copyfile(source, part)
                os.replace(part, place)
            except OSError:
                part.unlink(missing_ok=True)
                return source
        return place

    def remove_parts(self) -> None:
        """Remove what a run that was killed had not written to its end."""
        for part in self.folder.glob(f".*{PART}"):
            part.unlink(missing_ok=True)

    def remove(self) -> None:
        """Give the space back: nobody will resume this run."""
        shutil.rmtree(self.folder, ignore_errors=True)


def remove_orphans(root: Path, logs_dir: Path) -> None:
    """Remove what runs left that are no longer in the logs folder. Young ones may be at work, with one of their own."""
    with contextlib.suppress(OSError):
        for folder in data_folder(root).iterdir():
            if not is_run_id(folder.name) or (logs_dir / folder.name).is_dir():
                continue
            if time.time() - seconds_of(folder.name) > _YOUNG_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def read(path: Path, database: RunDatabase) -> Dataset:
    """The rows in a file, which stays on disk and is read as far as it is needed. Raises OSError, pyarrow errors."""
    import pyarrow as pa

    from osiris.sql.dataset import as_dataset

    with pa.ipc.open_file(content(path)) as reader:
        return as_dataset(reader.read_all(), database)


def tee(stream: Any, place: Path, complete: Callable[[], None]) -> Any:
    """The same stream of Arrow batches, written to ``place`` on its way.

    The file appears when the stream ends well; then ``complete`` is called.
    """
    import pyarrow as pa

    return pa.RecordBatchReader.from_batches(stream.schema, _written(stream, place, complete))


def write(data: Dataset, place: Path) -> None:
    """Write rows to a file that appears when it is complete; where that goes wrong, there is none."""
    for _ in _written(data.to_arrow_reader(), place, lambda: None):
        pass


def survives(data: Dataset, database: RunDatabase) -> bool:
    """Whether all columns have the same types when they come back from a file."""
    from osiris.sql.dataset import as_dataset

    empty = as_dataset(data.to_arrow_reader().schema.empty_table(), database)
    try:
        return empty.columns == data.columns
    finally:
        empty.release()


def _part_of(place: Path) -> Path:
    """What a file is called until it is complete: two that make the same one do not write into each other's."""
    return place.with_name(f".{place.name}.{os.urandom(4).hex()}{PART}")


def _written(stream: Any, place: Path, complete: Callable[[], None]) -> Iterator[Any]:
    writer = _Writer(_part_of(place), stream.schema)
    try:
        with stream:
            for batch in stream:
                writer.write(batch)
                yield batch
        if writer.finish(place):
            complete()
    finally:
        writer.close()


class _Writer:
    """Writes batches to a file until that goes wrong; from then on does nothing."""

    def __init__(self, path: Path, schema: Any) -> None:
        import pyarrow as pa

        self._path = path
        self._troubles = (OSError, pa.ArrowException)
        self._file: Any = None
        self._writer: Any = None
        with contextlib.suppress(*self._troubles):
            self._file = SummedWriter(path)
            self._writer = pa.ipc.new_file(self._file, schema)

    def write(self, batch: Any) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write_batch(batch)
        except self._troubles:
            self.close()

    def finish(self, place: Path) -> bool:
        """Give the file its name; it is complete. Whether that went well."""
        if self._writer is None:
            return False
        try:
            self._writer.close()
            self._file.finish()
            os.replace(self._path, place)
        except self._troubles:
            self.close()
            return False
        self._writer = None
        return True

    def close(self) -> None:
        """Remove what is not complete."""
        self._writer = None
        with contextlib.suppress(*self._troubles, ValueError):
            self._file.close()
        self._path.unlink(missing_ok=True)
