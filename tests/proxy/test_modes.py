"""What is done with a cassette: each row of the table with real files, and that nothing is lost or half replayed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from recorded_calls import write_cassette
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.reader import Reader
from respool.cassettes.storage import keep_partial
from respool.cassettes.writer import Writer
from respool.proxy import modes
from respool.proxy.modes import TABLE, Action, State, Way

CALL = ("GET", b"/v1/threads/t", b"", b'{"id": "t", "object": "thread"}', 200)


def cut_short(path: Path) -> None:
    """What a killed recording leaves."""
    write_cassette(path, [CALL])
    path.rename(path.with_name(path.name + ".partial"))


def unsealed(path: Path) -> None:
    """What a killed append leaves: the seal is no longer at the end."""
    write_cassette(path, [CALL])
    writer = Writer.append_to(path)
    writer.put(b"more")
    writer.abandon()


def damaged(path: Path) -> None:
    """Damage in the middle of a cassette without a seal, which is therefore scanned."""
    write_cassette(path, [CALL, CALL, CALL])
    data = bytearray(path.read_bytes())
    data[data.index(b'"object"') + 3] ^= 1
    path.write_bytes(data[:-40])


def make(state: State, path: Path) -> Writer | None:
    """Bring about a state; returns the writer that is at work, if it takes one."""
    match state:
        case State.SEALED:
            write_cassette(path, [CALL])
        case State.CUT_SHORT:
            cut_short(path)
        case State.UNSEALED:
            unsealed(path)
        case State.DAMAGED:
            damaged(path)
        case State.FOREIGN:
            path.write_text("- buy milk\n")
        case State.RECORDING:
            return Writer.create(path)
        case State.RERECORDING:
            write_cassette(path, [CALL])
            return Writer.create(path, overwrite=True)
        case State.APPENDING:
            write_cassette(path, [CALL])
            writer = Writer.append_to(path)
            writer.put(b"more")
            return writer
    return None


def test_the_table_has_every_row_and_column():
    assert set(TABLE) == {(state, way) for state in State for way in Way}


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("state", State)
def test_each_cell_is_what_really_happens(tmp_path, state: State, way: Way):
    path = tmp_path / "a.cassette"
    at_work = make(state, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    found = modes.look(path)
    try:
        assert found.state is state
        cell = TABLE[state, way]
        if cell.action is Action.REFUSE:
            with pytest.raises(CassetteError) as caught:
                modes.decide(way, found)
            assert caught.value.exit_status == cell.exit_status == 3
            assert "a.cassette" in caught.value.message
            assert "{" not in caught.value.message + caught.value.hint
            return
        action = modes.decide(way, found)
        assert action is cell.action
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before, "looking changes nothing"
        if action.mode == "replay":
            assert found.reader is not None
            assert len(found.reader) == 1
            assert found.reader.sealed == (action is Action.REPLAY)
            return
        if action is Action.ANEW:
            keep_partial(path)
        if action is Action.APPEND:
            writer = Writer.append_to(path)
        else:
            writer = Writer.create(path, overwrite=action is Action.OVERWRITE)
        writer.close()
        with Reader.open(path) as reader:
            assert reader.sealed
            assert len(reader) == (1 if action is Action.APPEND else 0)
        if action is Action.ANEW:
            assert (tmp_path / "a.cassette.cut-1").read_bytes() == before["a.cassette.partial"]
    finally:
        found.close()
        if at_work is not None:
            at_work.abandon()


@pytest.mark.parametrize("state", State)
def test_auto_replays_only_what_is_whole_and_loses_nothing(state: State):
    cell = TABLE[state, Way.AUTO]
    assert cell.action not in (Action.REPLAY_WHOLE, Action.OVERWRITE, Action.APPEND)
    assert (cell.action is Action.REPLAY) == (state in (State.SEALED, State.RERECORDING))


@pytest.mark.parametrize("state", State)
def test_replay_never_writes(state: State):
    assert TABLE[state, Way.REPLAY].action in (Action.REPLAY, Action.REPLAY_WHOLE, Action.REFUSE)


def test_who_is_recording_is_named(tmp_path):
    path = tmp_path / "a.cassette"
    code = (
        "import sys; from respool.cassettes.writer import Writer\n"
        "writer = Writer.create(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        found = modes.look(path)
        assert found.state is State.RECORDING
        with pytest.raises(CassetteError, match="another respool is recording to") as caught:
            modes.decide(Way.AUTO, found)
        if Path("/proc/locks").exists():
            assert f"(process {process.pid})" in caught.value.message
    finally:
        process.kill()
        process.communicate()


def test_looking_leaves_no_lock_behind(tmp_path):
    path = write_cassette(tmp_path / "a.cassette", [CALL])
    found = modes.look(path)
    Writer.append_to(path).close()
    found.close()


def test_a_fifo_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "a.cassette")
    os.mkfifo(tmp_path / "a.cassette.partial")
    found = modes.look(tmp_path / "a.cassette")
    assert found.state is State.FOREIGN
    with pytest.raises(CassetteError, match="a FIFO"):
        modes.decide(Way.REPLAY, found)


def test_a_second_interrupted_recording_is_kept_beside_the_first(tmp_path):
    path = tmp_path / "a.cassette"
    kept = []
    for _ in range(2):
        cut_short(path)
        kept.append(keep_partial(path).name)
    assert kept == ["a.cassette.cut-1", "a.cassette.cut-2"]


@pytest.mark.parametrize("mode", ["replay", "auto"])
@pytest.mark.parametrize("flag", ["append", "overwrite"])
def test_a_flag_for_recording_is_refused_elsewhere(mode: str, flag: str):
    with pytest.raises(UsageError, match=f"--{flag} is for recording"):
        modes.way_of(mode, **{flag: True})


def test_the_docs_show_this_table():
    text = (Path(__file__).parents[2] / "docs" / "modes.md").read_text()
    assert modes.table_as_markdown() in text
