"""Folders that are made for cassettes are the user's alone, those on the way too, whatever the umask."""

import os
import stat

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.reader import Reader
from respool.cassettes.splitting import split
from respool.cassettes.storage import make_folder
from respool.cassettes.writer import Writer


@pytest.fixture
def generous():
    before = os.umask(0)
    yield
    os.umask(before)


def modes(*folders):
    return [stat.S_IMODE(folder.stat().st_mode) for folder in folders]


@pytest.mark.usefixtures("generous")
def test_each_folder_on_the_way_is_private_and_one_that_is_there_stays_as_it_is(tmp_path):
    (tmp_path / "there").mkdir(mode=0o755)
    folder = tmp_path / "there" / "a" / "b" / "c"
    make_folder(folder)
    make_folder(folder)
    assert modes(tmp_path / "there", folder.parent.parent, folder.parent, folder) == [0o755, 0o700, 0o700, 0o700]


@pytest.mark.usefixtures("generous")
def test_so_is_the_folder_that_a_cassette_is_split_into(tmp_path):
    with Writer.create(tmp_path / "a.cassette"):
        pass
    with Reader.open(tmp_path / "a.cassette") as reader:
        split(reader, tmp_path / "parts" / "of-it")
    assert modes(tmp_path / "parts", tmp_path / "parts" / "of-it") == [0o700, 0o700]


def test_a_file_on_the_way_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CassetteError, match="cannot be made"):
            make_folder(place)
