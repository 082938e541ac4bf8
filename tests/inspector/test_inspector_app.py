import asyncio
import re
import threading
from xml.etree import ElementTree as ET

import pytest
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector
from respool.inspector.desk import Desk
from respool.inspector.shelf import MAX_STORIES
from textual.worker import WorkerFailed

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u202e]")


async def test_threads_open_into_runs_and_these_into_steps(made, cassette, looking):
    calls = [*made.refund("thread_a"), *made.thread("thread_b", "Hello there"), *made.assistants()]
    async with looking(cassette(*calls)) as look:
        await look.lists("▸ thread_a  I want my mon")
        assert look.list.split("\n")[1:] == [" ▸ thread_b", " ▸ other calls  1 path"]
        await look.press("enter")
        assert [line.split("  ")[0].strip(" ▸") for line in map(str.strip, look.list.split("\n")[1:6])] == [
            "createThread",
            "createMessage",
            "✓ run 1 completed",
            "listMessages",
            "thread_b",
        ]
        await look.press("down", "down", "down", "space", "down")
        assert "       ✓ step 1 lookup_order" in look.list
        assert "       ✓ step 2 message" in look.list
        assert "       poll → requires_action" in look.list
        await look.press("left", "left")
        assert "step 1" not in look.list
        assert "run 1" in look.list
        await look.press("left", "left", "left")
        assert "run 1" not in look.list


async def test_the_conversation_shows_messages_states_times_tokens_calls_and_outputs(made, cassette, looking):
    async with looking(cassette(*made.refund()), size=(160, 50)) as look:
        await look.reads("It has shipped.")
        for line in [
            "thread thread_a  created",
            "user  msg_thread_a_0\n  I want my money back",
            "run 1  ✓ completed  gpt-4o  run_1",
            "queued\u00a00.0\u00a0s →\u00a0requires_action\u00a02.1\u00a0s →\u00a0outputs\u00a0submitted\u00a04.4\u00a0s",
            "2 polls, 2 new · 2,310 tokens (2,100 in, 210 out)",
            '  step 1  tool_calls  ✓ completed  step_1\n    lookup_order({"id": 118})  call_3',
            '      → {"state": "shipped"}',
            "assistant  msg_y\n  It has shipped.",
        ]:
            assert line in look.conversation


async def test_choosing_a_run_brings_it_into_view_and_marks_it(made, cassette, looking):
    long = made.thread("thread_a", *(f"line {number}" for number in range(60)))
    late = made.call("POST /threads/thread_a/runs", {}, made.run("run_late", "failed", last_error={"message": "no"}))
    async with looking(cassette(*long, late), size=(80, 24)) as look:
        await look.lists("createMessage")
        assert "run_late" not in look.conversation
        await look.press("end")
        assert "! run 1 failed" in look.list
        assert "run_late" in look.conversation
        pane = look.app.query_one("#conversation")
        marked = [y for y in range(pane.size.height) if pane.marked(y + round(pane.scroll_y))]
        assert ["run 1" in look.pane("conversation")[y] for y in marked] == [True]
        await look.press("home")
        assert look.conversation.split("\n")[0].strip() == "thread thread_a  created"


async def test_calls_of_no_thread_are_listed_by_their_path(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a"), *made.assistants())) as look:
        await look.press("end")
        await look.reads("Calls that belong to no thread")
        await look.press("enter", "down")
        await look.reads("POST /assistants 200  asst_1 Clerk gpt-4o")
        await look.lists("1 call")
        await look.press("enter", "down")
        assert "POST /assistants" in look.list


async def test_hostile_text_is_shown_escaped_and_never_as_markup(made, cassette, looking):
    bad = made.HOSTILE
    tool = {"id": bad, "type": bad, "function": {"name": bad, "arguments": bad, "output": bad}}
    step = {"id": bad, "type": bad, "status": bad, "step_details": {"tool_calls": [tool]}, "last_error": {"code": bad}}
    told = made.message(bad, bad, bad) | {"status": bad, "file_ids": [bad], "metadata": {bad: bad}}
    failed = made.run("run_1", bad, model=bad, assistant_id=bad, last_error={"message": bad}, metadata={bad: bad})
    calls = [
        made.call("POST /threads", {}, {"id": bad, "metadata": {bad: 1}}),
        made.call("POST /threads", {}, {"id": "thread_a", "metadata": {bad: 1}}),
        made.call("GET /threads/thread_a/messages", None, {"data": [told]}),
        made.call("POST /threads/thread_a/runs", {"instructions": bad}, failed),
        made.call("GET /threads/thread_a/runs/run_1/steps", None, {"data": [step]}),
        made.call("GET /threads/thread_a/messages", None, {"error": {"message": bad}}, status=500),
        made.call(f"GET /files/{bad.replace(' ', '')}", None, {"id": bad}),
    ]
    path = cassette(*calls, name="\x1b[31m[b]odd[@click=x].cassette")
    async with looking(path, size=(140, 60)) as look:
        seen = ""
        for _ in range(7):
            await look.until(lambda: not look.app.desk.busy)
            await look.press("enter", "ctrl+d")
            await look.until(lambda: not look.app.desk.busy)
            seen += look.list + look.conversation
            await look.press("down")
        look.app.export_screenshot(simplify=True)
        await look.press("f", *"evil", "enter")
        seen += look.foot("name") + look.foot("told")
        assert look.app.is_running
        assert seen.count("\\x1b]52;c;aGk=\\x07\\u{202e}evil\\u{200b}\\x9b2J\\x00[/b][@click=app.quit]x[/]") > 12
        assert "\\x1b[31m[b]odd[@click=x].cassette · 7 calls" in seen
        assert not UNSAFE.search(seen.replace("\n", ""))


async def test_a_list_of_20_000_threads_opens_with_one_of_them_read(made, cassette, looking):
    calls = [made.call("POST /threads", {}, {"id": f"thread_{number:05d}"}) for number in range(20_000)]
    async with looking(cassette(*calls)) as look:
        await look.reads("thread thread_00000")
        assert look.folded == ["thread_00000"]
        await look.press("end")
        await look.reads("thread thread_19999")
        assert look.folded == ["thread_00000", "thread_19999"]
        await look.press("f", *"_12345", "enter")
        await look.reads("thread thread_12345")
        assert "row 12,346 of 20,000" in str(look.app.query_one("#list").border_subtitle)
        assert len(look.folded) == 3


async def test_what_was_passed_over_while_another_was_read_is_never_read(made, cassette, looking):
    held = threading.Event()
    calls = [call for number in range(9) for call in made.thread(f"thread_{number}", f"hello {number}")]
    try:
        async with looking(cassette(*calls), before=lambda name: name != "thread_0" or held.wait(30)) as look:
            await look.press(*["down"] * 8)  # the screen moves while the first thread is still being read
            assert "row 9 of 9" in str(look.app.query_one("#list").border_subtitle)
            assert "reading" in str(look.app.query_one("#conversation").border_subtitle)
            held.set()
            await look.reads("hello 8")
            assert "reading" not in str(look.app.query_one("#conversation").border_subtitle)
            assert look.folded == ["thread_0", "thread_8"]
    finally:
        held.set()


async def test_leaving_stops_the_reading(made, cassette, looking):
    held = threading.Event()
    decoded = []
    path = cassette(*made.thread("thread_a", *(f"hello {number}" for number in range(50))))
    with Reader.open(path) as reader:
        counting = made.Counting(reader)

        def interaction(row):
            decoded.append(row)
            held.wait(30)
            return reader.interaction(row)

        counting.interaction = interaction
        app = Inspector(counting)
        async with app.run_test() as pilot:
            while not decoded:
                await pilot.pause(0.01)
        held.set()
        await asyncio.get_running_loop().shutdown_default_executor()
        assert len(decoded) == 1


async def test_few_stories_are_kept_and_what_went_is_read_again(made, cassette, looking):
    names = [f"thread_{number:02d}" for number in range(MAX_STORIES + 2)]
    calls = [call for name in names for call in made.refund(name, f"run_{name}")]
    async with looking(cassette(*calls)) as look:
        for name in names:
            await look.reads(f"thread {name}  created")
            await look.press("down")
        assert len(look.app._shelf) == MAX_STORIES
        await look.press("home")
        await look.reads("thread thread_00  created")
        assert look.folded == [*names, "thread_00"]
        await look.press("enter")
        assert "run 1 completed" in look.list


async def test_a_thread_that_is_damaged_says_so_and_the_others_are_seen(made, cassette, looking):
    text = "the one of which a byte is changed " * 4
    path = cassette(*made.thread("thread_a", text), *made.thread("thread_b", "a whole one"))
    data = bytearray(path.read_bytes())
    data[data.index(text[:20].encode())] ^= 1
    path.write_bytes(data)
    async with looking(path, size=(140, 40)) as look:
        await look.reads("This cannot be read.")
        assert "doctor" in look.conversation
        await look.lists("! thread_a  damaged")
        await look.press("down")
        await look.reads("a whole one")


async def test_a_fault_in_one_thread_leaves_the_screen_on_the_others(made, cassette, looking):
    def fails(name):
        if name == "thread_a":
            raise ValueError("odd \x1b[2J")

    path = cassette(*made.thread("thread_a"), *made.thread("thread_b", "a whole one"))
    async with looking(path, before=fails) as look:
        await look.reads("ValueError: odd \\x1b[2J")
        await look.press("down")
        await look.reads("a whole one")


async def test_the_status_line_tells_what_it_is_and_that_it_was_not_closed(made, cassette, looking):
    path = cassette(*made.refund(), *made.assistants())
    async with looking(path) as look:
        assert "demo.cassette · 9 calls · 1 thread · " in look.foot("name")
    async with looking(path, sealed=False) as look:
        assert look.foot("name").endswith(" KB · not closed cleanly")


async def test_an_empty_cassette_says_so_and_no_key_does_harm(cassette, looking):
    async with looking(cassette()) as look:
        await look.reads("No calls were recorded")
        await look.press("down", "up", "end", "home", "pagedown", "enter", "left", "right", "tab", "end", "ctrl+d", "n")
        assert look.app.is_running


async def test_search_goes_round_and_says_when_there_is_nothing(made, cassette, looking):
    async with looking(cassette(*(call for name in "abc" for call in made.thread(f"thread_{name}{name}")))) as look:
        pane = look.app.query_one("#list")
        await look.press("f", *"D_", "enter")
        assert pane.cursor == 0
        await look.press("n", "n")
        assert pane.cursor == 2
        assert "n next" in look.foot("told")
        await look.press("n")
        assert pane.cursor == 0
        await look.press("N")
        assert pane.cursor == 2
        await look.press("f", *"nowhere", "enter")
        assert "no row in the list has" in look.foot("told")
        await look.press("f", *"q", "escape")
        assert not look.app.query_one("#prompt").display
        assert pane.has_focus


async def test_the_conversation_scrolls_from_either_pane(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", *map(str, range(100)))), size=(80, 24)) as look:
        await look.reads("user")
        pane = look.app.query_one("#conversation")
        await look.press("ctrl+d")
        assert pane.scroll_y == pane.height // 2
        await look.press("ctrl+u", "3", "down", "down")
        assert pane.scroll_y == 2
        await look.press("end")
        assert pane.scroll_y == pane.max_scroll_y > 200
        await look.press("home", "pagedown")
        assert pane.scroll_y == pane.height - 1


async def test_a_new_width_lays_the_conversation_out_again_at_the_same_place(made, cassette, looking):
    texts = [f"number {number} " + "word " * 40 for number in range(50)]
    async with looking(cassette(*made.thread("thread_a", *texts)), size=(120, 24)) as look:
        await look.reads("number 0")
        pane = look.app.query_one("#conversation")
        await look.press("3", *["pagedown"] * 6)
        top = pane.sheet.line_at(round(pane.scroll_y))
        await look.pilot.resize_terminal(70, 24)
        await look.until(lambda: pane.sheet.width == pane.width)
        await look.pilot.pause()
        assert pane.sheet.line_at(round(pane.scroll_y)) == top
        assert all(len(line) <= pane.size.width for line in look.pane("conversation"))


@pytest.mark.parametrize("size", [(20, 8), (50, 12), (80, 24), (200, 60)])
async def test_every_size_can_be_drawn_and_exported(made, cassette, looking, size):
    async with looking(cassette(*made.refund(), *made.assistants()), size=size) as look:
        await look.lists("▾ thread_a")
        await look.press("down", "enter", "down")
        picture = look.app.export_screenshot(simplify=True)
        assert ET.fromstring(picture).tag.endswith("svg")


async def test_help_lists_the_keys_and_q_closes_it_before_it_quits(made, cassette, looking):
    async with looking(cassette(*made.refund()), size=(80, 50)) as look:
        await look.press("question_mark")
        assert len(look.app.screen_stack) == 2
        assert "half a page up in the panel" in look.app.export_screenshot().replace("&#160;", " ")
        await look.press("q")
        assert len(look.app.screen_stack) == 1
        await look.press("q")
        assert look.app._exit


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_every_key_that_quits_does(made, cassette, looking, key):
    async with looking(cassette(*made.refund())) as look:
        await look.press("tab", key)
        assert look.app._exit


async def test_a_click_chooses_a_row_and_a_second_one_opens_it(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a"), *made.refund("thread_b"))) as look:
        await look.pilot.click("#list", offset=(3, 2))
        await look.reads("thread thread_b")
        await look.pilot.click("#list", offset=(3, 2))
        await look.lists("run 1 completed")


async def test_a_fault_of_its_own_shows_nothing_that_is_recorded(made, cassette, looking, capsys):
    """Textual would print each frame's local variables."""
    secret = "sk-planted-0123456789"

    def fail(self, event):
        held = f"{secret} {event}"
        raise KeyError(held)

    with pytest.raises(KeyError):
        async with looking(cassette(*made.refund())) as look:
            look.app.call_later(fail, look.app, "what was chosen")
            await look.pilot.pause()
    shown = "".join(capsys.readouterr())
    assert "internal error: KeyError in fail" in shown.replace("\n", " ")
    assert secret not in shown


async def test_a_fault_while_reading_shows_nothing_that_is_recorded(made, cassette, looking, monkeypatch, capsys):
    secret = "sk-planted-0123456789"

    async def fail(self):
        raise KeyError(secret)

    monkeypatch.setattr(Desk, "run", fail)
    with pytest.raises(WorkerFailed):
        async with looking(cassette(*made.refund())) as look:
            await look.pilot.pause()
    shown = "".join(capsys.readouterr())
    assert "internal error: KeyError in fail" in shown.replace("\n", " ")
    assert secret not in shown
