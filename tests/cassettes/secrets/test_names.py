"""Names that tell, how surely, and in which version of the table."""

import pytest
from respool.cassettes.secrets.names import STEMS, has_telling_name, name_at, strength


@pytest.mark.parametrize(
    ("name", "now", "before"),
    [
        (b"password", 3, 3),
        (b"client_secret", 3, 3),
        (b"secret_created_at", 2, 2),
        (b"session", 1, 1),
        (b"max_tokens", 0, 0),
        (b"bypass", 0, 0),
        (b"compass", 0, 0),
        (b"passport", 0, 0),
        (b"first_pass", 0, 0),
        (b"db_pass", 3, 0),
        (b"smtppass", 3, 0),
        (b"pass", 3, 0),
        (b"auth", 1, 0),
        (b"key1", 1, 0),
        (b"primary_key", 0, 0),
        (b"kennwort", 3, 0),
        (b"mot_de_passe", 3, 0),
        ("contraseña".encode(), 3, 0),
        ("hasło".encode(), 3, 0),
        ("密码".encode(), 3, 0),
    ],
)
def test_what_a_name_tells_today_and_by_the_second_table(name, now, before):
    assert strength(name, 3) == now
    assert strength(name, 2) == before


@pytest.mark.parametrize("word", ["contraseña", "hasło", "Пароль", "密码", "パスワード", "비밀번호"])
def test_a_password_abroad_has_a_stem_in_utf_8_and_as_json_escapes_it(word):
    for spelled in (word.encode(), word.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00")):
        assert [stem for stem in STEMS if stem in spelled.lower()]


def test_two_words_are_a_name_where_the_first_says_what_the_second_opens():
    for said, name in (
        (b"my api key: x", b"api_key"),
        (b"the key: x", b"key"),
        (b"a refresh token: x", b"refresh_token"),
    ):
        place = said.index(b"key" if b"key" in said else b"token")
        assert name_at(said, place, said.index(b":"), 0, 3)[1] == name
        assert name_at(said, place, said.index(b":"), 0, 2)[1] == name.rpartition(b"_")[2]


def test_a_name_that_the_user_lets_stand_tells_nothing():
    low = b'{"session_id": 1}'
    asked = {"more": frozenset(), "version": 3}
    assert has_telling_name(low, b"session", allowed=frozenset(), **asked)
    assert not has_telling_name(low, b"session", allowed=frozenset({b"session_id"}), **asked)
