"""A damaged cassette: what is said of it, and what is kept."""

import pytest
from respool.cassettes.errors import CassetteError
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
    assert (found.kept, found.broken, found.dropped_bytes, found.sealed) == (10, 0, 0, True)


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


def test_a_cut_recording_keeps_all_that_had_ended(cassette):
    cassette.write_bytes(cassette.read_bytes()[:-600])
    found, destination = repair(cassette)
    assert found.kept >= 9
    assert examine(destination).kept == found.kept


def test_a_repair_replaces_nothing(cassette):
    damage(cassette, b"body 4 ")
    destination = cassette.with_name("a.cassette.repaired")
    destination.write_bytes(b"mine")
    with pytest.raises(CassetteError, match="exists already"):
        repair(cassette)
    assert destination.read_bytes() == b"mine"
    assert sorted(path.name for path in cassette.parent.iterdir()) == ["a.cassette", "a.cassette.repaired"]


def test_a_file_of_which_nothing_is_whole_is_refused(cassette):
    cassette.write_bytes(cassette.read_bytes()[:64] + b"\0" * 500)
    with pytest.raises(CassetteError):
        repair(cassette)
    assert [path.name for path in cassette.parent.iterdir()] == ["a.cassette"]
