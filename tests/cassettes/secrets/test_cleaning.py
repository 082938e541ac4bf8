"""A text that goes by is cleaned as one that is held, secrets that are longer than its windows too."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.secrets.cleaning import _ANOTHER_EACH_TIME, MOST_HELD, WINDOW, Cleaning, Sweeper, _known
from respool.cassettes.secrets.finder import find_once
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.pseudonyms import Pseudonyms

CLEANING = Cleaning(PLAIN, Pseudonyms(b"k" * 32))


def swept(data, step=50_000):
    sweeper = Sweeper(CLEANING)
    out = b"".join([sweeper.feed(data[at : at + step]) for at in range(0, len(data), step)]) + sweeper.finish()
    assert len(out) - len(data) == sum(change for _, change in sweeper.changes)
    return out


@pytest.mark.parametrize("length", [WINDOW - 5, WINDOW, 3 * WINDOW, 1_500_000])
@pytest.mark.parametrize("before", [0, 100_000])
@pytest.mark.parametrize("text", [b'"password": "%b"', b"Bearer %b", b"x=1&api_key=%b&y=2"])
def test_a_secret_longer_than_a_window_goes_whole(text, before, length):
    secret = (b"aB3dE5gH7jK9" * (length // 12 + 1))[:length]
    data = b"word " * (before // 5) + text.replace(b"%b", secret) + b" word" * 1000
    out = swept(data)
    assert b"aB3dE5gH" not in out
    assert out.count(b"rsp_") == 1
    assert out.endswith(b" word" * 1000)


def test_waiting_for_an_end_that_never_comes_is_bounded_in_bytes_and_time():
    began = time.process_time()
    sweeper = Sweeper(CLEANING)
    most = 0
    for _ in range(2 * MOST_HELD // WINDOW):
        sweeper.feed(b"aB3dE5gH" * (WINDOW // 8) if most else b'"password": "' + b"aB3dE5gH" * (WINDOW // 8))
        most = max(most, len(sweeper._text))
    assert most <= MOST_HELD + WINDOW
    assert time.process_time() - began < 60  # seconds; what looks at all of it again for each window takes many minutes


KEY = b"sk-proj-aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA"
LINES = st.sampled_from(
    [
        b"application/json",
        b'h3=":443"; ma=86400',
        b"it's",
        b"req_0123456789abcdef",
        KEY,
        b"Bearer " + KEY,
        b"x=1&api_key=" + KEY,
    ]
)


@given(st.lists(LINES | st.binary(max_size=30), max_size=8))
def test_texts_searched_together_are_cleaned_as_each_alone_and_secrets_are_not_remembered(texts):
    for _ in range(2):
        assert CLEANING.values(texts) == [CLEANING.value(text) for text in texts]
    assert not any(KEY in text for text in _known(PLAIN))


def test_a_line_with_quotation_marks_is_looked_at_once():
    line = b'h2="host.example:443"; ma=2592000, h3=":443"'
    _known(PLAIN).discard(line)
    CLEANING.values([line, b"other"])
    assert line in _known(PLAIN)


@given(st.lists(st.from_regex(_ANOTHER_EACH_TIME, fullmatch=True), min_size=1, max_size=4))
def test_in_what_requests_are_called_and_in_dates_the_rules_find_nothing(texts):
    """So that they need not be looked at."""
    for text in (*texts, b"\n&".join(texts)):
        assert find_once(text, PLAIN) == ()


@pytest.mark.parametrize("rule", ["text:req_8d33*", "text:8d338259f4d1056*"])
def test_a_request_s_name_that_a_user_wants_out_goes(rule):
    texts = [b"application/json", b"req_8d338259f4d10560f0b61dbf3a67a763", b"Mon, 02 Mar 2026 09:00:51 GMT"]
    shown = Cleaning(Policy.of([rule])).values(texts)
    assert b"8d338259f4d10560" not in b"".join(shown)
    assert [shown[0], shown[2]] == [texts[0], texts[2]]
    assert Cleaning(Policy.of(["name:key"])).values(texts) == Cleaning(PLAIN).values(texts) == texts
