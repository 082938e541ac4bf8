import os
import struct
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.format import RecordType, Seal, link, pack_frame
from respool.cassettes.index import HEAD, PAGE
from respool.cassettes.interaction import BlobRef, Body, End, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.scan import scan
from respool.cassettes.scopes import scope_hash
from respool.cassettes.summary import Row, Summary
from respool.cassettes.writer import Writer

FILE_ID = b"\x01\x02\x03\x04" + bytes(12)


def call(arrival: int, body: bytes = b"", *, scope: str = "thread_a", **fields) -> Interaction:
    response = Response(200, b"OK", ((b"content-type", b"application/json"),), Body.of(body), "", 3)
    return Interaction(arrival, 1_000 + arrival, Request("GET", b"/threads/a"), response, scope=scope, duration_us=9, **fields)


def summary(interaction: Interaction, key: int = 5) -> Summary:
    return Summary(
        key,
        scope_hash(interaction.scope),
        6,
        interaction.arrival,
        interaction.started_us,
        interaction.duration_us,
        interaction.response.status if interaction.response else 0,
        2,
        0,
        interaction.variant,
    )


def write(path: Path, interactions: list[Interaction], *, segments: int = 1) -> bytes:
    """A sealed cassette of these, in as many segments."""
    step = -(-len(interactions) // segments) or 1
    for at in range(0, len(interactions) or 1, step):
        first = at == 0
        writer = Writer.create(path, file_id=FILE_ID, clock=lambda: 5.0) if first else Writer.append_to(path)
        with writer:
            for interaction in interactions[at : at + step]:
                writer.append(interaction, summary(interaction, interaction.arrival % 3))
    return path.read_bytes()


def read(path: Path) -> list[Interaction]:
    with Reader.open(path) as reader:
        return [whole(reader.interaction(row)) for row in reader.rows()]


def whole(interaction: Interaction) -> Interaction:
    """The interaction, its bodies read."""
    request, response = interaction.request, interaction.response
    return replace(
        interaction,
        request=replace(request, body=Body.of(request.body.read())),
        response=None if response is None else replace(response, body=Body.of(response.body.read())),
    )


def flip(path: Path, at: int, byte: int) -> None:
    """Make the byte at `at` this one; at -1, nothing."""
    if at >= 0:
        with path.open("r+b", buffering=0) as file:
            file.seek(at)
            file.write(bytes([byte]))


def small() -> list[Interaction]:
    """Some of everything, in about four kilobytes."""
    noise = bytes((number * number * 31 + number // 7) & 0xFF for number in range(600))
    cut = Interaction(4, 1_004, Request("POST", b"/x", (), Body.of(b"{}")), None, End.UPSTREAM_FAILED, 9, "/x")
    return [call(1, b"one"), call(0, noise, scope="/files"), call(2, noise), call(3, b"x" * 5_000), cut]


BODIES = st.binary(max_size=20) | st.builds(lambda data, times: data * times, st.binary(max_size=40), st.integers(0, 300))


@settings(max_examples=50)
@given(
    st.lists(st.tuples(BODIES, st.sampled_from(["a", "b", "ü", "/files"]), st.integers(0, 3)), max_size=20),
    st.integers(1, 10),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_what_was_recorded_is_read(tmp_path_factory, entries, segments, chance, sealed):
    path = tmp_path_factory.mktemp("cassette") / "a.cassette"
    calls = [call(arrival, body, scope=scope, variant=number) for arrival, (body, scope, number) in enumerate(entries)]
    ended = chance.sample(calls, len(calls))
    data = write(path, ended, segments=segments)
    if not sealed:
        path.write_bytes(data[:-1])
    with Reader.open(path) as reader:
        assert (reader.sealed, reader.rebuilt, len(reader)) == (sealed, "", len(calls))
        rows = list(reader.rows())
        assert [reader.interaction(row) for row in rows] == calls
        assert [row.summary for row in rows] == [summary(one, one.arrival % 3) for one in calls]
        names = list(dict.fromkeys(one.scope for one in calls))
        assert reader.scopes() == names
        for name in [*names, "never"]:
            wanted = [row for row, one in zip(rows, calls, strict=True) if one.scope == name]
            assert reader.rows_of_scope(name) == reader.rows_of_scope_hash(scope_hash(name)) == wanted
            assert reader.scope_name(scope_hash(name)) == (name if wanted else "")
        for key in range(4):
            assert reader.rows_of_key(key) == [row for row in rows if row.summary.key == key]


def test_a_cut_at_any_byte_loses_only_what_was_not_whole(tmp_path):
    path = tmp_path / "a.cassette"
    calls = small()
    data = write(path, calls, segments=2)
    places = list(scan(path))
    ends = [frame.end for frame in places if frame.header.type == RecordType.INTERACTION]
    meta_end, seal_ends = places[0].end, [frame.end for frame in places if frame.header.type == RecordType.SEAL]
    for size in reversed(range(len(data))):
        os.truncate(path, size)
        if size < meta_end:
            with pytest.raises(CassetteError):
                Reader.open(path)
            continue
        count = sum(end <= size for end in ends)
        with Reader.open(path) as reader:
            assert reader.sealed is (size in seal_ends)
            assert reader.dropped_bytes == size - max(frame.end for frame in places if frame.end <= size)
            assert bool(reader.warning) is not reader.sealed
            assert [whole(reader.interaction(row)) for row in reader.rows()] == sorted(
                calls[:count], key=lambda one: one.arrival
            )


def test_a_flipped_bit_anywhere_is_never_taken_for_the_truth(tmp_path):
    path = tmp_path / "a.cassette"
    calls = sorted(small(), key=lambda one: one.arrival)
    data = write(path, small(), segments=2)
    outcomes = {"error": 0, "unsealed": 0, "rebuilt": 0, "harmless": 0}
    assert len(data) < 8_000
    for at in range(len(data)):
        flip(path, at - 1, data[at - 1])
        flip(path, at, data[at] ^ 1 << (at * 5 % 8))
        try:
            reader = Reader.open(path)
        except CassetteError:
            outcomes["error"] += 1
            continue
        with reader:
            got = []
            try:
                rows = list(reader.rows())
                for row in rows:
                    got.append(whole(reader.interaction(row)))
                names = reader.scopes()
            except CassetteError:
                outcomes["error"] += 1
                assert all(one in calls for one in got)
                continue
            assert got == calls[: len(got)]
            assert len(got) == len(calls), "a flipped bit before the end must not look like an end"
            assert names == ["/files", "thread_a", "/x"]
            outcomes["unsealed" if not reader.sealed else "rebuilt" if reader.rebuilt else "harmless"] += 1
    assert outcomes["unsealed"] == 96, "the last seal, and nothing else"
    assert outcomes["rebuilt"] > 100
    assert outcomes["harmless"] < 400, "earlier index pages and checksums that nobody needed"


def test_every_bit_of_a_record_counts(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, [call(0, b"x" * 512), call(1, b"y")])
    places = list(scan(path))
    for at in range(64, places[3].end):
        in_header = any(frame.offset <= at < frame.payload_offset for frame in places)
        for bit in range(8) if in_header else (at % 8,):
            flip(path, at, data[at] ^ 1 << bit)
            with pytest.raises(DamagedCassetteError):
                read(path)
        flip(path, at, data[at])


@pytest.mark.parametrize("segments", [1, 3])
def test_without_any_index_the_same_is_read(tmp_path, segments):
    path = tmp_path / "a.cassette"
    calls = [call(number, b"%d" % number * 700, scope=f"t{number % 4}") for number in range(30)]
    data = bytearray(write(path, calls, segments=segments))
    for frame in scan(path):
        if frame.header.type == RecordType.INDEX:
            data[frame.offset : frame.end] = os.urandom(frame.end - frame.offset)
    with Reader.open(path) as reader:
        wanted = (list(reader.rows()), reader.scopes(), reader.rows_of_key(1), reader.rows_of_scope("t2"))
    path.write_bytes(data)
    with Reader.open(path) as reader:
        assert reader.rebuilt
        assert reader.sealed
        assert reader.dropped_bytes == 0
        assert (list(reader.rows()), reader.scopes(), reader.rows_of_key(1), reader.rows_of_scope("t2")) == wanted
    assert read(path) == calls


def hostile(path: Path, change) -> None:
    """Replace the only index by what `change` makes of it, every checksum right."""
    data = path.read_bytes()
    *_, index, seal = scan(path)
    payload = bytearray(data[index.payload_offset : index.end])
    fields = list(HEAD.unpack_from(payload))
    body = payload[fields[6] :]
    change(fields, body)
    table = b"".join(struct.pack("<I", zlib.crc32(body[at : at + PAGE])) for at in range(0, len(body), PAGE))
    fields[16] = zlib.crc32(table)
    head = HEAD.pack(*fields)[:-4]
    payload = head + struct.pack("<I", zlib.crc32(head)) + table + body
    header = pack_frame(FILE_ID[:4], 4, 0, index.header.seq, len(payload), len(payload), zlib.crc32(payload))
    old = Seal.unpack(data[seal.payload_offset : seal.end])
    chain = 0
    for frame in list(scan(path))[:-2]:
        chain = link(chain, data[frame.offset : frame.payload_offset])
    fields = old._replace(chain=link(chain, header)).pack()
    tail = pack_frame(FILE_ID[:4], 5, 0, seal.header.seq, 64, 64, zlib.crc32(fields)) + fields
    path.write_bytes(data[: index.offset] + header + payload + tail)


def test_an_index_that_lies_is_found_out_and_left_alone(tmp_path):
    path = tmp_path / "a.cassette"
    calls = [call(number, bytes([number]) * 700) for number in range(5)]

    def exchange_offsets(_: list, body: bytearray) -> None:
        body[56:64], body[120:128] = body[120:128], body[56:64]

    def lead_outside(_: list, body: bytearray) -> None:
        body[56:64] = struct.pack("<Q", 1 << 60)

    def lead_into_a_body(_: list, body: bytearray) -> None:
        body[56:64] = struct.pack("<Q", 300)

    def lead_before_the_file(_: list, body: bytearray) -> None:
        body[56:64] = bytes(8)

    def mislead_blobs(fields: list, body: bytearray) -> None:
        at = fields[10] - fields[6]
        body[at + 16 : at + 24], body[at + 40 : at + 48] = body[at + 40 : at + 48], body[at + 16 : at + 24]

    for change in (exchange_offsets, lead_outside, lead_into_a_body, lead_before_the_file, mislead_blobs):
        path.unlink(missing_ok=True)
        write(path, calls)
        hostile(path, change)
        with Reader.open(path) as reader:
            assert reader.sealed
            assert [whole(reader.interaction(row)) for row in list(reader.rows())] == calls, change.__name__
            assert reader.rebuilt, change.__name__


def test_a_row_that_was_made_up_is_refused(tmp_path):
    path = tmp_path / "a.cassette"
    write(path, small())
    with Reader.open(path) as reader:
        row = next(reader.rows())
        for wrong in (
            Row(row.summary, row.offset + 1),
            Row(row.summary, 1 << 63),
            Row(row.summary._replace(answer=77), row.offset),
        ):
            if wrong.summary == row.summary:
                assert reader.interaction(wrong).arrival == row.summary.arrival
            else:
                with pytest.raises(DamagedCassetteError):
                    reader.interaction(wrong)
        with pytest.raises(DamagedCassetteError):
            reader.load(BlobRef(bytes(16), 5))


def test_rows_go_on_when_the_index_turns_out_bad_half_way(tmp_path):
    path = tmp_path / "a.cassette"
    calls = [call(number) for number in range(300)]
    data = bytearray(write(path, calls))
    *_, index, _ = scan(path)
    start = index.payload_offset + HEAD.unpack_from(data, index.payload_offset)[6]
    data[start + 2 * PAGE + 5] ^= 1
    path.write_bytes(data)
    with Reader.open(path) as reader:
        first, second = reader.rows(), reader.rows()
        next(second)
        got = [row.summary.arrival for row in first]
        assert "page" in reader.rebuilt
        assert got == list(range(300))
        assert [row.summary.arrival for row in second] == list(range(1, 300))


def test_damage_is_an_error_and_salvage_reads_around_it(tmp_path):
    path = tmp_path / "a.cassette"
    calls = [call(number, b"%d" % number) for number in range(6)]
    data = bytearray(write(path, calls))
    places = list(scan(path))
    data[places[3].offset + 60] ^= 1
    path.write_bytes(data)
    with Reader.open(path) as reader:  # by its index: the record itself tells
        with pytest.raises(DamagedCassetteError) as caught:
            [reader.interaction(row) for row in reader.rows()]
        assert "respool doctor" in caught.value.hint
    path.write_bytes(data[:-1])
    with pytest.raises(DamagedCassetteError, match="1 record lost"):
        Reader.open(path)
    with Reader.open(path, salvage=True) as reader:
        assert [reader.interaction(row) for row in reader.rows()] == calls[:2] + calls[3:]
        assert [(gap.offset, gap.records) for gap in reader.gaps] == [(places[3].offset, 1)]
        assert reader.warning


def test_a_blob_that_is_missing_or_bad_is_said_when_the_body_is_read(tmp_path):
    path = tmp_path / "a.cassette"
    data = bytearray(write(path, [call(0, b"z" * 700), call(1, b"fine")]))
    blob = list(scan(path))[1]
    data[blob.end - 1] ^= 1
    path.write_bytes(data)
    with Reader.open(path) as reader:
        first, second = [reader.interaction(row) for row in reader.rows()]
        assert second == call(1, b"fine")
        with pytest.raises(DamagedCassetteError):
            first.response.body.read()


def test_two_copies_of_a_file_in_a_row_are_damage(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, small())
    path.write_bytes(data + data)
    with Reader.open(path) as reader:
        assert not reader.sealed
        assert reader.dropped_bytes == len(data)
        assert "not closed cleanly" in reader.warning
    path.write_bytes(data[:64] + data[64 + 40 :])
    with pytest.raises(DamagedCassetteError):
        Reader.open(path)


def test_bytes_after_the_seal_are_left_out_and_said(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, small())
    path.write_bytes(data + b"\n")
    with Reader.open(path) as reader:
        assert (reader.sealed, reader.dropped_bytes, len(reader)) == (False, 1, 5)


def test_a_reader_sees_the_length_at_opening_while_another_process_writes(tmp_path):
    path = tmp_path / "a.cassette"
    script = """
import sys
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.summary import Summary
from respool.cassettes.writer import Writer
with Writer.create(sys.argv[1]) as writer:
    print("begun", flush=True)
    for number in range(1500):
        call = Interaction(number, 0, Request("GET", b"/"), Response(200, body=Body.of(b"%d " % number * 200)), scope="a")
        writer.append(call, Summary(1, 2, 3, number, 0, 0, 200, 0, 0, 0))
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    before = -1
    while process.poll() is None:
        try:
            reader = Reader.open(tmp_path / "a.cassette.partial")
        except CassetteError:
            break  # it has its name by now
        with reader:
            rows = list(reader.rows())
            assert len(rows) >= before
            assert [row.summary.arrival for row in rows] == list(range(len(rows)))
            for row in rows[-3:]:
                response = reader.interaction(row).response
                assert response is not None
                assert response.body.read() == b"%d " % row.summary.arrival * 200
            before = len(rows)
    process.communicate()
    assert process.returncode == 0
    assert len(read(path)) == 1500


def test_an_open_reader_is_not_disturbed_by_an_append_or_an_overwrite(tmp_path):
    path = tmp_path / "a.cassette"
    calls = [call(number, os.urandom(700)) for number in range(5)]
    write(path, calls)
    with Reader.open(path) as reader:
        with Writer.append_to(path) as writer:
            writer.append(call(9), summary(call(9)))
        Writer.create(path, overwrite=True).close()
        assert [whole(reader.interaction(row)) for row in reader.rows()] == calls
    assert read(path) == []


def test_a_compressed_interaction_is_read(tmp_path):
    from respool.cassettes.compression import squeeze
    from respool.cassettes.records import encode_interaction

    path = tmp_path / "a.cassette"
    long = Interaction(0, 1_000, Request("GET", b"/" + b"a" * 9_000), None, scope="thread_a")
    writer = Writer.create(path)
    fields = encode_interaction(long, b"", b"")
    codec, stored = squeeze(fields)
    batch = writer._batch()
    batch.add(RecordType.INTERACTION, codec, summary(long).pack(), stored, len(fields))
    writer._write(batch)
    writer.abandon()
    with Reader.open(tmp_path / "a.cassette.partial") as reader:
        assert [reader.interaction(row) for row in reader.rows()] == [long]
        assert reader.scopes() == ["thread_a"]


def test_a_sealed_cassette_opens_in_constant_time(tmp_path):
    for count in (10, 10_000):
        write(tmp_path / f"{count}.cassette", [call(number, scope=f"thread_{number // 10}") for number in range(count)])

    def opening(count: int) -> float:
        path = tmp_path / f"{count}.cassette"
        times = []
        for _ in range(9):
            began = time.perf_counter()
            reader = Reader.open(path)
            times.append(time.perf_counter() - began)
            assert len(reader) == count
            reader.close()
        return min(times)

    assert opening(10_000) < 0.01
    assert opening(10_000) < 20 * opening(10) + 0.001


def test_times_and_variant_come_from_the_summary(tmp_path):
    path = tmp_path / "a.cassette"
    one = call(3, variant=513)
    with Writer.create(path) as writer:
        writer.append(one, summary(one)._replace(started_us=77, duration_us=88))
    (got,) = read(path)
    assert (got.arrival, got.started_us, got.duration_us, got.variant) == (3, 77, 88, 513)


@settings(max_examples=60)
@given(st.data())
def test_nothing_but_a_cassette_error_escapes_from_a_mangled_file(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("mangled") / "a.cassette"
    content = bytearray(write(path, small(), segments=2))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        piece = data.draw(st.binary(max_size=60) | st.sampled_from([content[64:200], FILE_ID[:4], bytes(96)]))
        content[at : at + data.draw(st.integers(0, 200))] = piece
    path.write_bytes(content)
    try:
        assert all(one in small() for one in read(path))
    except CassetteError:
        pass
