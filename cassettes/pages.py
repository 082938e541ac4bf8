"""The pages of an index: each is verified before anything in it is believed.

Single look-ups read the pages that they touch, which takes a third of what it takes to touch them in a mapped file for the
first time; the last few are kept, in room that is there from the beginning: a dictionary that moves what it holds to a larger
table, or out of one full of gaps, is a pause of a quarter of a millisecond. Whole tables are verified where they are mapped.
"""

import sys
import zlib
from array import array
from collections import deque
from collections.abc import Callable
from struct import Struct

PAGE = 4096
PAGE_CRC = Struct("<I")
_KEPT = 2048


class IndexDamaged(Exception):
    """An index that is not to be believed. It never reaches a user: the reader answers it with a scan."""


class Pages:
    """The part of an index payload from `base` on, in pages whose checksums stand in a table at `table`.

    Places count from the start of the payload. `fetch` reads so many bytes at a place.
    """

    def __init__(
        self, payload: memoryview, table: int, base: int, fetch: Callable[[int, int], bytes] | None = None
    ) -> None:
        self._payload = payload
        self._end = len(payload)
        self._base = base
        self._sums = array("I", bytes(payload[table:base]))
        if sys.byteorder == "big":
            self._sums.byteswap()
        self._fetch = fetch or (lambda at, length: bytes(payload[at : at + length]))
        count = -(-(len(payload) - base) // PAGE)
        self._kept: list[bytes | None] = [None] * count
        self._order: deque[int] = deque()
        self._checked = bytearray(count)

    def find(self, at: int, length: int) -> tuple[bytes, int]:
        """Verified bytes and where in them the `length` bytes at `at` begin. Raises IndexDamaged."""
        number, start = divmod(at - self._base, PAGE)
        page = self.page(number)
        if start + length <= PAGE:
            return page, start
        parts, there = [page[start:]], PAGE - start
        while there < length:
            number += 1
            parts.append(page := self.page(number))
            there += len(page)
        return b"".join(parts), 0

    def verified(self, at: int, length: int) -> memoryview:
        """The `length` bytes at `at`, where they stand. Raises IndexDamaged."""
        payload, base = self._payload, self._base
        for number in range((at - base) // PAGE, (at - base + length + PAGE - 1) // PAGE):
            if not self._checked[number]:
                start = base + PAGE * number
                self._check(payload[start : start + PAGE], number)
                self._checked[number] = 1
        return payload[at : at + length]

    def page(self, number: int) -> bytes:
        """The bytes of a page, verified: all of it, or as many as the payload has. Raises IndexDamaged."""
        kept = self._kept
        if not 0 <= number < len(kept):
            raise IndexDamaged("it names a place outside of it")
        page = kept[number]
        if page is None:
            start = self._base + PAGE * number
            page = self._fetch(start, min(PAGE, self._end - start))
            self._check(page, number)
            kept[number] = page
            self._order.append(number)
            if len(self._order) > _KEPT:
                kept[self._order.popleft()] = None  # one by one: letting go of all at once is a pause of a millisecond
        return page

    def _check(self, page: bytes | memoryview, number: int) -> None:
        if zlib.crc32(page) != self._sums[number]:
            raise IndexDamaged(f"its page {number:,} is damaged")
