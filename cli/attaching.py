"""What `respool inspect` is to look at: a cassette, a running proxy by its socket or its port, or the one that is running.

What speaks with proxies is imported where there is one: a cassette is on the screen sooner.
"""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..cassettes.errors import UsageError
from ..cassettes.text import clip

if TYPE_CHECKING:
    from ..proxy.control.client import Client
    from ..proxy.control.places import Found

MOST_LISTED = 20


def proxy_of(named: str | None, token_file: Path | None) -> "Callable[[], Client] | None":
    """What makes a client of the proxy that was named; None where a cassette was. Raises UsageError or ControlError.

    A proxy that is started again has another socket: it is found by its port each time.
    """
    if named is None:
        return _socket(_only().path)
    if named.startswith(("http://", "https://")):
        from ..proxy.control import places
        from ..proxy.control.client import Client, token_of

        port = _local_port(named)
        found = next((each for each in places.running() if each.port == port), None) if port else None
        if found is not None:
            return _socket(found.path)
        return lambda: Client(named.rstrip("/"), token=token_of(token_file))
    path = Path(named)
    try:
        is_socket = stat.S_ISSOCK(path.stat().st_mode)
    except (OSError, ValueError):
        is_socket = False
    return _socket(path) if is_socket else None


def _only() -> "Found":
    """The one proxy that is running. Raises UsageError where there is none, or more than one, which it lists."""
    from ..proxy.control import places

    found = list(places.running())
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            "no proxy is running to look at", "name a cassette, or start `respool record`, `replay` or `serve` first"
        )
    error = UsageError(f"{len(found)} proxies are running", "name one of them: `respool inspect http://127.0.0.1:PORT`")
    error.lines = tuple(f"  {_told(each)}" for each in found[:MOST_LISTED])
    raise error


def _told(found: "Found") -> str:
    from ..proxy.control.client import Client
    from ..proxy.control.protocol import ControlError

    try:
        with Client(str(found.path)) as client:
            snapshot = client.snapshot()
    except ControlError:
        return f"port {found.port}, process {found.pid}"
    names = ", ".join(clip(path, 80) for path in snapshot.cassettes[:3])
    return " · ".join(word for word in (clip(snapshot.address, 80), clip(snapshot.mode, 20), names) if word)


def _socket(path: Path) -> "Callable[[], Client]":
    from ..proxy.control import places
    from ..proxy.control.client import Client

    port = path.name.partition("-")[0]

    def connect() -> "Client":
        if not places.answers(path) and port.isdigit():
            for found in places.running():
                if found.port == int(port):
                    return Client(str(found.path))
        return Client(str(path))

    return connect


def _local_port(address: str) -> int:
    """The port of an address of this machine; 0 for any other."""
    try:
        parts = urlsplit(address)
        return (parts.port or 0) if parts.hostname in {"127.0.0.1", "localhost", "::1", "0.0.0.0"} else 0  # noqa: S104 - read, not bound
    except ValueError:
        return 0
