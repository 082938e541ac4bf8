"""A client of the control API for scripts and the inspector: plain blocking calls, over a Unix socket or to a TCP port.

What a proxy says is checked (see `protocol`): lengths before they are read, types, ranges, depth. Whatever is on the other
side, only a ControlError comes of it. A client is for one thread; `events` holds a connection of its own, which
`Events.close` ends from any thread.
"""

import contextlib
import http.client
import json
import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from ...cassettes.errors import CassetteError, UsageError
from ...cassettes.interaction import BlobRef, Interaction
from ...cassettes.records import decode_interaction
from ...cassettes.summary import LAYOUT, Summary
from .protocol import (
    MOST_ANSWER,
    MOST_LINE,
    MOST_PAGE,
    ControlError,
    Event,
    HeldCall,
    Holding,
    Page,
    Snapshot,
    event_of,
    parsed,
)

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0
SILENT_SECONDS = 30.0
"""How long a stream of events may be silent: it is known to beat every ten."""
RECORD = "application/x-respool-record"
TOKEN_VARIABLE = "RESPOOL_CONTROL_TOKEN"  # noqa: S105 - the name of a variable


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
        if _owner(self.sock, self._path) != os.getuid():
            self.close()
            raise ControlError(
                f"who listens on {self._path} is another user of this machine",
                "the inspector would believe what it says, and send calls with your credentials where it points",
            )


def _owner(connected: socket.socket, path: str) -> int:
    """The user at the other end of a Unix socket: where the system does not tell, the one that the file belongs to."""
    if not hasattr(socket, "SO_PEERCRED"):
        return Path(path).stat().st_uid
    said = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return _PEER.unpack(said)[1]


_PEER = struct.Struct("3i")
"""Process, user and group (unix(7))."""


class Client:
    """Speaks to the control API at `address`: a path, or `http://HOST:PORT`. `token` is for a port."""

    def __init__(self, address: str, *, token: str = "") -> None:
        """Raises UsageError for what is no address. Nothing is connected to yet."""
        self.address = address
        self._token = token
        self._host = ("", 0)
        if re.match(r"https?://", address):
            self._host = _host_of(address)
        self._connection: http.client.HTTPConnection | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up for good: what is asked after this is a ControlError. May be called from any thread."""
        self._closed = True
        self._hang_up()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def snapshot(self) -> Snapshot:
        return parsed(Snapshot, self._ask("GET", "/snapshot"))

    def calls(self, first: int = 0, limit: int = MOST_PAGE) -> Page:
        """Calls that have ended, from place `first` on."""
        page = parsed(Page, self._ask("GET", f"/calls?first={first}&limit={limit}"))
        if any(call.place != place for place, call in enumerate(page.calls, page.first)):
            raise ControlError("the control API sent calls out of order", "is it a respool of this version?")
        return page

    def call(self, number: int) -> Interaction:
        """A call, redacted; long bodies have only their beginning. Raises CassetteError for one that is gone."""
        data = self._ask("GET", f"/calls/{number}", accept=RECORD)
        try:
            summary = Summary.unpack(data[: LAYOUT.size])
            return decode_interaction(data[LAYOUT.size :], summary._replace(arrival=number), _no_piece)
        except (struct.error, CassetteError) as error:
            raise ControlError("the control API sent a call that makes no sense") from error

    def report(self, session: str) -> dict[str, Any]:
        """What was played, missed and not used in a session of a replay."""
        data = self._ask("GET", f"/sessions/{quote(session, safe='')}")
        try:
            said = json.loads(data)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("session"), str):
            raise ControlError("the control API sent a report that makes no sense")
        return said

    def reset(self, session: str) -> None:
        """Let a session of a replay begin anew."""
        self._ask("POST", f"/sessions/{quote(session, safe='')}/reset")

    def intercept(self, text: str, seconds: float = 30.0) -> None:
        """Hold back the calls that a filter fits, before they go upstream; each goes on by itself after `seconds`."""
        self._ask("PUT", "/interception", body=json.dumps({"filter": text, "seconds": seconds}).encode())

    def intercept_nothing(self) -> None:
        self._ask("DELETE", "/interception")

    def holding(self) -> Holding:
        """What is held back, and which calls wait."""
        return parsed(Holding, self._ask("GET", "/interception"))

    def held(self, number: int) -> HeldCall:
        """A held call with its body, redacted."""
        return parsed(HeldCall, self._ask("GET", f"/held/{number}"))

    def release(self, number: int, *, target: str | None = None, body: str | None = None) -> None:
        """Let a held call go upstream, with another target or body where they are given."""
        edits = {name: text for name, text in (("target", target), ("body", body)) if text is not None}
        self._ask("POST", f"/held/{number}/release", body=json.dumps(edits).encode())

    def drop(self, number: int) -> None:
        """Answer a held call with an error; it does not go upstream."""
        self._ask("POST", f"/held/{number}/drop")

    def events(self, after: int | None = None) -> "Events":
        """The events behind number `after`, or from now on."""
        query = "" if after is None else f"?after={after}"
        connection = self._connect(SILENT_SECONDS)
        try:
            connection.request("GET", f"/events{query}", headers=self._headers())
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise self._lost(error) from None
        if answer.status != 200:
            refusal = _refusal(answer.status, answer.read(1 << 16))
            connection.close()
            raise refusal
        return Events(connection, answer)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._closed:
            raise ControlError("this client of the control API was closed")
        if self._host[0]:
            connection = http.client.HTTPConnection(*self._host, timeout=CONNECT_SECONDS)
        else:
            connection = _UnixConnection(self.address, CONNECT_SECONDS)
        try:
            connection.connect()
        except (OSError, ValueError) as error:
            connection.close()
            raise self._lost(error) from None
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        return connection

    def _ask(self, method: str, target: str, *, body: bytes | None = None, accept: str = "*/*") -> bytes:
        headers = {**self._headers(), "Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        again = self._connection is not None and method == "GET"  # the proxy may have closed an idle connection
        try:
            answer, data = self._exchange(method, target, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._hang_up()
            if not again or self._closed:
                raise self._lost(error) from None
            return self._ask(method, target, body=body, accept=accept)
        if len(data) > MOST_ANSWER:
            self._hang_up()
            raise ControlError(f"the control API sent more than {MOST_ANSWER >> 20} MiB at once")
        if answer.status == 410:
            raise CassetteError("the proxy no longer has this call", "it may be in the cassette")
        if answer.status != 200:
            raise _refusal(answer.status, data)
        return data

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect(ANSWER_SECONDS)
        try:
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read(MOST_ANSWER + 1)
        finally:
            if self._closed:
                connection.close()

    def _lost(self, error: Exception) -> ControlError:
        why = getattr(error, "strerror", None) or type(error).__name__
        return ControlError(f"the control API at {self.address} cannot be reached: {why}", "is the proxy running?")


class Events:
    """A stream of events, to be read by one thread."""

    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer
        self._socket = connection.sock
        self._reading = False

    def __iter__(self) -> Iterator[Event]:
        """Each event, until the proxy ends the stream. Raises ControlError when it falls silent or talks nonsense."""
        self._reading = True
        try:
            while line := self._answer.readline(MOST_LINE + 1):
                if len(line) > MOST_LINE:
                    raise ControlError(f"the control API sent an event of more than {MOST_LINE:,} bytes")
                if line.strip() and (event := event_of(line)) is not None:
                    yield event
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            raise ControlError(f"the control API is lost: {type(error).__name__}") from None
        finally:
            self._reading = False
            self.close()

    def close(self) -> None:
        """End it; may be called from any thread."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if not self._reading:  # else who reads it sees its end, and closes it
            self._answer.close()
            self._connection.close()


def token_of(file: Path | None = None) -> str:
    """The token for a port: from a file, or from the environment; empty for none. Raises UsageError."""
    if file is None:
        return os.environ.get(TOKEN_VARIABLE, "")
    try:
        text = file.read_text(encoding="ascii")[:4096].strip()
    except (OSError, ValueError):
        raise UsageError(f"no token can be read from {file}", "it is a file with the token and nothing else") from None
    return text


def _host_of(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if not host or parts.scheme != "http":
        raise UsageError(f"{address} is no address of a control API", "give http://HOST:PORT, or the path of a socket")
    return host, port


def _refusal(status: int, data: bytes) -> ControlError:
    try:
        said = json.loads(data[: 1 << 16])["error"]["message"]
    except (ValueError, RecursionError, KeyError, TypeError):
        said = ""
    hint = f"set {TOKEN_VARIABLE}, or give --token-file" if status == 401 else ""
    return ControlError(
        f"the control API says {status}" + (f": {said[:300]}" if isinstance(said, str) and said else ""), hint
    )


def _no_piece(ref: BlobRef) -> bytes:
    raise CassetteError("the control API sent a body that is not there")
