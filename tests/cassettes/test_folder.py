"""Names become files in the folder, and never anything else."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from hostile_names import HOSTILE
from recorded_calls import write_cassette
from respool.cassettes.errors import CassetteError
from respool.cassettes.folder import Folder, NoCassetteError, is_name
from respool.cassettes.reader import Reader


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "cassettes"
    path.mkdir()
    opened = Folder(path)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ["a", "A.b_c-d", "suite/refund", "a/-x", "a/_y", "0", "a" * 238, "/".join("a" * 16)])
def test_a_name_is(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/..", "../a", "/a", "a/", "a//b", "a/./b", ".a", "a/.b", "-a", "_a", "a b", "a\0", "a\\b", "a:b",
     "ä", "a\n", "a%2e", "a*", "a" * 239, "a/" + "b" * 239, "/".join("a" * 17)],
)  # fmt: skip
def test_a_name_is_not(folder, name):
    assert not is_name(name)
    assert not folder.has(name)
    assert folder.stamp(name) == ()
    with pytest.raises(NoCassetteError):
        folder.place(name)


def test_names_are_listed_sorted_and_without_what_is_no_name(folder):
    for name in ("b", "a", "suite/c", ".hidden/d", "suite/.e"):
        path = folder.path / f"{name}.cassette"
        path.parent.mkdir(exist_ok=True)
        write_cassette(path, [])
    (folder.path / "a.cassette.partial").touch()
    (folder.path / "loop").symlink_to(folder.path)
    assert folder.names(10) == ["a", "b", "suite/c"]
    assert folder.names(1) == ["a"]


def test_a_folder_that_is_swapped_for_a_link_is_not_followed(folder, tmp_path):
    write_cassette(tmp_path / "a.cassette", [])
    suite = folder.path / "suite"
    suite.mkdir()
    write_cassette(suite / "a.cassette", [])
    with folder.parent("suite/a") as at:
        suite.rename(folder.path / "moved")
        suite.symlink_to(tmp_path)
        with Reader.open(folder.place("suite/a"), at=at) as reader:
            with Reader.open(folder.path / "moved" / "a.cassette") as moved:
                assert reader.file_id == moved.file_id
    with pytest.raises(CassetteError, match="symbolic link"), folder.parent("suite/a"):
        pass
    with pytest.raises(CassetteError, match="symbolic link"), folder.parent("suite/a", make=True):
        pass
    assert not folder.has("suite/a")


def test_a_link_to_a_cassette_is_not_followed(folder, tmp_path):
    write_cassette(tmp_path / "a.cassette", [])
    (folder.path / "a.cassette").symlink_to(tmp_path / "a.cassette")
    with folder.parent("a") as at, pytest.raises(CassetteError, match="symbolic link"):
        Reader.open(folder.place("a"), at=at)


def test_folders_on_the_way_are_made_for_the_user_alone(folder):
    with folder.parent("x/y/z", make=True):
        pass
    assert [oct(path.stat().st_mode & 0o777) for path in (folder.path / "x", folder.path / "x" / "y")] == ["0o700"] * 2


def test_no_descriptor_is_left_open(folder):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("a", "no/such", "x/y/z"):
        folder.has(name)
        folder.has_folder(name)
        folder.stamp(name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_hostile_names_have_no_place_or_one_in_the_folder(folder):
    assert len(set(HOSTILE)) >= 200
    for written in HOSTILE:
        for name in {written, unquote(written), unquote(unquote(written))}:
            if not is_name(name):
                with pytest.raises(NoCassetteError):
                    folder.place(name)
                continue
            place = folder.place(name)
            assert place.resolve().is_relative_to(folder.path.resolve()), name
            assert ".." not in place.parts
