"""Which elements of two sequences belong together."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.comparison.alignment import aligned


def align(left, right):
    """Letters: equal letters are the same, those that differ by case alone are near."""
    return aligned(left, right, lambda _, item: item, lambda one, other: float(one.lower() == other.lower()))


@pytest.mark.parametrize(
    ("left", "right", "pairs", "moved"),
    [
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)], False),
        ("abc", "aBc", [(0, 0), (1, 1), (2, 2)], False),
        ("abc", "ac", [(0, 0), (1, None), (2, 1)], False),
        ("ac", "abc", [(0, 0), (None, 1), (1, 2)], False),
        ("ab", "ba", [(0, 1), (1, 0)], True),
        ("abc", "cba", [(0, 2), (1, 1), (2, 0)], True),
        ("abx", "aBy", [(0, 0), (1, 1), (2, None), (None, 2)], False),
        ("", "ab", [(None, 0), (None, 1)], False),
        ("ab", "", [(0, None), (1, None)], False),
        ("aab", "ab", [(0, 0), (1, None), (2, 1)], False),
    ],
)
def test_pairs(left, right, pairs, moved):
    found = align(left, right)
    assert sorted(found.pairs, key=str) == sorted(pairs, key=str)
    assert found.moved == moved


@given(st.text("abcABC", max_size=12), st.text("abcABC", max_size=12))
def test_each_element_stands_in_just_one_pair(left, right):
    pairs = align(left, right).pairs
    assert sorted(one for one, _ in pairs if one is not None) == list(range(len(left)))
    assert sorted(other for _, other in pairs if other is not None) == list(range(len(right)))
    assert all(
        left[one].lower() == right[other].lower() for one, other in pairs if one is not None and other is not None
    )


@given(st.lists(st.integers(0, 5), max_size=15))
def test_equal_sequences_are_paired_place_by_place(items):
    found = aligned(items, items, lambda _, item: item, lambda one, other: 1.0)
    assert found.pairs == [(at, at) for at in range(len(items))]
    assert not found.moved


def test_long_sequences_that_differ_altogether_do_not_take_for_ever():
    began = time.process_time()
    left, right = [f"a{at}" for at in range(20_000)], [f"b{at}" for at in range(20_000)]
    assert len(aligned(left, right, lambda _, item: item, lambda one, other: 1.0).pairs) == 20_000
    turned = aligned(left, left[::-1], lambda _, item: item, lambda one, other: 0.0)
    assert turned.moved
    assert time.process_time() - began < 20
