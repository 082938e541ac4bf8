"""What a scan found, to be asked as an index is: by key, by scope, by digest, in order of arrival.

Nothing is sorted before it is asked for, and only what is asked for: a cassette without an index is often opened for one
thread or one call. Numbers of rows here are places in file order.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property

from .index import BLOB, ROW, column
from .scan import Contents
from .summary import Row, Summary


class Catalogue:
    """The rows, scopes and body pieces of a whole scan; `rows` is how many interactions there are. See `IndexView`."""

    def __init__(self, contents: Contents) -> None:
        self.rows = len(contents.rows) // ROW.size
        self._contents = contents

    def row(self, number: int) -> Row:
        fields = ROW.unpack_from(self._contents.rows, ROW.size * number)
        return Row(Summary._make(fields[:-1]), fields[-1])

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
        scopes, arrivals = column(self._contents.rows, 1), column(self._contents.rows, 3)
        for number in self._order:
            scope = scopes[number]
            if scope not in seen:
                seen.add(scope)
                yield arrivals[number], names.get(scope, "")

    def blob(self, digest: bytes) -> int | None:
        """The place of a BLOB record with this digest."""
        place = bisect_left(self._by_digest, digest, key=self._digest)
        if place == len(self._by_digest) or self._digest(self._by_digest[place]) != digest:
            return None
        return BLOB.unpack_from(self._contents.blobs, BLOB.size * self._by_digest[place])[1]

    def _digest(self, number: int) -> bytes:
        return BLOB.unpack_from(self._contents.blobs, BLOB.size * number)[0]

    @cached_property
    def _order(self) -> "array[int]":
        return array("I", sorted(range(self.rows), key=column(self._contents.rows, 3).__getitem__))

    @cached_property
    def _by_key(self) -> "_Sorted":
        return _Sorted(column(self._contents.rows, 0), self._order)

    @cached_property
    def _by_scope(self) -> "_Sorted":
        return _Sorted(column(self._contents.rows, 1), self._order)

    @cached_property
    def _by_digest(self) -> "array[int]":
        return array("I", sorted(range(len(self._contents.blobs) // BLOB.size), key=self._digest))


class _Sorted:
    """Entries in order of their numbers; those of one number in the order in which they were given."""

    def __init__(self, numbers: "array[int]", entries: Sequence[int]) -> None:
        self._numbers = numbers
        self.order = array("I", sorted(entries, key=numbers.__getitem__))

    def entries_of(self, wanted: int) -> Iterator[int]:
        numbers, order = self._numbers, self.order
        for place in range(bisect_left(order, wanted, key=numbers.__getitem__), len(order)):
            if numbers[order[place]] != wanted:
                return
            yield order[place]
