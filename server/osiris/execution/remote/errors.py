"""What goes wrong with a machine elsewhere, each with a code and with what to do about it."""

from __future__ import annotations

from typing import ClassVar

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import OsirisError


class RemoteError(OsirisError):
    """A run elsewhere cannot begin, or cannot go on. ``final``: to ask again changes nothing."""

    default_code = "OML634"
    category = ErrorCategory.EXECUTION
    final: ClassVar[bool] = True


class NotSetUp(RemoteError):  # noqa: N818 - said as it is
    """A key, a package or a setting is missing on this machine."""

    default_code = "OML630"


class NotReachable(RemoteError):  # noqa: N818
    """The pipeline needs something that the other machine cannot reach."""

    default_code = "OML631"


class Refused(RemoteError):  # noqa: N818
    """The service does not accept the key."""

    default_code = "OML632"


class OverQuota(RemoteError):  # noqa: N818
    """The service gives no machine now: a quota, a limit of rate or of money."""

    default_code = "OML633"


class NotPrepared(RemoteError):  # noqa: N818
    """The machine is there, but Osiris cannot run on it."""


class MachineGone(RemoteError):  # noqa: N818
    """The machine was ended, or its time was up."""

    default_code = "OML635"


class ConnectionLost(RemoteError):  # noqa: N818
    """The machine, or the service, does not answer. To ask again may help."""

    default_code = "OML636"
    final = False


class NotConnected(ConnectionLost):
    """No connection could be made, so what was asked for never left this machine."""


class NotBroughtBack(RemoteError):  # noqa: N818
    """A file that the run wrote could not be fetched."""

    default_code = "OML637"


class Stopped(Exception):  # noqa: N818
    """Somebody wants the run to stop: nothing more is begun."""
