"""The errors a handler may answer a request with, and how any other exception is told to the client."""

from __future__ import annotations

import logging
import traceback
from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_INITIALIZED = -32002
REQUEST_CANCELLED = -32800
CONTENT_MODIFIED = -32801
REQUEST_FAILED = -32803

log = logging.getLogger("osiris.lsp")


class RequestError(Exception):
    """A request that cannot be answered, for a reason the user understands."""

    def __init__(self, message: str, code: int = REQUEST_FAILED) -> None:
        super().__init__(message)
        self.code = code


def answer_for(method: str, error: BaseException) -> tuple[int, str]:
    """The error code and the text for the client. Foreign text never gets out unmasked, tracebacks never at all."""
    from osiris.core.error_taxonomy import OsirisError, describe
    from osiris.core.lookup import MissingPackageError
    from osiris.core.secrets_masking import mask_secrets

    if isinstance(error, RequestError):
        return error.code, mask_secrets(str(error))
    if isinstance(error, MissingPackageError):
        return REQUEST_FAILED, f"{describe(error)} {error.hint}"
    if isinstance(error, OsirisError):
        return REQUEST_FAILED, describe(error)
    report(method, error)
    return INTERNAL_ERROR, f"Osiris could not answer {method} because of a fault of its own. Its log says where."


def data_for(error: BaseException) -> dict[str, Any] | None:
    """What goes along with the answer to a failed request, for a client that can mend the cause."""
    from osiris.core.lookup import MissingPackageError, install_command

    if not isinstance(error, MissingPackageError):
        return None
    return {"missingPackages": [error.package], "extra": error.extra, "install": install_command(error.package)}


def report(where: str, error: BaseException) -> None:
    """Log a fault of our own: one line that says where, and the whole traceback at debug level."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"
    log.error("%s failed: %s at %s", where, type(error).__name__, place)
    log.debug("%s failed", where, exc_info=error)
