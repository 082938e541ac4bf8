import os
import subprocess
import sys
import time

import pytest
from cassette_samples import call, read, summary, whole, write
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes.compression import squeeze
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import RecordType
from respool.cassettes.interaction import Interaction, Request
from respool.cassettes.reader import Reader
from respool.cassettes.records import encode_interaction
from respool.cassettes.scan import scan
from respool.cassettes.scopes import scope_hash
from respool.cassettes.writer import Writer

BODIES = st.binary(max_size=20) | st.builds(
    lambda data, times: data * times, st.binary(max_size=40), st.integers(0, 300)
)


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
        told = [(one.request.body, *([one.response.body] if one.response else [])) for one in calls]
        assert [reader.bodies(row) for row in rows] == told
        assert [row.summary for row in rows] == [summary(one, one.arrival % 3) for one in calls]
        names = list(dict.fromkeys(one.scope for one in calls))
        assert reader.scopes() == names
        for name in [*names, "never"]:
            wanted = [row for row, one in zip(rows, calls, strict=True) if one.scope == name]
            assert reader.rows_of_scope(name) == reader.rows_of_scope_hash(scope_hash(name)) == wanted
            assert reader.scope_name(scope_hash(name)) == (name if wanted else "")
        for key in range(4):
            assert reader.rows_of_key(key) == [row for row in rows if row.summary.key == key]


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
