"""What a row of the list says in the cells that there are, and what it is marked by."""

import pytest
from respool.inspector.list_pane import _fitting, _shortened, place_of
from respool.inspector.outline import Kind, Row


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("thread_a", 8, "thread_a"),
        ("thread_abcdefgh", 10, "thread…fgh"),
        ("thread_abcdefgh", 14, "thread_ab…efgh"),
    ],
)
def test_an_id_loses_its_middle(text, room, shown):
    assert _shortened(text, room) == shown
    assert len(_shortened(text, room)) <= room


@pytest.mark.parametrize(
    ("room", "first", "shown"),
    [
        (30, True, "200  7 ms  stream"),
        (13, True, "7 ms  stream"),
        (13, False, "200  7 ms"),
        (5, True, ""),
        (0, False, ""),
    ],
)
def test_parts_that_do_not_fit_are_given_up_whole(room, first, shown):
    assert _fitting("200  7 ms  stream", room, first=first) == shown


def test_a_call_has_one_place_wherever_it_stands():
    poll, call = (Row(kind, "thread_a", "run_1", "7") for kind in (Kind.POLL, Kind.EXCHANGE))
    assert place_of(poll) == place_of(call)
    assert place_of(Row(Kind.RUN, "thread_a", "run_1")).kind == "run"
