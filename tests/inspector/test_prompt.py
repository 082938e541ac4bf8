"""The line at the foot: what it is given is harmless, and who leaves it is back in the list."""

import pytest
from respool.inspector.prompt import PURPOSES, Line, Prompt


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_what_it_is_given_holds_nothing_that_a_terminal_obeys(made, cassette, looking, purpose):
    async with looking(cassette(*made.thread("thread_a", "Hello"))) as look:
        await look.reads("Hello")
        look.app.query_one(Prompt).ask(purpose, f"a{made.HOSTILE}\u2066\ufeffz")
        line = look.app.query_one(Line)
        assert line.value == "a]52;c;aGk=evil2J[/b][@click=app.quit]x[/]z"
        assert look.app.focused is line
        await look.press("escape")
        assert look.app.query_one("#list").has_focus
        assert not look.app.query_one(Prompt).display


async def test_a_mistake_in_a_filter_is_told_below_its_place_and_the_line_stays(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", "Hello"))) as look:
        await look.press("slash", *"((", "enter")
        assert look.app.query_one(Prompt).display
        assert "^" in look.foot("advice")


async def test_a_field_is_completed(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", "Hello"))) as look:
        await look.press("slash", *"met", "tab", *"PO", "tab")
        assert look.app.query_one(Line).value == "method:POST"
