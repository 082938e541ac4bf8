import pytest
from respool.inspector.tabs import Tab, at, labels
from respool.inspector.text_pane import TextPane


@pytest.mark.parametrize("width", [12, 24, 44, 60, 120])
@pytest.mark.parametrize("current", Tab)
def test_a_click_on_a_name_finds_its_panel(width, current):
    for label in labels(current, width):
        assert at(label.start, current, width) is label.tab
        assert at(label.end - 1, current, width) is label.tab
    assert at(10_000, current, width) is None


def test_names_are_shortened_where_they_do_not_fit():
    whole = " ".join(label.text for label in labels(Tab.RAW, 60))
    assert whole == "[3] Messages [4] Tools [5] Raw [6] Diff [7] Secrets [8] Log"
    assert " ".join(label.text for label in labels(Tab.RAW, 30)) == "3 4 [5] Raw 6 7 8"


@pytest.mark.parametrize("current", Tab)
def test_at_eighty_columns_each_panel_is_named_by_a_word_of_its_own(current):
    words = [label.text for label in labels(current, 44)]
    assert all(" " in word for word in words)
    assert labels(current, 44)[-1].end <= 44


@pytest.mark.parametrize("columns", [40, 58, 60, 79, 80, 81, 100, 120])
async def test_no_name_is_cut_at_the_border_and_a_click_on_each_shows_its_panel(made, cassette, looking, columns):
    async with looking(cassette(*made.refund()), size=(columns, 24)) as look:
        await look.reads("money back")
        pane = look.app.screen.query_one(TextPane)
        for tab in (Tab.LOG, Tab.TOOLS, Tab.RAW, Tab.MESSAGES):
            frame = "".join(part.text for part in look.app.screen._compositor.render_strips()[pane.region.y])
            found = labels(pane.tab, pane._room)
            assert " ".join(label.text for label in found) in frame
            words = next(label.text for label in found if label.tab is tab)
            at = frame.index(words, pane.region.x) - pane.region.x
            await look.pilot.click(pane, offset=(at + len(words) - 1, 0))
            assert pane.tab is tab
