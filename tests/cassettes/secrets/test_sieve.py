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
        b': "run_', b': "msg_', b'"}', b"run_aB3dE5gH7jK9mN1pQ2rS4t01", b': "step_aB3dE5gH7jK9mN1pQ2rS4t01"', b": 1234567890",
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


@pytest.fixture
def looked_at(monkeypatch):
    """What a sieve looks at of each text: held by that, not by time."""
    texts = []
    monkeypatch.setattr(sieve, "has_word", lambda text: bool(texts.append(text)))
    return texts


def test_what_came_twice_is_not_looked_at_again_though_its_ids_and_numbers_are_others(looked_at):
    known = Sieve(PLAIN)
    body = (
        b'{"id": "run_aB3dE5gH7jK9mN1pQ2rS4t%02d", "object": "thread.run", "usage": {"prompt_tokens": %d}, "last": %b}'
    )
    assert known.passes(body % (1, 11, b'"me"'))
    assert known.passes(body % (2, 222, b'"me"'))
    assert known.passes(body % (3, 3, b'"you"'))
    assert known.passes(body % (4, 44, b'"me"'))
    assert looked_at == [
        b'{"id":, "object": "thread.run", "usage": {"prompt_tokens":}, "last": "me"}',
        b'{"id":, "object": "thread.run", "usage": {"prompt_tokens":}, "last": "me"}',
        b' "last": "you"}',
    ]


def test_what_never_comes_again_takes_no_place(looked_at):
    known = Sieve(PLAIN)
    for number in range(300):
        assert known.passes(b'{"value": "Where is parcel number %d of mine?", "role": "user"}' % number)
    assert known._known == {b' "role": "user"}'}


@pytest.mark.parametrize(
    "value",
    [
        b'"run_aB3dE5gH7jK9mN1pQ2rS4t01"',
        b"1234567890",
    ],
)
@pytest.mark.parametrize("name", [b"password", b"api_key", b"customer_ref"])
def test_an_id_or_a_number_beside_a_telling_name_is_looked_at_each_time(name, value):
    known = Sieve(POLICIES[2])
    for _ in range(3):
        assert not known.passes(b'{"' + name + b'": ' + value + b"}")
        assert known.passes(b'{"id": ' + value + b"}")


def test_a_text_with_a_marker_is_known_as_a_whole_and_none_of_its_pieces_is(monkeypatch):
    looked = []
    at_markers = sieve.at_markers
    monkeypatch.setattr(sieve, "at_markers", lambda text: looked.append(text) or at_markers(text))
    known = Sieve(PLAIN)
    text = b'{"a": "see https://user:, for more", "b": "c"}'
    for _ in range(4):
        assert known.passes(text)
    assert looked == [text, text]
    assert known._known == {text}
    assert not known.passes(b'{"a": "see https://user:,hunter2hunter2@host/ for more", "b": "c"}')


@pytest.mark.parametrize(
    ("text", "more"), [(b"redis://:Kd7x", b",q9Lm@h/0"), (b"curl -u me:ab", b",cd3f9x"), (b"a=b://c:d", b",e3f@g")]
)
def test_a_whole_text_with_a_marker_is_no_known_piece_of_a_longer_one(text, more):
    known = Sieve(PLAIN)
    for _ in range(4):
        assert known.passes(text)
    assert find_once(text + more, PLAIN)
    assert not known.passes(text + more)


def test_no_piece_of_a_text_that_holds_something_is_remembered():
    known = Sieve(PLAIN)
    for secret in (b"hunter2hunter2", b"sk-proj-aB3dE5gH7jK9mN1pQ2rS4tU6"):
        assert not known.passes(b'{"a": "plain", "password": "' + secret + b'", "z": "https://u:p,q@host"}')
        assert not known.passes(b'{"a": "plain", "password": "' + secret + b'", "z": "https://u:p,q@host"}')
    assert known._known == set()
    assert known._seen == set()


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(sieve, "MOST_KNOWN", 50)
    monkeypatch.setattr(sieve, "MOST_SEEN", 500)
    known = Sieve(PLAIN)
    longest = 0
    for number in range(100):
        for _ in range(3):
            assert known.passes(b"a%d, b, %b, %b" % (number, b"c" * 600, b"d" * 5000))
            assert known.passes(b",".join(b"%d" % (number * 1000 + each) for each in range(200)))
            assert len(known._known) <= 50
            assert len(known._seen) <= 500
            longest = max([longest, *map(len, known._known)])
    assert longest == 601
    assert not known.passes(b"a" * (sieve.LARGEST + 1))
