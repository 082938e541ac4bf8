"""A waterfall as SVG: places in percent, what is unsure hatched, and all of it said in words as well."""

import re

import pytest
from respool.cassettes.conversation import Run
from respool.inspector.report.bars import waterfall
from respool.inspector.timeline import CLIENT, SECOND, Line, Piece, Timeline

RUN = Run("run_1", "completed", polls=5, new_polls=2)


def fall(*lines, length=10 * SECOND, polls=(), skewed=False):
    return Timeline(0, length, lines, polls, skewed)


def piece(kind, start, end, *, sure=True):
    return Piece(kind, round(start * SECOND), round(end * SECOND), sure)


def drawn(*lines, run=RUN, **more):
    return "".join(waterfall(fall(*lines, **more), run))


def test_a_piece_stands_at_its_share_of_the_whole_length():
    text = drawn(Line("run", (piece("queued", 0, 2.5), piece("in_progress", 2.5, 10))))
    assert '<rect x="0.0%" y="3" width="25%"' in text
    assert '<rect x="25.0%" y="3" width="75%"' in text
    assert "hatch" not in text


def test_a_piece_too_short_to_be_seen_is_drawn_all_the_same():
    assert 'width="0.35%"' in drawn(Line("run", (piece("queued", 1, 1.000001),)))


def test_what_is_unsure_is_hatched_named_in_the_legend_and_said_in_words():
    text = drawn(Line("lookup", (piece("step", 1, 4, sure=False),), step="step_1"))
    assert '<g class="piece step unsure">' in text
    assert 'aria-label="lookup: at work, a change at some moment from 1 s to 4 s"' in text
    assert "no clock tells the moment" in text
    assert "<span>≤ 3 s</span>" in text, "a step's length is no more than that"


def test_what_is_sure_is_said_from_when_to_when():
    text = drawn(Line("your tools", (piece(CLIENT, 2, 4),)))
    assert "your program&#x27;s own time, 2 s to 4 s" in text
    assert "<span>2 s</span>" in text
    assert "no clock tells" not in text


@pytest.mark.parametrize(
    ("kind", "colour"),
    [(CLIENT, CLIENT), ("step", "step"), ("completed", "good"), ("failed", "bad"), ("requires_action", "wait"), ("odd", "off")],
)  # fmt: skip
def test_a_kind_has_the_colour_of_its_state_and_an_unknown_one_is_grey(kind, colour):
    assert f'<g class="piece {colour}">' in drawn(Line("run", (piece(kind, 0, 1),)))


def test_the_run_itself_took_all_of_the_time():
    assert "<span>10 s</span>" in drawn(Line("run", (piece("queued", 0, 1),)))


def test_polls_are_dots_inside_the_picture_with_how_many_told_nothing():
    text = drawn(polls=(0, 5 * SECOND, 10 * SECOND))
    assert re.findall(r'cx="([\d.]+)%"', text) == ["0.5", "50.0", "99.5"]
    assert 'aria-label="5 polls, 3 told nothing new"' in text
    assert "each told something new" in drawn(polls=(1,), run=Run("run_1", polls=2, new_polls=2))
    assert "polls" not in drawn(Line("run", (piece("queued", 0, 1),)))


def test_the_axis_has_round_moments_and_its_last_word_stays_inside():
    text = drawn(Line("run", (piece("queued", 0, 10),)))
    assert re.findall(r">([^<]+)</text>", text) == ["0", "2 s", "4 s", "6 s", "8 s", "10 s"]
    assert '<text x="100.0%" y="11" text-anchor="end"' in text
    short = drawn(Line("run", (piece("queued", 0, 0.0003),)), length=300)
    assert re.findall(r">([^<]+)</text>", short)[:3] == ["0", "0.05 ms", "0.1 ms"]


def test_a_clock_that_differs_is_said():
    assert "clock differs" in drawn(Line("run", (piece("queued", 0, 1),)), skewed=True)
    assert "clock differs" not in drawn(Line("run", (piece("queued", 0, 1),)))


def test_names_of_tools_and_states_are_text():
    text = drawn(Line('<b onclick="x">', (piece("<i>\u202e", 0, 1),)))
    assert "<b" not in text
    assert "<i>" not in text
    assert "\u202e" not in text
