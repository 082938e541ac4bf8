"""Each theme, and none: the same words, nothing fails, and the cursor is seen."""

import pytest
from respool.inspector.app import Inspector
from textual.theme import BUILTIN_THEMES

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_each_theme_shows_the_same_words_and_a_cursor(made, cassette, looking, monkeypatch, size):
    monkeypatch.delenv("NO_COLOR", raising=False)
    failed = made.call("GET /threads/thread_b", None, {}, status=404)
    calls = [*made.refund("thread_a"), *made.thread("thread_b", "Hello"), failed]
    async with looking(cassette(*calls), size=size) as look:
        await look.reads("money back")
        app: Inspector = look.app
        words = look.list, look.conversation, look.pane("waterfall")
        for theme in BUILTIN_THEMES if size == (120, 40) else ("textual-dark", "textual-light", "ansi-dark"):
            app.theme = theme
            await look.pilot.pause()
            assert (look.list, look.conversation, look.pane("waterfall")) == words, theme
            pane = app.query_one("#list")
            on, off = (pane.render_line(row)._segments[-1].style for row in (0, 1))
            assert on != off, theme
            await look.press("question_mark")
            await look.press("escape")
