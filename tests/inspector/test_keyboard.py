"""Keys act in the order in which they are typed, however quickly they come, and under the names that a person gave them."""

import pytest
from on_terminal import OnTerminal
from respool.cassettes.reader import Reader
from respool.inspector import keyboard
from respool.inspector.app import Inspector
from respool.inspector.prompt import Line
from textual import events

SIZES = [(80, 24), (120, 40), (200, 60)]


def burst(app, text):
    """Type all of a text before the app can do anything."""
    names = {
        "/": "slash",
        ":": "colon",
        "\r": "enter",
        " ": "space",
        ";": "semicolon",
        "\x1b": "escape",
        "?": "question_mark",
        "\x15": "ctrl+u",
    }
    for letter in text:
        app.post_message(events.Key(names.get(letter, letter), letter if letter.isprintable() else None))


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_typed_in_one_breath_with_a_slash_goes_into_the_filter(made, cassette, looking, size):
    calls = [*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"), *made.refund("thread_c")]
    async with looking(cassette(*calls), size=size) as look:
        await look.reads("One")
        burst(look.app, "j/tool:lookup_order\r")
        await look.until(lambda: look.list.startswith(" ▸ thread_c"))
        assert "thread_a" not in look.list
        assert look.app.query_one(Line).value == "tool:lookup_order"


@pytest.mark.parametrize(("key", "purpose"), [("f", "find"), (";", "note")])
async def test_other_lines_take_what_is_typed_behind_their_key(made, cassette, looking, key, purpose):
    async with looking(cassette(*made.thread("thread_a", "One"))) as look:
        await look.reads("One")
        burst(look.app, key + "quiet jog")
        await look.until(lambda: look.app.query_one(Line).value == "quiet jog")
        assert look.app.query_one("#prompt").purpose == purpose


async def test_keys_of_a_list_and_of_a_panel_stay_apart(made, cassette, looking):
    calls = [*made.thread("thread_a", *("word " * 40).split()), *made.thread("thread_b", "Two")]
    async with looking(cassette(*calls)) as look:
        await look.reads("word")
        burst(look.app, "3G")
        text, rows = look.app.query_one("#conversation"), look.app.query_one("#list")
        await look.until(lambda: text.scroll_y > 0)
        assert rows.cursor == 0
        burst(look.app, "hG")
        await look.until(lambda: rows.cursor == 1)


async def test_keys_that_a_person_gave_work_and_the_old_ones_do_not(made, cassette):
    path = cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"))
    with Reader.open(path) as reader:
        app = Inspector(reader, {"list.down": "s", "everywhere.filter": "e", "prompt.leave": "f9"})
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("One")
            await look.press("j", "down", "slash")
            assert (app.query_one("#list").cursor, app.query_one("#prompt").display) == (0, False)
            await look.press("s", "e")
            assert (app.query_one("#list").cursor, app.query_one("#prompt").display) == (1, True)
            await look.press("escape")
            assert app.query_one("#prompt").display
            await look.press("f9")
            assert not app.query_one("#prompt").display


async def test_a_key_acts_neither_below_a_menu_nor_in_a_line(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", "One"))) as look:
        await look.reads("One")
        await look.press("y", "slash")
        assert not look.app.query_one("#prompt").display if len(look.app.screen_stack) == 1 else True
        assert len(look.app.screen_stack) == 2
        await look.press("escape", "slash", "slash", "q")
        assert look.app.query_one(Line).value == "/q"


@pytest.mark.parametrize("size", SIZES)
async def test_keys_behind_the_enter_of_a_prompt_go_to_the_list(made, cassette, looking, size):
    calls = [*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"), *made.refund("thread_c")]
    async with looking(cassette(*calls), size=size) as look:
        await look.reads("One")
        rows = look.app.query_one("#list")
        burst(look.app, ";hey\rjm")
        await look.until(lambda: "★▸ thread_b" in look.list)
        assert "thread_a  hey  One" in look.list
        assert rows.cursor == 1
        burst(look.app, "fthread_c\rkkn")
        await look.until(lambda: rows.cursor == 2)
        burst(look.app, "/tool:lookup_order\r4/path:none\r/\x15\r3hGm")
        await look.until(lambda: "★▸ thread_c" in look.list and "thread_b" in look.list)
        assert look.app.query_one("#conversation").tab.name == "MESSAGES"


async def test_keys_behind_the_escape_of_a_prompt_go_to_the_list(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"))) as look:
        await look.reads("One")
        burst(look.app, "/nothing\x1bjy")
        await look.until(lambda: len(look.app.screen_stack) == 2)
        assert look.app.screen_stack[0].query_one("#list").cursor == 1


async def test_keys_behind_an_enter_that_was_refused_stay_in_the_prompt(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", "One"))) as look:
        await look.reads("One")
        burst(look.app, "/((\rq")
        await look.until(lambda: look.app.query_one(Line).value == "((q")
        assert look.app.query_one("#prompt").display
        await look.press("escape", "j")
        assert look.app.query_one("#list").has_focus


async def test_what_is_pasted_behind_an_enter_comes_when_its_turn_is(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"))) as look:
        await look.reads("One")
        burst(look.app, ";one\rj;")
        look.app.post_message(events.Paste("pasted"))
        burst(look.app, "\r")
        await look.until(lambda: "thread_b  pasted" in look.list)
        assert "thread_a  one" in look.list


async def test_of_keys_that_are_held_there_is_an_end(made, cassette, looking, monkeypatch):
    monkeypatch.setattr(keyboard, "MOST_HELD", 300)
    async with looking(cassette(*made.thread("thread_a", "One"))) as look:
        await look.reads("One")
        burst(look.app, "/((\r" + "q" * 400)
        await look.until(lambda: len(look.app.query_one(Line).value) >= 302)
        assert look.app._behind is None


async def test_another_key_can_take_what_was_typed(made, cassette):
    with Reader.open(cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"))) as reader:
        app = Inspector(reader, {"prompt.take": "f8"})
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("One")
            burst(app, ";hey\rz")
            await look.until(lambda: app.query_one(Line).value == "heyz")
            app.post_message(events.Key("f8", None))
            burst(app, "j")
            await look.until(lambda: app.query_one("#list").cursor == 1)
            assert "thread_a  heyz" in look.list


@pytest.mark.parametrize("keys", ["qjjj", "/x\rqjjj", ";a\x1bqq", "yiqq"])
async def test_keys_behind_the_one_that_quits_do_no_harm(made, cassette, keys):
    with Reader.open(cassette(*made.thread("thread_a", "One"))) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            await made.Looking(app, pilot).reads("One")
            burst(app, keys)
            while app.is_running:
                await pilot.pause(0.01)
        assert app._exception is None


def test_a_filter_in_one_write_to_a_terminal_is_a_filter(made, cassette):
    terminal = OnTerminal("inspect", str(cassette(*made.thread("thread_a", "One"), *made.refund("thread_b"))))
    terminal.until(b"One")
    terminal.type(b"/tool:lookup_order\r?")
    terminal.until(b"of 10 calls")
    terminal.until(b"In the list")
    terminal.quit(b"q")
    assert terminal.end() == 0
