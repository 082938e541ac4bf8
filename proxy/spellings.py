"""From the bytes of a request to its key: the way that replay takes first, and what it remembers of it.

A test suite sends the same requests over and over. The exact spelling (method, target, headers, body) is remembered with
what it came to, within bounds of count and bytes; it is exact, so nothing is ever taken for what it is not.
"""

from collections import OrderedDict

from ..cassettes.coding import CodingError, Decoder, undoable
from ..cassettes.interaction import Headers
from ..cassettes.keys import KeyBuilder, variant_of
from .wire import header_value

MOST = 4096
MOST_BYTES = 32 << 20
LARGEST = 32 << 10
"""Bodies above this are not remembered."""
MOST_DECODED = 16 << 20
_OVERHEAD = 4096
"""What an entry is taken to cost besides its body: a dozen header lines as Python objects."""

Spelling = tuple[str, bytes, Headers, bytes]


class Spellings:
    """Keys and variants of requests. `salt` is the cassette's (see `variants.variant_of`)."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._known: OrderedDict[Spelling, tuple[int, int]] = OrderedDict()
        self._bytes = 0

    def identify(self, method: str, target: bytes, headers: Headers, data: bytes) -> tuple[int, int]:
        """The key and the variant of a whole request."""
        spelling = (method, target, headers, data)
        known = self._known.get(spelling)
        if known is not None:
            return known
        whole = LargeKey(method, target, headers)
        whole.feed(data)
        known = whole.finish(), variant_of(headers, self._salt)
        if len(data) <= LARGEST:
            self._remember(spelling, known)
        return known

    def _remember(self, spelling: Spelling, known: tuple[int, int]) -> None:
        # The oldest goes first, not the least used: moving an entry at each use would cost what the memory saves.
        self._known[spelling] = known
        self._bytes += len(spelling[3]) + _OVERHEAD
        while len(self._known) > MOST or self._bytes > MOST_BYTES:
            old, _ = self._known.popitem(last=False)
            self._bytes -= len(old[3]) + _OVERHEAD


class LargeKey:
    """The key of a request whose body need not be held: of the body decoded, or as it came where that fails."""

    def __init__(self, method: str, target: bytes, headers: Headers) -> None:
        self._as_it_came = KeyBuilder(method, target, headers)
        coding = undoable(header_value(headers, b"content-encoding"))
        self._decoder = Decoder(coding) if coding else None
        self._decoded = KeyBuilder(method, target, headers) if coding else None

    def feed(self, data: bytes) -> None:
        self._as_it_came.feed(data)
        if self._decoder is not None and self._decoded is not None:
            try:
                for piece in self._decoder.slices(data):
                    self._decoded.feed(piece)
            except CodingError:
                self._decoder = self._decoded = None

    def finish(self) -> int:
        return (self._decoded or self._as_it_came).finish()


def decoded(headers: Headers, data: bytes) -> bytes:
    """A request body without its content coding, as a recording stores it; as it came where that fails.

    It is for an explanation: what comes to more than MOST_DECODED is left out, as any larger body is.
    """
    coding = undoable(header_value(headers, b"content-encoding"))
    if not coding:
        return data
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in Decoder(coding).slices(data):
            size += len(piece)
            pieces.append(piece)
            if size > MOST_DECODED:
                return b""
    except CodingError:
        return data
    return b"".join(pieces)
