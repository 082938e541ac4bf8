"""Cassettes without a seal on the command line: what is said, what to do, and the exit statuses."""

from pathlib import Path

import pytest
from respool.cassettes.format import SEAL_SIZE, Seal
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer

APPEND = ("record", "--upstream", "sandbox", "--append", "--cassette")


@pytest.fixture
def torn(cassette: Path) -> Path:
    """A cassette that lost the end of its index, and its seal."""
    cassette.write_bytes(cassette.read_bytes()[: -SEAL_SIZE - 20])
    return cassette


@pytest.mark.parametrize("command", ["show", "ls", "export --jsonl"])
def test_a_cut_cassette_is_read_and_the_warning_says_what_to_do(respool, torn, command: str):
    done = respool.inside(*command.split(), torn.name)
    assert done.returncode == 0
    assert done.stdout
    what, hint = done.stderr.splitlines()
    assert "recorded.cassette was cut short" in what
    assert "being recorded" not in what
    assert hint.startswith("  `respool doctor recorded.cassette --repair` writes what is whole to")


@pytest.mark.parametrize("command", ["show", "ls"])
def test_a_recording_in_progress_is_not_said_to_be_cut(respool, command: str):
    writer = Writer.create(respool.folder / "a.cassette")
    done = respool.inside(command, "a.cassette.partial")
    writer.abandon()
    assert done.returncode == 0
    assert "a.cassette.partial is being recorded" in done.stderr
    assert "cut short" not in done.stderr
    assert "doctor" not in done.stderr


def test_a_replay_of_a_cut_cassette_says_so_and_serves_it(respool, torn, conversation):
    with respool.serving("replay", torn) as server:
        assert [status for status, _ in conversation(server.url)][:5] == [200] * 5
        assert server.end() == 0
        assert "was cut short: it was not closed cleanly, its 6 whole calls are all that is there" in server.said
        assert f"`respool doctor {torn} --repair`" in server.said


def test_doctor_finds_a_cut_cassette_and_repairs_it(respool, torn):
    found = respool.inside("doctor", torn.name)
    assert found.returncode == 1
    assert "are no whole record: the recording was cut short there" in found.stdout
    assert "6 calls are whole" in found.stdout
    assert "--repair` writes what is whole to recorded.cassette.repaired" in found.stderr
    repaired = respool.inside("doctor", torn.name, "--repair")
    assert repaired.returncode == 0
    assert "written to recorded.cassette.repaired" in repaired.stdout
    again = respool.inside("doctor", "recorded.cassette.repaired")
    assert (again.returncode, again.stdout) == (0, "6 calls are whole\n")


def test_doctor_finds_a_cassette_that_was_cut_between_two_records(respool, cassette):
    cassette.write_bytes(cassette.read_bytes()[:-SEAL_SIZE])
    done = respool.inside("doctor", cassette.name)
    assert done.returncode == 1
    assert "was not closed cleanly; every record in it is whole" in done.stdout
    cassette.rename(respool.folder / "recorded.cassette.partial")
    assert respool.inside("doctor", "recorded.cassette.partial").returncode == 0


def test_doctor_finds_a_damaged_index_and_a_damaged_seal(respool, cassette):
    whole = cassette.read_bytes()
    index = Seal.unpack(whole[-64:]).index_offset
    for at, said in ((index + 300, "the index is damaged; nothing is lost"), (len(whole) - 1, "the seal, in the last")):
        data = bytearray(whole)
        data[at] ^= 1
        cassette.write_bytes(data)
        done = respool.inside("doctor", cassette.name)
        assert done.returncode == 1
        assert said in done.stdout
        assert "cut short" not in done.stdout
        assert "6 calls are whole" in done.stdout


def test_one_call_is_whole(respool):
    cassette = respool.folder / "a.cassette"
    source = respool.folder / "a.yaml"
    source.write_text(
        "version: 1\ninteractions:\n- request: {method: GET, uri: 'http://h/v1/threads/t', headers: {}, body: null}\n"
        "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: '{}'}}\n"
    )
    assert (
        "respool: 1 call from VCR.py YAML to a.cassette" in respool.inside("import", source.name, cassette.name).stderr
    )
    assert respool.inside("doctor", cassette.name).stdout == "1 call is whole\n"


def test_an_append_says_what_the_cassette_had_lost_before_it_seals_it(respool, torn, conversation):
    with Reader.open(torn) as reader:
        dropped = reader.dropped_bytes
    with respool.serving(*APPEND, torn.name) as server:
        conversation(server.url)
        assert server.end() == 0
        assert f"its last {dropped} bytes were no whole record, and what was in them is not in the" in server.said
        assert "saved in recorded.cassette.torn-1" in server.said
    assert (respool.folder / "recorded.cassette.torn-1").stat().st_size == dropped
    assert respool.inside("doctor", torn.name).returncode == 0


def test_an_append_says_that_the_cassette_was_not_closed(respool, cassette, conversation):
    cassette.write_bytes(cassette.read_bytes()[:-SEAL_SIZE])
    with respool.serving(*APPEND, cassette.name) as server:
        conversation(server.url)
        assert server.end() == 0
        assert "recorded.cassette was not closed cleanly before, and the recording goes on in it" in server.said


def test_an_append_in_a_folder_says_it_too(respool, torn, conversation):
    arguments = ("serve", "--mode", "record", "--append", "--upstream", "sandbox", "--cassette", "./")
    with respool.serving(*arguments) as server:
        conversation(server.url + "/@recorded/v1")
        assert server.end() == 0
        assert "recorded.cassette had lost its end" in server.said
        assert "recorded.cassette.torn-1" in server.said


def test_an_append_without_calls_does_not_say_that_there_is_no_cassette(respool, cassette):
    before = cassette.read_bytes()
    with respool.serving(*APPEND, cassette.name) as server:
        assert server.end() == 0
        assert "no calls came, so nothing was added to recorded.cassette" in server.said
    assert cassette.read_bytes() == before
