"""What a person writes for a file is a path, or one clear line; never a traceback."""

import pwd
from pathlib import Path

import pytest
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.file_names import file_named, home, sibling


@pytest.fixture
def nobody(monkeypatch):
    """As in a container whose user is a bare number."""

    def unknown(_):
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert file_named("~/a.cassette") == Path("/home/someone/a.cassette") == home() / "a.cassette"
    assert file_named("a~b/c") == Path("a~b/c")


def test_the_home_of_nobody_is_told_in_one_line():
    with pytest.raises(UsageError, match=r"~no-such-user/key: there is no such home folder"):
        file_named("~no-such-user/key")


def test_a_name_that_no_file_can_have_is_told_with_what_is_in_it_made_visible():
    with pytest.raises(UsageError, match=r"a\\x00b cannot be the name of a file"):
        file_named("a\0b")


def test_who_has_no_home_is_told_so(nobody):
    with pytest.raises(UsageError, match="this user has no home folder"):
        home()
    with pytest.raises(UsageError, match="there is no such home folder"):
        file_named("~/key")


@pytest.mark.parametrize("path", ["/", ".", ""])
def test_what_has_no_name_has_nothing_beside_it(path):
    with pytest.raises(CassetteError, match="is a directory, not a cassette file"):
        sibling(Path(path), ".partial")
    assert sibling(Path("a/b.cassette"), ".partial") == Path("a/b.cassette.partial")
