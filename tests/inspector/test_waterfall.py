import pytest
from respool.cassettes.conversation import Mark, Run, Step, ToolCall
from respool.inspector.waterfall import SECOND, Bar, Span, Waterfall, axis, cells, lines, of_run, seconds

START = 1_700_000_000_000_000


def run_of(*marks, steps=(), created_at=None):
    run = Run("run_1", "completed", created_at=created_at)
    run.marks = [Mark(name, START + round(at * SECOND), action) for name, at, action in marks]
    run.steps = {step.id: step for step in steps}
    return run


def text(bars, room):
    return "".join(part for part, _ in cells(bars, 0, 100, room))


def test_what_is_sure_is_solid_and_what_is_not_is_shaded():
    assert text([Span(10, 20, 50, 70, "work")], 10) == " ░███░░   "
    assert text([Span.sure(0, 100, "client")], 5) == "▓▓▓▓▓"
    assert text([Span(0, 50, 50, 100, "step")], 4) == "░░░░", "nothing of it is sure"


def test_a_bar_too_short_for_a_cell_has_one_and_none_leaves_the_room():
    assert text([Span.sure(50, 50, "queued")], 10) == "     ▒    "
    for span in (Span.sure(100, 100, "work"), Span(-50, -20, 300, 400, "work"), Span.sure(99, 200, "bad")):
        assert len(text([span], 10)) == 10


def test_a_run_tells_queued_work_and_the_clients_own_time():
    run = run_of(
        ("queued", 0, False), ("in_progress", 1, False), ("requires_action", 3, False),
        ("outputs submitted", 5, True), ("completed", 8, False),
    )  # fmt: skip
    fall = of_run(run, 1, [])
    bars = {bar.label: bar for bar in fall.bars}
    assert (fall.start, fall.end) == (START, START + 8 * SECOND)
    assert bars["client's tools"].spans == (Span.sure(START + 3 * SECOND, START + 5 * SECOND, "client"),)
    assert bars["client's tools"].tail == "2.0 s"
    assert [span.high - START for span in bars["queued"].spans] == [SECOND]
    assert max(span.high for span in bars["in progress"].spans) == START + 8 * SECOND


def test_a_step_told_in_whole_seconds_is_unsure_at_both_ends():
    step = Step(
        "step_1", "message_creation", "completed", created_at=START // SECOND + 1, completed_at=START // SECOND + 4
    )
    run = run_of(("queued", 0, False), ("completed", 6, False), steps=[step], created_at=START // SECOND)
    (made,) = [bar for bar in of_run(run, 1, [exchange(0)]).bars if bar.label.startswith("step 1")]
    (span,) = made.spans
    assert [round((at - START) / SECOND) for at in span[:4]] == [1, 2, 4, 5]
    assert made.tail == "≤4.0 s"


def test_a_tool_step_is_sure_while_the_client_works_for_it():
    step = Step("step_1", "tool_calls", "completed", calls={"call_1": ToolCall("call_1", "function", "f")})
    run = run_of(
        ("in_progress", 0, False), ("requires_action", 2, False), ("outputs submitted", 4, True), ("completed", 9, False),
        steps=[step],
    )  # fmt: skip
    (made,) = [bar for bar in of_run(run, 1, []).bars if bar.label == "step 1 f"]
    assert made.spans[0].start == START + 2 * SECOND
    assert made.spans[0].end == START + 4 * SECOND


def test_a_run_without_times_says_so():
    run = Run("run_1", "completed")
    assert "no times" in lines(of_run(run, 1, []), 60)[0][0][0]


@pytest.mark.parametrize("width", [20, 42, 70, 150])
def test_every_row_is_as_wide_as_the_pane(width):
    fall = Waterfall(
        "x", 0, 9 * SECOND, (Bar("a very long label of a step", (Span.sure(0, SECOND, "work"),), "1.0 s"),)
    )
    assert {len("".join(part for part, _ in line)) for line in lines(fall, width)[1:]} <= set(range(width + 1))


def test_the_axis_has_no_more_times_than_fit():
    assert axis(8 * SECOND, 40).split() == ["0s", "2s", "4s", "6s"]
    assert len(axis(0, 10)) == len(axis(10**15, 10)) == 10


def test_lengths_are_told_for_people():
    assert [seconds(us) for us in (5_000, 2_400_000, 1_200_000_000)] == ["5 ms", "2.4 s", "20.0 min"]


def exchange(at):
    from respool.cassettes.summary import Row, Summary
    from respool.inspector.exchanges import Exchange

    return Exchange(Row(Summary(0, 0, 0, 0, START + at, SECOND, 200, 11, 1, 0), 0), "POST", "run_1")
