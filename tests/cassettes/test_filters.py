"""The filter language: what each field finds, how words are joined, and what is said of a filter that makes no sense."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from recorded_calls import JSON, write_cassette
from respool.cassettes.errors import UsageError
from respool.cassettes.fields import FIELDS, KINDS, glob
from respool.cassettes.filters import MAX_DEPTH, Filter, FilterError, parse
from respool.cassettes.interaction import Body, Response
from respool.cassettes.reader import Reader

THREAD = b"/v1/threads/thread_abc"
RUN = THREAD + b"/runs/run_7"
CALLS = [{"id": "call_1", "type": "function", "function": {"name": "lookup_order", "arguments": "{}"}}]


def run(status: str, **fields: object) -> bytes:
    return json.dumps({"id": "run_7", "object": "thread.run", "status": status, **fields}).encode()


WAITS = run("requires_action", required_action={"submit_tool_outputs": {"tool_calls": CALLS}})
STREAM = Response(
    200,
    b"OK",
    ((b"content-type", b"text/event-stream"),),
    Body.of(b"event: thread.run.failed\ndata: " + run("failed") + b"\n\nevent: done\ndata: [DONE]\n\n"),
)
SUBMITTED = b'{"tool_outputs": [{"tool_call_id": "call_1", "output": "sent"}]}'


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    calls = [
        ("POST", b"/v1/threads", b"{}", b'{"id": "thread_abc", "object": "thread"}', 200),  # 0
        ("POST", THREAD + b"/messages", b'{"content": "Wo ist \\u00dcbermut?"}', b"{}", 200),  # 1
        ("POST", THREAD + b"/runs", b"{}", run("queued"), 200),  # 2
        ("GET", RUN, b"", WAITS, 200),  # 3
        ("GET", RUN, b"", WAITS, 200),  # 4
        ("POST", RUN + b"/submit_tool_outputs", SUBMITTED, run("queued"), 200),  # 5
        ("GET", RUN, b"", b'{"error": {"message": "Slow down"}}', 429),  # 6
        ("POST", b"/v1/threads/thread_b/runs", b"{}", STREAM, 200),  # 7
        ("GET", b"/v1/assistants?limit=3", b"", b'{"data": []}', 503),  # 8
    ]
    path = write_cassette(tmp_path_factory.mktemp("filters") / "a.cassette", calls)
    with Reader.open(path) as reader:
        yield reader


def found(reader: Reader, text: str) -> list[int]:
    fits = Filter(parse(text), reader)
    return [row.summary.arrival for row in reader.rows() if fits(row)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("status:failed", [7]),
        ("status:requires_*|queued", [2, 3, 4, 5]),
        ("http:5xx", [8]),
        ("http:429|>=500", [6, 8]),
        ("http>=400", [6, 8]),
        ("http:400..499", [6]),
        ("http:none", []),
        ("dur>1ms", list(range(9))),
        ("dur<=1999us", []),
        ("dur:2ms", list(range(9))),
        ("dur:0.001s..1s", list(range(9))),
        ("tool:lookup_*", [3, 4, 5]),
        ('tool:"lookup_*"', []),
        ("op:createrun", [2, 7]),
        ("op:other", [8]),
        ("op:get*", [3, 4, 6]),
        ("path:/runs/", [3, 4, 5, 6]),
        ("path:/threads/*/runs", [2, 7]),
        ("path:limit=3", [8]),
        ("path:/v1/", []),
        ("method:get", [3, 4, 6, 8]),
        ("thread:thread_a*", [0, 1, 2, 3, 4, 5, 6]),
        ("thread:/assistants", [8]),
        ("run:run_7", [2, 3, 4, 5, 6, 7]),
        ("is:poll", [3, 4, 6]),
        ("is:write", [0, 1, 2, 5, 7]),
        ("is:read", [3, 4, 6, 8]),
        ("is:stream", [7]),
        ("is:cut", []),
        ("is:error", [6, 8]),
        ("is:poll is:first-of-kind", [3, 6]),
        ("is:stream|error", [6, 7, 8]),
        ("text:SLOW", [6]),
        ('"slow down"', [6]),
        ("slow down", [6]),
        ("übermut", [1]),
        ("time:2023-11-14", list(range(9))),
        ("time>2023-11-14", []),
        ("time>=2023-11-14T22:13", list(range(9))),
        ("time:2023-11-14T22:13:20Z", list(range(9))),
        ("time<2023-11-14T22:13:20", []),
        ("time:2023-11-01..2023-11-30", list(range(9))),
        ("n:3..5", [3, 4, 5]),
        ("n>7", [8]),
        ("n=2", [2]),
        ("n:..1", [0, 1]),
        ("is:write and not thread:thread_b", [0, 1, 2, 5]),
        ("is:write not thread:thread_b", [0, 1, 2, 5]),
        ("n:1 or n:2 n:3", [1]),
        ("(n:1 OR n:2) n<2", [1]),
        ("not (is:read or is:stream)", [0, 1, 2, 5]),
        ("not not n:1", [1]),
    ],
)
def test_it_finds(reader, text: str, numbers: list[int]):
    assert found(reader, text) == numbers
    assert parse(str(parse(text))) == parse(text)
    assert found(reader, str(parse(text))) == numbers


def test_every_field_and_every_kind_has_a_case_and_an_example_that_is_understood():
    spelled = " ".join(text for text, _ in test_it_finds.pytestmark[0].args[1])
    for field in FIELDS:
        parse(field.example)
        assert f"{field.name}:" in spelled or f"{field.name}>" in spelled, field.name
    for kind in KINDS:
        assert kind in spelled


def test_what_the_index_can_answer_is_asked_first_and_decodes_nothing(reader, monkeypatch):
    decoded = []
    for name in ("interaction", "bodies"):
        read = getattr(reader, name)
        monkeypatch.setattr(reader, name, lambda row, read=read: decoded.append(row.summary.arrival) or read(row))
    found(reader, "http:200 dur>1ms op:get* thread:thread_* is:poll time>=2023-01-01 n<100")
    assert decoded == []
    assert found(reader, "text:queued and n:2") == [2]
    assert decoded == [2]


def test_a_text_is_found_across_the_pieces_of_a_body(tmp_path):
    body = b"x" * ((1 << 20) - 5) + b"\\u00DCber" + b"needle" + b"y" * (1 << 20)
    answer = Response(200, b"OK", (JSON,), Body.of(body))
    path = write_cassette(tmp_path / "a.cassette", [("GET", b"/v1/files/f", b"", answer, 200)])
    with Reader.open(path) as reader:
        assert found(reader, "überNEEDLEy") == [0]
        assert found(reader, "needlex") == []


@pytest.mark.parametrize(
    ("text", "column", "said", "caret"),
    [
        ("", 1, "is expected here", "\n^"),
        ("stauts:failed", 1, "no field stauts; did you mean status?", "stauts:failed\n^"),
        ("is:poll and stauts:failed", 13, "did you mean status?", "            ^"),
        ("(is:poll", 1, "this bracket is never closed", "^"),
        ("is:poll)", 8, "no bracket that this one closes", "       ^"),
        ("is:pol", 4, "there is no kind pol; did you mean poll?", "   ^"),
        ("op:createRnu", 4, "there is no operation createRnu; did you mean createRun?", "   ^"),
        ("dur>2", 5, "2 is no duration", "    ^"),
        ("http:6xx", 6, "6xx is no status", "     ^"),
        ("n:x", 3, "x is no number", "  ^"),
        ("n:5..2", 3, "5..2 ends before it begins", "  ^"),
        ("time>yesterday", 6, "yesterday is no time", "     ^"),
        ("status>failed", 7, "status cannot be compared", "      ^"),
        ('text:"open', 6, "this quote is never closed", "     ^"),
        ('a"b"', 2, "a quote may stand at the beginning", " ^"),
        ('"a"b', 4, "a space is missing behind the quote", "   ^"),
        ("thread:", 8, "there is no value", "       ^"),
        ("a or", 5, "is expected here", "    ^"),
        ("or a", 1, "is expected before this", "^"),
        ("a and )", 7, "is expected before this", "      ^"),
        (":x", 1, "there is no field before this", "^"),
        ("n:1 status:queued|complete", 12, "there is no state complete; did you mean completed?", "^"),
        ("n:1 status!=failed", 11, "there is no !=; write not status:", "^"),
        ("\x1b[2J n:x", 8, "x is no number", "\\x1b[2J n:x\n          ^"),
        ("not " * 60 + "a", 4 * MAX_DEPTH + 1, "nested deeper than 50", "^"),
        ("x" * 5000, 4001, "longer than 4,000 characters", "^"),
    ],
)
def test_an_error_points_at_the_column(text: str, column: int, said: str, caret: str):
    with pytest.raises(FilterError) as caught:
        parse(text)
    error = caught.value
    assert error.column == column
    assert said in error.message
    assert error.message.startswith(f"the filter, column {column}: ")
    assert "\n".join(error.lines).endswith(caret)


def test_an_unknown_field_says_which_there_are_and_how_to_look_for_the_text():
    with pytest.raises(FilterError) as caught:
        parse("https://example.test")
    assert all(field.name in caught.value.hint for field in FIELDS)
    assert "quote it" in caught.value.hint


WORDS = st.sampled_from(
    ["and", "or", "not", "(", ")", " ", '"', '\\"', "\\", "|", "..", "*", "x", ":", ">=", "<", "é", "\x1b", "\ud800"]
    + [field.name + ":" for field in FIELDS]
    + [field.example for field in FIELDS]
    + ["9" * 30, "1.5s", "5xx", "9999-12-31", "0001-01-01", "2026-02-30", "none", "poll"]
)


@given(st.lists(WORDS, max_size=30).map("".join) | st.lists(WORDS, max_size=20).map(" ".join) | st.text(max_size=40))
@example('text:"a\\\\" b')
@example("time:9999-12-31")
@example("time<0001-01-01")
@example("dur:" + "9" * 18 + "h")
def test_any_text_is_a_filter_that_prints_as_an_equal_one_or_an_error_of_usage(text: str):
    try:
        expression = parse(text)
    except UsageError:
        return
    assert parse(str(expression)) == expression
    assert str(parse(str(expression))) == str(expression)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_glob_is_what_a_plain_search_says(pattern: str, text: str):
    def slow(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return slow(pattern[1:], text) or bool(text and slow(pattern, text[1:]))
        return bool(text) and pattern[0] in ("?", text[0]) and slow(pattern[1:], text[1:])

    assert glob(pattern, text) == slow(pattern, text)


@pytest.mark.parametrize("text", ["status:paused", 'status:"complete"', "status:complete*", "status:completed|paused"])
def test_a_server_may_have_states_of_its_own(text: str):
    assert str(parse(text)) == text
