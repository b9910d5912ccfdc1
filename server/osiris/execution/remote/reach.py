"""What a run elsewhere would have to reach: the hosts that its connections and addresses name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONNINFO_HOST = re.compile(r"(?:^|\s)host(?:addr)?\s*=\s*'?([^\s']+)")
_HOST_KEYS = frozenset({"host", "hostname", "hostaddr", "server"})
_SOCKET_KEYS = frozenset({"unix_socket", "socket"})
_OWN_NETWORKS = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test")


def hosts_in(value: Any, key: str = "") -> Iterator[str]:
    """The hosts that a configuration names, by the names of its keys and in addresses; the path of a socket, too."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from hosts_in(item, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from hosts_in(item, key)
    elif isinstance(value, str) and value:
        if key in _HOST_KEYS and not _ADDRESS.match(value):
            yield from (part.strip() for part in value.split(",") if part.strip())
        elif key in _SOCKET_KEYS:
            yield value
        elif _ADDRESS.match(value):
            try:
                found = urlsplit(value)
                yield from (found.hostname,) if found.hostname and found.scheme != "file" else ()
            except ValueError:
                return  # the driver says what is wrong with it
        elif key in ("dsn", "conninfo", "pg_dsn"):
            yield from _CONNINFO_HOST.findall(value)


def is_public(host: str) -> bool:
    """Whether ``host`` may be one that the whole internet reaches: no socket, no name or address of one network."""
    name = host.strip().strip("[]").rstrip(".").lower()
    if not name or "/" in name:
        return False
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_global
    except ValueError:
        return "." in name and not name.endswith(_OWN_NETWORKS)
