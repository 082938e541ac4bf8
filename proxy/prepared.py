"""A recorded answer made ready to be written: head and body bytes, built once and kept.

What is changed on the way is listed here and nowhere else: hop-by-hop lines and the old framing go; a body that was
stored decoded goes without its `Content-Encoding`; with poll compression the headers that make clients wait say "now".
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..cassettes.errors import DamagedCassetteError
from ..cassettes.interaction import End, Interaction, Response
from ..cassettes.operations import find_operation, split_target
from ..cassettes.renaming import Renaming
from ..cassettes.summary import Row
from . import wire

CACHE_BYTES = 64 << 20
LARGE = 1 << 20
"""Bodies above this are not kept ready; they are read from the cassette a piece at a time."""

_RETRYABLE = frozenset({408, 409, 429})


@dataclass(frozen=True, slots=True)
class Prepared:
    """`whole` is the entire message for a connection that stays open, or None where the answer is written in pieces.

    `pieces` pairs bytes with the microseconds since the request at which they came; `cut` says that the body ends early.
    """

    interaction: Interaction
    status_line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bool
    length: bool
    cut: bool
    redirects: bool
    whole: bytes | None = None
    pieces: list[tuple[bytes, int]] = field(default_factory=list)
    names: Renaming | None = None
    """What the ids are written as in a body that is not kept ready."""

    def parts(self, response: Response) -> Iterable[tuple[bytes, int]]:
        """The body in pieces, each with its moment."""
        if self.pieces:
            return self.pieces
        parts = timed_pieces(response)
        return self.names.pieces(parts) if self.names else parts

    @property
    def size(self) -> int:
        return len(self.whole or b"") + sum(len(piece) for piece, _ in self.pieces) + 512


def prepare(interaction: Interaction, *, hurry: bool, streams: bool) -> Prepared:
    """Build the answer of an interaction that has a response.

    `hurry`: with poll compression, clients are told not to wait. `streams`: the answer was a stream. Raises
    DamagedCassetteError for a head that no recording has: what follows it would be read as another answer.
    """
    response = interaction.response
    if response is None:
        raise ValueError("an interaction without a response has no answer")
    method = interaction.request.method
    if not wire.can_be_written(response.status, response.reason, response.headers):
        raise DamagedCassetteError(
            f"call {interaction.arrival} of the cassette has an answer whose head cannot be sent",
            "no proxy records such a head: somebody has changed the cassette",
        )
    body = wire.has_body(method, response.status)
    cut = interaction.end not in (End.COMPLETE, End.UPSTREAM_FAILED)
    counted = wire.header_value(response.headers, b"content-length") is not None and not response.coding
    chunked = wire.header_value(response.headers, b"transfer-encoding") is not None
    leave_out = {b"content-encoding"} if response.coding else set()
    if body:
        leave_out.add(b"content-length")
    headers = wire.end_to_end(response.headers, leave_out=leave_out)
    if hurry:
        headers = _hurried(interaction, headers)
    length = False
    if body and cut and counted and not chunked:
        promised = wire.header_value(response.headers, b"content-length") or b"0"
        headers.append((b"Content-Length", promised))  # more than will come: the client sees that it is short
        length = True
    elif body and not cut and not (streams and chunked):
        headers.append((b"Content-Length", b"%d" % response.body.length))
        length = True
    line = wire.status_line(response.status, response.reason)
    redirects = wire.header_value(response.headers, b"location") is not None
    ready = Prepared(interaction, line, headers, body, length, cut, redirects)
    if response.body.length > LARGE:
        return ready
    if not cut and not redirects and (length or not body) and not (streams and response.marks):
        head = wire.write_head(line, headers)
        return Prepared(
            interaction, line, headers, body, length, cut, redirects, head + (response.body.read() if body else b"")
        )
    return Prepared(
        interaction, line, headers, body, length, cut, redirects, None, list(timed_pieces(response)) if body else []
    )


def timed_pieces(response: Response) -> Iterator[tuple[bytes, int]]:
    """A body split at its marks, each piece with its moment; without marks all comes at the time of the head.

    A body of any size is read a stored piece at a time.
    """
    marks = iter(response.marks)
    left, moment = next(marks, (response.body.length, response.head_us))
    for data in response.body.pieces():
        while data:
            while left <= 0:
                left, moment = next(marks, (response.body.length, moment))
            yield data[:left], moment
            data, left = data[left:], left - len(data[:left])


def _hurried(interaction: Interaction, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Poll pacing and retry pacing set to "now".

    The SDKs' poll helpers obey `openai-poll-after-ms` (else they wait a second or more between polls). Their retries
    obey a positive `retry-after-ms` first; a zero is taken for "not given" and backs off for half a second or more.
    """
    request, response = interaction.request, interaction.response
    _, path, _ = split_target(request.target)
    operation, _ = find_operation(request.method, path)
    polled = (operation is not None and operation.name == "getRun") or any(
        name.lower() == b"openai-poll-after-ms" for name, _ in headers
    )
    out = [(name, value) for name, value in headers if name.lower() not in _WAITS]
    if polled:
        out.append((b"openai-poll-after-ms", b"0"))
    if response is not None and (response.status in _RETRYABLE or response.status >= 500):
        out += [(b"retry-after-ms", b"1"), (b"retry-after", b"0")]
    return out


_WAITS = frozenset({b"openai-poll-after-ms", b"retry-after", b"retry-after-ms"})


class PreparedAnswers:
    """Answers kept ready, the least recently used dropped when they come to more than 64 MiB."""

    def __init__(self, build: Callable[[Row], Prepared], *, most: int = CACHE_BYTES) -> None:
        self._build = build
        self._most = most
        self._bytes = 0
        self._ready: OrderedDict[int, Prepared] = OrderedDict()

    def get(self, row: Row) -> Prepared:
        """The answer of a record."""
        ready = self._ready.get(row.offset)
        if ready is not None:
            self._ready.move_to_end(row.offset)
            return ready
        ready = self._ready[row.offset] = self._build(row)
        self._bytes += ready.size
        while self._bytes > self._most and len(self._ready) > 1:
            _, old = self._ready.popitem(last=False)
            self._bytes -= old.size
        return ready
