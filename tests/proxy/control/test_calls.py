"""A call under way, as who looks on is told of it."""

import time

from respool.cassettes.interaction import EMPTY, Body, Interaction, Request, Response
from respool.proxy.control.calls import Running


def running(body=b""):
    response = Response(200, body=Body.of(body) if body else EMPTY)
    interaction = Interaction(0, 1, Request("POST", b"/v1/threads"), response, extra={"running": True})
    return Running(0, "default", time.perf_counter(), 1, lambda: interaction)


def test_of_a_stream_under_way_each_piece_has_the_time_at_which_it_was_told():
    call = running(b"one two")
    assert call.tell(b"one") == 0
    time.sleep(0.002)
    assert call.tell(b"one two") == 3
    (first, early), (second, late) = call.now().response.marks
    assert (first, second) == (3, 4)
    assert early < late


def test_what_was_told_and_is_changed_is_told_anew_from_its_beginning():
    call = running(b"Xne two")
    call.tell(b"one")
    assert call.tell(b"Xne two") == 0
    assert [length for length, _ in call.now().response.marks] == [7]


def test_an_answer_of_which_nothing_was_told_has_no_times():
    assert running(b"one").now().response.marks == ()
    call = running(b"longer than was told")
    call.tell(b"one")
    assert call.now().response.marks == (), "the pieces would not cover it"
