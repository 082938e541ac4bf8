"""The panel on the right: what it names in its border, and where it stands when what it shows is replaced."""

import pytest
from respool.inspector.document import Document, Line
from respool.inspector.layout import lay_out
from respool.inspector.tabs import Tab, labels
from respool.inspector.text_pane import TextPane
from textual.app import App


def document(lines, mark="line"):
    return Document(tuple(Line(0, ((f"{mark} {number}", ""),)) for number in range(lines)))


class Alone(App[None]):
    def __init__(self):
        super().__init__()
        self.heard = []

    def compose(self):
        yield TextPane()

    def on_text_pane_asked(self, event):
        self.heard.append(event.tab)

    def on_text_pane_resized(self):
        self.heard.append("resized")


@pytest.fixture
async def pane():
    app = Alone()
    async with app.run_test(size=(60, 12), notifications=True) as pilot:
        pane = app.query_one(TextPane)
        pane.pilot = pilot
        pane.take_focus()
        await pilot.pause()
        yield pane


def top(pane):
    return pane.render_line(0).text.strip()


async def test_a_document_is_shown_from_just_above_its_marked_line(pane):
    pane.show(lay_out(document(90), pane.width), 40)
    await pane.pilot.pause()
    assert top(pane) == "line 39"
    assert [row for row in range(90) if pane.marked(row)] == [40]


async def test_the_same_document_keeps_its_place_until_another_line_is_marked(pane):
    sheet = lay_out(document(90), pane.width)
    pane.show(sheet, 40)
    await pane.pilot.press("j", "j")
    pane.show(sheet, 40)
    await pane.pilot.pause()
    assert top(pane) == "line 41"
    pane.show(sheet, 43)
    await pane.pilot.pause()
    assert top(pane) == "line 41", "it is in view, so nothing moves"
    pane.show(sheet, 80)
    await pane.pilot.pause()
    assert top(pane) == "line 79"


async def test_another_document_begins_at_its_beginning(pane):
    pane.show(lay_out(document(90), pane.width), 40)
    pane.show(lay_out(document(90, "other"), pane.width), None)
    await pane.pilot.pause()
    assert top(pane) == "other 0"


async def test_what_has_grown_keeps_its_place_or_goes_on_with_its_end(pane):
    pane.show(lay_out(document(50), pane.width), None)
    await pane.pilot.press("j")
    pane.stay()
    pane.show(lay_out(document(60), pane.width), None)
    await pane.pilot.pause()
    assert top(pane) == "line 1"
    await pane.pilot.press("G")
    pane.stay()
    pane.show(lay_out(document(70), pane.width), None)
    await pane.pilot.pause()
    assert pane.render_line(pane.height - 1).text.strip() == "line 69"


async def test_keys_go_by_a_line_half_a_page_and_a_page(pane):
    pane.show(lay_out(document(90), pane.width), None)
    await pane.pilot.press("j")
    assert top(pane) == "line 1"
    pane.action_half(1)
    await pane.pilot.pause()
    assert top(pane) == f"line {1 + pane.height // 2}"
    await pane.pilot.press("g", "space")
    assert top(pane) == f"line {pane.height - 1}", "a page but for one line, so that one reads on"


async def test_the_border_names_the_panels_and_how_far_down_it_stands(pane):
    pane.tab = Tab.RAW
    pane.show(lay_out(document(90), pane.width), None)
    await pane.pilot.pause()
    assert "[5] Raw" in str(pane.border_title)
    assert str(pane.border_subtitle) == f"line {pane.height} of 90"
    pane.show(lay_out(document(3), pane.width), None)
    await pane.pilot.pause()
    assert str(pane.border_subtitle) == ""


async def test_a_click_on_a_name_asks_for_its_panel_and_one_on_the_text_for_none(pane):
    at = next(label.start for label in labels(Tab.MESSAGES, pane.size.width - 2) if label.tab is Tab.RAW)
    pane.app.heard.clear()
    await pane.pilot.click(TextPane, offset=(at + 3, 0))
    await pane.pilot.pause()
    assert pane.app.heard == [Tab.RAW]
    await pane.pilot.click(TextPane, offset=(at + 3, 4))
    await pane.pilot.pause()
    assert pane.app.heard == [Tab.RAW]


async def test_a_new_width_is_told_so_that_the_text_is_laid_out_anew(pane):
    pane.show(lay_out(document(9), pane.width), None)
    pane.app.heard.clear()
    await pane.pilot.resize_terminal(40, 12)
    await pane.pilot.pause()
    assert pane.app.heard == ["resized"]


async def test_without_a_document_there_is_nothing_to_draw_and_no_key_does_harm(pane):
    await pane.pilot.press("j", "G", "pageup", "g")
    assert pane.sheet is None
    assert top(pane) == ""
