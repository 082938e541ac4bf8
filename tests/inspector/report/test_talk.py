"""A conversation as HTML: tool calls with what is odd about them, files and annotations, marks of what went wrong."""

import pytest
from respool.cassettes.conversation import Conversation, Message, Note, NoteKind, Part, Run, Step, ToolCall
from respool.cassettes.sightings import Sightings
from respool.inspector.report.talk import is_problem, talk


def told(*entries):
    conversation = Conversation("thread_a", entries=list(entries))
    return "".join(talk(conversation, Sightings(), "t1"))


def run_with(call):
    return Run("run_1", "completed", calls={call.id: call}, steps={"s": Step("s", "tool_calls", calls={call.id: call})})


def test_a_call_stands_with_its_arguments_and_its_output():
    text = told(run_with(ToolCall("call_1", "function", "lookup", ['{"id":', " 118}"], output="shipped")))
    for part in ("lookup", "{&quot;id&quot;: 118}", "shipped", "call_1", "step 1 tools"):
        assert part in text
    assert "no output" not in text


@pytest.mark.parametrize(
    ("call", "flag"),
    [
        (ToolCall("c", "function", "lookup", ["{"], output="x"), "arguments are no JSON object"),
        (ToolCall("c", "function", "lookup", ["{}"]), "no output recorded"),
    ],
)
def test_what_is_odd_about_a_call_is_flagged(call, flag):
    assert flag in told(run_with(call))


def test_files_and_annotations_are_chips():
    part = Part("text", ["See it."], {"file_citation file-7": None})
    text = told(Message("msg_1", "assistant", parts={0: part}, files={"file-9": "file_search"}))
    assert 'class="chip file" dir="auto">file_citation file-7</span>' in text
    assert "file file-9 · file_search" in text


def test_a_message_that_was_cut_or_deleted_says_so():
    text = told(Message("msg_1", "assistant", parts={0: Part("text", ["Half"])}, cut=True, deleted=True))
    assert ">cut</span>" in text
    assert ">deleted</span>" in text


def test_a_long_message_scrolls_in_its_own_box_that_keys_reach():
    long = told(Message("m", "user", parts={0: Part("text", ["x" * 4_000])}))
    assert '<div class="text long" tabindex="0"' in long
    assert "text long" not in told(Message("m", "user", parts={0: Part("text", ["x"])}))


def test_a_run_without_times_shows_its_states_in_order():
    text = told(Run("run_1", "expired"))
    assert "expired" in text
    assert "<figure" not in text


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (Run("r", "failed", error="rate: slow"), "run failed: rate: slow"),
        (Run("r", "expired"), "run expired"),
        (Run("r", "completed"), ""),
        (Message("m", "assistant", parts={0: Part("text", ["Half"])}, cut=True), "message cut: Half"),
        (Note(NoteKind.ERROR, "GET /x", "gone", 404), "error 404: gone"),
        (Note(NoteKind.ERROR, "GET /x", "No recording answers GET /x", 502), "miss 502: No recording answers GET /x"),
        (Note(NoteKind.FAILED, "GET /x"), "no answer: GET /x"),
        (Note(NoteKind.CHANGED, "thread"), ""),
    ],
)
def test_what_is_wrong_is_said_in_a_few_words(entry, what):
    assert is_problem(entry) == what


def test_what_is_left_out_is_said():
    conversation = Conversation("thread_a", left_out=7, not_understood=2)
    text = "".join(talk(conversation, Sightings(), "t1"))
    assert "7 more messages, runs and notes are not in this page" in text
    assert "2 stream events not understood" in text


def test_an_id_leads_to_the_exchange_that_brought_it():
    message, run = Message("msg_1", "user", arrival=17), Run("run_1", arrival=4)
    shown = told(message, run, Note(NoteKind.CALL, "GET /x", status=404, arrival=9))
    assert '<a class="brought" href="#c1-17" title="the exchange that brought it"><code>msg_1</code></a>' in shown
    assert 'href="#c1-4"' in shown
    assert '<a class="brought" href="#c1-9">GET /x</a>' in shown
