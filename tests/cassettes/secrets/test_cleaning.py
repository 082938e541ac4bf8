"""A text that goes by is cleaned as one that is held, secrets that are longer than its windows too."""

import time

import pytest
from respool.cassettes.secrets.cleaning import MOST_HELD, WINDOW, Cleaning, Sweeper
from respool.cassettes.secrets.policy import PLAIN
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
