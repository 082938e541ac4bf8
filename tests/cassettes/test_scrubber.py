"""Known values out of a body that goes by in pieces."""

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.scrubber import REPLACEMENT, Scrubber, replaced

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


def test_no_tail_is_left_of_a_value_that_begins_as_a_shorter_one():
    short, long = b"abcdefgh", b"abcdefghijklmnopqrstuvwxyz"
    for cut in range(len(long) + 1):
        scrubber = Scrubber([short, long])
        assert scrubber.feed(long[:cut]) + scrubber.feed(long[cut:]) + scrubber.finish() == b"REDACTED"


def covered(data: bytes, values: list[bytes]) -> bytes:
    """What is left, told byte by byte: each value from the left, all that overlaps as one."""
    spans = []
    for value in values:
        at = 0
        while at + len(value) <= len(data):
            if data[at : at + len(value)] == value:
                spans.append((at, at + len(value)))
                at += len(value)
            else:
                at += 1
    out, done = b"", 0
    for start, end in sorted(spans):
        out += data[done:start] + (REPLACEMENT if start >= done else b"")
        done = max(done, end)
    return out + data[done:]


@given(
    values=st.lists(st.text("ab", min_size=1, max_size=6).map(str.encode), unique=True, max_size=4),
    pieces=st.lists(st.text("abc", max_size=20).map(str.encode), max_size=12),
)
def test_values_that_overlap_are_replaced_alike_at_once_and_in_pieces(values, pieces):
    scrubber = Scrubber(values)
    out = b"".join([scrubber.feed(piece) for piece in pieces]) + scrubber.finish()
    assert out == replaced(b"".join(pieces), values) == covered(b"".join(pieces), values)


def test_what_was_put_in_is_not_searched():
    values = [b"secret-0", b"REDACTED", b"xREDACTEDx"]
    assert replaced(b"xsecret-0x REDACTED", values) == b"xREDACTEDx REDACTED"


def test_small_pieces_take_time_by_their_length_and_little_memory():
    value = b"k" + b"0123456789abcdef" * 256
    scrubber = Scrubber([value, value[:-1] + b"x", b"a" * 64])
    began = time.process_time()
    held = fed = given_out = 0
    for _ in range(60_000):
        given_out += len(scrubber.feed(b"0123456"))
        fed += 7
        held = max(held, fed - given_out)
    assert time.process_time() - began < 3
    assert held <= 2 * len(value) + 7
    assert given_out + len(scrubber.finish()) == fed


def test_a_long_run_takes_time_by_its_length():
    began = time.process_time()
    assert replaced(b"a" * (1 << 20), [b"a" * 1024, b"a" * 1000]).count(REPLACEMENT) >= 1
    assert time.process_time() - began < 3
