import random
import zlib
from bisect import bisect_left
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.pages import PAGE, PAGE_CRC, IndexDamaged, Pages
from respool.cassettes.tables import Table

WIDTH = 12


class Read:
    """A table of these numbers, between bytes that are none of its own, and the pages that were read of it."""

    def __init__(self, numbers: Iterable[int], *, before: int = 40) -> None:
        self.numbers = list(numbers)
        entries = b"".join(number.to_bytes(8, "little") + b"rest" for number in self.numbers)
        body = b"\xff" * before + entries + b"\xff" * 50
        checks = b"".join(PAGE_CRC.pack(zlib.crc32(body[at : at + PAGE])) for at in range(0, len(body), PAGE))
        payload = memoryview(checks + body)
        self.pages: list[int] = []

        def fetch(at: int, length: int) -> bytes:
            self.pages.append(at)
            return bytes(payload[at : at + length])

        pages = Pages(payload, 0, len(checks), fetch)
        self.table = Table(pages, len(checks) + before, len(self.numbers), WIDTH, 8, "little")

    def first(self, number: int) -> int | None:
        """The place that is found, of an entry that is told whole."""
        found = self.table.find(number)
        if found is None:
            return None
        place, data, start = found
        assert data[start : start + WIDTH] == number.to_bytes(8, "little") + b"rest"
        return place

    def wanted(self, number: int) -> int | None:
        place = bisect_left(self.numbers, number)
        return place if place < len(self.numbers) and self.numbers[place] == number else None


NUMBERS = st.lists(st.integers(0, 30) | st.integers(0, 2**64 - 1), max_size=60)


@given(NUMBERS, st.integers(1, 400), st.integers(0, 5_000))
def test_the_first_entry_of_a_number_is_found_and_of_no_other(numbers, times, before):
    read = Read(sorted([number for number in numbers for _ in range(1 + number % times)]), before=before)
    asked = [0, 15, 2**64 - 1, *numbers]
    asked += [number ^ 1 for number in numbers]
    for number in asked * 2:
        assert read.first(number) == read.wanted(number)


def test_a_number_that_fills_many_pages_is_found_at_its_beginning():
    read = Read([*range(0, 3_000, 3), *[5_000] * 5_000, *range(6_000, 9_000)])
    for number in (5_000, 0, 3, 2_997, 5_000, 6_000, 8_999):
        assert read.first(number) == read.wanted(number)
    assert [read.first(number) for number in (1, 4_999, 5_001, 9_000, 2**64 - 1)] == [None] * 5


def test_a_look_up_beside_a_number_that_fills_many_pages_is_as_short_as_halving():
    chance = random.Random(5)
    some = sorted(chance.getrandbits(64) for _ in range(60_000))
    read = Read([*some[:20_000], *[some[20_000]] * 20_000, *some[20_001:]])
    for place in (*range(19_000, 20_001, 50), *range(40_000, 41_000, 50)):
        already = len(read.pages)
        assert read.first(read.numbers[place]) == read.wanted(read.numbers[place])
        assert len(read.pages) - already <= 9


def test_what_was_looked_up_once_is_found_with_no_page_read_anew():
    chance = random.Random(7)
    read = Read(sorted(chance.getrandbits(64) for _ in range(20_000)))
    asked = chance.sample(read.numbers, 300)
    first = [read.first(number) for number in asked]
    already = len(read.pages)
    assert [read.first(number) for number in asked] == first == [read.wanted(number) for number in asked]
    assert len(read.pages) == already


def test_a_look_up_of_a_digest_reads_a_page_or_two_of_hundreds():
    chance = random.Random(3)
    read = Read(sorted(chance.getrandbits(64) for _ in range(60_000)))
    asked = chance.sample(read.numbers, 40)
    most = 0
    for number in asked:
        already = len(read.pages)
        assert read.first(number) == read.wanted(number)
        most = max(most, len(read.pages) - already)
    assert len(read.pages) < 2 * len(asked)
    assert most <= 4


@pytest.mark.parametrize(
    "spread", [lambda number: number, lambda number: 2**64 - 1 - 60_000 + number, lambda number: number**4]
)
def test_numbers_that_do_not_lie_evenly_make_no_look_up_long(spread):
    read = Read(spread(number) for number in range(60_000))
    for place in (0, 1, 30_000, 59_998, 59_999):
        already = len(read.pages)
        assert read.first(read.numbers[place]) == place
        assert len(read.pages) - already <= 12 + 8


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), min_size=1, max_size=3_000), st.data())
def test_a_table_that_does_not_ascend_is_noticed_or_hides_something_and_never_tells_of_another_number(numbers, data):
    read = Read(numbers)
    for number in data.draw(st.lists(st.sampled_from(numbers), max_size=9)):
        try:
            found = read.first(number)
        except IndexDamaged:
            continue
        assert found is None or numbers[found] == number


def test_an_empty_table_holds_nothing():
    read = Read([])
    assert [read.first(number) for number in (0, 1, 2**64 - 1)] == [None] * 3
    assert read.pages == []


def test_a_page_is_verified_before_it_is_looked_at():
    chance = random.Random(3)
    numbers = sorted(chance.getrandbits(64) for _ in range(3_000))
    entries = b"".join(number.to_bytes(8, "little") + b"rest" for number in numbers)
    checks = b"".join(PAGE_CRC.pack(zlib.crc32(entries[at : at + PAGE]) ^ 1) for at in range(0, len(entries), PAGE))
    table = Table(Pages(memoryview(checks + entries), 0, len(checks)), len(checks), len(numbers), WIDTH, 8, "little")
    with pytest.raises(IndexDamaged, match="damaged"):
        table.find(numbers[1_000])
