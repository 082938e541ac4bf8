"""A damaged cassette: what is said of it, and what is kept."""

import pytest
from respool.cassettes.ending import Ending
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import SEAL_SIZE, Seal
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.repair import examine, repair
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer


def interaction(arrival, body):
    request = Request("GET", b"/v1/threads/thread_%d" % arrival)
    return Interaction(
        arrival, 1000 + arrival, request, Response(200, b"OK", (), Body.of(body)), duration_us=5, variant=7
    )


@pytest.fixture
def cassette(tmp_path):
    path = tmp_path / "a.cassette"
    with Writer.create(path, meta={"upstream": "http://up.test/v1"}) as writer:
        for _ in range(10):
            arrival = writer.next_arrival()
            kept = interaction(arrival, b"body %d " % arrival * 100)
            writer.append(kept, summarise(kept))
    return path


def damage(path, needle):
    data = bytearray(path.read_bytes())
    data[data.index(needle)] ^= 0xFF
    path.write_bytes(data)
    return bytes(data)


def test_a_whole_cassette_is_healthy(cassette):
    found = examine(cassette)
    assert found.healthy
    assert (found.kept, found.broken, found.dropped_bytes, found.ending) == (10, 0, 0, Ending.SEALED)


def test_what_is_whole_is_kept_in_a_new_file_and_the_old_one_is_not_touched(cassette):
    data = damage(cassette, b"body 4 ")
    found, destination = repair(cassette)
    assert not found.healthy
    assert (found.kept, found.broken, len(found.damage)) == (9, 1, 1)
    assert cassette.read_bytes() == data
    with Reader.open(destination) as reader:
        kept = [reader.interaction(row) for row in reader.rows()]
        assert [one.arrival for one in kept] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
        assert all(one.variant == 7 for one in kept)
        assert kept[4].response.body.read() == b"body 5 " * 100
        assert reader.meta["upstream"] == "http://up.test/v1"
    assert examine(destination).healthy


def test_a_check_and_a_repair_report_how_far_they_are(cassette):
    told = []
    examine(cassette, progress=lambda done, total: told.append((done, total)))
    repair(cassette, progress=lambda done, total: told.append((done, total)))
    assert told == [(10, 10), (10, 10)]


def test_a_cut_recording_keeps_all_that_had_ended(cassette):
    cassette.write_bytes(cassette.read_bytes()[:-600])
    found, destination = repair(cassette)
    assert found.kept >= 9
    assert examine(destination).kept == found.kept


def test_a_repair_replaces_nothing(cassette):
    damage(cassette, b"body 4 ")
    destination = cassette.with_name("a.cassette.repaired")
    destination.write_bytes(b"mine")
    with pytest.raises(CassetteError, match="exists already") as caught:
        repair(cassette)
    assert "--" not in caught.value.hint  # the command has no option for it
    assert destination.read_bytes() == b"mine"
    assert sorted(path.name for path in cassette.parent.iterdir()) == ["a.cassette", "a.cassette.repaired"]


def test_a_file_of_which_nothing_is_whole_is_refused(cassette):
    cassette.write_bytes(cassette.read_bytes()[:64] + b"\0" * 500)
    with pytest.raises(CassetteError):
        repair(cassette)
    assert [path.name for path in cassette.parent.iterdir()] == ["a.cassette"]


def test_a_file_under_its_final_name_without_a_seal_is_not_healthy(cassette):
    cassette.write_bytes(cassette.read_bytes()[:-SEAL_SIZE])
    found = examine(cassette)
    assert (found.kept, found.dropped_bytes, found.ending, found.healthy) == (10, 0, Ending.CUT, False)


@pytest.mark.parametrize("name", ["a.cassette.partial", "a.cassette.cut-3"])
def test_what_an_interrupted_recording_left_is_healthy_up_to_its_last_whole_record(cassette, name):
    left = cassette.rename(cassette.with_name(name))
    left.write_bytes(left.read_bytes()[:-SEAL_SIZE])
    assert examine(left).healthy
    left.write_bytes(left.read_bytes() + b"torn")
    assert not examine(left).healthy


def test_a_recording_in_progress_is_healthy_even_within_a_write(tmp_path):
    writer = Writer.create(tmp_path / "a.cassette")
    with (tmp_path / "a.cassette.partial").open("ab") as file:
        file.write(b"half")
    found = examine(tmp_path / "a.cassette.partial")
    assert (found.ending, found.dropped_bytes, found.healthy) == (Ending.GROWING, 4, True)
    writer.abandon()


def index_of(path) -> int:
    return Seal.unpack(path.read_bytes()[-64:]).index_offset


@pytest.mark.parametrize("at", [10, 32, 32 + 130, 32 + 700])
def test_a_damaged_index_is_found_wherever_it_is_and_a_repair_makes_it_again(cassette, at):
    data = bytearray(cassette.read_bytes())
    place = index_of(cassette)
    data[place + at] ^= 1
    cassette.write_bytes(data)
    found, destination = repair(cassette)
    assert (found.kept, found.broken, found.damage, found.ending) == (10, 0, (), Ending.SEALED)
    assert found.bad_indexes == (place,)
    assert not found.healthy
    assert examine(destination).healthy


def test_an_index_that_is_not_the_last_is_looked_at_too(cassette):
    place = index_of(cassette)
    with Writer.append_to(cassette) as writer:
        kept = interaction(writer.next_arrival(), b"more")
        writer.append(kept, summarise(kept))
    data = bytearray(cassette.read_bytes())
    data[place + 200] ^= 1
    cassette.write_bytes(data)
    assert examine(cassette).bad_indexes == (place,)


def test_a_damaged_seal_is_called_one(cassette):
    data = bytearray(cassette.read_bytes())
    data[-1] ^= 1
    cassette.write_bytes(data)
    found, destination = repair(cassette)
    assert (found.kept, found.ending, found.dropped_bytes, found.healthy) == (10, Ending.BAD_SEAL, SEAL_SIZE, False)
    assert examine(destination).healthy


def test_records_that_are_not_those_that_were_sealed_are_not_healthy(tmp_path):
    paths = [tmp_path / "a.cassette", tmp_path / "b.cassette"]
    for path, body in zip(paths, (b"one", b"two"), strict=True):
        with Writer.create(path, file_id=bytes(16)) as writer:
            for _ in range(2):
                kept = interaction(writer.next_arrival(), body)
                writer.append(kept, summarise(kept))
    one, other = (path.read_bytes() for path in paths)
    index = index_of(paths[0])
    paths[0].write_bytes(other[:index] + one[index:])
    found = examine(paths[0])
    assert not found.healthy
    assert "are not those that were sealed" in found.damage[0]
