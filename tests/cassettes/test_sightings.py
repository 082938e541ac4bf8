"""When runs and steps were in which state, as far as the clocks of a recording tell."""

import json
from itertools import count

from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.sightings import MOST_LIVES, MOST_POLLS, Sightings, timed_events
from respool.cassettes.summaries import summarise
from respool.cassettes.summary import Row

T0 = 1_700_000_000_000_000
MS = 1_000
EVENTS = ((b"content-type", b"text/event-stream"),)
JSON = ((b"content-type", b"application/json"),)


def sightings(*calls):
    found, numbers = Sightings(), count()
    for one in calls:
        row = Row(summarise(one), next(numbers))
        found.add(row, one)
    return found


def call(line, answer, at, took, **more):
    method, target = line.split()
    response = Response(200, b"", JSON, Body.of(json.dumps(answer).encode()))
    return Interaction(
        0, T0 + at * MS, Request(method, target.encode()), response, duration_us=took * MS, scope="thread_a", **more
    )


def run(status, **more):
    return {"id": "run_1", "object": "thread.run", "status": status} | more


def poll(status, at, took=10):
    return call("GET /v1/threads/thread_a/runs/run_1", run(status), at, took)


CREATE = call("POST /v1/threads/thread_a/runs", run("queued", created_at=1_700_000_000), 0, 10)


def stretches(life):
    return [(each.state, each.after_us - T0, each.first_us - T0, each.last_us - T0) for each in life.stretches]


def test_a_state_began_after_the_last_poll_that_told_another_and_before_its_own_answer():
    life = sightings(CREATE, poll("queued", 500), poll("in_progress", 1000), poll("in_progress", 1500)).lives["run_1"]
    assert stretches(life) == [
        ("queued", 0, 10 * MS, 500 * MS),
        ("in_progress", 500 * MS, 1010 * MS, 1500 * MS),
    ]
    assert life.created_s == 1_700_000_000
    assert life.polls == [T0 + at * MS for at in (510, 1010, 1510)]


def test_a_run_waits_for_its_client_until_the_outputs_are_sent():
    submit = call("POST /v1/threads/thread_a/runs/run_1/submit_tool_outputs", run("queued"), 3000, 10)
    life = sightings(CREATE, poll("requires_action", 1000), submit).lives["run_1"]
    assert stretches(life)[1:] == [
        ("requires_action", 0, 1010 * MS, 3000 * MS),
        ("queued", 3000 * MS, 3010 * MS, 3000 * MS),
    ]


def streamed(*events):
    """A run made with a stream of these events: when, and what each has."""
    pieces, marks = b"", []
    for at, value in events:
        piece = f"event: {value['object']}\ndata: {json.dumps(value)}\n\n".encode()
        pieces += piece
        marks.append((len(piece), at * MS))
    response = Response(200, b"", EVENTS, Body.of(pieces), marks=tuple(marks))
    return Interaction(0, T0, Request("POST", b"/v1/threads/thread_a/runs"), response, duration_us=960 * MS)


STEP = {"id": "step_1", "object": "thread.run.step", "run_id": "run_1"}
DELTA = {"id": "msg_1", "object": "thread.message.delta"}


def test_a_state_lasts_as_long_as_its_stream_goes_on_without_another():
    events = ((1, run("queued")), (200, run("in_progress")), (300, STEP | {"status": "completed"}), (800, DELTA))
    lives = sightings(streamed(*events)).lives
    assert stretches(lives["run_1"])[1] == ("in_progress", 200 * MS, 200 * MS, 800 * MS)
    assert stretches(lives["step_1"]) == [("completed", 300 * MS, 300 * MS, 300 * MS)], "what is over does not go on"


def test_an_event_of_a_stream_is_the_moment_itself():
    stream = streamed(
        (1, run("queued")), (200, run("in_progress")), (300, STEP | {"status": "in_progress"}),
        (900, STEP | {"status": "completed"}), (950, run("completed")),
    )  # fmt: skip
    found = sightings(stream)
    assert [(after, first) for _, after, first, _ in stretches(found.lives["run_1"])] == [
        (0, MS), (200 * MS, 200 * MS), (950 * MS, 950 * MS)]  # fmt: skip
    assert [(each.id, each.run_id) for each in found.lives.values()] == [("run_1", "run_1"), ("step_1", "run_1")]
    assert [(after, first) for _, after, first, _ in stretches(found.lives["step_1"])] == [
        (300 * MS, 300 * MS), (900 * MS, 900 * MS)]  # fmt: skip
    assert [offset for _, _, offset in timed_events(stream)] == [at * MS for at in (1, 200, 300, 900, 950)]


def test_what_was_overtaken_or_comes_after_the_end_changes_nothing():
    life = sightings(CREATE, poll("completed", 1000), poll("in_progress", 1100)).lives["run_1"]
    assert [each.state for each in life.stretches] == ["queued", "completed"]


def test_answers_that_are_no_objects_or_have_odd_fields_are_passed_over():
    odd = [{"id": 5, "object": "thread.run", "status": "x"}, {"object": "thread.run"}, run(None), [], "x"]
    calls = [call("GET /v1/threads/thread_a/messages", one, 0, 1) for one in odd]
    assert not sightings(*calls).lives
    assert sightings(call("GET /v1/x", run("queued", created_at=10**30), 0, 1)).lives["run_1"].created_s is None


def test_how_much_is_followed_is_capped():
    many = [poll("queued", at) for at in range(MOST_POLLS + 10)]
    assert len(sightings(*many).lives["run_1"].polls) == MOST_POLLS
    page = {"data": [{"id": f"run_{n}", "object": "thread.run", "status": "queued"} for n in range(900)]}
    pages = [
        call("GET /v1/threads/thread_a/runs", {"data": [one | {"id": f"{k}{one['id']}"} for one in page["data"]]}, k, 1)
        for k in range(6)
    ]
    assert len(sightings(*pages).lives) == MOST_LIVES


def test_a_poll_answered_as_the_last_one_tells_the_same_when_its_body_is_not_read():
    calls = [CREATE, poll("in_progress", 500), poll("in_progress", 1000), poll("completed", 1500)]
    read = sightings(*calls)
    told = Sightings()
    for number, one in enumerate(calls):
        row = Row(summarise(one), number)
        told.again(row) if number == 2 else told.add(row, one)
    assert stretches(told.lives["run_1"]) == stretches(read.lives["run_1"])
    assert told.lives["run_1"].polls == read.lives["run_1"].polls
    before = stretches(read.lives["run_1"])
    read.again(Row(summarise(poll("queued", 1800)), 9))
    assert stretches(read.lives["run_1"]) == before, "no answer like this one was read"


def test_an_answer_that_took_no_time_proves_nothing_of_the_state_before_it():
    life = sightings(CREATE, poll("queued", 500, 0), poll("completed", 9000, 0)).lives["run_1"]
    assert stretches(life) == [("queued", 0, 10 * MS, 500 * MS), ("completed", 500 * MS, 9000 * MS, 9000 * MS)]
