"""A new file stays in the folder that it was made in, whoever swaps that folder for a link, and gets its name there at once."""

import os
import stat
from pathlib import Path

import pytest
from respool.cassettes.draft import Draft, is_there, opened_folder, publish
from respool.cassettes.errors import CassetteError
from respool.cassettes.failures import RecordingFailed
from respool.cassettes.storage import keep_partial
from respool.cassettes.writer import Writer


@pytest.fixture
def folders(tmp_path):
    """The folder that is recorded into, and another one that it is swapped for a link to."""
    (tmp_path / "suite").mkdir()
    (tmp_path / "outside").mkdir()
    return tmp_path / "suite", tmp_path / "outside"


def swap(suite, outside):
    real = suite.with_name("real")
    suite.rename(real)
    suite.symlink_to(outside)
    return real


def names(folder):
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_swapped_while_it_is_recorded_does_not_move_the_recording(folders, overwrite):
    suite, outside = folders
    for place in folders:
        (place / "a.cassette").write_bytes(b"there before")
    if not overwrite:
        (suite / "a.cassette").unlink()
        (outside / "a.cassette").unlink()
    writer = Writer.create(suite / "a.cassette", overwrite=overwrite)
    (outside / "a.cassette.partial").write_bytes(b"planted by somebody else")
    before = {each.name: each.read_bytes() for each in outside.iterdir()}
    real = swap(suite, outside)
    with pytest.raises(RecordingFailed, match="moved meanwhile"):
        writer.close()
    assert names(real) == ["a.cassette"]
    assert (real / "a.cassette").read_bytes()[:4] != b"ther"
    assert stat.S_IMODE((real / "a.cassette").stat().st_mode) == 0o600
    assert {each.name: each.read_bytes() for each in outside.iterdir()} == before


def test_what_is_thrown_away_is_the_recordings_own_file(folders):
    suite, outside = folders
    writer = Writer.create(suite / "a.cassette")
    (outside / "a.cassette.partial").write_bytes(b"of somebody else")
    real = swap(suite, outside)
    writer.discard()
    assert names(real) == []
    assert names(outside) == ["a.cassette.partial"]


def test_with_a_folder_that_was_checked_nothing_of_another_is_claimed_appended_to_or_set_aside(folders):
    suite, outside = folders
    for name in ("a.cassette.partial", "b.cassette"):
        with Writer.create(outside / "made") as made:
            pass
        made.path.rename(outside / name)
    (outside / "b.cassette").write_bytes((outside / "b.cassette").read_bytes() + b"torn")
    before = {each.name: each.read_bytes() for each in outside.iterdir()}
    at = opened_folder(suite)
    try:
        swap(suite, outside)
        with pytest.raises(CassetteError, match="was replaced while the recording began"):
            Writer.create(suite / "a.cassette", overwrite=True, within=at)
        with pytest.raises(CassetteError, match="does not exist"):
            Writer.append_to(suite / "b.cassette", within=at)
        with pytest.raises(CassetteError, match="does not exist"):
            keep_partial(suite / "a.cassette", within=at)
    finally:
        os.close(at)
    assert {each.name: each.read_bytes() for each in outside.iterdir()} == before
    assert names(suite.with_name("real")) == []


def test_a_name_that_is_taken_meanwhile_is_not_replaced(tmp_path):
    fd, draft = Draft.begin(tmp_path / "a.cassette")
    os.close(fd)
    (tmp_path / "a.cassette").write_bytes(b"somebody's")
    with pytest.raises(RecordingFailed, match="came into being while it was recorded"):
        draft.publish()
    draft.close()
    draft.close()
    assert (tmp_path / "a.cassette").read_bytes() == b"somebody's"
    assert names(tmp_path) == ["a.cassette", "a.cassette.partial"]


def test_a_link_by_the_final_name_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "new").write_bytes(b"new")
    at = opened_folder(tmp_path)
    try:
        assert is_there(tmp_path / "link", at)
        publish(tmp_path / "new", tmp_path / "link", overwrite=True, at=at)
    finally:
        os.close(at)
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "link").is_symlink()


def test_no_descriptor_is_left_open(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(5):
        with Writer.create(tmp_path / f"{number}.cassette"):
            pass
        Writer.create(tmp_path / "thrown.cassette").discard()
        left = Writer.create(tmp_path / f"left-{number}.cassette")
        left.abandon()
        with pytest.raises(CassetteError):
            Writer.create(tmp_path / f"{number}.cassette")
        with pytest.raises(CassetteError):
            Writer.create(tmp_path / "nowhere" / "a.cassette")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
