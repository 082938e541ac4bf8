"""A packed cassette says what the one it was made of says, is small, and survives what any cassette survives."""

import json
import random
from dataclasses import replace

import pytest
from cassette_samples import call, contents, read, summary, write
from respool.benchmarks.corpus import generate, write_corpus
from respool.cassettes.errors import CassetteError, DamagedCassetteError, UsageError
from respool.cassettes.format import FILE_HEADER_SIZE, FRAME_HEADER_SIZE, RecordType
from respool.cassettes.interaction import Body
from respool.cassettes.packing import compare, pack, pack_in_place
from respool.cassettes.reader import Reader
from respool.cassettes.repair import repair
from respool.cassettes.scan import scan
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "raw.cassette"
    write_corpus(path, 1_200, 24, seed=3)
    return path


@pytest.fixture(scope="module")
def packed(corpus):
    path = corpus.with_name("packed.cassette")
    with Reader.open(corpus) as reader:
        pack(reader, path)
    return path


def kinds(path):
    return [frame.header.type for frame in scan(path)]


def test_all_that_is_read_is_the_same(corpus, packed):
    with Reader.open(corpus) as raw, Reader.open(packed) as small:
        assert small.sealed
        assert small.rebuilt == ""
        assert (small.meta, small.file_id) == (raw.meta, raw.file_id)
        assert [row.summary for row in small.rows()] == [row.summary for row in raw.rows()]
        assert small.scopes() == raw.scopes()
        assert [small.interaction(row) for row in small.rows()] == [raw.interaction(row) for row in raw.rows()]
        for row in list(raw.rows())[::7]:
            wanted = [found.summary for found in raw.rows_of_key(row.summary.key)]
            assert [found.summary for found in small.rows_of_key(row.summary.key)] == wanted


def test_it_is_a_fifth_of_the_raw_size_at_most(corpus, packed):
    assert packed.stat().st_size <= 0.2 * corpus.stat().st_size
    assert kinds(packed)[:2] == [RecordType.META, RecordType.DICTIONARY]
    assert packed.stat().st_mode & 0o777 == 0o600


def test_a_thousand_polls_of_a_large_run_cost_less_than_two_of_its_bodies_and_a_half(tmp_path):
    chance = random.Random(1)
    words = [f"{chance.choice(['refund', 'order', 'ship'])}{chance.randrange(1000)}" for _ in range(4_500)]
    body = json.dumps({"object": "thread.run", "status": "in_progress", "instructions": " ".join(words)}).encode()
    assert 39_500 < len(body) < 41_000
    poll = next(
        each for each in generate(2_000, 20) if each.request.method == "GET" and b"/runs/run_" in each.request.target
    )
    assert poll.response is not None
    with Writer.create(tmp_path / "raw.cassette") as writer:
        for number in range(1_000):
            new = {
                b"x-request-id": b"req_%032x" % chance.getrandbits(128),
                b"cf-ray": b"%016x" % chance.getrandbits(64),
            }
            headers = tuple((name, new.get(name.lower(), value)) for name, value in poll.response.headers)
            answer = replace(poll.response, headers=headers, body=Body.of(body), head_us=chance.randrange(30_000))
            at = poll.started_us + 1_000_000 * number + chance.randrange(9_999)
            new_poll = replace(
                poll, arrival=number, started_us=at, duration_us=chance.randrange(90_000), response=answer
            )
            writer.append(new_poll, summarise(new_poll))
    with Reader.open(tmp_path / "raw.cassette") as reader:
        assert pack(reader, tmp_path / "packed.cassette") < 100_000
        compare(reader, tmp_path / "packed.cassette")


def test_only_a_packed_cassette_of_many_calls_has_an_index(tmp_path):
    for count in (1_024, 1_025):
        path = tmp_path / f"{count}.cassette"
        write(path, [call(number) for number in range(count)])
        pack_in_place(path)
        assert (RecordType.INDEX in kinds(path)) is (count == 1_025)
        with Reader.open(path) as reader:
            assert (reader.sealed, reader.rebuilt, len(reader)) == (True, "", count)


def test_without_its_index_it_is_scanned_and_says_the_same(corpus, packed, tmp_path):
    path = tmp_path / "cut.cassette"
    path.write_bytes(packed.read_bytes()[:-1])
    with Reader.open(corpus) as raw, Reader.open(path) as small:
        assert not small.sealed
        assert [small.interaction(row) for row in small.rows()] == [raw.interaction(row) for row in raw.rows()]
        assert small.scopes() == raw.scopes()


def test_what_is_appended_stands_beside_the_packs_and_stored_bodies_are_known(packed, corpus, tmp_path):
    path = tmp_path / "more.cassette"
    path.write_bytes(packed.read_bytes())
    with Reader.open(packed) as reader:
        known = next(
            body
            for row in reader.rows()
            if (response := reader.interaction(row).response) and len(body := response.body.read()) > 1000
        )
    before = kinds(path).count(RecordType.BLOB)
    with Writer.append_to(path) as writer:
        new = call(10_000, known, scope="thread_new")
        writer.append(new, summary(new))
    with Reader.open(path) as reader:
        assert len(reader) == 1_201
        assert contents(path)[-1] == known
    assert kinds(path).count(RecordType.BLOB) == before
    with Reader.open(path) as reader:
        pack(reader, tmp_path / "again.cassette")
        compare(reader, tmp_path / "again.cassette")
    assert kinds(tmp_path / "again.cassette").count(RecordType.INTERACTION) == 0


def test_records_of_all_sizes_come_back(tmp_path):
    sizes = [0, 1, 511, 512, 4_096, 30_000, 32 << 10, (32 << 10) + 1, 100_000, 1 << 20, 3_000_000]
    bodies = [random.Random(number).randbytes(number) for number in sizes] + [b"\0" * (2 << 20), b"a" * 40_000]
    calls = [call(number, body, scope=f"thread_{number % 3}") for number, body in enumerate(bodies)]
    write(tmp_path / "a.cassette", calls, segments=3)
    with Reader.open(tmp_path / "a.cassette") as reader:
        pack(reader, tmp_path / "b.cassette")
        compare(reader, tmp_path / "b.cassette")
    assert contents(tmp_path / "b.cassette") == bodies


def test_an_empty_cassette_and_one_call_can_be_packed(tmp_path):
    for count in (0, 1):
        path = tmp_path / f"{count}.cassette"
        write(path, [call(number, b"x" * 600) for number in range(count)])
        pack_in_place(path)
        assert len(read(path)) == count


def test_in_place_the_file_keeps_its_mode_and_leaves_nothing_behind(corpus, tmp_path):
    path = tmp_path / "mine.cassette"
    path.write_bytes(corpus.read_bytes())
    path.chmod(0o640)
    before, after = pack_in_place(path)
    assert (before, after) == (corpus.stat().st_size, path.stat().st_size)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["mine.cassette"]
    with Reader.open(corpus) as reader:
        compare(reader, path)


def test_in_place_nothing_is_put_where_something_was_written_meanwhile(corpus, tmp_path):
    path = tmp_path / "busy.cassette"
    path.write_bytes(corpus.read_bytes())

    def meddle(done: int, total: int) -> None:
        if done == total:
            with Writer.append_to(path) as writer:
                late = call(99_999, b"late")
                writer.append(late, summary(late))

    with pytest.raises(CassetteError, match="was written to while it was packed"):
        pack_in_place(path, progress=meddle)
    assert contents(path)[-1] == b"late"
    assert [each.name for each in tmp_path.iterdir()] == ["busy.cassette"]


def test_a_cassette_that_was_not_closed_is_packed_into_another_file_only(tmp_path):
    path = tmp_path / "a.cassette"
    path.write_bytes(write(path, [call(0, b"x" * 5_000)])[:-1])
    with pytest.raises(CassetteError, match="was not closed cleanly"):
        pack_in_place(path)
    with Reader.open(path) as reader:
        pack(reader, tmp_path / "b.cassette")
        with pytest.raises(UsageError, match="is the cassette that is read"):
            pack(reader, path, overwrite=True)
    assert contents(tmp_path / "b.cassette") == [b"x" * 5_000]


def test_no_flipped_bit_is_taken_for_a_recorded_one(tmp_path):
    calls = [call(number, b'{"id": "msg_%d", "text": "hello there"}' % number * 30) for number in range(40)]
    write(tmp_path / "a.cassette", calls)
    with Reader.open(tmp_path / "a.cassette") as reader:
        pack(reader, tmp_path / "b.cassette")
    data = bytearray((tmp_path / "b.cassette").read_bytes())
    wanted = read(tmp_path / "b.cassette")
    chance, noticed = random.Random(5), 0
    path = tmp_path / "c.cassette"
    for _ in range(300):
        at, bit = chance.randrange(FILE_HEADER_SIZE, len(data)), 1 << chance.randrange(8)
        data[at] ^= bit
        path.write_bytes(data)
        try:
            assert read(path) == wanted
        except CassetteError:
            noticed += 1
        data[at] ^= bit
    assert noticed > 50


def test_a_damaged_pack_costs_its_calls_and_no_others(packed, tmp_path):
    data = bytearray(packed.read_bytes())
    frames = [frame for frame in scan(packed) if frame.header.type == RecordType.PACK]
    middle = frames[len(frames) // 2]
    data[middle.payload_offset + FRAME_HEADER_SIZE] ^= 1
    path = tmp_path / "hurt.cassette"
    path.write_bytes(data)
    with pytest.raises(DamagedCassetteError, match=r"is not whole|is damaged"), Reader.open(path) as reader:
        for row in reader.rows():
            reader.interaction(row)
    found, kept = repair(path)
    assert found.kept > 1_000
    with Reader.open(packed) as whole:
        every = [whole.interaction(row) for row in whole.rows()]
        assert all(interaction in every for interaction in read(kept))
