"""What the operating system says, in words that a user knows."""

from __future__ import annotations

import errno

_SPACE = "Free some space, then try again."
_RIGHTS = "Check who owns the file and the folder, and their permissions."

# Reason, and what to do about it when a file is concerned.
_REASONS: dict[int, tuple[str, str | None]] = {
    errno.ENOENT: ("no such file or folder", "Check the spelling and the folder you are in."),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "Check the path."),
    errno.EISDIR: ("it is a folder, not a file", "Name a file."),
    errno.EEXIST: ("it exists already", "Move it away, then try again."),
    errno.EACCES: ("permission denied", _RIGHTS),
    errno.EPERM: ("the operation is not permitted", _RIGHTS),
    errno.EROFS: ("the file system is read-only", "Choose a folder that can be written to."),
    errno.ENOSPC: ("the disk is full", _SPACE),
    errno.EDQUOT: ("the disk quota is used up", _SPACE),
    errno.EFBIG: ("the file would be larger than is allowed here", "Raise the limit (ulimit -f), then try again."),
    errno.ELOOP: ("its symbolic links lead in a circle", "Repair the links."),
    errno.ENAMETOOLONG: ("the name is too long", "Use shorter names."),
    errno.EMFILE: ("too many files are open", "Raise the limit (ulimit -n), then try again."),
    errno.ENOMEM: ("there is not enough memory", None),
    errno.ETIMEDOUT: ("no answer in time", None),
    errno.ECONNREFUSED: ("the connection was refused", None),
    errno.ECONNRESET: ("the other side closed the connection", None),
}


def reason_of(error: OSError) -> str | None:
    """Why an operation of the system failed, in words; None for what has no words of its own here."""
    found = _REASONS.get(error.errno or 0)
    return found[0] if found else None


def explain_os_error(error: OSError) -> tuple[str, str | None]:
    """Why an operation on a file failed, in words, and what to do about it (None when there is nothing to say)."""
    return _REASONS.get(error.errno or 0) or ((error.strerror or type(error).__name__).lower(), None)
