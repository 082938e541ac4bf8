"""What a scan found, to be asked as an index is: by key, by scope, by digest, in order of arrival.

A cassette without an index is often opened for one thread or one call. So the first questions are answered by looking through
what was found; only for who asks more often it is sorted, and only by what is asked for. Numbers of rows here are places in
file order.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property

from .index import BLOB, ROW, column
from .scan import Contents
from .summary import Row, row_of

LOOKS = 32
"""Questions of a kind that are answered by looking through everything. As many take about as long as to sort it once."""


class Catalogue:
    """The rows, scopes and body pieces of a whole scan; `rows` is how many interactions there are. See `IndexView`."""

    def __init__(self, contents: Contents) -> None:
        self.rows = len(contents.rows) // ROW.size
        self._contents = contents
        self._blobs = len(contents.blobs) // BLOB.size
        self._looks = LOOKS

    def row(self, number: int) -> Row:
        fields = ROW.unpack_from(self._contents.rows, ROW.size * number)
        return row_of(fields)

    def in_order(self, skip: int = 0) -> Iterator[Row]:
        """All rows in order of arrival, without the first `skip`."""
        return map(self.row, self._order[skip:])

    def by_scope(self) -> Iterator[Row]:
        """All rows, in order of scope and then of arrival."""
        return map(self.row, self._by_scope.order)

    def of_key(self, key: int) -> list[Row]:
        """The rows with this key, in order of arrival."""
        return [self.row(number) for number in self._by_key.entries_of(key)]

    def of_scope(self, scope: int) -> list[Row]:
        """The rows of this scope, in order of arrival."""
        return [self.row(number) for number in self._by_scope.entries_of(scope)]

    def name(self, scope: int) -> str | None:
        return self._contents.names().get(scope)

    def entries(self) -> Iterator[tuple[int, str]]:
        """The first arrival and the name of each scope, in order of arrival."""
        names, seen = self._contents.names(), set[int]()
        scopes, arrivals = column(self._contents.rows, 1), self._arrivals
        for number in self._order:
            scope = scopes[number]
            if scope not in seen:
                seen.add(scope)
                yield arrivals[number], names.get(scope, "")

    def blob(self, digest: bytes) -> int | None:
        """The place of a BLOB record with this digest."""
        if self._looks:
            self._looks -= 1
            number = self._blob_among_all(digest)
        else:
            place = bisect_left(self._by_digest, digest, key=self._digest)
            number = self._by_digest[place] if place < self._blobs else -1
        if number < 0 or self._digest(number) != digest:
            return None
        return BLOB.unpack_from(self._contents.blobs, BLOB.size * number)[1]

    def _blob_among_all(self, digest: bytes) -> int:
        at = self._contents.blobs.find(digest)
        while at >= 0 and at % BLOB.size:
            at = self._contents.blobs.find(digest, at + 1)
        return -1 if at < 0 else at // BLOB.size

    def _digest(self, number: int) -> bytes:
        return BLOB.unpack_from(self._contents.blobs, BLOB.size * number)[0]

    @cached_property
    def _arrivals(self) -> "array[int]":
        return column(self._contents.rows, 3)

    @cached_property
    def _order(self) -> "array[int]":
        return array("I", sorted(range(self.rows), key=self._arrivals.__getitem__))

    @cached_property
    def _by_key(self) -> "_Column":
        return _Column(column(self._contents.rows, 0), self._arrivals)

    @cached_property
    def _by_scope(self) -> "_Column":
        return _Column(column(self._contents.rows, 1), self._arrivals)

    @cached_property
    def _by_digest(self) -> "array[int]":
        return array("I", sorted(range(self._blobs), key=self._digest))


class _Column:
    """The keys, or the scopes, of all rows."""

    def __init__(self, numbers: "array[int]", arrivals: "array[int]") -> None:
        self._numbers = numbers
        self._arrivals = arrivals
        self._looks = LOOKS

    def entries_of(self, wanted: int) -> list[int]:
        """The rows with this number, in order of arrival."""
        if self._looks:
            self._looks -= 1
            return sorted(self._among_all(wanted), key=self._arrivals.__getitem__)
        numbers, order = self._numbers, self.order
        first = end = bisect_left(order, wanted, key=numbers.__getitem__)
        while end < len(order) and numbers[order[end]] == wanted:
            end += 1
        return order[first:end].tolist()

    def _among_all(self, wanted: int) -> Iterator[int]:
        at = -1
        try:
            while True:
                yield (at := self._numbers.index(wanted, at + 1))
        except ValueError:
            return

    @cached_property
    def order(self) -> "array[int]":
        """The rows in order of their numbers; those of one number in order of arrival."""
        entries = sorted(range(len(self._numbers)), key=self._arrivals.__getitem__)
        entries.sort(key=self._numbers.__getitem__)
        return array("I", entries)
