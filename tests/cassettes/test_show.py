import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from respool.cassettes.errors import UsageError
from respool.cassettes.folding import fold
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.operations import OPERATIONS
from respool.cassettes.reader import Reader
from respool.cassettes.scopes import scope_hash, scope_of
from respool.cassettes.show import MAX_TEXT, render
from respool.cassettes.summaries import summarise
from respool.cassettes.summary import Row
from respool.cassettes.writer import Writer

T = "/v1/threads/thread_a"
RUN = T + "/runs/run_1"
START = 1_700_000_000_000_000
HOSTILE = "\x1b]52;c;aGk=\x07\u202eevil\u200b\x9b2J\x00"


class Shelf:
    """A recording in memory that counts how often it was asked to decode an interaction."""

    def __init__(self, *interactions, meta=None, sealed=True):
        self.meta = meta or {}
        self.path = Path("demo.cassette")
        self.sealed = sealed
        self.decoded = 0
        self._interactions = [
            replace(one, arrival=number, scope=scope_of(one.request, one.response))
            for number, one in enumerate(interactions)
        ]

    def __len__(self):
        return len(self._interactions)

    def rows(self):
        return iter([Row(summarise(one), one.arrival) for one in self._interactions])

    def rows_of_scope(self, name):
        return [row for row in self.rows() if row.summary.scope == scope_hash(name)]

    def scopes(self):
        return list(Counter(one.scope for one in self._interactions))

    def scope_name(self, scope):
        return next(name for name in self.scopes() if scope_hash(name) == scope)

    def interaction(self, row):
        self.decoded += 1
        return self._interactions[row.offset]


def call(method, target, asked=None, answer=None, *, status=200, at=0.0, kind=b"application/json", end=End.COMPLETE):
    asked = b"" if asked is None else json.dumps(asked).encode()
    answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = Response(status, b"", ((b"content-type", kind),), Body.of(answer))
    return Interaction(0, START + round(at * 1e6), Request(method, target.encode(), (), Body.of(asked)), response, end)


def stream(method, target, *events, asked=None, **more):
    body = b"".join(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in events)
    return call(method, target, asked, body, kind=b"text/event-stream", **more)


def run(status, **more):
    return {"id": "run_1", "object": "thread.run", "thread_id": "thread_a", "status": status, **more}


def message(name, text, role="user", **more):
    content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return {"id": name, "object": "thread.message", "role": role, "content": content, **more}


def shown(*interactions, **more):
    return "\n".join(render(Shelf(*interactions, **more)))


def conversation():
    function = {"name": "lookup_order", "arguments": '{"id":118}'}
    action = {"submit_tool_outputs": {"tool_calls": [{"id": "call_3", "type": "function", "function": function}]}}
    usage = {"prompt_tokens": 2100, "completion_tokens": 210, "total_tokens": 2310}
    tool = {"id": "call_3", "type": "function", "function": function | {"output": None}}
    steps = [
        {
            "id": "step_2",
            "type": "message_creation",
            "status": "completed",
            "created_at": 2,
            "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_y"}},
        },
        {
            "id": "step_1",
            "type": "tool_calls",
            "status": "completed",
            "created_at": 1,
            "step_details": {"type": "tool_calls", "tool_calls": [tool]},
        },
    ]
    outputs = {"tool_outputs": [{"tool_call_id": "call_3", "output": '{"status": "shipped"}'}]}
    error = {"error": {"message": "No message found with id 'msg_none'."}}
    return (
        call("POST", "/v1/assistants", {}, {"id": "asst_1", "name": "Clerk", "model": "gpt-4o"}),
        call("POST", "/v1/threads", {}, {"id": "thread_a", "metadata": {"customer": "118"}}),
        call("POST", T + "/messages", {}, message("msg_x", "I want my money back\nfor order 118")),
        call("POST", T + "/runs", {}, run("queued", model="gpt-4o", assistant_id="asst_1"), at=1.0),
        call("GET", RUN, None, run("in_progress"), at=1.2),
        call("GET", RUN, None, run("in_progress"), at=2.2),
        call("GET", RUN, None, run("requires_action", required_action=action), at=3.1),
        call("POST", RUN + "/submit_tool_outputs", outputs, run("queued"), at=5.4),
        call("GET", RUN, None, run("completed", usage=usage), at=9.4),
        call("GET", RUN + "/steps", None, {"data": steps}),
        call("GET", T + "/messages?order=asc", None, {"data": [message("msg_y", "It has shipped.", "assistant")]}),
        call("GET", T + "/messages/msg_none/files/file_none", None, error, status=404),
        call("GET", T, None, {"id": "thread_a", "metadata": {"customer": "118"}}),
    )


def test_a_conversation_reads_like_one():
    assert (
        shown(*conversation(), meta={"upstream": "https://api.example.com/v1"})
        == """\
cassette demo · 13 calls · 1 thread · recorded 2023-11-14 22:13:20 UTC
upstream https://api.example.com/v1

thread thread_a  created
  metadata {"customer": "118"}
  user  msg_x
    I want my money back
    for order 118
  run  completed  gpt-4o  run_1  asst_1
    queued 0.0 s → in_progress 0.2 s → requires_action 2.1 s → outputs submitted 4.4 s → queued 4.4 s → completed 8.4 s
    4 polls, 3 new · 2,310 tokens (2,100 in, 210 out)
    step 1  tool_calls  completed  step_1
      lookup_order({"id": 118})  call_3
        → {"status": "shipped"}
    step 2  message_creation  completed  step_2  → msg_y
  assistant  msg_y
    It has shipped.
  error 404  GET /threads/thread_a/messages/msg_none/files/file_none
    No message found with id 'msg_none'.
  reads  1 getThread (0 new), 1 listMessages (1 new), 1 listRunSteps (1 new)

other calls
  POST /assistants 200  asst_1 Clerk gpt-4o"""
    )


def page(*items):
    return {"object": "list", "data": list(items), "has_more": False}


STEP = {"id": "step_1", "type": "tool_calls", "status": "completed", "run_id": "run_1"}
FUNCTION = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
STEP_CALLS = STEP | {"step_details": {"type": "tool_calls", "tool_calls": [FUNCTION]}}
OUTPUTS = {"tool_outputs": [{"tool_call_id": "call_1", "output": "said"}]}
META = {"metadata": {"k": "v"}}
DELTA = ("thread.message.delta", {"id": "msg_1", "delta": {"content": [{"index": 0, "text": {"value": "streamed"}}]}})

TRACES = [
    ("createThread", "POST", "/threads", META, {"id": "thread_a"} | META, ["thread thread_a  created", '{"k": "v"}']),
    ("getThread", "GET", "", None, {"id": "thread_a"} | META, ["1 getThread (1 new)", '{"k": "v"}']),
    ("modifyThread", "POST", "", META, {"id": "thread_a"} | META, ["changed  thread", '{"k": "v"}']),
    ("deleteThread", "DELETE", "", None, {"id": "thread_a", "deleted": True}, ["deleted  thread"]),
    (
        "listMessages",
        "GET",
        "/messages",
        None,
        page(message("msg_1", "hi")),
        ["user  msg_1", "    hi", "1 listMessages"],
    ),
    ("createMessage", "POST", "/messages", {}, message("msg_1", "hi"), ["user  msg_1", "    hi"]),
    ("getMessage", "GET", "/messages/msg_1", None, message("msg_1", "hi"), ["user  msg_1", "1 getMessage (1 new)"]),
    (
        "modifyMessage",
        "POST",
        "/messages/msg_1",
        META,
        message("msg_1", "hi"),
        ["changed  message msg_1", '{"k": "v"}'],
    ),
    ("createThreadAndRun", "POST", "/threads/runs", {}, run("queued"), ["created with a run", "queued 0.0 s"]),
    ("listRuns", "GET", "/runs", None, page(run("failed")), ["run  failed  run_1", "1 listRuns (1 new)"]),
    (
        "createRun",
        "POST",
        "/runs",
        {"instructions": "Be terse"},
        run("queued"),
        ["run  queued", "instructions Be terse"],
    ),
    ("getRun", "GET", "/runs/run_1", None, run("in_progress"), ["in_progress 0.0 s", "1 poll, 1 new"]),
    ("modifyRun", "POST", "/runs/run_1", META, run("queued") | META, ["changed  run run_1", '{"k": "v"}']),
    (
        "submitToolOuputsToRun",
        "POST",
        "/runs/run_1/submit_tool_outputs",
        OUTPUTS,
        run("queued"),
        ["outputs submitted 0.0 s", "call_1", "→ said"],
    ),
    (
        "cancelRun",
        "POST",
        "/runs/run_1/cancel",
        None,
        run("cancelled"),
        ["run  cancelled", "cancel asked 0.0 s → cancelled"],
    ),
    (
        "listRunSteps",
        "GET",
        "/runs/run_1/steps",
        None,
        page(STEP_CALLS),
        ["step 1  tool_calls", "f({})", "1 listRunSteps"],
    ),
    ("getRunStep", "GET", "/runs/run_1/steps/step_1", None, STEP_CALLS, ["step 1  tool_calls", "1 getRunStep (1 new)"]),
    ("listMessageFiles", "GET", "/messages/msg_1/files", None, page({"id": "file-abc"}), ["msg_1", "files file-abc"]),
    ("getMessageFile", "GET", "/messages/msg_1/files/file-abc", None, {"id": "file-abc"}, ["msg_1", "files file-abc"]),
    ("deleteMessage", "DELETE", "/messages/msg_1", None, {"id": "msg_1", "deleted": True}, ["deleted  message msg_1"]),
]


def test_the_table_of_traces_has_every_operation():
    assert [row[0] for row in TRACES] == [operation.name for operation in OPERATIONS]


@pytest.mark.parametrize("base", ["/v1", "", "/openai", "/api/projects/p"])
@pytest.mark.parametrize("row", TRACES, ids=lambda row: row[0])
def test_every_operation_leaves_a_visible_trace(row, base):
    _, method, below, asked, answer, traces = row
    target = base + (below if below.startswith("/threads") else "/threads/thread_a" + below)
    text = shown(call(method, target, asked, answer))
    for trace in traces:
        assert trace in text


@pytest.mark.parametrize("row", TRACES, ids=lambda row: row[0])
@pytest.mark.parametrize("end", [End.CLIENT_CUT, End.UPSTREAM_CUT, End.UPSTREAM_FAILED, End.PROXY_CUT])
def test_every_operation_shows_errors_and_failures(row, end):
    _, method, below, asked, _, _ = row
    target = below if below.startswith("/threads") else "/threads/thread_a" + below
    refused = call(method, target, asked, {"error": {"message": "not today"}}, status=409)
    assert re.search(rf"error 409  {method} {target}\n    not today", shown(refused))
    word = "failed 502" if end is End.UPSTREAM_FAILED else "cut"
    assert f"{word}  {method} {target}" in shown(
        call(method, target, asked, b'{"id', end=end, status=502 if "f" in word else 200)
    )


@pytest.mark.parametrize(
    ("name", "target", "asked"),
    [
        ("createRun", T + "/runs", {"stream": True}),
        ("createThreadAndRun", "/v1/threads/runs", {"stream": True}),
        ("submitToolOuputsToRun", RUN + "/submit_tool_outputs", {"stream": True} | OUTPUTS),
    ],
)
def test_streamed_runs_show_what_polled_ones_do(name, target, asked):
    text = shown(
        stream(
            "POST",
            target,
            ("thread.run.queued", run("queued")),
            ("thread.run.step.completed", STEP_CALLS),
            DELTA,
            ("thread.run.completed", run("completed")),
            ("done", "[DONE]"),
            asked=asked,
        )
    )
    for trace in ["run  completed  run_1", "queued → completed", "step 1  tool_calls", "f({})  call_1", "    streamed"]:
        assert trace in text
    assert ("→ said" in text) == (name == "submitToolOuputsToRun")


def test_first_version_files_and_second_version_attachments_are_shown():
    first = message("msg_1", "a", file_ids=["file-1"])
    second = message("msg_2", "b", attachments=[{"file_id": "file-2", "tools": [{"type": "file_search"}]}])
    text = shown(call("POST", T + "/messages", {}, first), call("POST", T + "/messages", {}, second))
    assert "    files file-1\n" in text
    assert "    files file-2 (file_search)" in text


@pytest.mark.parametrize("plain", [True, False])
def test_hostile_text_never_reaches_the_output(plain):
    tool = {"id": HOSTILE, "type": HOSTILE, "function": {"name": HOSTILE, "arguments": HOSTILE, "output": HOSTILE}}
    step = {
        "id": HOSTILE,
        "type": HOSTILE,
        "status": HOSTILE,
        "step_details": {"tool_calls": [tool]},
        "last_error": {"code": HOSTILE},
    }
    note = {"type": HOSTILE, "file_citation": {"file_id": HOSTILE, "quote": HOSTILE}}
    content = [{"type": "text", "text": {"value": HOSTILE, "annotations": [note]}}, {"type": HOSTILE, "x": HOSTILE}]
    told = message(HOSTILE, "", HOSTILE, status=HOSTILE, file_ids=[HOSTILE]) | {
        "content": content,
        "metadata": {HOSTILE: HOSTILE},
    }
    failed = run(
        HOSTILE, model=HOSTILE, assistant_id=HOSTILE, metadata={HOSTILE: HOSTILE}, last_error={"message": HOSTILE}
    )
    shelf = Shelf(
        call("POST", "/v1/threads", {}, {"id": "thread_a", "metadata": {HOSTILE: 1}, "tool_resources": {HOSTILE: 1}}),
        call("GET", T + "/messages", None, page(told)),
        call("POST", T + "/runs", {"instructions": HOSTILE}, failed | {"incomplete_details": {"reason": HOSTILE}}),
        call("GET", RUN + "/steps", None, page(step)),
        call("POST", T, {HOSTILE: HOSTILE}, {"id": "thread_a"}),
        call("GET", T + "/" + HOSTILE, None, {"id": HOSTILE}),
        call("GET", T + "/messages", None, {"error": {"message": HOSTILE}}, status=500),
        call("GET", T + "/messages", None, HOSTILE.encode(), status=500, kind=b"text/html"),
        call("GET", "/v1/files/x", None, {"id": HOSTILE, "filename": HOSTILE}),
        call("GET", "/v1/files/y", None, b"\x00", kind=HOSTILE.encode()),
        meta={"upstream": HOSTILE, "notes": [HOSTILE], "imported_from": [{"file": HOSTILE}]},
    )
    lines = list(render(shelf, plain=plain))
    text = "\n".join(lines)
    if not plain:
        assert "\x1b[1m" in text
        text = re.sub(r"\x1b\[\d+m", "", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", text)
    assert all(line.count("\n") == 0 for line in lines)
    assert text.count("evil") > 30


def test_the_same_cassette_gives_the_same_text_and_no_line_ends_in_a_space():
    trailing = call("POST", T + "/messages", {}, message("msg_1", "ends in spaces   \n\n   \nlast"))
    assert shown(*conversation(), trailing) == shown(*conversation(), trailing)
    assert all(line == line.rstrip() and "\n" not in line for line in render(Shelf(*conversation(), trailing)))


def test_colours_add_nothing_but_colours():
    coloured = list(render(Shelf(*conversation()), plain=False))
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in coloured] == list(render(Shelf(*conversation())))


def test_one_thread_alone_can_be_shown_and_an_unknown_one_is_a_usage_error():
    other = call("POST", "/v1/threads", {}, {"id": "thread_b"})
    text = "\n".join(render(Shelf(*conversation(), other), thread="thread_b"))
    assert "thread thread_b  created" in text
    assert "thread_a" not in text
    assert "/assistants" not in text
    with pytest.raises(UsageError) as raised:
        render(Shelf(*conversation()), thread="thread_\x1bz")
    assert raised.value.message == "no thread thread_\\x1bz in demo.cassette"
    assert "thread_a" in raised.value.hint


def test_a_cut_stream_shows_what_came():
    text = shown(stream("POST", T + "/runs", ("thread.run.created", run("queued")), DELTA, end=End.CLIENT_CUT))
    assert "assistant  (cut)  msg_1\n    streamed" in text
    assert re.search(r"cut  POST /threads/thread_a/runs\n    cut by the client after \d+ bytes", text)


def test_equal_polls_are_counted_without_being_decoded():
    polls = [call("GET", RUN, None, run("in_progress"), at=number) for number in range(1000)]
    outputs = call("POST", RUN + "/submit_tool_outputs", OUTPUTS, run("queued"), at=1000)
    after = [call("GET", RUN, None, run("in_progress"), at=1001 + number) for number in range(3)]
    shelf = Shelf(*polls, outputs, *after)
    found = fold(shelf, "thread_a").runs["run_1"]
    assert shelf.decoded == 3
    assert (found.polls, found.new_polls) == (1003, 2)
    assert [mark.name for mark in found.path()] == ["in_progress", "outputs submitted", "queued", "in_progress"]


def test_long_texts_are_cut_and_say_so():
    text = shown(call("POST", T + "/messages", {}, message("msg_1", "x" * (MAX_TEXT + 5))))
    assert "    … 5 more characters" in text
    assert len(text) < MAX_TEXT + 500


def test_source_code_of_a_tool_keeps_its_lines():
    tool = {
        "id": "call_1",
        "type": "code_interpreter",
        "code_interpreter": {"input": "a = 1\r\nprint(a)", "outputs": []},
    }
    text = shown(call("GET", RUN + "/steps/s", None, STEP | {"step_details": {"tool_calls": [tool]}}))
    assert "      code_interpreter(…)  call_1\n        a = 1\n        print(a)" in text


def test_an_unsealed_or_empty_cassette_says_so():
    assert shown(sealed=False) == "cassette demo · 0 calls · 0 threads · not sealed"


def test_a_time_no_calendar_has_is_left_out():
    odd = replace(call("GET", T, None, {}), started_us=(1 << 64) - 1)
    assert "recorded" not in shown(odd)


def test_unknown_paths_in_a_thread_and_creations_that_failed_are_shown():
    text = shown(
        call("GET", T + "/vendor/thing", None, b"abc", kind=b"application/x-thing"),
        call("POST", "/v1/threads", {}, {"error": {"message": "slow down"}}, status=429),
        call("POST", "/v1/threads", {}, {"error": {"message": "slow down"}}, status=429),
    )
    assert "  call  GET /threads/thread_a/vendor/thing 200  3 bytes application/x-thing" in text
    assert "other calls\n  error 429  POST /threads  ×2\n    slow down" in text


def test_a_cassette_file_reads_like_the_interactions_that_went_in(tmp_path):
    in_memory = Shelf(*conversation())
    with Writer.create(tmp_path / "demo.cassette") as writer:
        for row in in_memory.rows():
            writer.append(in_memory.interaction(row), row.summary)
    with Reader.open(tmp_path / "demo.cassette") as reader:
        assert list(render(reader)) == list(render(in_memory))


@pytest.mark.parametrize("depth", [400, 900, 960, 980, 100_000])
def test_nesting_of_any_depth_is_shown_or_told_by_its_size(depth):
    deep = b'{"id": "thread_a", "metadata": ' + b'{"a": ' * depth + b"1" + b"}" * depth + b"}"
    told = b'{"id": "msg_1", "role": "user", "content": [{"type": "x", "y": ' + b"[" * depth + b"]" * depth + b"}]}"
    text = shown(call("GET", T, None, deep), call("GET", T + "/messages/msg_1", None, told))
    assert "metadata {" in text or "too deep" in text or f"{len(deep):,} bytes" in text
    assert "user  msg_1" in text or f"{len(told):,} bytes" in text


def test_without_the_overview_a_thread_more_is_lines_more_and_no_other_line_changes():
    other = call("POST", "/v1/threads", {}, {"id": "thread_z"})
    before = list(render(Shelf(*conversation()), overview=False))
    after = list(render(Shelf(*conversation(), other), overview=False))
    at = after.index("thread thread_z  created")
    assert after[: at - 1] + after[at + 1 :] == before
    assert "cassette demo" not in before[0]


def test_a_call_that_a_person_held_is_told():
    held = {"intercepted": {"what": "edited", "held_us": 2_100_000, "body": b"{}"}}
    request = Request("POST", (T + "/messages").encode(), (), Body.of(b"{}"))
    one = Interaction(0, START, request, Response(200, body=Body.of(b'{"id": "msg_1", "role": "user"}')), extra=held)
    lines = list(render(Shelf(one)))
    at = lines.index("  held  POST /threads/thread_a/messages")
    assert lines[at + 1] == "    2.1 s on its way, then sent on edited"
