"""One request and what came back: the words that both ways through the house share.

Bytes here are what was on the wire, with two exceptions: bodies are decoded from their content coding (`coding` keeps
its name), and credentials were taken out before the value was made.
"""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Headers = tuple[tuple[bytes, bytes], ...]
"""Header lines in the order and spelling of the wire, repeated ones repeated."""


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A piece of a body that stands in the cassette once, under its digest (BLAKE2b, 16 bytes)."""

    digest: bytes
    length: int


class Body:
    """What was sent, decoded from its content coding: bytes at hand, pieces in the cassette, or both in order."""

    __slots__ = ("_load", "length", "parts")

    def __init__(self, parts: tuple[bytes | BlobRef, ...] = (), load: Callable[[BlobRef], bytes] | None = None) -> None:
        self.parts = parts
        length = 0
        for part in parts:
            length += len(part) if isinstance(part, bytes) else part.length
        self.length = length
        self._load = load

    @classmethod
    def of(cls, data: bytes) -> "Body":
        return cls((data,)) if data else EMPTY

    @property
    def at_hand(self) -> bool:
        """Whether there is a body and all of it is in memory."""
        for part in self.parts:
            if not isinstance(part, bytes):
                return False
        return self.length > 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in order, a piece (1 MiB at most) at a time."""
        return map(self.piece, self.parts)

    def piece(self, part: bytes | BlobRef) -> bytes:
        """The bytes of one of `parts`."""
        if isinstance(part, bytes):
            return part
        if self._load is None:
            raise LookupError("a body piece has no cassette to be read from")
        return self._load(part)

    def read(self) -> bytes:
        """The whole body. Callers that may meet a large one look at `length` first."""
        if len(self.parts) == 1 and isinstance(self.parts[0], bytes):
            return self.parts[0]
        return b"".join(self.pieces())

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return self.length > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.length == other.length and self.read() == other.read()

    def __hash__(self) -> int:
        return hash(self.read())

    def __repr__(self) -> str:
        return f"Body({self.length} bytes)"


EMPTY = Body()


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked. `target` is the origin-form of the request line, byte for byte (RFC 9112 section 3.2.1)."""

    method: str
    target: bytes
    headers: Headers = ()
    body: Body = EMPTY
    coding: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `head_us` is the time from the request's arrival to the response's head.

    `marks` are the pieces as they arrived: (length in the decoded body, microseconds since the request arrived). They
    cover the whole body for a stream and are empty for an answer whose pace does not matter.
    """

    status: int
    reason: bytes = b""
    headers: Headers = ()
    body: Body = EMPTY
    coding: str = ""
    head_us: int = 0
    marks: tuple[tuple[int, int], ...] = ()


class End(enum.IntEnum):
    """How an interaction ended."""

    COMPLETE = 0
    CLIENT_CUT = 1
    """The client went away before the end."""
    UPSTREAM_CUT = 2
    """The upstream broke off after its response head."""
    UPSTREAM_FAILED = 3
    """No response head came from the upstream; the response is the proxy's own 502 or 504."""
    PROXY_CUT = 4
    """The proxy was stopped in between."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and what came back.

    `arrival` is the number of the request in order of arrival, across the whole cassette. `started_us` is Unix time in
    microseconds. `variant` keeps what two headers said before they were redacted (see `variants.variant_of`).
    `request_cut` says that the request's body did not arrive whole. `extra` holds fields that a newer version wrote; they are
    kept and written back unread.
    """

    arrival: int
    started_us: int
    request: Request
    response: Response | None
    end: End = End.COMPLETE
    duration_us: int = 0
    scope: str = ""
    session: str = ""
    variant: int = 0
    request_cut: bool = False
    extra: dict[str, object] = field(default_factory=dict)


def open_form(kind: type) -> Any:
    """A class of the fields that a frozen one has, not frozen: what it makes becomes a `kind` when it is given that class.

    For a decoder: the three of a call have 23 fields, and a frozen class sets each through a call of its own, which takes as
    long as all of msgpack does.
    """
    return type(kind.__name__, (), {"__slots__": kind.__slots__})
