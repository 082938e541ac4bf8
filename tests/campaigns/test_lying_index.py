"""An index that is gone, old, garbled or made by an enemy: what is read is what a scan reads, in no more memory."""

import random
import resource
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from campaign import LONG, sized
from cassette_samples import FILE_ID, whole
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.format import RecordType, Seal, link, pack_frame
from respool.cassettes.index import HEAD, PAGE
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.repair import examine
from respool.cassettes.scan import scan
from specimens import LARGE, Specimen

EDGES = [0, 1, 2, 63, 64, 2**16, 2**31, 2**32 - 1]
MOST_BYTES = 4 << 20
"""Memory that may be taken for a cassette of some tens of kilobytes, whatever its index says."""


class Answers:
    """All that a reader can be asked, as a scan of the file tells it."""

    def __init__(self, path: Path, calls: list[Interaction]) -> None:
        self.calls = {one.arrival: one for one in calls}
        with Reader.open(path, salvage=True) as reader:
            self.rows = list(reader.rows())
            self.scopes = reader.scopes()

    def check(self, reader: Reader) -> None:
        """Everything is told as the scan tells it."""
        assert list(reader.rows()) == self.rows
        assert reader.scopes() == self.scopes
        for key in {row.summary.key for row in self.rows}:
            assert reader.rows_of_key(key) == [row for row in self.rows if row.summary.key == key]
        for scope in {row.summary.scope for row in self.rows}:
            assert reader.rows_of_scope_hash(scope) == [row for row in self.rows if row.summary.scope == scope]
            assert reader.scope_name(scope) in self.scopes
        for row in self.rows:
            assert whole(reader.interaction(row)) == self.calls[row.summary.arrival]

    def check_honest(self, reader: Reader) -> None:
        """No interaction is told that is not in the file, and a list of real ones is all of them.

        Whoever can make every checksum right could as well change the records: a forged row shows when its record is asked for,
        and `respool doctor`, which believes no index, is not deceived at all.
        """
        rows = list(reader.rows())
        if set(rows) <= set(self.rows):
            assert rows == self.rows
        for row in rows:
            try:
                assert whole(reader.interaction(row)) == self.calls[row.summary.arrival]
            except DamagedCassetteError:
                assert row not in self.rows
        for key in {row.summary.key for row in self.rows}:
            assert all(row.summary.key == key for row in reader.rows_of_key(key))
        for scope in {row.summary.scope for row in self.rows}:
            assert all(row.summary.scope == scope for row in reader.rows_of_scope_hash(scope))
            reader.scope_name(scope)
        reader.scopes()


def last_index(path: Path) -> tuple[bytes, int, int]:
    """The file, and where its last INDEX frame begins and ends."""
    *_, index, seal = scan(path)
    assert (index.header.type, seal.header.type) == (RecordType.INDEX, RecordType.SEAL)
    return path.read_bytes(), index.offset, index.end


def forged(data: bytes, at: int, end: int, payload: bytes, *, file_id: bytes) -> bytes:
    """The file with another payload in its last index, and every checksum made right."""
    seal = Seal.unpack(data[end + 32 : end + 96])
    seq = struct.unpack_from("<Q", data, at + 8)[0]
    header = pack_frame(file_id[:4], 4, 0, seq, len(payload), len(payload), zlib.crc32(payload))
    chain = 0
    offset = 64
    while offset < at:
        chain = link(chain, data[offset : offset + 32])
        offset += 32 + struct.unpack_from("<I", data, offset + 16)[0]
    moved = seal._replace(
        seal_offset=at + 32 + len(payload), index_length=32 + len(payload), chain=link(chain, header)
    ).pack()
    tail = pack_frame(file_id[:4], 5, 0, seq + 1, 64, 64, zlib.crc32(moved)) + moved
    return data[:at] + header + payload + tail


def mutated(payload: bytes, chance: random.Random) -> bytes:
    """The payload of an index with some numbers in it made others, and its own checksums made right."""
    fields = list(HEAD.unpack_from(payload))
    body = bytearray(payload[fields[6] :])
    for _ in range(chance.randint(1, 4)):
        what = chance.randrange(5)
        if what == 0:
            place = chance.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
            fields[place] = chance.choice([*EDGES, fields[place] + 1, fields[place] - 1 if fields[place] else 1])
        elif what == 1:
            at = chance.randrange(len(body) - 8)
            body[at : at + 4] = struct.pack("<I", chance.choice(EDGES))
        elif what == 2:
            at, other = (4 * chance.randrange(len(body) // 4 - 2) for _ in range(2))
            body[at : at + 8], body[other : other + 8] = body[other : other + 8], body[at : at + 8]
        elif what == 3:
            table = chance.choice([7, 8, 9, 10])
            at = max(0, min(len(body) - 4, fields[table] - fields[6] + 4 * chance.randrange(12)))
            body[at : at + 4] = struct.pack("<I", chance.choice([*range(30), *EDGES]))
        else:
            del body[chance.randrange(len(body)) :]
            if len(body) < 64:
                body += bytes(64)
    table = b"".join(struct.pack("<I", zlib.crc32(body[at : at + PAGE])) for at in range(0, len(body), PAGE))
    fields[16] = zlib.crc32(table)
    head = HEAD.pack(*fields)[:-4]
    return head + struct.pack("<I", zlib.crc32(head)) + table + bytes(body)


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_an_index_that_is_gone_or_old_changes_nothing(tmp_path, make: Specimen):
    path = tmp_path / "a.cassette"
    answers = Answers(path, make(path))
    data, at, end = last_index(path)
    first = next(frame for frame in scan(path) if frame.header.type == RecordType.INDEX)
    old = data[first.payload_offset : first.end]
    for payload in (b"", b"\0" * 128, old, data[at + 32 : end][:-1]):
        path.write_bytes(forged(data, at, end, payload, file_id=FILE_ID))
        with Reader.open(path) as reader:
            answers.check(reader)
            assert reader.rebuilt
    for change in (bytes(end - at), data[first.offset : first.end].ljust(end - at, b"\0")[: end - at]):
        path.write_bytes(data[:at] + change + data[end:])  # only the bytes are others: no checksum is right
        with Reader.open(path) as reader:
            answers.check(reader)
            assert reader.rebuilt


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_a_garbled_index_is_never_believed(tmp_path, make: Specimen):
    path = tmp_path / "a.cassette"
    answers = Answers(path, make(path))
    data, at, end = last_index(path)
    chance = random.Random(5)
    for _ in range(sized(60, 500)):
        bad = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(at, end)
            bad[place : place + chance.randint(1, 8)] = chance.randbytes(min(8, end - place))[
                : len(bad[place : place + 8])
            ]
        bad = bytes(bad[: len(data)]).ljust(len(data), b"\0")
        path.write_bytes(bad[:end] + data[end:])
        with Reader.open(path) as reader:
            answers.check(reader)


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_a_forged_index_tells_no_lie_and_takes_no_memory(tmp_path, make: Specimen):
    path = tmp_path / "a.cassette"
    answers = Answers(path, make(path))
    data, at, end = last_index(path)
    chance = random.Random(6)
    used = 0
    for _ in range(sized(30, 500)):
        payload = mutated(data[at + 32 : end], chance)
        path.write_bytes(forged(data, at, end, payload, file_id=FILE_ID))
        tracemalloc.start()
        try:
            with Reader.open(path) as reader:
                answers.check_honest(reader)
                used += not reader.rebuilt
        except CassetteError as error:
            pytest.fail(f"an index is no reason for an error: {error.message}")
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < MOST_BYTES
        found = examine(path)
        assert (found.kept, found.healthy) == (len(answers.rows), True)
    assert used or not LONG, "some of it did no harm"


def test_an_index_that_claims_billions_is_opened_in_little_memory(tmp_path):
    path = tmp_path / "a.cassette"
    calls = LARGE["plain"](path)
    answers = Answers(path, calls)
    data, at, end = last_index(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for place in (2, 3, 4, 5):
        for value in (2**32 - 1, 2**31, 10_000_000):
            fields = list(HEAD.unpack_from(data, at + 32))
            body = data[at + 32 + fields[6] : end]
            fields[place] = value
            sizes = [64 * fields[3], 12 * fields[3], 4 * fields[3], 24 * fields[4], 24 * fields[5]]
            start = 128 + 4 * fields[2]
            fields[6:12] = [start + sum(sizes[:count]) for count in range(6)]  # its offsets agree with what it claims
            head = HEAD.pack(*fields)[:-4]
            payload = head + struct.pack("<I", zlib.crc32(head)) + data[at + 32 + 128 : at + 32 + 128 + 8] + body
            path.write_bytes(forged(data, at, end, payload, file_id=FILE_ID))
            with Reader.open(path) as reader:
                answers.check(reader)
                assert reader.rebuilt
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
