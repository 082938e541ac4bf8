"""Which header lines travel on, and how heads are written."""

import pytest
from respool.proxy import wire


def test_hop_by_hop_lines_and_what_connection_names_stay_behind():
    headers = (
        (b"Host", b"a"),
        (b"Connection", b"close, X-Secret"),
        (b"x-secret", b"1"),
        (b"TE", b"trailers"),
        (b"Keep-Alive", b"5"),
        (b"Transfer-Encoding", b"chunked"),
        (b"X-Kept", b"2"),
    )
    assert wire.end_to_end(headers) == [(b"Host", b"a"), (b"X-Kept", b"2")]


def test_order_spelling_and_repeats_are_kept():
    headers = ((b"b", b"1"), (b"A", b"2"), (b"B", b"3"), (b"b", b"4"))
    assert wire.end_to_end(headers) == list(headers)
    assert wire.header_values(headers, b"b") == [b"1", b"3", b"4"]
    assert wire.header_value(headers, b"a") == b"2"
    assert wire.header_value(headers, b"c") is None


def test_a_head_is_written_line_by_line():
    assert wire.write_head(b"GET / HTTP/1.1", [(b"A", b"1"), (b"B", b"")]) == b"GET / HTTP/1.1\r\nA: 1\r\nB: \r\n\r\n"


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [(200, b"", b"HTTP/1.1 200 OK"), (200, b"Fine", b"HTTP/1.1 200 Fine"), (299, b"", b"HTTP/1.1 299 ")],
)
def test_a_status_line_has_a_reason_where_one_is_known(status, reason, line):
    assert wire.status_line(status, reason) == line


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [
        ("GET", 200, True),
        ("HEAD", 200, False),
        ("GET", 204, False),
        ("GET", 304, False),
        ("POST", 100, False),
        ("GET", 404, True),
    ],
)
def test_which_answers_have_a_body(method, status, body):
    assert wire.has_body(method, status) is body


@pytest.mark.parametrize(
    ("status", "reason", "headers", "written"),
    [
        (200, b"OK", ((b"X-A", b"\xff spelled: as it likes"),), True),
        (599, b"", (), True),
        (204, "sch\u00f6n".encode(), ((b"x(a)", b""),), True),
        (101, b"", (), False),
        (200, b"O\rK", (), False),
        (200, b"", ((b"X-A", b"1\n"),), False),
        (200, b"", ((b"X-A", b"1"), (b"X:A", b"1")), False),
    ],
)
def test_a_head_that_would_be_read_otherwise_cannot_be_written(status, reason, headers, written):
    assert wire.can_be_written(status, reason, headers) is written
