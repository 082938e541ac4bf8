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
        builder = KeyBuilder(method, target, headers)
        builder.feed(decoded(headers, data))
        known = builder.finish(), variant_of(headers, self._salt)
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
    """The key of a request whose body is too large to hold."""

    def __init__(self, method: str, target: bytes, headers: Headers) -> None:
        self._builder = KeyBuilder(method, target, headers)
        coding = undoable(header_value(headers, b"content-encoding"))
        self._decoder = Decoder(coding, most=1 << 40) if coding else None

    def feed(self, data: bytes) -> None:
        if self._decoder is not None:
            try:
                data = self._decoder.feed(data)
            except CodingError:
                self._decoder = None
        self._builder.feed(data)

    def finish(self) -> int:
        return self._builder.finish()


def decoded(headers: Headers, data: bytes) -> bytes:
    """A request body without its content coding, as a recording stores it; as it came where that fails."""
    coding = undoable(header_value(headers, b"content-encoding"))
    if not coding:
        return data
    try:
        return Decoder(coding).feed(data)
    except CodingError:
        return data
