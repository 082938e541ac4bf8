"""The rows inside a thread, in order, and what each says."""

from dataclasses import replace

import pytest
from respool.cassettes.conversation import Mark, Run, ToolCall
from respool.cassettes.interaction import End
from respool.cassettes.reader import Reader
from respool.inspector.branches import call_name, exchange_face, outline_of, run_time
from respool.inspector.exchanges import Exchange
from respool.inspector.outline import Kind
from respool.inspector.stories import tell


@pytest.fixture
def branch(cassette):
    """The branch of a scope, from calls."""

    def told(scope, *calls):
        with Reader.open(cassette(*calls)) as reader:
            return tell(reader, scope, lambda: True).branch

    return told


def faces(branch):
    return [each.face.text for each in branch.inside]


def test_calls_stand_between_the_runs_in_order_and_those_of_a_run_behind_its_steps(made, branch):
    found = branch("thread_a", *made.refund(), made.call("GET /threads/thread_a", None, {"id": "thread_a"}, at=10.0))
    assert faces(found) == ["createThread", "createMessage", "run 1 completed", "listMessages", "getThread"]
    run = found.inside[2]
    assert [each.row.kind for each in run.inside] == [Kind.STEP, Kind.STEP, *[Kind.EXCHANGE] * 5]
    assert faces(run)[2:] == [
        "createRun", "poll → requires_action", "submitToolOuputsToRun", "poll → completed", "listRunSteps",
    ]  # fmt: skip


def test_polls_that_told_nothing_new_are_one_row_with_the_polls_inside(made, branch):
    at = "/threads/thread_a/runs"
    polls = [made.call(f"GET {at}/run_1", None, made.run("run_1", "queued"), at=float(second)) for second in (1, 2, 4)]
    created = made.call(f"POST {at}", {}, made.run("run_1", "queued"))
    (_, run) = branch("thread_a", *made.thread("thread_a"), created, *polls).inside
    group = run.inside[-1]
    assert group.face[:2] == ("≡ 3 polls queued", "3.0 s")
    assert group.row.arrival == 2
    assert [(each.row.kind, each.row.arrival) for each in group.inside] == [(Kind.POLL, n) for n in (2, 3, 4)]


def test_calls_of_a_run_that_nothing_tells_of_stand_in_the_thread(made, branch):
    lost = made.call("GET /threads/thread_a/runs/run_9", None, {"error": {"message": "no"}}, status=404)
    found = branch("thread_a", *made.thread("thread_a"), lost)
    assert [(each.face.text, each.row.run) for each in found.inside][1] == ("getRun", "")


def test_a_path_that_is_no_thread_says_how_many_calls_it_has(made, branch):
    found = branch("/assistants", *made.assistants(), *made.assistants())
    assert (found.row.kind, found.face.tail) == (Kind.COLLECTION, "2 calls")
    assert [each.row.depth for each in found.inside] == [2, 2]


def test_the_first_thing_that_was_said_is_one_line_and_not_all_of_it(made, branch):
    found = branch("thread_a", *made.thread("thread_a", "  \n Where is\n\n" + "it? " * 300))
    assert found.face.tail.startswith("Where is it? it?")
    assert len(found.face.tail) <= 200


@pytest.mark.parametrize(
    ("change", "text", "tail", "ink"),
    [
        ({}, "createThread", "200  1 ms", ""),
        ({"ended": "cut by the client"}, "createThread", "200  cut by the client  1 ms", "bad"),
        ({"met": "⏸ held"}, "createThread", "200  ⏸ held  1 ms", ""),
        ({"status": 0}, "createThread", "no answer  1 ms", "bad"),
        ({"status": 429}, "createThread", "429  1 ms", "bad"),
        ({"status": 0, "running": True}, "createThread", "running", "wait"),
        ({"running": True}, "createThread", "200  running", "wait"),
        ({"poll": True, "state": "queued"}, "poll → queued", "200  1 ms", ""),
        ({"operation": 0}, "POST /…", "200  1 ms", ""),
    ],
)
def test_a_call_says_what_is_wrong_before_how_long_it_took(made, branch, cassette, change, text, tail, ink):
    with Reader.open(cassette(replace(made.thread("thread_a")[0], duration_us=1_000))) as reader:
        (row,) = reader.rows()
    summary = {name: change.pop(name) for name in ("status", "operation") if name in change}
    call = Exchange(row._replace(summary=row.summary._replace(**summary)), "POST /…")._replace(**change)

    assert exchange_face(call) == (text, tail, ink)


def test_a_thread_whose_stream_was_cut_is_marked_and_its_call_says_so(made, branch):
    cut = replace(made.call("GET /threads/thread_a", None, {"id": "thread_a"}), end=End.UPSTREAM_CUT)
    found = branch("thread_a", *made.thread("thread_a"), cut)
    assert found.face.ink == "bad"
    assert "cut by the upstream" in found.inside[-1].face.tail


def test_a_run_tells_how_long_it_took_once_it_is_over():
    marks = [Mark("queued", 1_000_000), Mark("completed", 3_500_000)]
    assert run_time(Run("r", "completed", marks=marks)) == "2.5 s"
    assert run_time(Run("r", "in_progress", marks=marks)) == ""
    assert run_time(Run("r", "completed", marks=[Mark("completed", None)])) == ""


def test_a_call_of_a_tool_is_named_by_its_function_else_by_its_kind():
    assert call_name(ToolCall("c", "function", "lookup\x1b")) == "lookup\\x1b"
    assert call_name(ToolCall("c", "code_interpreter")) == "code_interpreter"
    assert call_name(ToolCall("c")) == "unknown call"


def test_without_its_calls_a_conversation_has_its_runs_alone(made):
    from respool.cassettes.folding import fold_interactions

    assert faces(outline_of(fold_interactions(made.refund())[0])) == ["run 1 completed"]
