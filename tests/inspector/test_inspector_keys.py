from pathlib import Path

import pytest
import respool
from respool.inspector.app import Inspector
from respool.inspector.help import HelpScreen, help_lines
from respool.inspector.keys import EVERYWHERE, HELP, KEYS, LIST, LIVE, MENU, PANEL, PLACES, PROMPT, markdown, spelled
from respool.inspector.list_pane import ListPane
from respool.inspector.live import LiveInspector
from respool.inspector.menu import MenuScreen
from respool.inspector.prompt import Line
from respool.inspector.text_pane import TextPane
from respool.inspector.waterfall_pane import WaterfallPane

OWNERS = {
    LIST: ListPane,
    PANEL: TextPane,
    EVERYWHERE: Inspector,
    LIVE: LiveInspector,
    PROMPT: Line,
    MENU: MenuScreen,
    HELP: HelpScreen,
}


def test_every_place_is_named_and_has_its_owner():
    assert set(PLACES) == set(OWNERS) == {key.place for key in KEYS}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.id)
def test_every_key_of_the_table_has_an_action(key):
    assert callable(getattr(OWNERS[key.place], "action_" + key.action.partition("(")[0]))


@pytest.mark.parametrize("place", OWNERS)
def test_what_is_bound_is_what_the_table_says(place):
    for owner in (OWNERS[place], *([WaterfallPane] if place == PANEL else [])):
        own = owner.__dict__["BINDINGS"]
        assert [(bound.id, bound.key, bound.action) for bound in own] == [
            (key.id, key.keys, key.action) for key in KEYS if key.place == place
        ]


def test_no_key_means_two_things_in_a_place():
    # A search and the help screen keep the keys of everywhere away.
    for together in [(LIST, LIVE, EVERYWHERE), (PANEL, LIVE, EVERYWHERE), (PROMPT,), (MENU,), (HELP,)]:
        keys = [one for key in KEYS if key.place in together for one in key.keys.split(",")]
        assert sorted(keys) == sorted(set(keys))


def test_keys_are_spelled_for_people():
    assert spelled("pagedown,space") == "PageDown, Space"
    assert spelled("question_mark,ctrl+d,shift+tab,G") == "?, Ctrl+D, Shift+Tab, G"
    assert spelled("slash,backslash,semicolon,colon") == "/, \\, ;, :"


def test_every_key_has_a_line_of_at_most_76_columns():
    lines = help_lines()
    assert sum(line.startswith("  ") for line in lines) == len(KEYS)
    assert max(map(len, lines)) <= 76


def test_the_docs_have_the_table():
    page = Path(respool.__file__).parent / "docs" / "inspector.md"
    assert markdown() in page.read_text()


def test_no_two_keys_have_one_name():
    assert len({key.id for key in KEYS}) == len(KEYS)
