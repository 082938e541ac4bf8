"""Known values taken out of a body that is too large to hold: one pass, bounded memory.

A value that stands across two pieces is found too, because as many bytes as the longest value are held back.
"""

from collections.abc import Sequence

REPLACEMENT = b"REDACTED"


class Scrubber:
    """Replaces each of `values` wherever it stands. What `feed` returns is safe to write."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._values = sorted((value for value in values if value), key=len, reverse=True)
        self._hold = max((len(value) for value in self._values), default=1) - 1
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        if not self._values:
            return data
        text = self._replaced(self._held + data)
        cut = max(len(text) - self._hold, 0)
        self._held = text[cut:]
        return text[:cut]

    def finish(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def _replaced(self, text: bytes) -> bytes:
        for value in self._values:
            text = text.replace(value, REPLACEMENT)
        return text
