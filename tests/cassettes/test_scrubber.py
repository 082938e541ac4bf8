"""Known values out of a body that goes by in pieces."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.scrubber import REPLACEMENT, Scrubber

SECRET = b"sk-0123456789abcdef"


@given(
    pieces=st.lists(st.sampled_from([SECRET, b"text ", b"sk-", b"0123456789", b"x" * 40]), max_size=12),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_a_value_is_found_however_the_body_is_cut(pieces, cuts):
    data = b"".join(pieces)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    scrubber = Scrubber([SECRET])
    out = b"".join(scrubber.feed(data[start:end]) for start, end in pairwise(edges)) + scrubber.finish()
    assert out == data.replace(SECRET, REPLACEMENT)
    assert SECRET not in out


def test_without_values_nothing_is_held_back():
    scrubber = Scrubber([])
    assert scrubber.feed(b"abc") == b"abc"
    assert scrubber.finish() == b""


def test_of_two_values_the_longer_is_taken_first():
    scrubber = Scrubber([b"secret", b"secret-longer"])
    assert scrubber.feed(b"a secret-longer b") + scrubber.finish() == b"a REDACTED b"
