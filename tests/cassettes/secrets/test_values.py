"""What values look like, and that no more of one is looked at than its beginning."""

import pytest
from respool.cassettes.secrets.values import is_drawn_by_lot, is_more_than_a_word, is_percent_encoded, kind_of


@pytest.mark.parametrize(
    ("value", "by_lot", "more"),
    [
        (b"kX7qP2mZ9rT4wL6b", True, True),
        (b"0123456789abcdef0123456789abcdef", True, True),
        (b"hunter2", False, True),
        (b"open!sesame", False, True),
        (b"required!", False, False),
        (b"patience", False, False),
        (b"1700000000000", False, False),
        (b"settings.OAUTH2_SECRET", False, False),
        (b"refund-session-12", False, True),
        (b"please%20reset", False, False),
        (b"a1", False, False),
    ],
)
def test_what_a_value_looks_like(value, by_lot, more):
    text = b"x=" + value
    assert is_drawn_by_lot(text, 2, len(text)) == by_lot
    assert is_more_than_a_word(text, 2, len(text)) == more


def test_an_escape_far_from_the_beginning_is_not_looked_for():
    assert is_percent_encoded(b"ab%20", 0, 5)
    assert not is_percent_encoded(b"a" * 200 + b"%20", 0, 203)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"db_password", "password"),
        (b"aws_secret_access_key", "aws"),
        (b"id_token", "token"),
        (b"client_secret", "secret"),
    ],
)
def test_the_kind_of_a_name(name, kind):
    assert kind_of(name) == kind
