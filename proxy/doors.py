"""Who may speak to the data port: the check of `Host`, `Origin` and `Sec-Fetch-Site`, made before a target is looked at.

A port on loopback is open to every page in the user's browser. Such a page can send requests there, or point a name of its
own at 127.0.0.1 (DNS rebinding), but it cannot choose what the browser writes into these three fields. So `Host` has to be
one of the names under which this port is known, exactly and with its port, and a request that a browser made for another
origin is refused. Programs send neither `Origin` nor `Sec-Fetch-Site`, and never notice.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple

from ..cassettes.errors import UsageError

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_NAME = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)(?::[0-9]{1,5})?")
_AUTHORITY = re.compile(rb"(\[[0-9a-f:.]+\]|[^:\[\]/?#@\x00-\x20\x7f-\xff]+)(?::[0-9]{1,5})?")
_OWN_SITES = frozenset({b"none", b"same-origin"})
"""`Sec-Fetch-Site` of what a user typed and of what this port's own pages ask; other ports of the machine are `same-site`."""


class Refusal(NamedTuple):
    status: int
    message: str
    code: str


_NO_HOST = Refusal(400, "the request has no Host, or more than one", "host_missing")
_FOREIGN_HOST = Refusal(
    421,
    "the Host of the request is none of this proxy's names; if it is meant to be one, start respool with --allow-host NAME",
    "host_refused",
)
_FOREIGN_ORIGIN = Refusal(
    403, "the request comes from a web page of another origin, which may not use this proxy", "origin_refused"
)


class Doors:
    """The doors of one port. `allowed` are more names: `NAME` with any port, `NAME:PORT` with that one.

    Raises UsageError for what cannot be a name.
    """

    __slots__ = ("_any_address", "_authorities", "_names", "_port")

    def __init__(self, host: str, port: int, allowed: Iterable[str] = ()) -> None:
        address = ipaddress.ip_address(host.partition("%")[0])
        self._port = port
        self._any_address = address.is_unspecified
        self._names: set[bytes] = set()
        self._authorities: set[bytes] = set()
        for name in (*_LOOPBACK, _shown(address)):
            self._add(name)
        for name in map(host_name, allowed):
            with_port = name.rpartition("]")[2].partition(":")[1]
            (self._authorities if with_port else self._names).add(name.encode())

    def _add(self, name: str) -> None:
        self._authorities.add(f"{name}:{self._port}".encode())
        if self._port == 80:  # the one port that clients leave out
            self._authorities.add(name.encode())

    def knows(self, authority: bytes, local: object) -> bool:
        """Whether this is a name of the port. `local`: the address that the connection came in on (`sockname`).

        Where the port listens on all addresses, that address is one of its names: no page can rebind an address.
        """
        if authority in self._authorities:
            return True
        authority = authority.lower()
        if authority in self._authorities:
            return True
        match = _AUTHORITY.fullmatch(authority)
        if match is None:
            return False
        if match[1] in self._names:
            return True
        if self._any_address and isinstance(local, tuple):
            return authority == f"{_shown(ipaddress.ip_address(local[0].partition('%')[0]))}:{self._port}".encode()
        return False

    def refusal(self, hosts: list[bytes], origins: list[bytes], sites: list[bytes], local: object) -> Refusal | None:
        """Why a request with these fields is not let in, or None."""
        if len(hosts) != 1 or not hosts[0]:
            return _NO_HOST
        if not self.knows(hosts[0], local):
            return _FOREIGN_HOST
        if any(site.lower() not in _OWN_SITES for site in sites):
            return _FOREIGN_ORIGIN
        for origin in origins:
            scheme, mark, authority = origin.partition(b"://")
            if not mark or scheme.lower() not in {b"http", b"https"} or not self.knows(authority, local):
                return _FOREIGN_ORIGIN
        return None


def host_name(text: str) -> str:
    """A name for `Doors`, in lower case. Raises UsageError for what is none."""
    if _NAME.fullmatch(text.lower()) is None:
        raise UsageError(f"--allow-host {text!r} is not the name of a host", "give a NAME, or NAME:PORT, and no URL")
    return text.lower()


def _shown(address: "ipaddress.IPv4Address | ipaddress.IPv6Address") -> str:
    return f"[{address}]" if address.version == 6 else str(address)
