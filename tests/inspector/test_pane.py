"""Panes draw what changed, and no more."""

import pytest
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector
from respool.inspector.pane import Pane


@pytest.fixture
async def app(made, cassette):
    calls = [one for number in range(60) for one in made.thread(f"thread_{number:02}", "Hello")]
    with Reader.open(cassette(*calls)) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("Hello")
            app.look = look
            yield app


def watched(monkeypatch, pane):
    """The rows of a pane that are drawn from now on."""
    drawn = []
    render = Pane.render_line
    monkeypatch.setattr(Pane, "render_line", lambda self, y: (self is pane and drawn.append(y)) or render(self, y))
    return drawn


async def test_a_key_draws_two_rows_of_the_list(app, monkeypatch):
    monkeypatch.setattr(app.desk, "ask", lambda *given: None)  # what is read draws, too
    drawn = watched(monkeypatch, app.query_one("#list"))
    await app.look.press("down")
    assert sorted(set(drawn)) == [0, 1]
    assert "row 2 of 60" in str(app.query_one("#list").border_subtitle)


async def test_a_page_draws_all_rows(app, monkeypatch):
    drawn = watched(monkeypatch, app.query_one("#list"))
    await app.look.press("end")
    assert len(set(drawn)) == app.query_one("#list").size.height


async def test_a_text_in_the_border_draws_no_row(app, monkeypatch):
    pane = app.query_one("#conversation")
    drawn = watched(monkeypatch, pane)
    pane.wait()
    assert "reading" not in str(pane.border_subtitle)  # what comes at once is not announced
    await app.look.until(lambda: "reading" in str(pane.border_subtitle))
    assert drawn == []
    app.show_chosen()
    assert "reading" not in str(pane.border_subtitle)
    pane.wait()
    await app.look.until(lambda: "reading" in str(pane.border_subtitle))


async def test_what_was_read_draws_its_own_row_alone(app, monkeypatch):
    drawn = watched(monkeypatch, app.query_one("#list"))
    await app.look.press("down")
    await app.look.until(lambda: app._shelf.get("thread_01") is not None)
    await app.look.pilot.pause()
    assert set(drawn) == {0, 1}


async def test_a_key_that_changes_no_word_at_the_foot_draws_none(app, monkeypatch):
    said = []
    status = app.query_one("#status")
    monkeypatch.setattr(status, "update", lambda *given, **named: said.append(given))
    await app.look.press("down", "down", "up")
    assert said == []


async def test_another_number_of_rows_lays_nothing_out_again(app, monkeypatch):
    laid = []
    reflow = app.screen._compositor.reflow
    monkeypatch.setattr(app.screen._compositor, "reflow", lambda *given: laid.append(given) or reflow(*given))
    pane = app.query_one("#list")
    pane.resize(5)
    await app.look.pilot.pause()
    assert laid == []
    assert pane.max_scroll_y == 0
    assert pane.vertical_scrollbar.window_virtual_size == 5


async def test_the_wheel_scrolls_and_the_cursor_stays(app):
    pane = app.query_one("#list")
    pane.action_last()
    await app.look.pilot.pause()
    top = pane.scroll_y
    pane.scroll_up(animate=False)
    await app.look.pilot.pause()
    assert pane.scroll_y < top
    assert pane.cursor == 59
