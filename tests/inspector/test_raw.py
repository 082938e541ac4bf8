"""One call in its four forms, and what is said of how it went."""

from dataclasses import replace

import pytest
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.inspector.document import MODES
from respool.inspector.raw import MAX_BODY, MAX_HEADERS, MOST_FRAMES, pretty, raw, set_out, start_of
from streamed_call import streamed, text


def test_each_view_shows_the_bodies_in_its_own_form():
    shown = {mode: text(raw(streamed(), mode)) for mode in MODES}
    assert '"api_key": "REDACTED"' in shown["pretty"]
    assert '{"api_key":"REDACTED"}' in shown["raw"]
    assert "00000000  7b 22 61 70" in shown["hex"]
    assert "0.020 s" in shown["frames"]
    assert "+100 ms" in shown["frames"]


def test_a_large_body_is_cut_and_that_is_said():
    call = Interaction(0, 0, Request("GET", b"/"), Response(200, b"", (), Body.of(b"x" * (MAX_BODY + 9))))
    for mode in MODES:
        assert "more bytes are not shown here" in text(raw(call, mode))


def test_hex_has_sixteen_bytes_a_line_and_a_dot_for_what_is_no_letter():
    call = Interaction(0, 0, Request("PUT", b"/", (), Body.of(bytes(range(0x3C, 0x3C + 15)) + b"\x00\xff")), None)
    lines = text(raw(call, "hex")).split("\n")
    assert "00000000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 00  <=>?@ABCDEFGHIJ·" in [
        line.rstrip() for line in lines
    ]
    last = next(line for line in lines if line.startswith("00000010"))
    assert last.split() == ["00000010", "ff", "·"]


def test_frames_are_cut_where_they_came_apart_not_where_events_end():
    call = streamed()
    body = b"event: a\ndata: 1\n\n"
    marks = ((7, 1_000), (len(body) - 7, 2_001_000))
    call = replace(call, response=replace(call.response, body=Body.of(body), marks=marks))
    lines = [line.text for line in raw(call, "frames").lines]
    first, second = (at for at, line in enumerate(lines) if " s  " in line and " B" in line)
    assert lines[first].split() == ["0.001", "s", "7", "B"]
    assert lines[first + 1] == "event: "
    assert lines[second].split() == ["2.001", "s", "11", "B", "+2.0", "s"]
    assert lines[second + 1 : second + 3] == ["a", "data: 1"]


def test_more_frames_than_can_be_looked_at_are_counted():
    marks = tuple((1, number) for number in range(MOST_FRAMES + 3))
    response = Response(200, body=Body.of(b"x" * len(marks)), marks=marks)
    assert "… 3 more pieces" in text(raw(Interaction(0, 0, Request("GET", b"/"), response), "frames"))


def test_a_body_without_times_is_shown_as_it_is_among_frames(made):
    assert '{"n": 1}' in text(raw(made.call("GET /a", None, {"n": 1}), "frames"))


def test_headers_keep_their_order_and_their_repetition_and_are_capped():
    many = tuple((b"X-%d" % number, b"v") for number in range(MAX_HEADERS + 2))
    call = Interaction(0, 0, Request("GET", b"/", ((b"B", b"1"), (b"a", b"2"), (b"B", b"3"))), Response(200, b"", many))
    shown = text(raw(call, "raw"))
    assert "B: 1\na: 2\nB: 3\n" in shown
    assert "… 2 more header lines" in shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"request_cut": True}, "! the request did not arrive whole"),
        ({"response": None}, "! no answer was recorded"),
        ({"end": End.CLIENT_CUT}, "! cut by the client"),
        ({"extra": {"fault": "getRun#1: status 429"}}, ": getRun#1: status 429"),
        ({"started_us": 0}, "no time"),
        ({"started_us": 1 << 62}, "no time"),
    ],
)
def test_what_is_odd_about_a_call_is_said(change, said):
    assert said in text(raw(replace(streamed(), **change), "raw"))
    assert said not in text(raw(streamed(), "raw"))


def test_a_coding_that_was_undone_is_said():
    response = Response(200, b"", ((b"content-encoding", b"gzip"),), Body.of(b"{}"), coding="gzip")
    assert "on the wire it was gzip" in text(raw(Interaction(0, 0, Request("GET", b"/"), response), "raw"))


def test_what_is_no_json_is_left_as_it_is_bytes_that_are_no_text_included():
    assert pretty(b"hello") == "hello"
    assert pretty(b"\xff{") == "\\xff{"
    assert pretty(b'"text"') == '"text"', "a value that is no object has no lines to be set out in"
    assert pretty('[1, "ä"]'.encode()) == '[\n  1,\n  "ä"\n]'


def test_of_a_stream_the_data_of_each_event_is_set_out_to_be_read_and_not_to_be_copied():
    stream = b'event: a\ndata: {"n": 1}\n\nevent: done\ndata: [DONE]\n\n'
    assert set_out(stream) == 'event: a\ndata: {\n  "n": 1\n}\n\nevent: done\ndata: [DONE]\n\n'
    assert pretty(stream) == stream.decode()
    assert 'data: {"n": 1}' not in text(raw(streamed(), "pretty"))
    assert 'data: {"n": 1}' in text(raw(streamed(), "raw"))


def test_no_more_pieces_of_a_body_are_read_than_are_shown():
    read = []

    class Pieces:
        length = 300

        def pieces(self):
            for number in range(3):
                read.append(number)
                yield b"x" * 100

    assert start_of(Pieces(), 150) == b"x" * 150
    assert read == [0, 1]
