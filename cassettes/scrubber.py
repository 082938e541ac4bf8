"""Known values taken out of bytes: at once (`replaced`), or as they go by in one pass and bounded memory (`Scrubber`).

Every byte of every value found goes: where values overlap, all that they cover is replaced once, whatever their order.
Only text as it came is searched, never what was put in, so that the pieces in which a body arrives do not count. A
value that overlaps itself is found from the left, as `bytes.replace` does.
"""

from collections.abc import Iterable, Iterator, Sequence

REPLACEMENT = b"REDACTED"


def replaced(data: bytes, values: Iterable[bytes]) -> bytes:
    """`data` with each of `values` replaced. Empty values are an error."""
    found = [value for value in values if value in data]
    if not found:
        return data
    if len(found) == 1:
        return data.replace(found[0], REPLACEMENT)
    return with_spans_replaced(data, spans_of(data, found))


def spans_of(data: bytes, values: Iterable[bytes]) -> list[tuple[int, int]]:
    """Where `values` stand, in order; those that overlap are one span, those that only touch are two."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(span for value in values for span in _places(data, value, 0, len(data))):
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


def with_spans_replaced(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """`data` with each of `spans` (in order, apart) replaced."""
    out: list[bytes] = []
    done = 0
    for start, end in spans:
        out += data[done:start], REPLACEMENT
        done = end
    out.append(data[done:])
    return b"".join(out)


class Scrubber:
    """Replaces each of `values` wherever it stands, however the text is cut. What `feed` returns is safe to write.

    It holds back less than twice the length of the longest value, as it came.
    """

    def __init__(self, values: Sequence[bytes]) -> None:
        self._values = sorted({value for value in values if value})
        self._hold = max((len(value) for value in self._values), default=1) - 1
        self._text = bytearray()
        self._covered = 0
        """Bytes at the start of the text whose replacement has been given out."""
        self._begin = [0] * len(self._values)
        """Where in the text each value is looked for: behind the place where it was found last."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; give what is sure by now."""
        if not self._values:
            return data
        self._text += data
        # As much new text as is looked at again, so that many small pieces take no longer than a few large ones.
        return self._taken(len(self._text) - self._hold) if len(self._text) > 2 * self._hold else b""

    def finish(self) -> bytes:
        """The rest. Nothing can be fed after."""
        return self._taken(len(self._text))

    def _taken(self, cut: int) -> bytes:
        """The text before `cut`, replaced. Every value that begins before it stands in the text whole."""
        text = bytes(self._text)
        spans: list[tuple[int, int]] = []
        for number, value in enumerate(self._values):
            found = list(_places(text, value, self._begin[number], cut))
            behind = found[-1][1] if found else self._begin[number]
            self._begin[number] = max(behind - cut, 0)
            spans += found
        out: list[bytes] = []
        done = self._covered
        for start, end in sorted(spans):
            if start >= done:
                out += text[done:start], REPLACEMENT
            done = max(done, end)
        out.append(text[done:cut])
        self._covered = max(done - cut, 0)
        del self._text[:cut]
        return b"".join(out)


def _places(data: bytes, value: bytes, begin: int, cut: int) -> Iterator[tuple[int, int]]:
    """Where `value` stands in `data`, beginning before `cut`, from the left and not over itself."""
    last = cut + len(value) - 1
    start = data.find(value, begin, last)
    while start >= 0:
        yield start, start + len(value)
        start = data.find(value, start + len(value), last)
