"""The words and ids of the API: said in one place, and let stand in every one."""

import pytest
from respool.cassettes.secrets import sieve
from respool.cassettes.secrets.finder import find
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.sieve import Sieve
from respool.cassettes.vocabulary import API_ID, PREFIXES, VOCABULARY
from respool.cassettes.volatile import is_volatile

DRAWN = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8"


@pytest.fixture(params=[prefix.decode() for prefix in PREFIXES])
def prefix(request):
    return request.param


def test_an_id_is_its_prefix_and_what_was_drawn(prefix):
    assert API_ID.fullmatch(f"{prefix}_{DRAWN}".encode())
    assert API_ID.fullmatch(f"{prefix}-{DRAWN}".encode())
    assert not API_ID.fullmatch(f"x{prefix}_{DRAWN}".encode())


@pytest.mark.parametrize(
    "text", ['{{"api_key": "{}"}}', "https://h.example/v1/token/{}", "https://h.example/api-key/{}/x"]
)
def test_no_rule_takes_an_id_of_the_api_for_a_secret(prefix, text):
    assert not find(text.format(f"{prefix}_{DRAWN}").encode(), PLAIN)
    assert find(text.format(f"other_{DRAWN}").encode(), PLAIN)


def test_an_id_is_never_what_changes_with_each_call(prefix):
    assert not is_volatile(("metadata", "request"), [f"{prefix}_{DRAWN}"])
    assert is_volatile(("metadata", "request"), [f"other_{DRAWN}"])


def test_pieces_that_differ_in_an_id_alone_are_looked_at_as_one(prefix, monkeypatch):
    looked_at = []
    monkeypatch.setattr(sieve, "has_word", lambda text: bool(looked_at.append(text)))
    known = Sieve(PLAIN)
    for number in range(4):
        assert known.passes(b'{"parent": "%b_aB3dE5gH7jK9mN1pQ2rS4t%02d", "a": "b"}' % (prefix.encode(), number))
    assert len(looked_at) == 2, "once it came twice it is known"


def test_the_words_of_the_api_are_lower_case_words():
    assert {b"assistant_id", b"threads", b"thread_id", b"requires_action"} <= VOCABULARY
    assert all(word == word.lower() and word.strip() == word for word in VOCABULARY)
