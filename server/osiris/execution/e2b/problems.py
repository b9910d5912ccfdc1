"""What the package of E2B raises, as what it means for a run and what to do about it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from osiris.core.error_taxonomy import OsirisError
from osiris.core.secrets_masking import Masker
from osiris.execution.e2b.settings import KEY_VARIABLE
from osiris.execution.remote.errors import (
    ConnectionLost,
    MachineGone,
    NotBroughtBack,
    NotConnected,
    NotPrepared,
    OverQuota,
    Refused,
    RemoteError,
)

if TYPE_CHECKING:
    import httpx

_MOST = 300


@contextlib.contextmanager
def translated(key: str | None, doing: str) -> Iterator[None]:
    """Inside the block, what the package raises becomes a RemoteError; ``doing`` says what was tried."""
    try:
        yield
    except (OsirisError, GeneratorExit):
        raise
    except Exception as error:  # noqa: BLE001 - the package raises what its many parts raise
        raise meaning(error, key, doing) from None


def meaning(error: Exception, key: str | None, doing: str) -> RemoteError:
    """What an error of the package means."""
    import e2b
    import httpx

    said = _said(error, key)
    status = getattr(error, "status_code", None)
    if isinstance(error, e2b.AuthenticationException) or status == 401:
        return Refused(
            f"E2B does not accept the key: {said}", hint=f"Set {KEY_VARIABLE} to a key of e2b.dev/dashboard."
        )
    if isinstance(error, e2b.RateLimitException) or status in (402, 403, 429):
        return OverQuota(
            f"E2B gives no sandbox now: {said}",
            hint="Wait until other sandboxes have ended, or look at the limits of your account at e2b.dev/dashboard.",
        )
    if isinstance(error, e2b.SandboxNotRunningException | e2b.SandboxNotFoundException):
        return MachineGone(
            "The sandbox is gone: it was ended by somebody, or its time was up.",
            hint="Run it again; a longer timeout under e2b: in your settings.yaml lets a sandbox wait longer for this "
            "machine, and the limits of your account are at e2b.dev/dashboard.",
        )
    if isinstance(error, e2b.FileNotFoundException):
        return NotBroughtBack(f"{doing}: the file is not there any more.")
    if isinstance(error, e2b.NotEnoughSpaceException):
        return NotPrepared(
            "The disk of the sandbox is full.", hint="Use a template with a larger disk, or read and write less."
        )
    if isinstance(error, httpx.ConnectError):
        return NotConnected(
            f"{doing}: E2B cannot be reached{_where(error)}: no connection can be made.",
            hint="Look at the network of this machine and at status.e2b.dev, and at E2B_API_URL where you set it.",
        )
    lost = isinstance(error, e2b.TimeoutException | e2b.ServiceBusyException)
    if lost or not isinstance(error, e2b.SandboxException) or (isinstance(status, int) and status >= 500):
        return ConnectionLost(
            f"{doing}: E2B cannot be reached, or does not answer: {said}",
            hint="Look at the network and at status.e2b.dev, then run it again.",
        )
    return NotPrepared(f"{doing}: {said}", hint="Look at the template and the settings under e2b: in settings.yaml.")


def _where(error: httpx.ConnectError) -> str:
    try:
        return f" at {error.request.url.netloc.decode('ascii', 'replace').rpartition('@')[2]}"
    except RuntimeError:  # it does not say of which request it is
        return ""


def _said(error: Exception, key: str | None) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return Masker([key] if key else []).text(text)[:_MOST].rstrip(".") + "."
