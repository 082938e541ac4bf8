"""From the bytes of a request to its key: the way that replay takes first, and what it remembers of it.

A test suite sends the same requests over and over. The exact spelling (method, target, headers, body) is remembered with
what it came to, within bounds of count and bytes; it is exact, so nothing is ever taken for what it is not.
"""

from collections import OrderedDict

from ..cassettes.coding import CodingError, Decoder, undoable
from ..cassettes.interaction import Headers
from ..cassettes.keys import KeyBuilder, variant_of
from ..cassettes.rules import NO_RULES, Rules
from .wire import header_value

MOST = 65_536
MOST_BYTES = 32 << 20
MOST_HEADERS = 1024
"""Sets of header lines that are known by a number: a client sends the same ones with nearly every call."""
LARGEST = 32 << 10
"""Bodies above this are not remembered."""
MOST_DECODED = 16 << 20
_OVERHEAD = 512
"""What an entry is taken to cost besides its body."""

Spelling = tuple[str, bytes, int, bytes]
"""Method, target, the number of the header lines, body."""


class Spellings:
    """Keys and variants of requests. `salt` is the cassette's (see `variants.variant_of`), `rules` those of the tape."""

    def __init__(self, salt: bytes, rules: Rules = NO_RULES) -> None:
        self._salt = salt
        self._rules = rules
        self._known: OrderedDict[Spelling, tuple[int, int]] = OrderedDict()
        self._numbers: dict[Headers, int] = {}
        self._last_number = 0
        self._bytes = 0

    def identify(self, method: str, target: bytes, headers: Headers, data: bytes) -> tuple[int, int]:
        """The key and the variant of a whole request."""
        number = self._numbers.get(headers)
        if number is None:
            number = self._number(headers)
        spelling = (method, target, number, data)
        known = self._known.get(spelling)
        if known is not None:
            return known
        whole = self.begin(method, target, headers)
        whole.feed(data)
        known = whole.finish(), whole.variant
        if len(data) <= LARGEST:
            self._remember(spelling, known)
        return known

    def begin(self, method: str, target: bytes, headers: Headers) -> "LargeKey":
        """Begin the key of a request whose body comes in pieces."""
        return LargeKey(method, target, headers, variant=variant_of(headers, self._salt), rules=self._rules)

    def key(self, method: str, target: bytes, headers: Headers, data: bytes) -> int:
        """The key of a whole request, which is not remembered."""
        whole = self.begin(method, target, headers)
        whole.feed(data)
        return whole.finish()

    def _number(self, headers: Headers) -> int:
        """A number for header lines that were not seen yet, or are forgotten: no number is given twice."""
        if len(self._numbers) >= MOST_HEADERS:
            self._numbers.clear()
        self._last_number += 1
        self._numbers[headers] = self._last_number
        return self._last_number

    def _remember(self, spelling: Spelling, known: tuple[int, int]) -> None:
        # The oldest goes first, not the least used: moving an entry at each use would cost what the memory saves.
        self._known[spelling] = known
        self._bytes += len(spelling[3]) + _OVERHEAD
        while len(self._known) > MOST or self._bytes > MOST_BYTES:
            old, _ = self._known.popitem(last=False)
            self._bytes -= len(old[3]) + _OVERHEAD


class LargeKey:
    """The key of a request whose body need not be held: of the body decoded, or as it came where that fails."""

    def __init__(
        self, method: str, target: bytes, headers: Headers, *, variant: int = 0, rules: Rules = NO_RULES
    ) -> None:
        self.variant = variant
        self._as_it_came = KeyBuilder(method, target, headers, rules=rules, variant=variant)
        coding = undoable(header_value(headers, b"content-encoding"))
        self._decoder = Decoder(coding) if coding else None
        self._decoded = KeyBuilder(method, target, headers, rules=rules, variant=variant) if coding else None

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
