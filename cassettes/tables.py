"""The tables of an index that are looked into: entries of one width that ascend by the number each begins with.

The numbers are digests, which lie evenly, so that a guess from where one should lie is nearly right, and what each page says of
its ends makes the next guess better. A look-up reads one or two pages, where halving would read a dozen. A table that does not
ascend, which no writer makes, is noticed or finds nothing; it never makes a look-up long.
"""

from bisect import bisect_left
from typing import Literal

from .pages import IndexDamaged, Pages

_GUESSES = 12
"""Guesses before halving takes over: who lays the numbers unevenly gains little."""
_MARKS = 1 << 14
"""Ends of pages that are remembered for the guesses to come."""


class Table:
    """`count` entries of `width` bytes from `at` on, by a number of `digits` bytes that each begins with."""

    def __init__(
        self, pages: Pages, at: int, count: int, width: int, digits: int, order: Literal["little", "big"]
    ) -> None:
        self._pages = pages
        self._at = at
        self._count = count
        self._width = width
        self._digits = digits
        self._order: Literal["little", "big"] = order
        # The numbers whose entries are known, ascending, and the first known entry of each; the ends stand outside the table.
        self._numbers = [-1, 1 << 8 * digits]
        self._entries = [-1, count]

    def find(self, wanted: int) -> tuple[int, bytes, int] | None:
        """The first entry whose number is `wanted`: which it is, and bytes and where in them it begins. Raises IndexDamaged.

        None if there is none.
        """
        numbers, entries, width, digits = self._numbers, self._entries, self._width, self._digits
        place = bisect_left(numbers, wanted)
        below, above = numbers[place - 1], numbers[place]
        low, high = entries[place - 1] + 1, entries[place]
        guesses, back = _GUESSES, 1
        while low < high:
            guesses -= 1
            if guesses < 0:
                guess = (low + high) // 2
            elif above == wanted:
                guess = max(low, high - back)  # few numbers stand twice: the one before is probably another
                back *= 2
            else:
                guess = min(low + (high - low) * (wanted - below) // (above - below), high - 1)
            data, start, first, last = self._page_of(guess)
            end = start + width * (last - first)
            # What begins before `low` is no more than `below`, and what ends behind `high` no less than `above`.
            number = below if first < low else int.from_bytes(data[start : start + digits], self._order)
            ending = above if last >= high else int.from_bytes(data[end : end + digits], self._order)
            if not below <= number <= ending <= above:
                raise IndexDamaged("its tables do not ascend")
            if first >= low:
                following = self._mark(place, number, first)
                if number >= wanted:
                    high, above = first, number
                    continue
                place = following
            if last < high:
                following = self._mark(place, ending, last)
                if ending < wanted:
                    if ending == number:  # a page full of one number: no guess leads out of many of them
                        guesses = 0
                    place, low, below = following, last + 1, ending
                    continue
            found = self._search(data, start, end + digits, wanted)
            return None if found < 0 else (first + (found - start) // width, data, found)
        if above != wanted:
            return None
        return high, *self._pages.find(self._at + width * high, width)

    def _page_of(self, entry: int) -> tuple[bytes, int, int, int]:
        """The page that holds an entry: its bytes, where in them a whole entry begins, the place of that one and of the last."""
        width = self._width
        data, start = self._pages.find(self._at + width * entry, width)
        back = min(start // width, entry)
        ahead = min((len(data) - start) // width, self._count - entry) - 1
        return data, start - width * back, entry - back, entry + ahead

    def _search(self, data: bytes, start: int, end: int, wanted: int) -> int:
        """Where the first entry of this number begins, of those that begin at `start` and end with a number at `end`, or -1."""
        sought = wanted.to_bytes(self._digits, self._order)
        at = data.find(sought, start, end)
        while at >= 0 and (at - start) % self._width:
            at = data.find(sought, at + 1, end)
        return at

    def _mark(self, place: int, number: int, entry: int) -> int:
        """Remember where a number stands, before the mark at this place; the place of that mark from then on."""
        numbers, entries = self._numbers, self._entries
        if number == numbers[place]:
            entries[place] = entry
        elif number != numbers[place - 1] and len(numbers) < _MARKS:
            numbers.insert(place, number)
            entries.insert(place, entry)
            return place + 1
        return place
