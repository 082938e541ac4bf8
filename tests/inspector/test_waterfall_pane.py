"""The waterfall's pane: drawn at the width there is, from its beginning, as high as the screen allows."""

from contextlib import asynccontextmanager

import pytest
from respool.inspector.waterfall import SECOND, Bar, Span, Waterfall
from respool.inspector.waterfall_pane import MOST_ROWS, WaterfallPane
from textual.app import App

BARS = tuple(Bar(f"run {number}", (Span.sure(0, number * SECOND, "run"),), f"{number} s") for number in range(1, 31))
FALL = Waterfall("Thread · 30 runs", 0, 30 * SECOND, BARS)


class Alone(App[None]):
    def compose(self):
        yield WaterfallPane()


@asynccontextmanager
async def shown(width, height):
    """The pane alone on a screen of a size."""
    app = Alone()
    async with app.run_test(size=(width, height), notifications=True) as pilot:
        yield pilot, app.query_one(WaterfallPane)


def rows(pane):
    return [pane.render_line(y).text.rstrip() for y in range(pane.height)]


async def test_it_says_what_it_wants_then_what_it_was_given():
    async with shown(80, 24) as (pilot, pane):
        assert "Choose a thread or a run." in rows(pane)[0]
        pane.show(FALL)
        await pilot.pause()
        assert str(pane.border_title) == "[2] Thread · 30 runs"
        assert rows(pane)[1].startswith("run 1 ")


@pytest.mark.parametrize(("height", "expected"), [(12, 5), (24, 8), (30, 10), (60, MOST_ROWS)])
async def test_its_height_is_a_third_of_the_screen_within_bounds(height, expected):
    async with shown(80, height) as (pilot, pane):
        pane.show(FALL)
        await pilot.pause()
        assert pane.outer_size.height == expected


async def test_it_is_scrolled_by_keys_and_another_waterfall_begins_at_its_beginning():
    async with shown(80, 24) as (pilot, pane):
        pane.show(FALL)
        pane.take_focus()
        await pilot.press("j", "j")
        assert rows(pane)[0].startswith("run 2 ")
        await pilot.press("G")
        assert rows(pane)[-1].startswith("run 30 ")
        await pilot.press("pageup")
        assert rows(pane)[-1].startswith(f"run {30 - pane.height + 1} ")
        await pilot.press("g")
        assert rows(pane)[0].split()[0] == "0s"
        await pilot.press("G")
        pane.show(Waterfall("Run 1", 0, SECOND, BARS[:3]))
        await pilot.pause()
        assert rows(pane)[1].startswith("run 1 ")


async def test_the_same_waterfall_again_keeps_its_place():
    async with shown(80, 24) as (pilot, pane):
        pane.show(FALL)
        pane.take_focus()
        await pilot.press("j", "j")
        pane.show(FALL)
        await pilot.pause()
        assert rows(pane)[0].startswith("run 2 ")


async def test_another_width_draws_the_bars_anew():
    async with shown(80, 24) as (pilot, pane):
        pane.show(FALL)
        await pilot.pause()
        before = rows(pane)
        await pilot.resize_terminal(50, 24)
        await pilot.pause()
        after = rows(pane)
        assert after != before
        assert all(len(row) <= pane.width for row in after)
