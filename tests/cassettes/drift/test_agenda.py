"""From recorded calls to what is performed: writes in order, reads once, runs by their state."""

# ruff: noqa: E501 - a table is read by its rows
import json

import pytest
from recorded_agenda import Calls
from respool.cassettes.drift.agenda import Act, agenda, call_name, created, names_something
from respool.cassettes.interaction import End, Request


def told(calls):
    """The agenda in words."""
    words = []
    for item in agenda(calls, calls.rows()):
        if isinstance(item, Act):
            words.append(item.name + " loose" * item.loose + " unlucky" * item.unlucky)
        else:
            through = f" through {'+'.join(sorted(item.through))}" if item.through else ""
            words.append(
                f"wait {item.run_id} {'+'.join(sorted(item.states))}{through}" + " read" * (item.read is not None)
            )
    return words


OVER = "cancelled+completed+expired+failed+incomplete"


@pytest.mark.parametrize(
    ("calls", "items"),
    [
        ("thread; say; messages; messages; messages", ["createThread", "createMessage", "listMessages"]),
        ("thread; messages; say; messages", ["createThread", "listMessages", "createMessage", "listMessages"]),
        ("thread; run queued; poll queued; poll in_progress; poll completed; messages",
         ["createThread", "createRun", "wait run_1 completed read", "listMessages"]),
        ("run queued; poll requires_action; submit; poll queued; poll completed",
         ["createRun", "wait run_1 requires_action read", "submitToolOuputsToRun", "wait run_1 completed read"]),
        ("run queued; submit; poll completed",
         ["createRun", "wait run_1 requires_action", "submitToolOuputsToRun", "wait run_1 completed read"]),
        ("run queued; poll requires_action; poll expired", ["createRun", "wait run_1 expired through requires_action read"]),
        ("run queued; poll requires_action; say 400; poll expired",
         ["createRun", "wait run_1 requires_action read", "createMessage", "wait run_1 expired through requires_action read"]),
        ("run queued; say; messages", ["createRun", f"wait run_1 {OVER}", "createMessage", "listMessages loose"]),
        ("run queued; say 400", ["createRun", "createMessage"]),
        ("run queued; poll in_progress; cancel; poll cancelled",
         ["createRun", "wait run_1 in_progress read", "cancelRun", "wait run_1 cancelled read"]),
        ("run queued; poll in_progress; messages", ["createRun", "getRun loose", "listMessages loose"]),
        ("run queued; messages; poll completed; steps", ["createRun", "wait run_1 completed read", "listMessages loose", "listRunSteps"]),
        ("run completed; say; say", ["createRun", "wait run_1 completed", "createMessage", "createMessage"]),
        ("run 429; run 429; run queued", ["createRun unlucky", "createRun unlucky", "createRun"]),
        ("run 401; run 403; run queued", ["createRun"]),
        ("poll 503; poll completed; poll 401", ["wait run_1 completed read"]),
        ("say 500; say 0; messages 404", ["createMessage unlucky", "createMessage unlucky", "listMessages"]),
        ("", []),
    ],
)  # fmt: skip
def test_what_is_performed(calls, items):
    assert told(Calls(calls)) == items


def test_writes_are_counted_and_reads_stand_behind_them():
    items = list(agenda(calls := Calls("thread; messages; say; messages"), calls.rows()))
    assert [item.number for item in items] == [1, 1, 2, 2]


def test_what_was_cut_or_came_in_part_is_no_read():
    calls = Calls("messages; messages")
    calls.end(0, End.CLIENT_CUT)
    calls.end(1, End.UPSTREAM_CUT)
    assert told(calls) == []


def test_a_run_that_is_told_by_an_impossible_id_is_passed_over():
    calls = Calls("run queued; poll completed")
    for row in calls.rows():
        calls.answer(row, {"object": "thread.run", "id": "x HTTP/1.1\r\nHost: a", "status": "completed"})
    assert told(calls) == ["createRun", "getRun"]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [("thread; say", True), ("say", False), ("messages", False), ("messages 404; say 404", True), ("thread 400", True)],
)
def test_a_thread_was_created_by_the_recording_or_was_never_there(calls, expected):
    assert created(Calls(calls).rows()) is expected


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (b"/v1/threads/thread_1/runs?x=1", "createRun"),
        (b"/v1/assistants", "POST /assistants"),
        (b"/openai/assistants/asst_1", "POST /assistants/*"),
        (b"/vector_stores/vs_1/file_batches", "POST /vector_stores/*/file_batches"),
        (b"/v1/files/file-1/content", "POST /files/*/content"),
    ],
)
def test_calls_are_named_without_ids(target, name):
    assert call_name(Request("POST", target)) == name


def test_words_of_the_api_are_no_ids():
    assert not any(map(names_something, ("assistants", "vector_stores", "content", "")))
    assert all(map(names_something, ("asst_1", "file-abc", "0a1b", "thread_x")))


def test_a_version_is_told_by_the_request():
    calls = Calls("say")
    (act,) = agenda(calls, calls.rows())
    assert act.version == "0"
    assert json.loads(act.recorded.response.body.read())["object"] == "thread.message"
