"""A double of the E2B service for tests: its API and the daemon in its sandboxes, over real HTTP on loopback.

The unmodified ``e2b`` package drives it. ``E2BDouble`` is all that tests need; ``settings`` are the variables that lead
the package to it.
"""

from __future__ import annotations

from e2b_double.server import E2BDouble
from e2b_double.template import Isolation
from e2b_double.wire import Fault

__all__ = ["E2BDouble", "Fault", "Isolation"]
