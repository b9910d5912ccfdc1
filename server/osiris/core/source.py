"""Read a text file that a user named, or say exactly why it cannot be read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.files import read_error
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.limits import MAX_BYTES
from osiris.syntax.text import Span


def read_source(path: Path, *, shown: str | None = None) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte order mark.

    ``shown`` is how errors call the file (default: the path as given). Raises ConfigurationError for a file that is
    missing, a folder, a broken link, no regular file, unreadable, too large, or not text.
    """
    return read_encoded(path, shown=shown).text


@dataclass(frozen=True)
class EncodedText:
    """The text of a file, its byte order mark (b"" without one), and the codec of what follows that."""

    text: str
    mark: bytes
    codec: str

    def encode(self, text: str) -> bytes:
        """``text`` as the bytes of the same kind of file."""
        return self.mark + text.encode(self.codec)


def read_encoded(path: Path, *, shown: str | None = None) -> EncodedText:
    """The text of a file with how it is written down, for those who write it again. Raises as ``read_source`` does."""
    name = shown or str(path)
    try:
        data = _read_bytes(path, name)
    except FileNotFoundError:
        raise _missing(path, name) from None
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError):  # a NUL character in the path
            raise ConfigurationError(f"Cannot read {name!r}: this is not the name of a file.") from None
        raise read_error(name, error) from None
    return decode_source(data, name)


def decode_source(data: bytes, name: str) -> EncodedText:
    """The text of the bytes of a file called ``name``. Raises ConfigurationError when they are too many, or no text."""
    from osiris.syntax.document import decode

    if len(data) > MAX_BYTES:
        raise too_large(name, len(data))
    text, problem = decode(data)
    if problem is not None:
        raise ConfigurationError(f"Cannot read {name}: {problem.message}")
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if data.startswith(mark):
            return EncodedText(text, mark, codec)
    return EncodedText(text, b"", "utf-8")


def _read_bytes(path: Path, name: str) -> bytes:
    state = path.stat()
    if stat.S_ISDIR(state.st_mode):
        raise ConfigurationError(f"{name} is a folder, not a file.", hint="Name a file in it.")
    if not stat.S_ISREG(state.st_mode):
        raise ConfigurationError(f"{name} is not a regular file (it is a device, pipe or socket).")
    if state.st_size > MAX_BYTES:
        raise too_large(name, state.st_size)
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _missing(path: Path, name: str) -> ConfigurationError:
    if path.is_symlink():
        return ConfigurationError(f"{name} is a link to {os.readlink(path)}, which does not exist.")
    if not path.parent.is_dir():
        return ConfigurationError(f"There is no file {name}: the folder {path.parent} does not exist.")
    return ConfigurationError(f"There is no file {name}.", hint="Check the spelling and the folder you are in.")


def unreadable(path: Path, message: str) -> Diagnostic:
    """The finding for a file that ``read_source`` could not read, with the text of its error."""
    try:
        code = "OML010" if path.stat().st_size > MAX_BYTES else "OML014"
    except OSError:
        code = "OML014"
    return Diagnostic(code, Span(0, 0), message, Severity.ERROR)


def too_large(name: str, size: int) -> ConfigurationError:
    """The error for a file of ``size`` bytes, which is more than Osiris reads."""
    return ConfigurationError(
        f"{name} is too large ({size / 1e6:.0f} MB): Osiris reads files of up to {MAX_BYTES / 1e6:.0f} MB."
    )
