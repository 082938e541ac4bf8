"""Events come out of a stream in the standard's way, however its bytes were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.sse import Event, EventParser, events


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: one\n\n", [Event("message", "one")]),
        (b"event: thread.created\ndata: {}\n\n", [Event("thread.created", "{}")]),
        (b"event: done\r\ndata: [DONE]\r\n\r\n", [Event("done", "[DONE]")]),
        (b"event: a\rdata: 1\r\revent: b\rdata: 2\r\r", [Event("a", "1"), Event("b", "2")]),
        (b"data: a\r\ndata: b\ndata: c\r\r\n", [Event("message", "a\nb\nc")]),
        (b"\xef\xbb\xbfdata: after a mark\n\n", [Event("message", "after a mark")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: two marks\n\n", []),
        (b": a comment\n\ndata: x\n\n", [Event("message", "x")]),
        (b"data:no space\n\ndata:  two spaces\n\n", [Event("message", "no space"), Event("message", " two spaces")]),
        (b"data\n\n", [Event("message", "")]),
        (b"data:\ndata:\n\n", [Event("message", "\n")]),
        (b"event: lost\n\ndata: kept\n\n", [Event("message", "kept")]),
        (b"event: a\nevent: b\ndata: x\n\n", [Event("b", "x")]),
        (b"id: 7\nretry: 10\ndatas: no\nDATA: no\n data: no\ndata: x\n\n", [Event("message", "x")]),
        (b"data: a: b\n\n", [Event("message", "a: b")]),
        (b"data: unfinished\n", []),
        (b"data: unfinished", []),
        (b"", []),
        (b"\n\n\n", []),
        ("data: grüße \U0001f600\n\n".encode(), [Event("message", "grüße \U0001f600")]),
        (b"data: \xff\xc3\n\n", [Event("message", "\ufffd\ufffd")]),
        ("data: \u2028 \x0b \x85\n\n".encode(), [Event("message", "\u2028 \x0b \x85")]),
    ],
)
def test_a_stream_is_read_as_the_standard_says(stream: bytes, expected: list[Event]) -> None:
    assert events(stream) == expected


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_an_event_comes_out_the_same_wherever_the_stream_is_cut(end: bytes) -> None:
    stream = end.join(
        [
            b"\xef\xbb\xbfevent: a",
            "data: zwölf \U0001f600".encode(),
            b"data: more",
            b"",
            b": x",
            b"data: 2",
            b"",
            b"data: 3",
            b"",
            b"",
        ]
    )
    whole = events(stream)
    assert len(whole) == 3
    for first in range(len(stream) + 1):
        for second in (first, min(first + 1, len(stream)), min(first + 7, len(stream))):
            parser = EventParser()
            pieces = [stream[:first], stream[first:second], stream[second:]]
            assert [event for piece in pieces for event in parser.feed(piece)] == whole
            assert parser.finish() is False


@given(st.lists(st.sampled_from([b"data: a", b"event: b", b"\n", b"\r", b"\r\n", b":", b"\xef\xbb\xbf", b"\xc3", b""])))
def test_byte_by_byte_equals_all_at_once(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    parser = EventParser()
    slow = [event for place in range(len(stream)) for event in parser.feed(stream[place : place + 1])]
    assert slow == events(stream)


def test_an_event_is_given_as_soon_as_its_empty_line_begins() -> None:
    parser = EventParser()
    assert parser.feed(b"data: x\r\n\r") == [Event("message", "x")]
    assert parser.feed(b"\ndata: y\r") == []
    assert parser.feed(b"\r") == [Event("message", "y")]


@pytest.mark.parametrize(("stream", "unfinished"), [(b"data: x", True), (b"data: x\n", True), (b"data: x\n\n", False)])
def test_the_end_tells_whether_an_event_was_left_unfinished(stream: bytes, unfinished: bool) -> None:
    parser = EventParser()
    parser.feed(stream)
    assert parser.finish() is unfinished


@pytest.mark.parametrize("long", [b"data: " + b"x" * 200 + b"\n\n", b"data: 12345678\n" * 20 + b"\n"])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_event_beyond_the_limit_is_passed_over_and_counted(long: bytes, step: int) -> None:
    stream = b"data: before\n\n" + long + b"data: after\n\n"
    parser = EventParser(limit=64)
    found = [event for start in range(0, len(stream), step) for event in parser.feed(stream[start : start + step])]
    assert found == [Event("message", "before"), Event("message", "after")]
    assert parser.skipped == 1


def test_a_line_that_never_ends_does_not_grow_in_memory() -> None:
    parser = EventParser(limit=1000)
    for _ in range(100):
        assert parser.feed(b"x" * 1000) == []
    assert len(parser._tail) <= 1000
