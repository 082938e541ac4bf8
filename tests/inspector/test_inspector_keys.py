from pathlib import Path

import pytest
import respool
from respool.inspector.app import FindBar, Inspector
from respool.inspector.help import HelpScreen, help_lines
from respool.inspector.keys import CONVERSATION, EVERYWHERE, FIND, HELP, KEYS, LIST, PLACES, markdown, spelled
from respool.inspector.list_pane import ListPane
from respool.inspector.text_pane import TextPane

OWNERS = {LIST: ListPane, CONVERSATION: TextPane, EVERYWHERE: Inspector, FIND: FindBar, HELP: HelpScreen}


def test_every_place_is_named_and_has_its_owner():
    assert set(PLACES) == set(OWNERS) == {key.place for key in KEYS}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.place}-{key.keys}")
def test_every_key_of_the_table_has_an_action(key):
    assert callable(getattr(OWNERS[key.place], "action_" + key.action.partition("(")[0]))


@pytest.mark.parametrize("place", OWNERS)
def test_what_is_bound_is_what_the_table_says(place):
    own = OWNERS[place].__dict__["BINDINGS"]
    assert [(bound.key, bound.action) for bound in own] == [
        (key.keys, key.action) for key in KEYS if key.place == place
    ]


def test_no_key_means_two_things_in_a_place():
    # A search and the help screen keep the keys of everywhere away.
    for together in [(LIST, EVERYWHERE), (CONVERSATION, EVERYWHERE), (FIND,), (HELP,)]:
        keys = [one for key in KEYS if key.place in together for one in key.keys.split(",")]
        assert sorted(keys) == sorted(set(keys))


def test_keys_are_spelled_for_people():
    assert spelled("pagedown,space") == "PageDown, Space"
    assert spelled("question_mark,ctrl+d,shift+tab,G") == "?, Ctrl+D, Shift+Tab, G"


def test_the_help_screen_has_every_key_in_76_columns():
    lines = help_lines()
    assert sum(line.startswith("  ") for line in lines) == len(KEYS)
    assert max(map(len, lines)) <= 70


def test_the_docs_have_the_table():
    page = Path(respool.__file__).parent / "docs" / "inspector.md"
    assert markdown() in page.read_text()
