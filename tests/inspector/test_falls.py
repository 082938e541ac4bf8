"""Bars of a run and of a thread, made of recorded calls: what is sure, what is not, and how long it took."""

from dataclasses import replace

import pytest
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.inspector.falls import MOST_BARS
from respool.inspector.outline import Kind, Row
from respool.inspector.stories import tell
from respool.inspector.waterfall import SECOND, Span, lines

START = 1_700_000_000_000_000
AT = "/threads/thread_a/runs"
ASKED = {"id": "call_3", "type": "function", "function": {"name": "lookup_order", "arguments": "{}"}}
ACTION = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [ASKED]}}
TOOL_STEP = {"id": "step_1", "object": "thread.run.step", "type": "tool_calls", "status": "completed", "run_id": "run_1"} | {
    "step_details": {"type": "tool_calls", "tool_calls": [ASKED]}
}  # fmt: skip


@pytest.fixture
def fall(cassette, made):
    """The waterfall of a thread's run (with an empty name: of the thread), from calls that take 100 ms each."""

    def told(*calls, run="run_1"):
        calls = [replace(call, duration_us=call.duration_us or 100_000) for call in calls]
        with Reader.open(cassette(made.call("POST /threads", {}, {"id": "thread_a"}), *calls)) as reader:
            story = tell(reader, "thread_a", lambda: True)
            return story.fall(Row(Kind.RUN if run else Kind.THREAD, "thread_a", run))

    return told


@pytest.fixture
def poll(made):
    def polled(status, at, **more):
        return made.call(f"GET {AT}/run_1", None, made.run("run_1", status, **more), at=at)

    return polled


@pytest.fixture
def begun(made):
    return made.call(f"POST {AT}", {}, made.run("run_1", "queued"), at=0)


def bars(fall):
    return {bar.label: bar for bar in fall.bars}


def spans(bar):
    return [tuple(round(at / SECOND, 1) for at in span[:4]) for span in bar.spans]


def test_a_poll_that_tells_a_new_state_is_no_proof_that_the_old_one_lasted_until_it_asked(fall, begun, poll):
    told = bars(fall(begun, poll("queued", 1), poll("in_progress", 3), poll("in_progress", 5), poll("completed", 7)))
    assert spans(told["queued"]) == [(0, 0.1, 1, 3.1)]
    assert told["queued"].tail == "900 ms–3.1 s"
    assert spans(told["in progress"]) == [(1, 3.1, 5, 7.1)]


def test_polls_answered_alike_are_read_once_and_still_tell_how_long_a_state_lasted(fall, begun, poll):
    alike = [poll("in_progress", at) for at in (1, 2, 3, 4)]
    told = bars(fall(begun, *alike, poll("completed", 5)))
    assert spans(told["in progress"]) == [(0, 1.1, 4, 5.1)]
    assert told["polls"].tail == "5 (3 unchanged)"
    assert [new for _, new in told["polls"].dots] == [True, False, False, False, True]


def test_the_clients_own_time_is_sure_and_its_tool_step_lasted_through_it(fall, begun, poll, made):
    outputs = {"tool_outputs": [{"tool_call_id": "call_3", "output": "1"}]}
    told = bars(
        fall(
            begun,
            poll("in_progress", 1),
            poll("requires_action", 2, required_action=ACTION),
            made.call(f"POST {AT}/run_1/submit_tool_outputs", outputs, made.run("run_1", "queued"), at=4),
            poll("completed", 6),
            made.call(f"GET {AT}/run_1/steps", None, {"data": [TOOL_STEP]}, at=7),
        )
    )
    assert spans(told["client's tools"]) == [(2.1, 2.1, 4, 4)]
    assert told["client's tools"].tail == "1.9 s"
    (step,) = told["step 1 lookup_order"].spans
    assert (step.start, step.end) == (2_100_000, 4_000_000)


def test_the_whole_seconds_of_the_api_narrow_what_the_polls_leave_open(fall, begun, poll):
    second = START // SECOND
    done = poll("completed", 9, created_at=second, started_at=second + 2, completed_at=second + 6)
    told = bars(fall(begun, poll("in_progress", 5), done))
    assert spans(told["in progress"]) == [(2, 3, 6, 7)]


def test_seconds_of_a_clock_that_differs_are_not_used_and_that_is_said(fall, begun, poll):
    second = START // SECOND + 900
    shown = fall(begun, poll("completed", 9, created_at=second, started_at=second + 2))
    assert "clock differs" in lines(shown, 80)[-1][0][0]


def test_events_of_a_stream_are_moments_so_nothing_of_a_streamed_run_is_unsure(fall):
    events = [("thread.run.created", "queued", 0.5), ("thread.run.in_progress", "in_progress", 1.5)]
    events += [("thread.run.completed", "completed", 4.0)]
    pieces, marks = b"", []
    for name, status, at in events:
        piece = f'event: {name}\ndata: {{"id": "run_1", "object": "thread.run", "status": "{status}"}}\n\n'.encode()
        pieces += piece
        marks.append((len(piece), round(at * SECOND)))
    head = ((b"content-type", b"text/event-stream"),)
    response = Response(200, b"", head, Body.of(pieces), head_us=1_000, marks=tuple(marks))
    request = Request("POST", f"/v1{AT}".encode(), (), Body.of(b'{"stream": true}'))
    told = bars(fall(Interaction(0, START, request, response, duration_us=4_100_000)))
    (queued,), (working,) = told["queued"].spans, told["in progress"].spans
    assert (queued.end, queued.high) == (1_500_000, 1_500_000)
    assert (working.low, working.start, working.end, working.high) == (1_500_000, 1_500_000, 4_000_000, 4_000_000)
    assert told["in progress"].tail == "2.5 s"


def test_a_run_that_is_not_over_is_drawn_as_far_as_it_was_seen(fall, begun, poll):
    told = bars(fall(begun, poll("in_progress", 2), poll("in_progress", 6)))
    assert spans(told["in progress"]) == [(0, 2.1, 6, 6)]


def test_a_step_of_which_no_answer_tells_the_time_is_named_without_a_bar(fall, begun, poll, made):
    step = TOOL_STEP | {"object": "", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    listed = made.call(f"GET {AT}/run_1/steps", None, {"data": [step]}, at=7)
    told = bars(fall(begun, poll("completed", 6), listed))
    assert told["step 1 lookup_order"].spans == ()
    assert told["step 1 lookup_order"].tail == "3 tok"


def test_of_a_run_without_times_that_is_said(fall, begun, poll):
    shown = fall(replace(begun, started_us=0), replace(poll("completed", 1), started_us=0))
    assert "no times" in lines(shown, 60)[0][0][0]
    assert shown.title == "Run 1 · completed · run_1"


def test_a_thread_has_a_bar_a_run_whose_end_is_only_as_sure_as_the_polls(fall, begun, poll):
    shown = fall(begun, poll("in_progress", 2), poll("failed", 4), run="")
    (bar,) = shown.bars
    assert (shown.title, bar.label) == ("Thread · 1 run", "run 1 failed")
    assert bar.spans == (Span(START, START, START + 2_100_000, START + 4_100_000, "bad"),)


def test_a_thread_of_very_many_runs_has_no_more_bars_than_can_be_looked_at(fall, made):
    runs = [made.call(f"POST {AT}", {}, made.run(f"run_{n}", "queued"), at=n) for n in range(MOST_BARS + 5)]
    shown = fall(*runs, run="")
    assert len(shown.bars) == MOST_BARS
    assert shown.title == f"Thread · {MOST_BARS + 5} runs"


def test_a_state_that_an_imported_recording_tells_of_once_is_drawn_as_long_as_it_may_have_lasted(fall, begun, poll):
    told = bars(fall(replace(begun, duration_us=1), replace(poll("completed", 5), duration_us=1)))
    assert spans(told["queued"]) == [(0, 0, 0, 5)]
    assert told["queued"].tail == "≤5.0 s"
