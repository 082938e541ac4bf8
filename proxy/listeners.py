"""The ports that this process itself listens on, so that it is never its own upstream.

A proxy that forwards to itself calls itself until nothing is left. Spellings of an address are many (`localhost`, `127.1`,
`0x7f000001`, `[::ffff:127.0.0.1]`, a name in DNS), so what is compared is the address that is about to be dialled.
"""

import ipaddress
import socket
import weakref

_LISTENING: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


def remember(listener: socket.socket) -> socket.socket:
    """Count a bound socket among the own ones for as long as it is open."""
    _LISTENING.add(listener)
    return listener


def is_own(host: str, port: int) -> bool:
    """Whether dialling this address (an IP literal) reaches a port of this process."""
    address = _plain(host)
    for listener in list(_LISTENING):
        if listener.fileno() < 0:
            continue
        bound, bound_port = listener.getsockname()[:2]
        if port == bound_port and _reaches(address, _plain(bound)):
            return True
    return False


def _reaches(
    address: "ipaddress.IPv4Address | ipaddress.IPv6Address", bound: "ipaddress.IPv4Address | ipaddress.IPv6Address"
) -> bool:
    if address.is_unspecified:  # the kernel dials loopback for it
        return bound.is_unspecified or bound.is_loopback
    if bound.is_unspecified:
        return address.is_loopback or _is_here(str(address), address.version)
    return address == bound


def _plain(host: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address":
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_here(host: str, version: int) -> bool:
    """Whether an address is one of this machine's: only those can be bound."""
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True
