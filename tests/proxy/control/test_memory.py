import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.summaries import summarise
from respool.proxy.control.memory import MOST_ASKED, Memory, missed


def kept(memory, number, body=b"{}"):
    call = Interaction(number, 1, Request("GET", b"/v1/threads/t"), Response(200, body=Body.of(body)))
    return memory.append(call, summarise(call))


def test_calls_come_back_until_there_are_too_many_or_too_much():
    memory = Memory(most=2, most_bytes=100_000)
    rows = [kept(memory, number) for number in range(3)]
    with pytest.raises(CassetteError):
        memory.interaction(rows[0])
    assert memory.interaction(rows[2]).arrival == 2
    large = kept(memory, 3, b"x" * 90_000)
    again = kept(memory, 4, b"y" * 90_000)
    assert memory.interaction(again).arrival == 4
    with pytest.raises(CassetteError):
        memory.interaction(large)


def test_pieces_of_large_bodies_go_when_there_is_no_room():
    memory = Memory(most_bytes=1000)
    first, second = memory.put(b"a" * 800), memory.put(b"b" * 800)
    assert memory.load(second) == b"b" * 800
    with pytest.raises(CassetteError):
        memory.load(first)


def test_a_missed_request_is_kept_with_the_beginning_of_its_body():
    asked = Request("POST", b"/v1/threads/thread_a/messages", (), Body.of(b"x" * (MOST_ASKED + 1)))
    call = missed(asked, b'{"error": {}}', "gw1")
    assert call.request.body.length == MOST_ASKED
    assert (call.scope, call.session, call.response.status) == ("thread_a", "gw1", 502)
