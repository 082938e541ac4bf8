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

    def first(self, wanted: int) -> int | None:
        """The first entry whose number is `wanted`; None if there is none. Raises IndexDamaged."""
        place = bisect_left(self._numbers, wanted)
        low, high = self._entries[place - 1] + 1, self._entries[place]
        below, above = self._numbers[place - 1], self._numbers[place]
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
            if first >= low:  # else it is known that what this page begins with is less
                number = self._number(data, start)
                if number >= wanted:
                    self._mark(number, first, place)
                    high, above = first, number
                    continue
                place = self._mark(number, first, place)
                below = number
            if last < high:
                number = self._number(data, start + self._width * (last - first))
                if number < wanted:
                    if number == below:  # a page full of one number: no guess leads out of many of them
                        guesses = 0
                    place = self._mark(number, last, place)
                    low, below = last + 1, number
                    continue
                self._mark(number, last, place)
            found = self._search(data, start, wanted)
            return None if found is None else first + found
        return high if above == wanted else None

    def _page_of(self, entry: int) -> tuple[bytes, int, int, int]:
        """The page that holds an entry: its bytes, where in them a whole entry begins, the place of that one and of the last."""
        data, start = self._pages.find(self._at + self._width * entry, self._width)
        back = min(start // self._width, entry)
        ahead = min((len(data) - start) // self._width, self._count - entry) - 1
        return data, start - self._width * back, entry - back, entry + ahead

    def _search(self, data: bytes, start: int, wanted: int) -> int | None:
        sought = wanted.to_bytes(self._digits, self._order)
        at = data.find(sought, start)
        while at >= 0 and (at - start) % self._width:
            at = data.find(sought, at + 1)
        return None if at < 0 else (at - start) // self._width

    def _number(self, data: bytes, at: int) -> int:
        return int.from_bytes(data[at : at + self._digits], self._order)

    def _mark(self, number: int, entry: int, place: int) -> int:
        """Remember, as number `place` of those that are, where a number stands; the place of the next greater one.

        Raises IndexDamaged where that is not between its neighbours.
        """
        numbers, entries = self._numbers, self._entries
        if not numbers[place - 1] <= number <= numbers[place] or not entries[place - 1] < entry < entries[place]:
            raise IndexDamaged("its tables do not ascend")
        if number == numbers[place]:
            entries[place] = entry
        elif number > numbers[place - 1] and len(numbers) < _MARKS:
            numbers.insert(place, number)
            entries.insert(place, entry)
            return place + 1
        return place
