import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes.conversation import Conversation, Message, Note, NoteKind, Run
from respool.cassettes.folding import Folding, fold_interactions
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.merging import MAX_ENTRIES
from respool.cassettes.models import MAX_BODY
from respool.cassettes.operations import OPERATIONS

T = "/v1/threads/thread_a"
RUN = T + "/runs/run_1"
SECOND = 1_000_000


def call(method, target, asked=None, answer=None, *, status=200, at=0.0, took=0.0, scope="thread_a", **more):
    asked = b"" if asked is None else json.dumps(asked).encode()
    answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    kind = more.pop("kind", b"application/json")
    response = Response(status, b"", ((b"Content-Type", kind),), Body.of(answer), marks=more.pop("marks", ()))
    start = 1_700_000_000 * SECOND + round(at * SECOND)
    request = Request(method, target.encode(), (), Body.of(asked))
    return Interaction(0, start, request, response, duration_us=round(took * SECOND), scope=scope, **more)


def stream(*events, method="POST", target=T + "/runs", asked=None, times=None, done=True, **more):
    pieces = [f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in events]
    pieces += [b"event: done\ndata: [DONE]\n\n"] * done
    times = [*(times or []), *[times[-1]] * done] if times else []
    marks = tuple((len(piece), round(time * SECOND)) for piece, time in zip(pieces, times, strict=bool(times)))
    return call(method, target, asked, b"".join(pieces), kind=b"text/event-stream", marks=marks, **more)


def run(status, **more):
    return {"id": "run_1", "object": "thread.run", "thread_id": "thread_a", "status": status, **more}


def message(name, text, role="user", **more):
    content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return {"id": name, "object": "thread.message", "role": role, "content": content, **more}


def folded(*interactions) -> Conversation:
    (conversation,) = fold_interactions(interactions)
    return conversation


def path_of(run: Run) -> list[str]:
    return [mark.name for mark in run.path()]


def test_a_polled_run_has_its_states_with_times_and_its_polls_folded():
    conversation = folded(
        call("POST", T + "/runs", {}, run("queued"), at=0, took=0.5),
        call("GET", RUN, None, run("in_progress"), at=1, took=0.1),
        call("GET", RUN, None, run("in_progress"), at=2, took=0.1),
        call(
            "GET",
            RUN,
            None,
            run("completed", usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}),
            at=3,
        ),
    )
    found = conversation.runs["run_1"]
    start = 1_700_000_000 * SECOND
    assert [(mark.name, mark.at_us - start) for mark in found.path()] == [
        ("queued", 500_000),
        ("in_progress", 1_100_000),
        ("completed", 3_000_000),
    ]
    assert (found.polls, found.new_polls, found.tokens, found.status) == (3, 2, (3, 4, 7), "completed")


def test_tool_outputs_meet_their_calls_and_stand_in_the_path():
    function = {"name": "lookup", "arguments": '{"id": 118}'}
    action = {"submit_tool_outputs": {"tool_calls": [{"id": "call_1", "type": "function", "function": function}]}}
    outputs = {"tool_outputs": [{"tool_call_id": "call_1", "output": "shipped"}]}
    conversation = folded(
        call("POST", T + "/runs", {}, run("queued")),
        call("GET", RUN, None, run("requires_action", required_action=action), at=1),
        call("POST", RUN + "/submit_tool_outputs", outputs, run("queued"), at=2, took=0.1),
        call("GET", RUN, None, run("completed"), at=3),
    )
    found = conversation.runs["run_1"]
    assert path_of(found) == ["queued", "requires_action", "outputs submitted", "queued", "completed"]
    (called,) = found.calls_without_step()
    assert (called.name, called.asked, called.answer) == ("lookup", '{"id": 118}', "shipped")


def test_refused_tool_outputs_are_an_error_and_no_output():
    outputs = {"tool_outputs": [{"tool_call_id": "call_1", "output": "x"}]}
    conversation = folded(
        call("POST", RUN + "/submit_tool_outputs", outputs, {"error": {"message": "too late"}}, status=400)
    )
    assert conversation.runs == {}
    assert [(entry.kind, entry.detail, entry.status) for entry in conversation.entries] == [
        (NoteKind.ERROR, "too late", 400)
    ]


def test_steps_come_in_order_whichever_way_they_are_listed():
    def step(name, created_at, **more):
        return {"id": name, "type": "message_creation", "status": "completed", "created_at": created_at, **more}

    newest_first = {"data": [step("step_3", 9), step("step_2", 8), step("step_1", 8)]}
    conversation = folded(call("GET", RUN + "/steps", None, newest_first))
    assert [step.id for step in conversation.runs["run_1"].steps_in_order()] == ["step_1", "step_2", "step_3"]


def test_a_code_interpreter_step_has_input_logs_and_images():
    outputs = [{"type": "logs", "logs": "1\n"}, {"type": "image", "image": {"file_id": "file-i"}}]
    tool = {"id": "call_1", "type": "code_interpreter", "code_interpreter": {"input": "print(1)", "outputs": outputs}}
    step = {"id": "step_1", "status": "completed", "step_details": {"type": "tool_calls", "tool_calls": [tool]}}
    found = folded(call("GET", RUN + "/steps/step_1", None, step)).runs["run_1"].steps["step_1"].calls["call_1"]
    assert (found.name, found.asked, found.answer) == ("code_interpreter", "print(1)", "1\n\nimage file-i")


def test_stream_deltas_are_merged_by_id_and_index():
    def text(index, value):
        return {"index": index, "type": "text", "text": {"value": value}}

    def delta(*parts):
        return "thread.message.delta", {"id": "msg_1", "delta": {"content": list(parts)}}

    def arguments(more):
        tool = {"index": 0, "type": "function", "function": {"arguments": more}}
        return "thread.run.step.delta", {
            "id": "step_1",
            "delta": {"step_details": {"type": "tool_calls", "tool_calls": [tool]}},
        }

    named = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    first = {"id": "step_1", "delta": {"step_details": {"type": "tool_calls", "tool_calls": [named]}}}
    conversation = folded(
        stream(
            ("thread.run.created", run("queued")),
            ("thread.run.in_progress", run("in_progress")),
            (
                "thread.run.step.created",
                {"id": "step_1", "run_id": "run_1", "type": "tool_calls", "status": "in_progress"},
            ),
            ("thread.run.step.delta", first),
            arguments('{"a"'),
            arguments(": 1}"),
            ("thread.message.created", message("msg_1", "", "assistant", status="in_progress") | {"content": []}),
            delta(text(1, "second "), text(0, "Hel")),
            delta(text(0, "lo"), text(1, "part")),
            ("thread.run.requires_action", run("requires_action")),
            times=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.5],
        )
    )
    found = conversation.runs["run_1"]
    start = 1_700_000_000 * SECOND
    assert [(mark.name, mark.at_us - start) for mark in found.path()] == [
        ("queued", 100_000),
        ("in_progress", 200_000),
        ("requires_action", 1_500_000),
    ]
    assert found.steps["step_1"].calls["call_1"].asked == '{"a": 1}'
    assert found.steps["step_1"].calls["call_1"].name == "look"
    assert conversation.messages["msg_1"].text == "Hello\nsecond part"
    assert conversation.not_understood == 0


def test_annotations_that_come_in_deltas_are_kept_in_their_order():
    def delta(index, **said):
        text = {"value": "x", "annotations": [{"index": index, "type": "file_citation", "text": "[1]"} | said]}
        return "thread.message.delta", {
            "id": "msg_1",
            "delta": {"content": [{"index": 0, "type": "text", "text": text}]},
        }

    conversation = folded(stream(delta(0, start_index=0), delta(1, start_index=4)))
    assert conversation.messages["msg_1"].parts[0].annotations == [
        {"type": "file_citation", "text": "[1]", "start_index": 0},
        {"type": "file_citation", "text": "[1]", "start_index": 4},
    ]


def test_a_whole_message_replaces_what_its_deltas_said():
    conversation = folded(
        stream(
            ("thread.message.delta", {"id": "msg_1", "delta": {"content": [{"index": 0, "text": {"value": "Hel"}}]}}),
            ("thread.message.completed", message("msg_1", "Hello", "assistant", status="completed")),
        )
    )
    assert conversation.messages["msg_1"].text == "Hello"
    assert conversation.messages["msg_1"].cut is False


@pytest.mark.parametrize("end", [End.CLIENT_CUT, End.UPSTREAM_CUT, End.PROXY_CUT])
def test_a_cut_stream_keeps_what_came_and_says_so(end):
    conversation = folded(
        stream(
            ("thread.run.created", run("queued")),
            ("thread.message.delta", {"id": "msg_1", "delta": {"content": [{"index": 0, "text": {"value": "Hel"}}]}}),
            done=False,
            end=end,
        )
    )
    assert conversation.messages["msg_1"].text == "Hel"
    assert conversation.messages["msg_1"].cut is True
    assert conversation.entries[-1].kind is NoteKind.CUT


def test_events_without_a_name_are_told_by_their_object_and_others_counted():
    body = b"data: " + json.dumps(run("completed")).encode() + b"\n\ndata: no json\n\nevent: ping\ndata: {}\n\n"
    conversation = folded(call("POST", T + "/runs", {}, body, kind=b"text/event-stream"))
    assert conversation.runs["run_1"].status == "completed"
    assert conversation.not_understood == 2


def test_an_error_event_is_an_error():
    conversation = folded(stream(("error", {"message": "the server had an error", "code": "server_error"})))
    assert [(entry.kind, entry.detail) for entry in conversation.entries] == [
        (NoteKind.ERROR, "the server had an error")
    ]


def test_a_stream_where_none_is_answered_is_told_as_a_call():
    conversation = folded(stream(("thread.created", {"id": "thread_a"}), method="DELETE", target=T))
    assert [(entry.kind, entry.subject) for entry in conversation.entries] == [
        (NoteKind.CALL, "DELETE /threads/thread_a")
    ]
    assert conversation.deleted is False


def test_a_poll_that_overlapped_a_stream_does_not_set_the_run_back():
    conversation = folded(
        stream(
            ("thread.run.created", run("queued")),
            ("thread.run.cancelled", run("cancelled")),
            times=[0.1, 5.0],
        ),
        call("GET", RUN, None, run("in_progress"), at=1, took=0.1),
        call("POST", RUN + "/cancel", None, run("cancelling"), at=2, took=0.1),
    )
    found = conversation.runs["run_1"]
    assert found.status == "cancelled"
    assert path_of(found) == ["queued", "in_progress", "cancel asked", "cancelling", "cancelled"]


def test_messages_sent_with_a_thread_are_the_ones_listed_later():
    thread = {
        "messages": [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}],
        "metadata": {"a": "1"},
    }
    listed = {"data": [message("msg_2", "two", created_at=5), message("msg_1", "one", created_at=5)]}
    conversation = folded(
        call("POST", "/v1/threads/runs", {"thread": thread}, run("queued")),
        call("GET", T + "/messages", None, listed),
    )
    told = [(entry.id, entry.text) for entry in conversation.entries if isinstance(entry, Message)]
    assert told == [("msg_1", "one"), ("msg_2", "two")]
    assert conversation.metadata == {"a": "1"}
    assert conversation.created_by == "createThreadAndRun"


def test_messages_of_an_older_thread_stand_before_the_new_ones():
    listed = {"data": [message("msg_new", "new", created_at=20), message("msg_old", "old", created_at=10)]}
    conversation = folded(
        call("POST", T + "/messages", {}, message("msg_new", "new", created_at=20)),
        call("POST", T + "/runs", {}, run("queued", created_at=21)),
        call("GET", T + "/messages", None, listed),
        call("GET", T + "/messages", None, {"data": [message("msg_reply", "reply", "assistant", created_at=22)]}),
    )
    assert [entry.id for entry in conversation.entries] == ["msg_old", "msg_new", "run_1", "msg_reply"]


@pytest.mark.parametrize("query", ["", "?order=asc"])
def test_a_reply_that_is_listed_after_a_recording_went_on_anew_stands_before_the_message_behind_it(query):
    """The first two messages have times of the recording that was kept, the list those of an upstream of today."""
    listed = [
        message("msg_3", "third", created_at=900),
        message("msg_2", "second", created_at=900),
        message("msg_reply", "reply", "assistant", created_at=900),
        message("msg_1", "first", created_at=899),
    ]
    conversation = folded(
        call("POST", T + "/messages", {}, message("msg_1", "first", created_at=20)),
        call("POST", T + "/runs", {}, run("completed", created_at=21)),
        call("POST", T + "/messages", {}, message("msg_2", "second", created_at=30)),
        call("POST", T + "/messages", {}, message("msg_3", "third", created_at=900)),
        call("GET", T + "/messages" + query, None, {"data": listed[::-1] if query else listed}),
    )
    assert [entry.id for entry in conversation.entries] == ["msg_1", "run_1", "msg_reply", "msg_2", "msg_3"]


def test_parts_files_and_annotations_are_kept():
    citation = {"type": "file_citation", "text": "[1]", "file_citation": {"file_id": "file-c", "quote": "so"}}
    content = [
        {"type": "text", "text": {"value": "see [1]", "annotations": [citation]}},
        {"type": "image_file", "image_file": {"file_id": "file-i"}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        {"type": "refusal", "refusal": "no"},
        {"type": "hologram", "hologram": {"a": 1}},
    ]
    value = message("msg_1", "") | {"content": content, "file_ids": ["file-a"]}
    found = folded(call("GET", T + "/messages/msg_1", None, value)).messages["msg_1"]
    assert [(part.kind, part.text) for part in found.parts.values()] == [
        ("text", "see [1]"),
        ("image_file", "file-i"),
        ("image_url", "https://x/y.png"),
        ("refusal", "no"),
        ("hologram", '{"hologram": {"a": 1}}'),
    ]
    assert list(found.parts[0].chips) == ['file_citation file-c "so"']
    assert found.parts[0].annotations == [citation]
    assert found.files == {"file-a": ""}


def test_retries_are_one_note_with_a_count_and_reads_say_what_was_new():
    limited = call("POST", T + "/messages", {}, {"error": {"message": "slow down"}}, status=429)
    created = call("POST", T + "/messages", {}, message("msg_1", "hi"))
    listed = call("GET", T + "/messages", None, {"data": [message("msg_1", "hi")]})
    conversation = folded(limited, limited, created, listed, listed)
    note = conversation.entries[0]
    assert isinstance(note, Note)
    assert (note.times, note.status, note.detail) == (2, 429, "slow down")
    assert (conversation.reads["listMessages"].total, conversation.reads["listMessages"].new) == (2, 0)


def test_calls_without_an_answer_say_whose_fault_it_was():
    request = Request("GET", RUN.encode())
    gone = Interaction(0, 0, request, None, End.CLIENT_CUT, scope="thread_a")
    failed = Interaction(
        1, 0, request, Response(502, body=Body.of(b'{"error": {"message": "refused"}}')), End.UPSTREAM_FAILED
    )
    conversation = folded(gone, failed)
    assert [(entry.kind, entry.detail) for entry in conversation.entries] == [
        (NoteKind.CUT, "cut by the client before an answer"),
        (NoteKind.FAILED, "refused"),
    ]


def test_large_and_binary_answers_are_told_by_size_and_type():
    large = call("GET", T + "/messages", None, b"[" + b" " * MAX_BODY + b"]")
    binary = call("GET", "/v1/files/file-1/content", None, b"\x89PNG\xff", kind=b"image/png", scope="/files")
    thread, files = fold_interactions([large, binary])
    assert thread.entries[0].detail == f"{MAX_BODY + 2:,} bytes application/json"
    assert files.entries[0].detail == "5 bytes image/png"


def test_scopes_are_found_for_interactions_that_name_none():
    created = call("POST", "/v1/threads", {}, {"id": "thread_b"}, scope="")
    assistants = call("GET", "/openai/v1/assistants", None, {"data": []}, scope="")
    assert [conversation.scope for conversation in fold_interactions([created, assistants])] == [
        "thread_b",
        "/assistants",
    ]


def test_entries_are_capped_and_counted():
    page = {"data": [message(f"msg_{number}", "x") for number in range(1000)]}
    calls = [
        call("GET", T + "/messages", None, json.loads(json.dumps(page).replace("msg_", f"msg_{n}_"))) for n in range(21)
    ]
    conversation = folded(*calls)
    assert len(conversation.entries) == MAX_ENTRIES
    assert conversation.left_out == 1000


def test_an_import_has_no_durations_to_put_states_in_a_wrong_order():
    folding = Folding("thread_a", coarse=True)
    folding.add(call("GET", RUN, None, run("in_progress"), at=1, took=30))
    folding.add(call("GET", RUN, None, run("completed"), at=2, took=0.1))
    assert path_of(folding.conversation.runs["run_1"]) == ["in_progress", "completed"]


NAMES = """id data delta content text value index status run_id step_details tool_calls function name arguments type object
    code_interpreter outputs logs image required_action submit_tool_outputs tool_outputs metadata thread messages usage
    additional_messages attachments tools file_ids annotations last_error"""
ATOMS = [None, True, 0, -1, 1 << 70, float("nan"), "", "run_1", "msg_1", "step_1", "text", "in_progress", "\ud83d"]
VALUES = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=5),
    max_leaves=25,
)
EVENTS = st.sampled_from(
    [
        "thread.created",
        "thread.run.queued",
        "thread.run.completed",
        "thread.run.step.delta",
        "thread.run.step.created",
        "thread.message.delta",
        "thread.message.completed",
        "error",
        "done",
        "other",
    ]
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(OPERATIONS), VALUES, VALUES, st.none() | EVENTS, st.sampled_from(list(End))),
        max_size=6,
    )
)
def test_no_answer_makes_folding_raise_and_each_leaves_a_trace(told):
    interactions = []
    for operation, asked, answer, event, end in told:
        target = operation.template.format(
            thread_id="thread_a", message_id="msg_1", run_id="run_1", step_id="s", file_id="f"
        )
        if event is None:
            interactions.append(call(operation.method, target, asked, answer, end=end))
        else:
            interactions.append(stream((event, answer), method=operation.method, target=target, asked=asked, end=end))
    for conversation in fold_interactions(interactions):
        assert conversation.calls == len(told)
        assert conversation.entries or conversation.reads or conversation.created_by or conversation.not_understood
