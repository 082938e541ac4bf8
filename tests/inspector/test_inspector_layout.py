from hypothesis import given
from hypothesis import strategies as st
from respool.inspector.document import Document, Line
from respool.inspector.layout import MIN_WIDTH, lay_out
from rich.cells import cell_len

TEXTS = st.text(st.sampled_from("ab 界é\u0301😀-"), max_size=80)


def rows(sheet):
    return ["".join(text for text, _ in sheet.spans(row)) for row in range(len(sheet.pieces))]


def laid(text, width, indent=0, hang=0):
    return rows(lay_out(Document((Line(indent, ((text, ""),), hang),)), width))


def test_lines_break_between_words_and_go_on_below_their_hang():
    assert laid("alpha beta gamma delta", 12, indent=1, hang=2) == [" alpha beta", "   gamma", "   delta"]


def test_a_row_may_be_full_to_the_last_cell():
    assert laid("12345678 1234567890", 10) == ["12345678", "1234567890"]
    assert laid("1234567890 12345678", 10) == ["1234567890", "12345678"]


def test_long_words_break_within_and_indents_of_code_are_kept():
    assert laid("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]
    assert laid("      return something", 12) == ["      return", "something"]


def test_wide_characters_count_twice():
    assert laid("界" * 10, 10) == ["界" * 5, "界" * 5]


def test_an_empty_line_is_a_row_and_a_deep_indent_leaves_some_width():
    assert laid("", 10) == [""]
    assert laid("x" * 20, 10, indent=30) == [" " * 30 + "x" * MIN_WIDTH, " " * 30 + "x" * MIN_WIDTH, " " * 30 + "xxxx"]


def test_spans_keep_their_ink_across_a_break():
    sheet = lay_out(Document((Line(0, (("bold words ", "strong"), ("and plain ones", "")), 0),)), 12)
    assert [list(sheet.spans(row)) for row in range(len(sheet.pieces))] == [
        [("bold words", "strong")],
        [("and plain", "")],
        [("ones", "")],
    ]


def test_each_line_is_found_by_its_rows():
    sheet = lay_out(Document((Line(0, (("a" * 20, ""),), 0), Line(), Line(0, (("b", ""),), 0))), 10)
    assert sheet.starts == (0, 2, 3)
    assert [sheet.line_at(row) for row in range(4)] == [0, 0, 1, 2]
    assert lay_out(Document(), 10).line_at(0) == 0


@given(TEXTS, st.integers(8, 30), st.integers(0, 4))
def test_nothing_but_spaces_at_breaks_is_lost_and_every_row_fits(text, width, hang):
    broken = laid(text, width + 8, indent=0, hang=hang)
    assert "".join(row.strip() for row in broken).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(row) <= width + 8 for row in broken)
