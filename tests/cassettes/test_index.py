import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes.index import (
    ARRIVAL,
    BLOB,
    HEAD,
    KEY,
    ROW,
    SCOPE,
    IndexView,
    build_index,
    index_too_big,
)
from respool.cassettes.pages import PAGE, IndexDamaged
from respool.cassettes.summary import Row, Summary

U64 = st.integers(0, 2**64 - 1)


def summary(key: int, scope: int, arrival: int) -> Summary:
    return Summary(key, scope, arrival ^ 0x55, arrival, 1_000 + arrival, 7, 200, 3, 1, 9)


def packed(rows: list[Row]) -> bytes:
    return b"".join(row.summary.pack() + struct.pack("<Q", row.offset) for row in rows)


def view_of(rows: list[Row], blobs: dict[bytes, int] | None = None, names: dict[int, str] | None = None) -> IndexView:
    entries = b"".join(digest + struct.pack("<Q", offset) for digest, offset in (blobs or {}).items())
    return IndexView(memoryview(build_index(packed(rows), entries, names or {})))


def many(count: int) -> list[Row]:
    chance = random.Random(4)
    rows = [Row(summary(n % 37, 1 << (n % 50), n), 64 + 100 * n) for n in range(count)]
    chance.shuffle(rows)
    return rows


def ask_everything(view: IndexView) -> list[object]:
    answers: list[object] = [list(view.in_order()), sorted(view.entries())]
    answers += [view.of_key(key) for key in range(38)]
    for number in range(51):
        answers += [view.of_scope(1 << number), view.name(1 << number), view.blob(bytes([number]) * 16)]
    return answers


NAMES = {1 << number: f"thread_{number}é" for number in range(50)}
BLOBS = {bytes([number]) * 16: 1_000 * number for number in range(0, 50, 2)}


SMALL_OR_ANY = st.integers(0, 4) | U64
ENTRIES = st.lists(
    st.tuples(SMALL_OR_ANY, SMALL_OR_ANY, st.integers(0, 2**63)), max_size=60, unique_by=lambda entry: entry[2]
)


@settings(max_examples=60)
@given(ENTRIES)
def test_every_look_up_gives_what_a_search_through_all_rows_gives(entries):
    rows = [Row(summary(*entry), 64 + place) for place, entry in enumerate(entries)]
    names = {row.summary.scope: f"n{row.summary.scope}" for row in rows}
    view = view_of(rows, names=names)
    ordered = sorted(rows, key=lambda row: row.summary.arrival)
    assert list(view.in_order()) == ordered
    assert list(view.in_order(2)) == ordered[2:]
    for key in {row.summary.key for row in rows} | {0, 2**64 - 1}:
        assert view.of_key(key) == [row for row in ordered if row.summary.key == key]
    for scope in {row.summary.scope for row in rows} | {0, 2**64 - 1}:
        wanted = [row for row in ordered if row.summary.scope == scope]
        assert view.of_scope(scope) == wanted
        assert view.name(scope) == (names[scope] if wanted else None)
    first: dict[str, int] = {}
    for row in ordered:
        first.setdefault(names[row.summary.scope], row.summary.arrival)
    assert sorted(view.entries()) == sorted((arrival, name) for name, arrival in first.items())


def test_an_empty_index_answers():
    view = view_of([])
    assert ask_everything(view)[0] == []
    assert view.of_key(1) == view.of_scope(1) == []
    assert view.blob(bytes(16)) is None


def test_a_look_up_of_a_key_reads_no_page_in_which_it_has_nothing():
    rows = [Row(summary(n // 3 * (2**64 // 1_000), n // 3, n), 64 + n) for n in range(3_000)]
    payload = memoryview(build_index(packed(rows), b"", {}))
    base, keys = HEAD.unpack_from(payload)[6:8]
    reads: set[int] = set()

    def fetch(at: int, length: int) -> bytes:
        reads.add((at - base) // PAGE)
        return bytes(payload[at : at + length])

    def pages(at: int, length: int) -> set[int]:
        return {(at - base) // PAGE, (at + length - 1 - base) // PAGE}

    few = 0
    for first in range(0, 3_000, 3):
        reads.clear()
        assert IndexView(payload, fetch).of_key(rows[first].summary.key) == rows[first : first + 3]
        few += reads == pages(keys + KEY.size * first, 3 * KEY.size) | pages(base + ROW.size * first, 3 * ROW.size)
    assert few > 985  # the others were sought on the page beside theirs


def test_blobs_are_found_and_of_equal_ones_the_first():
    entries = b"".join(digest + struct.pack("<Q", n) for n, digest in enumerate([b"b" * 16, b"a" * 16, b"b" * 16]))
    view = IndexView(memoryview(build_index(b"", entries, {})))
    assert (view.blob(b"b" * 16), view.blob(b"a" * 16), view.blob(b"c" * 16)) == (0, 1, None)
    assert view.blobs == 2


def test_a_flipped_bit_anywhere_is_noticed_or_changes_nothing():
    rows = many(300)
    entries = b"".join(digest + struct.pack("<Q", offset) for digest, offset in BLOBS.items())
    payload = build_index(packed(rows), entries, NAMES)
    wanted = ask_everything(IndexView(memoryview(payload)))
    assert len(payload) > 6 * PAGE
    for at in range(0, len(payload), 13):
        payload[at] ^= 1 << (at % 8)
        with pytest.raises(IndexDamaged):
            ask_everything(IndexView(memoryview(bytes(payload))))
        payload[at] ^= 1 << (at % 8)
    assert ask_everything(IndexView(memoryview(payload))) == wanted


@pytest.mark.parametrize("length", [0, 1, HEAD.size - 1, HEAD.size, HEAD.size + 3, 5000])
def test_a_cut_index_is_noticed(length):
    payload = bytes(build_index(packed(many(200)), b"", NAMES))
    with pytest.raises(IndexDamaged):
        IndexView(memoryview(payload[:length]))
    with pytest.raises(IndexDamaged):
        IndexView(memoryview(payload + b"\0"))


def forged(payload: bytes, change) -> bytes:
    """An index whose tables were changed by `change` and whose checksums were made right again: a hostile one."""
    data = bytearray(payload)
    fields = list(HEAD.unpack_from(data))
    start = fields[6]
    body = bytearray(data[start:])
    change(fields, body)
    table = b"".join(struct.pack("<I", zlib.crc32(body[at : at + PAGE])) for at in range(0, len(body), PAGE))
    fields[16] = zlib.crc32(table)
    head = HEAD.pack(*fields)[:-4]
    return head + struct.pack("<I", zlib.crc32(head)) + table + body


@pytest.mark.parametrize("field", range(16))
@pytest.mark.parametrize("value", [0, 1, 7, 2**32 - 1])
def test_a_head_that_lies_is_noticed(field, value):
    payload = bytes(build_index(packed(many(200)), b"d" * 24, NAMES))

    def change(fields: list, body: bytearray) -> None:
        if field == 15:
            fields[15] = b"reserved"
        elif fields[field] == value:
            fields[field] = value + 1
        else:
            fields[field] = value

    data = forged(payload, change)
    if field in (13, 14, 15):  # arrivals and reserved bytes lead nowhere
        assert len(list(IndexView(memoryview(data)).in_order())) == 200
    else:
        with pytest.raises(IndexDamaged):
            IndexView(memoryview(data))


def test_tables_that_lead_outside_are_noticed():
    rows = many(200)
    payload = bytes(build_index(packed(rows), b"", NAMES))
    fields = HEAD.unpack_from(payload)
    start, keys, arrivals, scopes = fields[6:10]

    def poke(at: int, data: bytes) -> IndexView:
        def change(_: list, body: bytearray) -> None:
            body[at - start : at - start + len(data)] = data

        return IndexView(memoryview(forged(payload, change)))

    with pytest.raises(IndexDamaged):
        list(poke(arrivals, ARRIVAL.pack(200)).in_order())
    with pytest.raises(IndexDamaged):
        poke(keys, KEY.pack(0, 2**32 - 1)).of_key(0)
    with pytest.raises(IndexDamaged, match="another key"):
        poke(keys, KEY.pack(0, 3)).of_key(0)
    with pytest.raises(IndexDamaged):
        poke(scopes, SCOPE.pack(1, 150, 2**32 - 1, 0, 1)).of_scope(1)
    with pytest.raises(IndexDamaged, match="another scope"):
        poke(scopes, SCOPE.pack(1, 4, 4, 0, 1)).of_scope(1)
    with pytest.raises(IndexDamaged):
        poke(scopes, SCOPE.pack(1, 0, 4, 2**32 - 1, 9)).name(1)
    with pytest.raises(IndexDamaged, match="names"):
        list(poke(scopes + SCOPE.size, SCOPE.pack(2, 4, 4, 0, 9)).entries())


def test_a_row_that_stands_twice_in_order_is_noticed_before_any_is_told():
    payload = bytes(build_index(packed(many(200)), b"", NAMES))
    start, arrivals = HEAD.unpack_from(payload)[6], HEAD.unpack_from(payload)[8]

    def repeat(_: list, body: bytearray) -> None:
        at = arrivals - start
        body[at + 400 : at + 404] = body[at + 396 : at + 400]

    def exchange(_: list, body: bytearray) -> None:
        at = arrivals - start
        body[at : at + 4], body[at + 400 : at + 404] = body[at + 400 : at + 404], body[at : at + 4]

    for change in (repeat, exchange):
        view = IndexView(memoryview(forged(payload, change)))
        with pytest.raises(IndexDamaged, match="out of order"):
            next(view.in_order())


def test_entry_sizes_are_those_of_the_format():
    assert (ROW.size, KEY.size, ARRIVAL.size, SCOPE.size, BLOB.size, HEAD.size) == (64, 12, 4, 24, 24, 128)


def test_an_index_that_cannot_be_held_is_known_beforehand():
    assert not index_too_big(1_000_000, 1_000_000, 10_000_000, 1 << 30)
    assert index_too_big(12_000_000, 0, 0, 1 << 30)
    assert index_too_big(1 << 32, 0, 0, 1 << 62)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_index_are_noticed(data):
    with pytest.raises(IndexDamaged):
        IndexView(memoryview(data))
