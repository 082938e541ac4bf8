"""The quick look lets nothing through that the rules find: with and without it, every text gives the same."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import planted
from respool.cassettes.secrets import sieve
from respool.cassettes.secrets.finder import find, find_once
from respool.cassettes.secrets.names import STEMS
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.sieve import Sieve
from respool.cassettes.secrets.table import ANYWHERE, AT_A_WORD, RULES

POLICIES = (
    PLAIN,
    Policy.of(version=1),
    Policy.of(["name:customer_ref", "text:a,b,c*", "text:acme_*"], ["name:session_id", "rule:jwt"], pii=True),
)
WORDS = st.sampled_from(
    [
        *STEMS,
        *AT_A_WORD,
        *(marker for marker, _ in ANYWHERE),
        *(rule.example for rule in RULES),
        *(rule.counter for rule in RULES),
        b"prompt_tokens", b"max_tokens", b"client_secret", b"password", b"customer_ref", b"a,b,c", b"acme_1", b"session_id",
        b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z", b"4111111111111111", b"me@example.com",
        b"cGFzc3dvcmQ6IGh1bnRlcjJodW50ZXIyIG9rIHRoZW4=",
        b"://a:b", b"c@d", b"12345", b"x" * 70, b"\r\n\r\n", b"\\n", b"%3D", b"A" * 600,
    ]
)  # fmt: skip
SIGNS = st.sampled_from(
    [*(bytes([sign]) for sign in b'",:=\\{}[] \n&?;-_.A'), b'": "', b'": ', b'", "', b'\\"', b",\n  "]
)
TEXTS = st.lists(st.one_of(WORDS, SIGNS, st.binary(max_size=4)), max_size=12).map(b"".join)


@pytest.mark.parametrize("policy", POLICIES, ids=["plain", "first table", "a user's"])
@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_whatever_went_before_the_quick_way_and_the_slow_way_find_the_same(policy, texts):
    """The sieve of a policy lives on from example to example, so that it knows pieces of all that went before."""
    for text in [*texts, b",".join(texts), b'{"a": "' + b'", "b": "'.join(texts) + b'"}', *texts]:
        assert find(text, policy) == find_once(text, policy)


def test_among_clean_traffic_every_planted_secret_is_found_as_without_it():
    rng = random.Random(7)
    ordinary = [b'{"id": "run_%024x", "status": "queued", "usage": {"prompt_tokens": %d}}' % (n, n) for n in range(200)]
    for _, _, _, (asked, answered) in planted(3, 1):
        for body in (asked.body.read(), answered.body.read(), rng.choice(ordinary)):
            assert find(body) == find_once(body, PLAIN)


def test_what_came_before_is_not_looked_at_again(monkeypatch):
    """Held by what is looked at, not by time: of the second answer, the new id alone."""
    looked_at = []
    monkeypatch.setattr(sieve, "at_words", lambda text: looked_at.append(text) or [])
    known = Sieve(PLAIN)
    body = b'{"id": "run_%d", "object": "thread.run", "status": "queued", "usage": {"prompt_tokens": 1}}'
    assert known.passes(body % 1)
    assert known.passes(body % 2)
    assert looked_at == [body % 1, b'{"id": "run_2"']
    before = set(known._known)
    assert known.passes(body % 3)
    assert known._known == before  # what is new each time is not kept


def test_no_piece_of_a_text_that_holds_something_is_remembered():
    known = Sieve(PLAIN)
    for secret in (b"hunter2hunter2", b"sk-proj-aB3dE5gH7jK9mN1pQ2rS4tU6"):
        assert not known.passes(b'{"a": "plain", "password": "' + secret + b'", "z": "https://u:p,q@host"}')
    assert known._known == set()


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(sieve, "MOST_KNOWN", 50)
    known = Sieve(PLAIN)
    for number in range(100):
        assert known.passes(b"a%d, b, %b" % (number, b"c" * 600))
        assert known.passes(b",".join(b"%d" % (number * 1000 + each) for each in range(200)))
        assert len(known._known) <= 50
    assert max(map(len, known._known)) <= sieve.LONGEST_KNOWN
    assert not known.passes(b"a" * (sieve.LARGEST + 1))
