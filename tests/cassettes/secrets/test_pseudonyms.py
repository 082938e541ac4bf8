"""Equal secrets have equal pseudonyms under one key, and the key is its owner's alone."""

import pwd
import re
import stat
from pathlib import Path

import pytest
from respool.cassettes.errors import UsageError
from respool.cassettes.secrets.pseudonyms import Pseudonyms, key_path, read_key


def test_equal_stays_equal_in_each_spelling_and_another_key_tells_nothing():
    made = Pseudonyms(b"1" * 32)
    assert made("aws", b"a/b+c") == made("aws", b"a\\/b+c") == made("aws", b"a%2Fb%2bc") == made("aws", b"a\\u002fb+c")
    assert re.fullmatch(rb"rsp_aws_[a-z2-7]{16}", made("aws", b"a/b+c"))
    assert len({made("aws", b"x"), made("aws", b"y"), made("jwt", b"x"), Pseudonyms(b"2" * 32)("aws", b"x")}) == 4


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "of" / "respool" / "key"
    key = read_key(path)
    assert len(key) == 32
    assert read_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"x" * 32)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="its owner's alone"):
        read_key(path)
    path.chmod(0o600)
    path.write_bytes(b"x")
    with pytest.raises(UsageError, match="no key"):
        read_key(path)


def test_where_the_key_is(tmp_path):
    assert key_path({"RESPOOL_KEY_FILE": "/a/b"}, "/c").as_posix() == "/a/b"
    assert key_path({"XDG_CONFIG_HOME": "/x"}, "").as_posix() == "/x/respool/key"
    assert key_path({}, "/c").as_posix() == "/c"


def test_who_has_no_home_folder_is_told_how_to_name_a_key(monkeypatch):
    def unknown(_):
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(UsageError, match="key of the pseudonyms: this user has no home folder") as told:
        key_path({})
    assert "RESPOOL_KEY_FILE" in told.value.hint
    assert key_path({"RESPOOL_KEY_FILE": "/keys/one"}) == Path("/keys/one")
