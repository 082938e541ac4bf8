"""How a cassette ends: whole, in progress, cut, or with a seal that is damaged; what a reader and an appender are told."""

import os
from pathlib import Path

import pytest
from recorded_calls import write_cassette
from respool.cassettes.ending import Ending
from respool.cassettes.format import SEAL_SIZE
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer

CALL = ("GET", b"/v1/threads/t", b"", b'{"id": "t", "object": "thread"}', 200)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    path = tmp_path / "a.cassette"
    write_cassette(path, [CALL, CALL])
    return path


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


def cut(path: Path, count: int) -> None:
    os.truncate(path, path.stat().st_size - count)


def told(path: Path) -> tuple[Ending, str]:
    with Reader.open(path) as reader:
        assert reader.sealed is (reader.ending is Ending.SEALED)
        return reader.ending, reader.warning


def test_of_a_sealed_cassette_nothing_is_told(cassette):
    assert told(cassette) == (Ending.SEALED, "")
    with Writer.append_to(cassette) as writer:
        assert writer.warning == ""


def test_a_cassette_that_a_writer_has_is_being_recorded_and_no_repair_is_advised(tmp_path):
    writer = Writer.create(tmp_path / "a.cassette")
    ending, warning = told(tmp_path / "a.cassette.partial")
    assert ending is Ending.GROWING
    assert "a.cassette.partial is being recorded" in warning
    assert "doctor" not in warning
    writer.abandon()
    assert told(tmp_path / "a.cassette.partial")[0] is Ending.CUT, "reading left no lock behind"


def test_looking_whether_a_cassette_is_being_recorded_does_not_take_the_lock_from_its_writer(cassette):
    cut(cassette, 300)
    writer = Writer.append_to(cassette)
    for _ in range(2):
        assert told(cassette)[0] is Ending.GROWING
    writer.abandon()


def test_a_cassette_that_lost_its_end_was_cut_short_and_the_warning_says_what_to_do(cassette):
    cut(cassette, SEAL_SIZE + 40)
    ending, warning = told(cassette)
    what, hint = warning.split("\n  ")
    assert ending is Ending.CUT
    assert "a.cassette was cut short" in what
    assert "its 2 whole calls are all that is there" in what
    assert "bytes are no whole record" in what
    assert hint.startswith(f"`respool doctor {cassette} --repair`")
    assert "record it again" in hint


def test_one_call_is_spoken_of_in_the_singular(tmp_path):
    write_cassette(tmp_path / "b.cassette", [CALL])
    cut(tmp_path / "b.cassette", SEAL_SIZE)
    assert "its 1 whole call is all that is there" in told(tmp_path / "b.cassette")[1]


@pytest.mark.parametrize("at", [-SEAL_SIZE + 6, -SEAL_SIZE + 30, -40, -1])
def test_a_damaged_seal_is_not_taken_for_a_cut(cassette, at):
    flip(cassette, at)
    ending, warning = told(cassette)
    assert ending is Ending.BAD_SEAL
    assert "the seal at the end of" in warning
    assert "cut short" not in warning


def test_a_seal_that_lost_its_end_is_still_known_for_one(cassette):
    cut(cassette, 20)
    assert told(cassette)[0] is Ending.BAD_SEAL


def test_what_only_looks_like_a_seal_is_none(cassette):
    data = cassette.read_bytes()
    other = cassette.with_name("b.cassette")
    write_cassette(other, [CALL] * 5)
    cassette.write_bytes(data[:-SEAL_SIZE] + other.read_bytes()[-SEAL_SIZE:])
    assert told(cassette)[0] is Ending.CUT


def append(path: Path) -> str:
    with Writer.append_to(path) as writer:
        return writer.warning


def test_an_append_tells_how_much_it_lost_and_where_that_was_saved(cassette):
    cut(cassette, SEAL_SIZE + 40)
    with Reader.open(cassette) as reader:
        dropped = reader.dropped_bytes
    warning = append(cassette)
    assert f"its last {dropped} bytes were no whole record, and what was in them is not in the cassette" in warning
    assert f"saved in {cassette}.torn-1" in warning
    assert cassette.with_name("a.cassette.torn-1").stat().st_size == dropped
    assert append(cassette) == "", "it has a seal again"


def test_an_append_to_a_cassette_that_was_not_closed_says_so(cassette):
    cut(cassette, SEAL_SIZE)
    warning = append(cassette)
    assert "was not closed cleanly before" in warning
    assert "torn" not in warning


def test_an_append_after_a_damaged_seal_says_that_nothing_is_lost(cassette):
    flip(cassette, -1)
    warning = append(cassette)
    assert "nothing that was recorded is lost" in warning
    assert f"saved in {cassette}.torn-1" in warning
    with Reader.open(cassette) as reader:
        assert reader.sealed
        assert len(reader) == 2
