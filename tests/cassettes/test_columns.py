"""Two texts side by side."""

import pytest
from respool.cassettes.columns import MOST_LINES, columns_of, side_by_side


def test_equal_lines_stand_opposite_each_other_and_marks_tell_the_rest():
    lines = list(side_by_side(["a", "b", "c", "d"], ["a", "B", "c", "e", "f"], width=4))
    assert lines == ["a      a", "b    | B", "c      c", "d    | e", "     > f"]
    assert list(side_by_side(["a", "b"], ["b"], width=4)) == ["a    <", "b      b"]


def test_what_counts_as_the_same_is_for_the_caller_to_say():
    assert list(side_by_side(["A"], ["a"], same=lambda _, line: line.lower(), width=3)) == ["A     a"]


def test_long_lines_go_on_below_with_their_indent():
    lines = list(side_by_side(["  one two three four"], ["x"], width=12))
    assert lines == ["  one two    | x", "    three    |", "    four     |"]


def test_a_word_without_a_space_is_cut_where_it_must_be():
    lines = list(side_by_side(["x" * 25], [""], width=10))
    assert [line.split(" | ")[0].removesuffix(" |").strip() for line in lines] == ["x" * 10, "x" * 8, "x" * 7]


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("…→", 2)])
def test_widths_are_those_of_a_terminal(text, columns):
    assert columns_of(text) == columns


def test_wide_characters_keep_the_columns_straight():
    lines = list(side_by_side(["日本語の長い文章です", "a"], ["b", "a"], width=8))
    assert all(columns_of(line.split("|")[0]) == 9 for line in lines if "|" in line)


def test_very_long_texts_are_cut_and_that_is_said():
    lines = list(side_by_side(["a"] * (MOST_LINES + 5), ["a"]))
    assert lines[-1] == "… 5 more lines on the left"
    assert len(lines) == MOST_LINES + 1
