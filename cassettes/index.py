"""The index of a cassette: sorted tables of summaries, keys, arrivals, scopes and blobs, read in place.

`build_index` makes the payload of an INDEX record; `IndexView` reads one, in a mapped file or in memory. Nothing in it is
believed before its page's checksum was verified, and no place it names before the record there was. Whatever is wrong with
an index is IndexDamaged, which callers answer by a scan.
"""

import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from operator import ge, gt
from struct import Struct

from .pages import PAGE, PAGE_CRC, IndexDamaged, Pages
from .summary import Row, row_of
from .tables import Table

HEAD = Struct("<IIIIIIQQQQQQQQQ24sII")
"""layout, page size, pages, rows, scopes, blobs; offsets of rows, keys, arrivals, scopes, blobs, names; length; first and
last arrival; reserved; CRC-32 of the page table; CRC-32 of this head."""
ROW = Struct("<QQQQQQHBBHHQ")
"""A summary (56 bytes) and the offset of its INTERACTION record."""
KEY = Struct("<QI")
ARRIVAL = Struct("<I")
SCOPE = Struct("<QIIII")
"""scope, first row, rows, offset and length of its name in the heap."""
BLOB = Struct("<16sQ")

LAYOUT = 1
_CHUNK = 8192
_IN_PAGE = PAGE // ROW.size
_COLUMNS = ("key", "scope")
_TOGETHER = 16
"""Entries of keys that are read at once: a request is seldom made more often."""


def build_index(rows: bytes | bytearray, blobs: bytes | bytearray, names: Mapping[int, str]) -> bytearray:
    """The payload of an INDEX record.

    `rows` are 64-byte rows (see ROW) and `blobs` 24-byte ones (see BLOB), both in file order; `names` holds the name of each
    scope. Of several blobs with one digest the first is listed.
    """
    count = len(rows) // ROW.size
    arrivals = column(rows, 3)
    order = sorted(range(count), key=arrivals.__getitem__)
    first, last = (arrivals[order[0]], arrivals[order[-1]]) if order else (0, 0)
    of_scope: dict[int, list[int]] = {}
    for row, scope in zip(order, map(column(rows, 1).__getitem__, order), strict=True):
        of_scope.setdefault(scope, []).append(row)
    groups = sorted(of_scope.items())
    by_scope = [row for _, found in groups for row in found]
    rank = array("I", bytes(4 * count))
    for place, row in enumerate(by_scope):
        rank[row] = place

    blob_list = _distinct_blobs(blobs)
    scopes, heap = bytearray(), bytearray()
    place = 0
    for scope, found in groups:
        name = names.get(scope, "").encode("utf-8", "replace")
        scopes += SCOPE.pack(scope, place, len(found), len(heap), len(name))
        heap += name
        place += len(found)
    sizes = (
        ROW.size * count,
        KEY.size * count,
        ARRIVAL.size * count,
        len(scopes),
        BLOB.size * len(blob_list),
        len(heap),
    )
    pages = -(-sum(sizes) // PAGE)
    start = HEAD.size + PAGE_CRC.size * pages
    offsets = [*accumulate(sizes, initial=start)]

    body = bytearray(
        start
    )  # room for the head and the table: put before the rest at the end, they would move all of it
    for at in range(0, count, _CHUNK):
        body += b"".join([rows[64 * row : 64 * row + 64] for row in by_scope[at : at + _CHUNK]])
    del by_scope, of_scope, groups
    keys = column(rows, 0)
    order_of_keys = sorted(order, key=keys.__getitem__)
    body += _interleaved(
        _little(array("Q", map(keys.__getitem__, order_of_keys))),
        _little(array("I", map(rank.__getitem__, order_of_keys))),
        8,
        4,
    )
    del order_of_keys
    body += _little(array("I", map(rank.__getitem__, order)))
    body += scopes
    body += b"".join(blob_list)
    body += heap

    with memoryview(body) as view:
        table = b"".join(PAGE_CRC.pack(zlib.crc32(view[at : at + PAGE])) for at in range(start, len(body), PAGE))
    counts = len(table) // 4, count, len(scopes) // SCOPE.size, len(blob_list)
    head = HEAD.pack(LAYOUT, PAGE, *counts, *offsets, first, last, b"", zlib.crc32(table), 0)[:-4]
    body[:start] = head + zlib.crc32(head).to_bytes(4, "little") + table
    return body


class IndexView:
    """An index read in place. Rows are numbered by (scope, arrival); `first` and `last` are the arrivals it spans."""

    def __init__(self, payload: memoryview, fetch: Callable[[int, int], bytes] | None = None) -> None:
        """Take up an index where it is mapped; `fetch`, where given, reads so many bytes at a place in it."""
        if len(payload) < HEAD.size or zlib.crc32(payload[: HEAD.size - 4]) != int.from_bytes(
            payload[HEAD.size - 4 : HEAD.size], "little"
        ):
            raise IndexDamaged("its head is damaged")
        fields = HEAD.unpack_from(payload)
        layout, page, pages, self.rows, self.scopes, self.blobs = fields[:6]
        rows_at, keys_at, arrivals_at, scopes_at, blobs_at, names_at, length = fields[6:13]
        self.first, self.last, _, table_crc, _ = fields[13:]
        expected = [HEAD.size + 4 * pages]
        for size in (64 * self.rows, KEY.size * self.rows, 4 * self.rows, SCOPE.size * self.scopes, 24 * self.blobs):
            expected.append(expected[-1] + size)
        if layout != LAYOUT or page != PAGE or list(fields[6:12]) != expected:
            raise IndexDamaged("its tables are not where they should be")
        if length != len(payload) or names_at > length or pages != -(-(length - rows_at) // PAGE):
            raise IndexDamaged("its length is wrong")
        if zlib.crc32(payload[HEAD.size : rows_at]) != table_crc:
            raise IndexDamaged("its page table is damaged")
        self._base, self._keys, self._arrivals = rows_at, keys_at, arrivals_at
        self._scopes, self._blobs, self._names, self._length = scopes_at, blobs_at, names_at, length
        self._pages = Pages(payload, HEAD.size, rows_at, fetch)
        self._by_key = Table(self._pages, keys_at, self.rows, KEY.size, 8, "little")
        self._by_scope = Table(self._pages, scopes_at, self.scopes, SCOPE.size, 8, "little")
        self._by_digest = Table(self._pages, blobs_at, self.blobs, BLOB.size, 16, "big")

    def row(self, number: int) -> Row:
        if number >= self.rows:
            raise IndexDamaged(f"it names row {number:,} of {self.rows:,}")
        fields = ROW.unpack_from(*self._pages.find(self._base + ROW.size * number, ROW.size))
        return row_of(fields)

    def _rows(self, numbers: Iterable[int], column: int, wanted: int) -> list[Row]:
        """The rows with these numbers, all of one key or scope; such mostly stand side by side, in a page or two."""
        found: list[Row] = []
        page, at = b"", -1
        for number in numbers:
            if number >= self.rows:
                raise IndexDamaged(f"it names row {number:,} of {self.rows:,}")
            if number // _IN_PAGE != at:
                at = number // _IN_PAGE
                page = self._pages.page(at)
            fields = ROW.unpack_from(page, number % _IN_PAGE * ROW.size)
            if fields[column] != wanted:
                raise IndexDamaged(f"a {_COLUMNS[column]}'s row has another {_COLUMNS[column]}")
            found.append(row_of(fields))
        return found

    def in_order(self, skip: int = 0) -> Iterator[Row]:
        """All rows in order of arrival, without the first `skip`."""
        if not self.rows:
            return
        rows = self._pages.verified(self._base, ROW.size * self.rows)
        for number in self._numbers(rows)[skip:]:
            yield row_of(ROW.unpack_from(rows, ROW.size * number))

    def by_scope(self) -> Iterator[Row]:
        """All rows, in order of scope and then of arrival."""
        return map(self.row, range(self.rows))

    def _numbers(self, rows: memoryview) -> "array[int]":
        """The numbers of the rows in order of arrival: none twice, so that as many as there are rows are all of them."""
        numbers = array("I")
        numbers.frombytes(self._pages.verified(self._arrivals, ARRIVAL.size * self.rows))
        if sys.byteorder == "big":
            numbers.byteswap()
        arrivals = column(rows, 3)
        if max(numbers) >= self.rows:
            raise IndexDamaged(f"it names row {max(numbers):,} of {self.rows:,}")
        ordered = array("Q", map(arrivals.__getitem__, numbers))
        # Where each arrival is later than the one before, no row can stand there twice.
        if any(map(ge, ordered, ordered[1:])) and (any(map(gt, ordered, ordered[1:])) or len(set(numbers)) < self.rows):
            raise IndexDamaged("its arrivals are out of order")
        return numbers

    def of_key(self, key: int) -> list[Row]:
        """The rows with this key, in order of arrival."""
        return self._rows(self._numbers_of(key), 0, key)

    def _numbers_of(self, key: int) -> list[int]:
        numbers: list[int] = []
        found = self._by_key.find(key)
        while found is not None:
            at, data, start = found
            # Not beyond this page: the next one is read only where the key goes on there.
            together = min(_TOGETHER, self.rows - at, (len(data) - start) // KEY.size)
            for each, number in KEY.iter_unpack(data[start : start + KEY.size * together]):
                if each != key:
                    return numbers
                numbers.append(number)
            at += together
            found = None if at == self.rows else (at, *self._pages.find(self._keys + KEY.size * at, KEY.size))
        return numbers

    def of_scope(self, scope: int) -> list[Row]:
        """The rows of this scope, in order of arrival."""
        entry = self._find_scope(scope)
        if entry is None:
            return []
        return self._rows(range(entry[1], min(entry[1] + entry[2], self.rows + 1)), 1, scope)

    def name(self, scope: int) -> str | None:
        entry = self._find_scope(scope)
        return None if entry is None else self._name(entry[3], entry[4])

    def entries(self) -> Iterator[tuple[int, str]]:
        """The first arrival and the name of each scope, in no order that means anything."""
        name_end = 0
        for number in range(self.scopes):
            _, first, _, name_at, name_length = self._scope(number)
            if name_at != name_end:
                raise IndexDamaged("the names of its scopes are not in a row")  # overlapping ones could fill the memory
            name_end += name_length
            yield self.row(first).summary.arrival, self._name(name_at, name_length)

    def blob(self, digest: bytes) -> int | None:
        """The offset of the BLOB record with this digest."""
        found = self._by_digest.find(int.from_bytes(digest, "big"))
        return None if found is None else BLOB.unpack_from(found[1], found[2])[1]

    def _scope(self, number: int) -> tuple[int, int, int, int, int]:
        return SCOPE.unpack_from(*self._pages.find(self._scopes + SCOPE.size * number, SCOPE.size))

    def _find_scope(self, scope: int) -> tuple[int, int, int, int, int] | None:
        found = self._by_scope.find(scope)
        return None if found is None else SCOPE.unpack_from(found[1], found[2])

    def _name(self, at: int, length: int) -> str:
        at += self._names
        if at + length > self._length:
            raise IndexDamaged("a scope's name is not inside it")
        if not length:
            return ""
        data, start = self._pages.find(at, length)
        return str(data[start : start + length], "utf-8", "replace")


def index_too_big(rows: int, blobs: int, name_bytes: int, cap: int) -> bool:
    """Whether an index of so much would exceed `cap` bytes; a cassette is then sealed without one, and scanned."""
    body = rows * (ROW.size + KEY.size + ARRIVAL.size + SCOPE.size) + blobs * BLOB.size + name_bytes
    return rows >= 1 << 32 or body + HEAD.size + 4 * (body // PAGE + 1) > cap


def column(rows: bytes | bytearray | memoryview, number: int) -> "array[int]":
    """One of the eight 64-bit columns of packed rows: key, scope, answer, arrival, started, duration, the rest, offset."""
    with memoryview(rows) as view, view.cast("Q") as cells:
        numbers = array("Q", cells[number::8])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _little(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _interleaved(one: bytes, other: bytes, width: int, other_width: int) -> bytearray:
    """Entries of two columns, as wide as said, side by side. Byte by byte of an entry, for that is a loop in C."""
    both = width + other_width
    entries = bytearray(len(one) // width * both)
    for byte in range(width):
        entries[byte::both] = one[byte::width]
    for byte in range(other_width):
        entries[width + byte :: both] = other[byte::other_width]
    return entries


def _distinct_blobs(blobs: bytes | bytearray) -> list[bytes]:
    """The entries in order of digest, of equal ones that with the least offset."""
    turned = bytearray(blobs)
    for byte in range(8):  # an offset whose first byte is its highest sorts as its number does
        turned[16 + byte :: BLOB.size] = blobs[23 - byte :: BLOB.size]
    view = bytes(turned)
    entries = sorted([view[at : at + BLOB.size] for at in range(0, len(view), BLOB.size)])
    return [
        entry[:16] + entry[:15:-1]
        for number, entry in enumerate(entries)
        if not number or entries[number - 1][:16] != entry[:16]
    ]
