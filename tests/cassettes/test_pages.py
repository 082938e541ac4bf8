import struct
import zlib

import pytest
import respool.cassettes.pages as kept_pages
from respool.cassettes.pages import PAGE, IndexDamaged, Pages

BODY = bytes(number % 251 for number in range(2 * PAGE + 100))
TABLE = b"".join(struct.pack("<I", zlib.crc32(BODY[at : at + PAGE])) for at in range(0, len(BODY), PAGE))
BASE = 8 + len(TABLE)


def payload() -> bytearray:
    return bytearray(b"\0" * 8 + TABLE + BODY)


def pages(data: bytearray, *, reads: list[tuple[int, int]] | None = None) -> Pages:
    def fetch(at: int, length: int) -> bytes:
        if reads is not None:
            reads.append((at, length))
        return bytes(data[at : at + length])

    return Pages(memoryview(data), 8, BASE, fetch)


@pytest.mark.parametrize(
    ("at", "length"), [(0, 12), (PAGE - 12, 12), (PAGE - 5, 12), (10, 2 * PAGE), (2 * PAGE + 88, 12), (0, len(BODY))]
)
def test_bytes_are_found_inside_a_page_and_across_its_end(at, length):
    data, start = pages(payload()).find(BASE + at, length)
    assert data[start : start + length] == BODY[at : at + length]
    assert pages(payload()).verified(BASE + at, length) == BODY[at : at + length]


def test_a_page_is_read_once():
    reads: list[tuple[int, int]] = []
    read = pages(payload(), reads=reads)
    for at in (0, 100, PAGE - 4, 2 * PAGE + 3):
        read.find(BASE + at, 8)
    assert reads == [(BASE, PAGE), (BASE + PAGE, PAGE), (BASE + 2 * PAGE, 100)]


def test_of_too_many_pages_those_that_were_read_first_are_let_go_one_by_one(monkeypatch):
    monkeypatch.setattr(kept_pages, "_KEPT", 2)
    reads: list[tuple[int, int]] = []
    read = pages(payload(), reads=reads)
    for page in (0, 1, 2, 1, 0, 2):
        read.find(BASE + PAGE * page, 8)
    assert [(at - BASE) // PAGE for at, _ in reads] == [0, 1, 2, 0]


def test_a_page_that_is_damaged_is_not_kept():
    data = payload()
    read = pages(data)
    data[BASE + 50] ^= 4
    with pytest.raises(IndexDamaged):
        read.page(0)
    with pytest.raises(IndexDamaged):
        read.page(0)
    data[BASE + 50] ^= 4
    assert read.page(0) == BODY[:PAGE]


@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_damaged_page_is_never_believed(page):
    data = payload()
    data[BASE + PAGE * page + 50] ^= 4
    for way in (Pages.find, Pages.verified):
        with pytest.raises(IndexDamaged, match=f"page {page} is damaged"):
            way(pages(data), BASE + PAGE * page + 60, 8)
        way(pages(data), BASE + PAGE * ((page + 1) % 3), 8)


@pytest.mark.parametrize("at", [-1, 3 * PAGE, 1 << 40])
def test_a_place_outside_is_refused(at):
    with pytest.raises(IndexDamaged, match="outside"):
        pages(payload()).find(BASE + at, 8)
