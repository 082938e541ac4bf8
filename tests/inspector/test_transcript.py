import json

import pytest
from respool.cassettes.folding import fold_interactions
from respool.cassettes.interaction import End
from respool.cassettes.show import MAX_TEXT
from respool.inspector.branches import outline_of
from respool.inspector.document import plain
from respool.inspector.outline import Kind, Row
from respool.inspector.transcript import MAX_CHARACTERS, transcript


def document_of(*calls):
    return transcript(fold_interactions(calls)[0])


def text_of(document):
    return "\n".join(" " * line.indent + line.text for line in document.lines)


def rows_of(branch):
    return [branch.row] + [row for inside in branch.inside for row in rows_of(inside)]


def test_every_row_of_the_list_below_a_thread_has_its_place_in_the_document(made):
    document = document_of(*made.refund())
    rows = rows_of(outline_of(fold_interactions(made.refund())[0]))[1:]
    assert set(rows) == {row for row in document.anchors if row.kind is not Kind.EXCHANGE}
    said = {row.item or row.run: document.lines[document.anchors[row]].text for row in rows}
    assert said["run_1"].startswith("run 1  ✓ completed")
    assert said["step_1"].startswith("step 1  tool_calls")
    assert said["step_2"].endswith("step_2  →\u00a0msg_y")


def test_errors_cuts_and_changes_stand_between_the_messages(made):
    text = text_of(
        document_of(
            *made.thread("thread_a", "hi"),
            made.call("POST /threads/thread_a", {"metadata": {"k": "v"}}, {"id": "thread_a"}),
            made.call("GET /threads/thread_a/messages/x", None, {"error": {"message": "not there"}}, status=404),
            made.call("GET /threads/thread_a/messages", None, b'{"da', end=End.CLIENT_CUT),
        )
    )
    assert 'changed  thread  metadata {"k": "v"}' in text or 'changed  thread\n  metadata {"k": "v"}' in text
    assert "! error  GET /threads/thread_a/messages/x 404\n  not there" in text
    assert "! cut  GET /threads/thread_a/messages 200\n  cut by the client" in text


def test_a_tool_call_without_an_output_says_so(made):
    asked = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [asked]}}
    told = made.run("run_1", "requires_action", required_action=action)
    text = text_of(document_of(made.call("GET /threads/thread_a/runs/run_1", None, told)))
    assert "  f({})  call_1\n    no output was recorded" in text


def test_long_texts_are_cut_and_say_so(made):
    text = text_of(document_of(*made.thread("thread_a", "x" * (MAX_TEXT + 5))))
    assert "… 5 more characters" in text
    assert len(text) < MAX_TEXT + 500


@pytest.mark.parametrize("text", ["\n" * MAX_TEXT, "x" * MAX_TEXT])
def test_a_conversation_of_any_size_is_bounded_and_says_so(made, text):
    body = {"data": [made.message(f"msg_{number}", text) for number in range(200)]}
    document = document_of(made.call("GET /threads/thread_a/messages", None, body))
    assert sum(len(line.text) + 16 for line in document.lines) < MAX_CHARACTERS + MAX_TEXT + 1000
    assert "the rest is too much for this view" in document.lines[-1].text


def test_no_line_has_a_break_or_a_control_in_it(made):
    bad = made.HOSTILE + "\r\n\t\u2028x"
    arguments = json.dumps({"a": bad})
    tool = {"id": "call_1", "type": "function", "function": {"name": bad, "arguments": arguments, "output": bad}}
    step = {"id": "step_1", "run_id": "run_1", "step_details": {"type": "tool_calls", "tool_calls": [tool]}}
    document = document_of(
        *made.thread("thread_a", bad), made.call("GET /threads/thread_a/runs/run_1/steps/step_1", None, step)
    )
    assert text_of(document).count("evil") >= 4
    for line in (*document.lines, *plain(bad, title="t").lines):
        assert line.text.replace("\u00a0", " ").isprintable()


def test_a_collection_is_told_by_its_calls(made):
    text = text_of(document_of(*made.assistants()))
    assert text.startswith("calls to /assistants\n  1 call\n")
    assert text.endswith("\nPOST /assistants 200  asst_1 Clerk gpt-4o")


def test_a_run_without_times_has_its_states(made):
    document = document_of(made.call("GET /threads/thread_a/runs", None, {"data": [made.run("run_1", "failed")]}))
    assert Row(Kind.RUN, "thread_a", "run_1") in document.anchors
    assert "run 1  ! failed  run_1" in text_of(document)
