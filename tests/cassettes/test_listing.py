from pathlib import Path

from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.listing import MAX_TARGET, lines
from respool.cassettes.summaries import summarise
from respool.cassettes.summary import Row


class Shelf:
    """A recording in memory, of which only rows, names and interactions are asked for."""

    meta: dict[str, object] = {}
    path = Path("demo.cassette")
    sealed = True

    def __init__(self, *interactions):
        self._interactions = interactions
        self._scopes = {summarise(one).scope: one.scope for one in interactions}

    def __len__(self):
        return len(self._interactions)

    def rows(self):
        for offset, one in enumerate(self._interactions):
            yield Row(summarise(one), offset)

    def rows_of_scope(self, name):
        return [row for row in self.rows() if self.scope_name(row.summary.scope) == name]

    def scopes(self):
        return list(self._scopes.values())

    def scope_name(self, scope):
        return self._scopes[scope]

    def interaction(self, row):
        return self._interactions[row.offset]


def test_each_interaction_is_one_line_of_columns():
    json_type = ((b"content-type", b"application/json"),)
    sse_type = ((b"content-type", b"text/event-stream"),)
    start = 1_700_000_000_000_000
    created = Interaction(
        0, start, Request("POST", b"/v1/threads"), Response(200, b"", json_type, Body.of(b"{}" * 600)), scope="thread_a"
    )
    streamed = Interaction(
        1,
        start + 1_500_000,
        Request("POST", b"/v1/threads/thread_a/runs"),
        Response(200, b"", sse_type, Body.of(b"data: x\n\n"), marks=((9, 100),)),
        End.CLIENT_CUT,
        2_250_000,
        "thread_a",
    )
    gone = Interaction(
        2, start + 2_000_000, Request("GET", b"/v1/assistants?limit=2"), None, End.CLIENT_CUT, 0, "/assistants"
    )
    # fmt: off
    assert [line.split() for line in lines(Shelf(created, streamed, gone))] == [
        ["0", "+0.000", "s", "POST", "200", "0.000", "s", "1,200", "B", "createThread", "thread_a", "/v1/threads"],
        ["1", "+1.500", "s", "POST", "200", "2.250", "s", "9", "B", "createRun", "thread_a", "/v1/threads/thread_a/runs",
         "cut", "by", "the", "client,", "stream"],
        ["2", "+2.000", "s", "GET", "-", "0.000", "s", "0", "B", "-", "/assistants", "/v1/assistants?limit=2",
         "cut", "by", "the", "client"],
    ]
    # fmt: on


def test_columns_stand_under_each_other_and_no_line_ends_in_a_space():
    calls = [
        Interaction(number, 10**15 + number * 10**6, Request(method, b"/v1/threads/t"), Response(200), scope="t")
        for number, method in [(0, "GET"), (12_345, "DELETE")]
    ]
    found = list(lines(Shelf(*calls)))
    assert len({line.index("/v1/threads/t") for line in found}) == 1
    assert all(line == line.rstrip() for line in found)


def test_hostile_and_endless_paths_stay_on_their_line():
    target = b"/v1/\x1b]0;x\x07\n\xe2\x80\xae" + b"a" * 100_000
    (line,) = lines(Shelf(Interaction(0, 0, Request("GE\x1bT", target), Response(200), scope="/v1\x1b")))
    assert "\x1b" not in line
    assert "\n" not in line
    assert "\\x1b]0;x\\x07\\n\\u{202e}aaa" in line
    assert len(line) < MAX_TARGET + 200


def test_the_first_line_comes_before_the_second_row_is_read():
    class Endless(Shelf):
        def rows(self):
            yield from super().rows()
            raise AssertionError("read on")

    shelf = Endless(Interaction(0, 0, Request("GET", b"/v1/threads/t"), Response(200), scope="t"))
    assert "getThread" in next(lines(shelf))


def test_a_call_that_a_person_held_is_marked():
    request = Request("POST", b"/v1/threads/thread_a/messages", (), Body.of(b"{}"))
    held = {"intercepted": {"what": "edited", "held_us": 2_100_000, "body": b"{}"}}
    one = Interaction(0, 1_000_000, request, Response(200), scope="thread_a", extra=held)
    (line,) = lines(Shelf(one))
    assert line.endswith("/v1/threads/thread_a/messages  held 2.1 s on its way, then sent on edited")
