import pytest
from respool.inspector.waterfall import SECOND, Bar, Span, Waterfall, axis, cells, lines, seconds


def text(bars, room):
    return "".join(part for part, _ in cells(bars, 0, 100, room))


def test_what_is_sure_is_solid_and_what_is_not_is_shaded():
    assert text([Span(10, 20, 50, 70, "work")], 10) == " ░███░░   "
    assert text([Span.sure(0, 100, "client")], 5) == "▓▓▓▓▓"
    assert text([Span(0, 50, 50, 100, "step")], 4) == "░░░░", "nothing of it is sure"


def test_a_bar_too_short_for_a_cell_has_one_and_none_leaves_the_room():
    assert text([Span.sure(50, 50, "queued")], 10) == "     ▒    "
    for span in (Span.sure(100, 100, "work"), Span(-50, -20, 300, 400, "work"), Span.sure(99, 200, "bad")):
        assert len(text([span], 10)) == 10


@pytest.mark.parametrize("width", [20, 42, 70, 150])
def test_every_row_is_as_wide_as_the_pane(width):
    fall = Waterfall(
        "x", 0, 9 * SECOND, (Bar("a very long label of a step", (Span.sure(0, SECOND, "work"),), "1.0 s"),)
    )
    assert {len("".join(part for part, _ in line)) for line in lines(fall, width)[1:]} <= set(range(width + 1))


def test_the_axis_has_no_more_times_than_fit():
    assert axis(8 * SECOND, 40).split() == ["0s", "2s", "4s", "6s"]
    for length in range(1, 2_000, 7):
        assert len(axis(length * SECOND, 24).split()) > 1, f"{length} s have more than one time"
    assert len(axis(0, 10)) == len(axis(10**15, 10)) == 10


def test_lengths_are_told_for_people():
    assert [seconds(us) for us in (5_000, 2_400_000, 1_200_000_000)] == ["5 ms", "2.4 s", "20.0 min"]
