"""HTTP/1.1 messages as bytes: which header lines travel on, and how a head is written.

Both ways use it. Nothing here opens a connection, and nothing re-spells a header that it passes on.
"""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from ..cassettes.interaction import Headers

FRAMING = frozenset({b"content-length", b"host"})
"""What `Connection` cannot name: without them a body, or what follows it, would be taken for another message."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Header fields that speak of one connection and are not passed on (RFC 9110 section 7.6.1)."""

BODILESS = frozenset({204, 304})
"""Statuses whose answers never have a body (RFC 9110 sections 15.3.5 and 15.4.5), besides 1xx and answers to HEAD."""


def header_values(headers: Headers, name: bytes) -> list[bytes]:
    """All values of a header field, `name` in lower case."""
    return [value for field, value in headers if field.lower() == name]


def header_value(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of a header field, `name` in lower case, or None."""
    length = len(name)
    for field, value in headers:
        if len(field) == length and field.lower() == name:
            return value
    return None


def end_to_end(headers: Headers, *, leave_out: Iterable[bytes] = ()) -> list[tuple[bytes, bytes]]:
    """The header lines that travel on, in order and spelling; what `Connection` names stays behind too."""
    gone = HOP_BY_HOP.union(leave_out) if leave_out else HOP_BY_HOP
    kept = []
    for line in headers:
        name = line[0].lower()
        if name not in gone:
            kept.append(line)
        elif name == b"connection":
            named = {word.strip().lower() for word in line[1].split(b",")} - FRAMING
            if not named <= {b"close", b"keep-alive"}:
                return end_to_end(
                    tuple(line for line in headers if line[0].lower() != b"connection"), leave_out={*leave_out, *named}
                )
    return kept


def write_head(first_line: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A message head, the empty line included."""
    lines = [first_line]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"", b""]
    return b"\r\n".join(lines)


_ENDS_A_LINE = re.compile(rb"[\r\n\0]")
_ENDS_A_NAME = re.compile(rb"[\r\n\0\t :]")


def can_be_written(status: int, reason: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the head of an answer is one: no line in it begins another, and it is the last before a body."""
    return (
        200 <= status <= 999
        and _ENDS_A_LINE.search(reason) is None
        and all(
            name and _ENDS_A_NAME.search(name) is None and _ENDS_A_LINE.search(value) is None for name, value in headers
        )
    )


def status_line(status: int, reason: bytes = b"") -> bytes:
    if not reason:
        try:
            reason = HTTPStatus(status).phrase.encode()
        except ValueError:
            reason = b""
    return b"HTTP/1.1 %d %s" % (status, reason)


def has_body(method: str, status: int) -> bool:
    """Whether an answer of `status` to `method` has a body (RFC 9112 section 6.3)."""
    return method != "HEAD" and status >= 200 and status not in BODILESS


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112 section 7.1). `data` is not empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
