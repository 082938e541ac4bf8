"""The small menus and the keys: a key that comes late, when the screen is closed already, does nothing."""

import pytest
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector


@pytest.mark.parametrize(
    ("key", "leave"),
    [("y", lambda screen: screen.action_leave()), ("x", lambda screen: screen.action_leave()), ("question_mark", None)],
)
async def test_two_keys_that_close_close_once(made, cassette, key, leave):
    with Reader.open(cassette(*made.refund())) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("money back")
            await look.press(key)
            screen = app.screen
            for _ in range(2):
                if leave is None:
                    await screen.action_dismiss()
                else:
                    leave(screen)
            await pilot.pause()
            assert len(app.screen_stack) == 1
            assert app._exception is None


async def test_a_letter_chooses_and_escape_chooses_nothing(made, cassette):
    with Reader.open(cassette(*made.refund())) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("money back")
            await look.press("y", "escape")
            assert app.clipboard == ""
            await look.press("y", "i")
            assert app.clipboard == "thread_a"
