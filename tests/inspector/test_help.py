"""The keys as text: in blocks by place, aligned, and no wider than the screen that shows them at its smallest."""

from respool.inspector.help import help_lines
from respool.inspector.keys import EVERYWHERE, KEYS, LIST, LIVE, PANEL, PLACES, remapped

ROOM = 72
"""Cells that the list has on a screen of 80: a border, a padding and the scrollbar take the others."""


def test_each_place_is_a_block_with_all_of_its_keys():
    lines = help_lines((LIST, EVERYWHERE))
    assert lines[0] == PLACES[LIST]
    gap = lines.index("")
    assert gap == 1 + sum(key.place == LIST for key in KEYS)
    assert lines[gap + 1] == PLACES[EVERYWHERE]
    assert len(lines) == gap + 2 + sum(key.place == EVERYWHERE for key in KEYS)


def test_a_place_that_is_named_twice_is_listed_once():
    assert help_lines((LIST, EVERYWHERE, EVERYWHERE)) == help_lines((LIST, EVERYWHERE))


def test_what_keys_do_stands_in_one_column():
    rows = [line for line in help_lines((LIST, PANEL)) if line.startswith("  ")]
    says = [key.says for place in (LIST, PANEL) for key in KEYS if key.place == place]
    assert len({row.index(said) for row, said in zip(rows, says, strict=True)}) == 1


def test_no_line_is_broken_on_a_screen_of_eighty_columns():
    for place in (LIST, PANEL):
        for line in help_lines((place, LIVE, EVERYWHERE)):
            assert len(line) <= ROOM, line


def test_keys_that_a_person_gave_are_the_ones_that_are_listed():
    lines = help_lines((LIST,), remapped({"list.down": "ctrl+n,f2"}))
    assert any(line.startswith("  Ctrl+N, F2 ") and line.endswith("one row down") for line in lines)
