"""Where a manifest can run: the one list of targets."""

from __future__ import annotations

from dataclasses import dataclass

HERE = "local"
"""The target that is this machine."""


@dataclass(frozen=True, slots=True)
class Target:
    """``adapter``: the class behind it, looked up by name, since adapters belong to a later layer. ``packages``: what
    must be importable besides what every run needs."""

    adapter: str
    packages: tuple[str, ...] = ()


TARGETS = {
    HERE: Target("osiris.execution.local:LocalAdapter"),
    "e2b": Target("osiris.execution.e2b.adapter:E2BTransparentProxy", ("e2b",)),
}
