import json
from contextlib import asynccontextmanager

import pytest
from respool.cassettes.notes import Place
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector
from respool.inspector.tabs import Tab


@pytest.fixture
def looking(made):
    @asynccontextmanager
    async def open_it(path, *, size=(120, 40), keymap=None):
        with Reader.open(path) as reader:
            app = Inspector(reader, keymap)
            async with app.run_test(size=size, notifications=True) as pilot:
                look = made.Looking(app, pilot)
                await settled(look)
                yield look

    return open_it


async def settled(look):
    await look.pilot.pause()
    await look.until(lambda: not look.app.desk.busy)
    await look.pilot.pause()


async def does(look, *keys):
    for key in keys:
        await look.press(key)
        await settled(look)


async def compare(look, other):
    """Not key by key: a path is long."""
    await does(look, "D")
    look.app.query_one("#line").value = str(other)
    await does(look, "enter")


async def test_each_number_shows_its_panel(made, cassette, looking):
    async with looking(cassette(*made.refund("thread_a"), *made.thread("thread_b"))) as look:
        await does(look, "4")
        assert "lookup_order" in look.conversation
        await does(look, "5")
        assert "POST /v1/threads" in look.conversation
        await does(look, "v", "v")
        assert "00000000  " in look.conversation
        await does(look, "7")
        assert "Nothing was taken out" in look.conversation
        await does(look, "2")
        assert look.app.focused.id == "waterfall"
        await does(look, "1", "right", "down", "down", "down")
        assert "client's tools" in "\n".join(look.pane("waterfall"))


async def test_a_filter_shows_what_it_finds_and_can_be_turned_off_and_on(made, cassette, looking):
    async with looking(cassette(*made.refund("thread_a"), *made.thread("thread_b", "Hello"))) as look:
        await does(look, "slash", *"Hello", "enter")
        assert look.list.split("\n")[0].startswith(" ▸ thread_b  1 found")
        assert "thread_a" not in look.list
        assert look.foot("status") == "/Hello  1 of 10 calls"
        await does(look, "backslash")
        assert "thread_a" in look.list
        await does(look, "backslash")
        assert "thread_a" not in look.list


async def test_a_filter_that_is_none_says_at_which_column(made, cassette, looking):
    async with looking(cassette(*made.refund("thread_a"))) as look:
        await does(look, "slash", *"is:poll colour:red", "enter")
        assert "column 9" in look.foot("advice")
        assert look.app.query_one("#prompt").display
        await does(look, "escape")
        assert look.app.focused.id == "list"


async def test_marks_and_notes_stand_in_the_list_and_beside_the_cassette(made, cassette, looking):
    path = cassette(*made.refund("thread_a"), *made.thread("thread_b"))
    async with looking(path) as look:
        await does(look, "m", "down", "semicolon", *"flaky", "enter")
        assert [line[0] for line in look.list.split("\n")] == ["★", "★"]
        assert "flaky" in look.list
        await does(look, "home", "m")
    told = json.loads(path.with_name("demo.cassette.notes.json").read_text())
    assert [(mark["scope"], mark["note"]) for mark in told["marks"]] == [("thread_b", "flaky")]
    async with looking(path) as look:
        assert "★▸ thread_b" in look.list
        await does(look, "M")
        assert look.app._list.row.scope == "thread_b"


async def test_notes_that_cannot_be_read_are_never_written_over(made, cassette, looking):
    path = cassette(*made.refund("thread_a"))
    beside = path.with_name("demo.cassette.notes.json")
    beside.write_text("not json")
    async with looking(path) as look:
        await does(look, "m", "8")
        assert "marks are not kept" in look.conversation
    assert beside.read_text() == "not json"


async def test_threads_are_compared_by_meaning_and_calls_by_text(made, cassette, looking):
    path = cassette(*made.thread("thread_a", "one"), *made.thread("thread_b", "two"))
    async with looking(path) as look:
        await does(look, "m", "down", "d")
        assert look.app._text.tab is Tab.DIFF
        assert "-  one" in look.conversation
        assert "+  two" in look.conversation
        await does(look, "1", "home", "right", "down", "m", "down", "d")
        assert "+ POST /v1/threads/thread_a/messages" in look.conversation


async def test_the_whole_cassette_is_compared_with_another_by_meaning(made, cassette, looking):
    other = cassette(*made.thread("thread_c", "one"), *made.thread("thread_d", "other words"), name="other.cassette")
    async with looking(cassette(*made.thread("thread_a", "one"), *made.thread("thread_b", "two"))) as look:
        await compare(look, other)
        assert look.app._text.tab is Tab.DIFF
        shown = look.conversation
        assert "2 differences, ids and times aside" in shown, "the first threads say the same"
        assert "-  thread_d with 1 message, 0 runs, user: other words" in shown, "what is named is the one that was"
        assert "+  thread_b with 1 message, 0 runs, user: two" in shown
        await does(look, "D")
        assert look.app.query_one("#line").value == str(other), "it is asked for again"


async def test_a_cassette_recorded_anew_under_other_ids_says_the_same(made, cassette, looking):
    other = cassette(*made.refund("thread_z", "run_z"), name="other.cassette")
    async with looking(cassette(*made.refund("thread_a", "run_a"))) as look:
        await compare(look, other)
        assert "✓ They say the same" in look.conversation


@pytest.mark.parametrize(
    ("typed", "said"), [("/nowhere.cassette", "does not exist"), ("~no-such-user/a", "no such home folder")]
)
async def test_what_cannot_be_compared_with_is_said_at_the_foot(made, cassette, looking, typed, said):
    async with looking(cassette(*made.thread("thread_a"))) as look:
        await does(look, "D", *typed, "enter")
        assert said in look.foot("told")
        await does(look, "8")
        assert said in look.conversation


async def test_an_export_to_the_home_of_nobody_is_said_and_nothing_is_written(made, cassette, looking, tmp_path):
    path = cassette(*made.thread("thread_a"))
    async with looking(path) as look:
        await does(look, "x", "j")
        look.app.query_one("#line").value = "~no-such-user/a.jsonl"
        await does(look, "enter")
        assert "no such home folder" in look.foot("told")
    assert list(tmp_path.iterdir()) == [path]


async def test_a_comparison_ends_with_the_inspector(made, cassette, looking, monkeypatch):
    path = cassette(*(call for number in range(50) for call in made.thread(f"thread_{number}", str(number))))
    other = cassette(
        *(call for number in range(50) for call in made.thread(f"thread_x{number}", "x")), name="o.cassette"
    )
    async with looking(path) as look:
        look.app._leaving = True
        await compare(look, other)
        assert look.app.compared is None


@pytest.mark.parametrize(
    ("letter", "text"),
    [("c", "curl -q"), ("p", "import"), ("t", "def test_"), ("i", "thread_a"), ("b", '"id": "thread_a"')],
)
async def test_a_row_is_copied_in_each_form(made, cassette, looking, letter, text):
    async with looking(cassette(*made.refund("thread_a"))) as look:
        await does(look, "y", letter)
        assert text in look.app.clipboard
        assert "\x1b" not in look.app.clipboard


async def test_what_is_copied_of_a_hostile_cassette_is_safe(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", made.HOSTILE))) as look:
        for letter in "cptmb":
            await does(look, "y", letter)
            assert look.app.clipboard
            assert not any((ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 for char in look.app.clipboard)


@pytest.mark.parametrize(("letter", "ending"), [("c", ".cassette"), ("h", ".har"), ("p", ".html"), ("m", ".md")])
async def test_a_thread_is_written_to_a_new_file(made, cassette, looking, letter, ending, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with looking(cassette(*made.refund("thread_a"), *made.thread("thread_b"))) as look:
        await does(look, "x", letter, "enter")
        made_file = tmp_path / f"demo-thread_a{ending}"
        assert made_file.stat().st_size > 100
        assert "8 calls written to" in look.foot("told")
        await does(look, "x", letter, "enter")
        assert "exist" in look.foot("told"), "and none is written over"
    if ending == ".cassette":
        with Reader.open(made_file) as reader:
            assert (len(reader), reader.scopes()) == (8, ["thread_a"])


async def test_what_is_typed_is_about_the_row_it_was_asked_for_wherever_the_cursor_has_gone(
    made, cassette, looking, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    async with looking(cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"))) as look:
        await look.press("semicolon", *"odd")
        look.app._list.go(1)  # as it goes in a live view that follows what is new
        await does(look, "enter")
        assert look.app.notes.note(Place("thread", "thread_a")) == "odd"
        await does(look, "g", "x", "m")
        look.app._list.go(1)
        await does(look, "enter")
        assert [path.name for path in tmp_path.glob("*.md")] == ["demo-thread_a.md"]
        assert "thread_b" not in (tmp_path / "demo-thread_a.md").read_text()


async def test_without_a_terminal_the_editor_is_not_opened_and_that_is_said(made, cassette, looking):
    async with looking(cassette(*made.refund("thread_a"))) as look:
        await does(look, "o")
        assert "from a terminal alone" in look.foot("told")


async def test_zoom_gives_one_side_the_screen_and_both_again(made, cassette, looking):
    async with looking(cassette(*made.refund("thread_a"))) as look:
        await does(look, "z")
        assert look.app.query_one("#list").size.width > 110
        await does(look, "z", "3", "z")
        assert look.app.query_one("#conversation").size.width > 110
        await does(look, "z")
        assert look.app.query_one("#list").size.width < 60


async def test_keys_can_be_given_others(made, cassette, looking):
    async with looking(cassette(*made.refund("thread_a")), keymap={"everywhere.tools": "t"}) as look:
        await does(look, "4")
        assert look.app._text.tab is Tab.MESSAGES
        await does(look, "t")
        assert look.app._text.tab is Tab.TOOLS


async def test_the_palette_has_the_commands(made, cassette, looking):
    async with looking(cassette(*made.refund("thread_a"))) as look:
        titles = {command.title for command in look.app.get_system_commands(look.app.screen)}
        assert {"Copy", "Export", "Compare", "Theme"} <= titles


async def test_two_rows_that_are_no_thread_are_not_compared_by_meaning(made, cassette):
    from respool.cassettes.extract import Extract
    from respool.inspector.differ import by_meaning

    calls = [*made.assistants(), made.call("POST /files", {}, {"id": "file_1"})]
    with Reader.open(cassette(*calls)) as reader:
        one, other = (Extract(reader, scope) for scope in reader.scopes())
        assert "Only threads and runs" in by_meaning(one, other, ("a", "b")).lines[0].text
