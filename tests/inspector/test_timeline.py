"""Bars of a run: what is sure, what is not, and that they are in order and inside the picture."""

from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.conversation import Run, Step, ToolCall
from respool.cassettes.sightings import Life, Sightings
from respool.inspector.report.bars import waterfall
from respool.inspector.timeline import SECOND, timeline_of

T0 = 1_700_000_000 * SECOND


def fall_of(*seen, steps=(), asked=0, tool="", **seconds):
    """`seen`: (state, asked, known) in seconds since T0. `tool`: the step that asked for outputs."""
    life = Life("run_1", "run_1", asked_us=T0 + round(asked * SECOND))
    for name, value in seconds.items():
        setattr(life, name, value)
    for state, ask, known in seen:
        life.see(state, T0 + round(ask * SECOND), T0 + round(known * SECOND))
    run = Run("run_1", calls={"c": ToolCall("c", name="lookup")})
    sightings = Sightings()
    sightings.lives["run_1"] = life
    for step in steps:
        run.steps[step.id] = Step(step.id, kind="message_creation")
        sightings.lives[step.id] = step
        if step.id == tool:
            run.steps[step.id].calls["c"] = ToolCall("c", "function", "lookup")
    return timeline_of(run, sightings), run


def pieces(line):
    return [(p.kind, p.start_us / SECOND, p.end_us / SECOND, p.sure) for p in line.pieces]


POLLED = (("queued", 0, 0.1), ("in_progress", 2, 2.1), ("in_progress", 5, 5.1), ("completed", 6, 6.1))


def test_between_two_polls_the_moment_of_a_change_is_unsure():
    fall, _ = fall_of(*POLLED)
    assert fall.length_us == round(6.1 * SECOND)
    assert pieces(fall.lines[0]) == [
        ("queued", 0, 0.1, False),
        ("in_progress", 0.1, 2.1, False),
        ("in_progress", 2.1, 5, True),
        ("completed", 5, 6.1, False),
    ]


def test_the_seconds_of_the_api_narrow_what_the_polls_leave_open():
    fall, _ = fall_of(*POLLED, created_s=T0 // SECOND, started_s=T0 // SECOND + 1, ended_s=T0 // SECOND + 5)
    assert ("in_progress", 1, 2, False) in pieces(fall.lines[0])
    assert ("completed", 5, 6, False) in pieces(fall.lines[0])


def test_seconds_of_a_clock_that_differs_are_not_used_and_that_is_said():
    fall, run = fall_of(*POLLED, created_s=T0 // SECOND + 900, started_s=T0 // SECOND + 1)
    assert fall.skewed
    assert pieces(fall.lines[0]) == pieces(fall_of(*POLLED)[0].lines[0])
    assert "clock differs" in "".join(waterfall(fall, run))


def test_the_time_of_the_clients_own_tools_is_the_recorders_clock_and_sure():
    fall, run = fall_of(
        ("queued", 0, 0.1), ("requires_action", 1, 1.1), ("requires_action", 3, 3.1), ("completed", 4, 4.1)
    )
    assert [pieces(line) for line in fall.lines if line.label == "your tools"] == [[("client", 1.1, 3, True)]]
    assert "your program&#x27;s own time, 1.1 s to 3 s" in "".join(waterfall(fall, run))


def test_a_step_that_was_listed_only_at_the_end_is_unsure_within_its_seconds():
    step = Life("step_1", "run_1", created_s=T0 // SECOND + 2, ended_s=T0 // SECOND + 4)
    step.see("completed", T0 + 7 * SECOND, T0 + 8 * SECOND)
    fall, _ = fall_of(*POLLED, steps=[step], created_s=T0 // SECOND)
    assert pieces(fall.lines[1]) == [("step", 2, 3, False), ("step", 3, 4, True), ("step", 4, 5, False)]


def test_a_step_without_seconds_is_nowhere_sure():
    step = Life("step_1", "run_1")
    step.see("completed", T0 + 7 * SECOND, T0 + 8 * SECOND)
    fall, _ = fall_of(*POLLED, steps=[step])
    assert [sure for *_, sure in pieces(fall.lines[1])] == [False]


def test_a_step_that_asked_for_outputs_was_there_before_and_after_them_and_the_next_step_came_later():
    asking, telling = Life("step_1", "run_1"), Life("step_2", "run_1")
    for each in (asking, telling):
        each.see("completed", T0 + 7 * SECOND, T0 + 8 * SECOND)
    polled = (("queued", 0, 0.1), ("requires_action", 1, 1.1), ("requires_action", 3, 3.1), ("completed", 4, 4.1))
    fall, _ = fall_of(*polled, steps=[asking, telling], tool="step_1")
    bars = {line.step: pieces(line) for line in fall.lines if line.step}
    assert bars["step_1"] == [("step", 0, 1.1, False), ("step", 1.1, 3, True), ("step", 3, 4.1, False)]
    assert bars["step_2"] == [("step", 3, 4.1, False)]


def test_states_of_one_colour_share_a_key():
    fall, run = fall_of(("queued", 0, 0.1), ("in_progress", 1, 1.1), ("cancelling", 2, 2.1), ("cancelled", 3, 3.1))
    shown = "".join(waterfall(fall, run))
    assert "</svg>queued, cancelling, cancelled</span>" in shown
    assert "</svg>in_progress</span>" in shown


def test_a_step_that_another_run_has_is_not_drawn_in_this_one():
    step = Life("step_1", "run_2")
    step.see("completed", T0 + 1 * SECOND, T0 + 2 * SECOND)
    fall, _ = fall_of(*POLLED, steps=[step])
    assert [line.step for line in fall.lines] == [""]


def test_without_times_there_is_no_waterfall():
    assert timeline_of(Run("run_1"), Sightings()) is None
    assert fall_of(("queued", 0, 0))[0] is None


def test_an_axis_has_few_round_moments():
    fall, _ = fall_of(*POLLED)
    assert [tick // SECOND for tick in fall.ticks()] == [0, 2, 4, 6]


STATES = st.sampled_from(["queued", "in_progress", "requires_action", "completed", "failed", "odd<"])
TIMES = st.floats(0, 50)


@given(
    st.lists(st.tuples(STATES, TIMES, st.floats(0, 3)), min_size=1, max_size=12),
    st.lists(st.one_of(st.none(), st.integers(-5, 60)), min_size=5, max_size=5),
    st.lists(st.tuples(STATES, TIMES, st.floats(0, 3)), max_size=4),
)
def test_whatever_was_seen_bars_are_in_order_inside_and_drawn(seen, seconds, step_seen):
    created, started, ended, step_created, step_ended = (None if s is None else T0 // SECOND + s for s in seconds)
    step = Life("step_1", "run_1", created_s=step_created, ended_s=step_ended)
    for state, at, took in step_seen:
        step.see(state, T0 + round(at * SECOND), T0 + round((at + took) * SECOND))
    fall, run = fall_of(
        *((state, at, at + took) for state, at, took in seen),
        steps=[step] if step.stretches else [], created_s=created, started_s=started, ended_s=ended,
    )  # fmt: skip
    if fall is None:
        return
    for line in fall.lines:
        at = 0
        for piece in line.pieces:
            assert at <= piece.start_us < piece.end_us <= fall.length_us
            at = piece.end_us
    assert len(fall.ticks()) <= 7
    drawn = "".join(waterfall(fall, run))
    assert "style=" not in drawn
    assert "odd<" not in drawn
