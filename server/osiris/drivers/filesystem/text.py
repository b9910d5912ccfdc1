"""Text files on their way to and from UTF-8: compression, encodings and lines, always as a stream."""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.files import cause, read_error
from osiris.drivers.paths import Place

CHUNK = 1024 * 1024
SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".zip": "zip", ".xz": "xz", ".zst": "zstd"}
Checkpoint = Callable[[], None]


def compression_of(path: Path, wanted: str) -> str:
    """The compression of a file: what was asked for, or what the end of its name says."""
    if wanted == "infer":
        return SUFFIXES.get(path.suffix.lower(), "none")
    return wanted


@contextmanager
def opened(place: Place, compression: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked as they are read. Raises OsirisError when it is broken."""
    import bz2
    import gzip
    import lzma
    import zlib

    openers: dict[str, Callable[[Path], Any]] = {
        "gzip": gzip.open,
        "bz2": bz2.open,
        "xz": lzma.open,
        "zstd": _unpacked_zstd,
        "none": _plain,
    }
    try:
        if compression == "zip":
            with zipfile.ZipFile(place.path) as archive, archive.open(_only_member(archive, place)) as member:
                yield member
        else:
            with openers[compression](place.path) as stream:
                yield stream
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise ExecutionError(
            f"{place.shown} is not a whole {compression} file.", hint="Check the file, and the option compression."
        ) from error
    except OSError as error:
        if error.errno is None:  # what bz2 raises for broken data
            raise ExecutionError(
                f"{place.shown} is not a whole {compression} file.", hint="Check the file, and the option compression."
            ) from error
        raise read_error(place.shown, error) from cause(error)


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _unpacked_zstd(path: Path) -> Any:
    import pyarrow as pa

    return pa.input_stream(str(path), compression="zstd")


@contextmanager
def packing(path: Path, compression: str) -> Iterator[IO[bytes]]:
    """A new file that packs what is written to it (``gzip``, ``zstd`` or ``none``)."""
    if compression == "gzip":
        import gzip

        with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
            yield packed  # type: ignore[misc]  # a GzipFile writes bytes as any file does
    elif compression == "zstd":
        import pyarrow as pa

        with pa.output_stream(str(path), compression="zstd") as packed:
            yield packed
    else:
        with path.open("wb") as plain:
            yield plain


def _only_member(archive: zipfile.ZipFile, place: Place) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) != 1:
        raise ConfigurationError(
            f"{place.shown} holds {len(members)} files; a zip archive must hold exactly one.",
            hint="Unpack it and name the file that is meant.",
        )
    if members[0].flag_bits & 1:
        raise ConfigurationError(f"{place.shown} is protected by a password.", hint="Unpack it first.")
    return members[0]


def to_utf8(source: IO[bytes], encoding: str, shown: str, checkpoint: Checkpoint) -> Iterator[bytes]:
    """The text of ``source`` in UTF-8, chunk by chunk, without a byte order mark.

    Raises ExecutionError with the place of the first byte that is not valid in ``encoding``.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)("strict")
    done = 0
    while True:
        checkpoint()
        data = source.read(CHUNK)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            pending = len(error.object) - len(data)
            at = done - pending + error.start
            bad = error.object[error.start]
            raise ExecutionError(
                f"{shown} is not {encoding}: the byte 0x{bad:02X} at position {at} is not valid in it.",
                hint="Set the option encoding to what the file was saved with.",
            ) from error
        except UnicodeError as error:  # UTF-16 without a byte order mark
            raise ExecutionError(
                f"{shown} is not {encoding}: {error}.", hint="Set the option encoding to what the file was saved with."
            ) from error
        done += len(data)
        if text:
            yield text.encode()
        if not data:
            return


def lines_of(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The records of a CSV text: lines, where a line end inside quotes ends nothing."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).splitlines(keepends=True)
        # A trailing \r may be the first half of \r\n, so the last line always waits for the next chunk.
        rest = lines.pop() if lines else b""
        yield from lines
    if rest:
        yield from rest.splitlines(keepends=True)


def uniform_lines(lines: Iterator[bytes]) -> Iterator[bytes]:
    """``lines``, each record ending in a line feed; line ends inside quotes stay as they are."""
    quoted = False
    for line in lines:
        if line.count(b'"') % 2:
            quoted = not quoted
        yield line if quoted else line.rstrip(b"\r\n") + b"\n"


def lines_before(source: IO[bytes], number: int, comment: str, *, named: bool) -> tuple[int, int]:
    """How many lines stand before the first that counts, and how many of those are comments.

    The first ``number`` certainly do; where that line is ``named`` (the header), blank ones and comments behind them
    do, too. The first megabyte is looked at.
    """
    lines = source.read(CHUNK).removeprefix(codecs.BOM_UTF8).splitlines()
    is_comment = [bool(comment) and line.startswith(comment.encode()) for line in lines]
    rest = range(number, len(lines)) if named else ()
    end = next((index for index in rest if lines[index] and not is_comment[index]), number)
    return end, sum(is_comment[:end])


def has_blank_line(source: IO[bytes], checkpoint: Checkpoint) -> bool:
    """Whether two line ends meet anywhere, be it inside quotes."""
    last = b"\n"
    while data := source.read(CHUNK):
        checkpoint()
        data = last + data
        if b"\n\n" in data or b"\n\r\n" in data or b"\r\r" in data:
            return True
        last = data[-2:]
    return False


def without_blank_lines(lines: Iterator[bytes], keep: int, instead: bytes | None) -> Iterator[bytes]:
    """``lines`` with each empty one behind the first ``keep`` left out, or replaced by ``instead``."""
    quoted = False
    for number, line in enumerate(lines):
        blank = not quoted and not line.strip(b"\r\n")
        if line.count(b'"') % 2:
            quoted = not quoted
        if not blank or number < keep:
            yield line
        elif instead is not None:
            yield instead + b"\n"


def encoded(head: str, source: IO[bytes], encoding: str, shown: str, checkpoint: Checkpoint) -> Iterator[bytes]:
    """``head`` and the UTF-8 text of ``source`` in an encoding, chunk by chunk.

    Raises ExecutionError for a character that the encoding does not have.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    encoder = codecs.getincrementalencoder(encoding)("strict")
    while True:
        checkpoint()
        data = source.read(CHUNK)
        text = head + decoder.decode(data, final=not data)
        head = ""
        try:
            yield encoder.encode(text, final=not data)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise ExecutionError(
                f"{shown} cannot be written as {encoding}: it has no character {character!r} (U+{ord(character):04X}).",
                hint="Set encoding: utf-8, or take the character out in a SQL step.",
            ) from error
        if not data:
            return
