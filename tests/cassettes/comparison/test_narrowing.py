"""One place where two JSON values differ, or the smallest value that holds all of them."""

import json
import time

import pytest
from respool.cassettes.comparison.narrowing import ABSENT, LEVELS, narrowed


def gap(left, right, *, loose=False):
    found = narrowed(left, right, lambda one, other: one == other, loose=loose)
    return found and (found.path, found.left, found.right)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, None),
        (True, 1, ("", True, 1)),
        ({"a": 1}, {"a": 2}, (".a", 1, 2)),
        ({"a": {"b c": [1, {"d": 2}]}}, {"a": {"b c": [1, {"d": 3}]}}, ('.a["b c"][1].d', 2, 3)),
        ({"a": 1, "b": 2, "c": 3}, {"a": 9, "b": 8, "c": 3}, ("", {"a": 1, "b": 2}, {"a": 9, "b": 8})),
        ({"a": 1}, {}, (".a", 1, ABSENT)),
        ({"a": None}, {}, (".a", None, ABSENT)),
        ([1, 2, 3], [1, 3], ("[1]", 2, ABSENT)),
        ([1, 3], [1, 2, 3], ("[1]", ABSENT, 2)),
        ([{"a": 1}, 2], [{"a": 5}, 2], ("[0].a", 1, 5)),
        ([1, 2, 3], [1, 7, 8], ("", [1, 2, 3], [1, 7, 8])),
        ("text", {"a": 1}, ("", "text", {"a": 1})),
        (float("nan"), float("nan"), None),
    ],
)
def test_the_place_and_both_values(left, right, expected):
    assert gap(left, right) == expected


def test_the_same_in_another_order_is_told_as_that():
    found = narrowed([1, 2, 3], [3, 1, 2], lambda one, other: one == other)
    assert found is not None
    assert found.order


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_where_it_is_loose_nothing_is_as_good_as_none(nothing):
    assert gap({"a": nothing}, {}, loose=True) is None
    assert gap({"a": nothing}, {"a": 0}, loose=True) == (".a", nothing, 0)


def test_names_may_be_ids():
    found = narrowed(
        {"id_1": 1, "x": 2}, {"id_2": 1, "x": 3}, lambda one, other: one == other or {one, other} == {"id_1", "id_2"}
    )
    assert found is not None
    assert (found.path, found.left, found.right) == (".x", 2, 3)


def test_depth_and_long_names_are_bounded():
    deep = json.loads('{"a":' * 400 + "1" + "}" * 400)
    other = json.loads('{"a":' * 400 + "2" + "}" * 400)
    found = narrowed(deep, other, lambda one, twin: one == twin)
    assert found is not None
    assert found.path == ".a" * LEVELS
    (path, _, _) = gap({"n" * 100_000: 1}, {})
    assert len(path) < 200


@pytest.mark.parametrize("levels", [30, 60])
def test_what_is_nested_to_make_work_is_soon_told_as_a_whole(levels):
    left, right = 1, 2
    for number in range(levels):
        left, right = [left, number, left], [right, right]
    began = time.process_time()
    assert gap(left, right) is not None
    names = {f"a{at}": at for at in range(20_000)}, {f"b{at}": at for at in range(20_000)}
    assert gap(*names) is not None
    assert time.process_time() - began < 10
