"""Amounts as people read them."""

import pytest
from respool.cassettes.amounts import counted, size


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 misses"), (1, "1 miss"), (2, "2 misses"), (12_345, "12,345 misses")]
)
def test_a_number_has_its_noun(number, said):
    assert counted(number, "miss", "misses") == said


def test_most_nouns_take_an_s():
    assert (counted(1, "call"), counted(2, "call")) == ("1 call", "2 calls")


@pytest.mark.parametrize(
    ("count", "said"), [(9_999, "9999 bytes"), (10_000, "10 kB"), (9_999_999, "10,000 kB"), (12_500_000, "12.5 MB")]
)
def test_bytes_are_rounded_when_they_are_many(count, said):
    assert size(count) == said
