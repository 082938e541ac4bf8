"""What replay and lists need to know of an interaction without decoding it: 56 bytes a record.

A summary stands in front of each stored interaction and in each row of the index. Its numbers are computed once, by the
writer, from the redacted interaction.
"""

import struct
from typing import NamedTuple

LAYOUT = struct.Struct("<QQQQQQHBBHH")
"""Little-endian: key, scope, answer, arrival, started_us, duration_us, status, operation, flags, variant, reserved."""

WRITE = 1
STREAM = 2
CUT = 4
"""The response ended before its end (`End` other than COMPLETE)."""
PARTIAL = 16
"""The request did not arrive whole. Nobody can make this call again, so it is no write that a read would wait for."""
CREATES = 8
"""createThread or createThreadAndRun: the thread is named by the response, not by the path."""


class Summary(NamedTuple):
    """`key`: canonical request. `scope`: the thread (or collection) it belongs to. `answer`: status and body.

    All three are 64-bit BLAKE2b digests. Times are microseconds. `status` is 0 where no response came. `operation` is its
    number in `operations.OPERATIONS`, 0 for any other path. `variant`: see `variants`.
    """

    key: int
    scope: int
    answer: int
    arrival: int
    started_us: int
    duration_us: int
    status: int
    operation: int
    flags: int
    variant: int
    reserved: int = 0

    @property
    def writes(self) -> bool:
        return bool(self.flags & WRITE)

    def pack(self) -> bytes:
        return LAYOUT.pack(*self)

    @classmethod
    def unpack(cls, data: bytes | memoryview) -> "Summary":
        return cls._make(LAYOUT.unpack(data))


class Row(NamedTuple):
    """A summary and where its record stands in the file."""

    summary: Summary
    offset: int


def row_of(fields: tuple[int, ...]) -> Row:
    """The row of a summary's eleven fields and an offset, as the layout of an index gives them: thousands are made at once."""
    return tuple.__new__(Row, (tuple.__new__(Summary, fields[:-1]), fields[-1]))
