from respool.cassettes.folding import fold_interactions
from respool.inspector.branches import outline_of
from respool.inspector.outline import Kind, Outline, Row


def branch_of(*calls):
    return outline_of(fold_interactions(calls)[0])


def opened(made):
    outline = Outline(["thread_x", "thread_a", "/assistants"])
    outline.learn(branch_of(*made.refund("thread_a")))
    outline.open(1)
    outline.open(2)
    return outline


def kinds(outline):
    return [row.kind for row in outline.rows]


def test_threads_come_first_and_other_calls_last():
    outline = Outline(["/files", "thread_b", "/assistants", "thread_a"])
    assert outline.rows == [Row(Kind.THREAD, "thread_b"), Row(Kind.THREAD, "thread_a"), Row(Kind.OTHER)]
    outline.open(2)
    assert [row.scope for row in outline.rows[3:]] == ["/files", "/assistants"]
    assert [outline.parent(index) for index in range(5)] == [0, 1, 2, 2, 2]


def test_opened_rows_stand_behind_theirs_and_go_when_it_closes(made):
    outline = opened(made)
    assert kinds(outline) == [Kind.THREAD, Kind.THREAD, Kind.RUN, Kind.STEP, Kind.STEP, Kind.OTHER]
    assert [outline.parent(index) for index in range(6)] == [0, 1, 1, 2, 2, 5]
    outline.close(1)
    assert kinds(outline) == [Kind.THREAD, Kind.THREAD, Kind.OTHER]
    outline.open(1)
    assert kinds(outline) == [Kind.THREAD, Kind.THREAD, Kind.RUN, Kind.OTHER], "a run opens closed again"


def test_a_thread_opens_only_once_it_was_read(made):
    outline = Outline(["thread_a"])
    assert outline.may_open(outline.rows[0])
    assert not outline.knows(outline.rows[0])
    outline.open(0)
    assert len(outline.rows) == 1
    outline.learn(branch_of(*made.thread("thread_a", "hi")))
    assert not outline.may_open(outline.rows[0]), "it has no runs"


def test_what_is_inside_a_closed_thread_can_be_forgotten_and_of_an_open_one_not(made):
    outline = opened(made)
    row = outline.rows[1]
    outline.forget(row)
    assert outline.knows(row)
    outline.close(1)
    outline.forget(row)
    assert not outline.knows(row)
    assert outline.may_open(row)
    assert outline.face(row).tail == "I want my money back"


def test_faces_tell_states_times_tokens_and_tools(made):
    branch = branch_of(*made.refund("thread_a"))
    assert branch.face == ("thread_a", "I want my money back", "")
    (run,) = branch.inside
    assert run.face == ("run 1 completed", "8.4 s  2,310 tokens", "good")
    assert [step.face[:2] for step in run.inside] == [
        ("step 1 lookup_order", "completed"),
        ("step 2 message", "completed"),
    ]


def test_tool_calls_that_no_step_tells_of_have_rows_of_their_own(made):
    asked = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [asked]}}
    told = made.run("run_1", "requires_action", required_action=action)
    (run,) = branch_of(made.call("GET /threads/thread_a/runs/run_1", None, told)).inside
    assert run.face.ink == "wait"
    assert [(call.row.kind, call.face.text) for call in run.inside] == [(Kind.CALL, "f")]


def test_a_thread_in_which_something_failed_is_marked(made):
    failed = made.call("GET /threads/thread_a", None, {"error": {"message": "no"}}, status=500)
    assert branch_of(*made.thread("thread_a", "hi"), failed).face.ink == "bad"
    assert branch_of(*made.thread("thread_a", "hi")).face.ink == ""


def test_search_sees_ids_and_what_was_read_in_both_directions(made):
    outline = opened(made)
    assert outline.find("LOOKUP", 0, 1) == 3
    assert outline.find("thread_", 2, 1) == 0
    assert outline.find("thread_", 5, -1) == 1
    assert outline.find("money", 0, 1) == 1
    assert outline.find("nowhere", 0, 1) is None
    assert Outline([]).find("x", 0, 1) is None


def test_a_thread_that_goes_takes_what_is_in_it_and_comes_back_behind_no_filter(made):
    outline = opened(made)
    outline.remove(Row(Kind.THREAD, "thread_a"))
    assert [row.scope for row in outline.rows] == ["thread_x", ""]
    outline.narrow({"thread_x": {0}})
    outline.narrow(None)
    assert [row.scope for row in outline.rows] == ["thread_x", ""]
    assert outline.threads == 1
