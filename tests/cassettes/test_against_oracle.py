"""Random recordings and random clients: what a session serves is what the oracle, written from the rules alone, says.

A client makes the recorded calls, but drops some, repeats some, makes some earlier or later than they were, spells them
otherwise, and now and then asks what was never recorded.
"""

import json
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import MISS, Oracle, Recorded, Told
from respelling import BASES, respell_body, respell_target
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.keys import request_key
from respool.cassettes.positions import Session
from respool.cassettes.tape import Tape

JSON = ((b"Content-Type", b"application/json"),)
STEPS = ("poll", "poll", "poll", "other", "list", "page", "steps", "say", "run", "submit", "gone")
REFUSED = b'{"error": {"message": "slow down"}}'


def call(method: str, target: str, body: object, answer: object, status: int = 200, *, cut: bool = False) -> Recorded:
    asked = b"" if body is None else json.dumps(body).encode()
    return Recorded(method, target, asked, status, json.dumps(answer).encode() if status else b"", cut or not status)


@st.composite
def threads(draw: st.DrawFn, name: str) -> list[Recorded]:
    """A thread's calls: its creation, perhaps after refusals, then anything in any order, with few different answers."""
    with_run = draw(st.booleans())
    target, answer = ("/threads/runs", {"id": "run_0", "thread_id": name}) if with_run else ("/threads", {"id": name})
    body = {"metadata": {"name": name}, "messages": [{"role": "user", "content": "Où est l'ordre?"}]}
    refusals = [Recorded("POST", target, json.dumps(body).encode(), 429, REFUSED)] * draw(st.integers(0, 2))
    calls = [*refusals, call("POST", target, body, answer)]
    for kind in draw(st.lists(st.sampled_from(STEPS), max_size=16)):
        state = draw(st.integers(0, 2))
        end = draw(st.sampled_from([(200, False)] * 8 + [(404, False), (200, True), (0, True)]))
        thread = f"/threads/{name}"
        match kind:
            case "poll" | "other":
                number = "run_1" if kind == "poll" else "run_2"
                made = call("GET", f"{thread}/runs/{number}", None, f"state {state}", end[0], cut=end[1])
            case "list":
                made = call("GET", f"{thread}/messages?limit=5&order=asc", None, f"list {state}", end[0], cut=end[1])
            case "page":
                made = call("GET", f"{thread}/messages?limit=5&order=asc&after=msg_{state}", None, f"page {state}")
            case "steps":
                made = call("GET", f"{thread}/runs/run_1/steps", None, f"steps {state}", end[0], cut=end[1])
            case "say":
                made = call("POST", f"{thread}/messages", {"content": "hé/é", "n": state % 2}, f"said {state}", end[0])
            case "run":
                made = call("POST", f"{thread}/runs", {}, f"run {state}", end[0])
            case "submit":
                made = call("POST", f"{thread}/runs/run_1/submit_tool_outputs", {"n": [1, True, None]}, f"took {state}")
            case _:
                made = call("DELETE", thread, None, f"gone {state}")
        calls.append(made)
    return calls


@st.composite
def recordings(draw: st.DrawFn) -> list[Recorded]:
    """Some threads and the calls to collections, interleaved. Threads are created by calls that differ."""
    lines = [draw(threads(f"thread_{number}")) for number in range(draw(st.integers(1, 3)))]
    collections = [
        call("GET", "/assistants?limit=2", None, "list 0"),
        call("GET", "/assistants?limit=2", None, "list 1"),
        call("POST", "/assistants", {"model": "m", "temperature": 1}, "made"),
        call("GET", "/files/file_1", None, "file"),
    ]
    lines.append(draw(st.lists(st.sampled_from(collections), max_size=5)))
    order = draw(st.permutations([number for number, line in enumerate(lines) for _ in line]))
    heads = [iter(line) for line in lines]
    return [next(heads[number]) for number in order]


@st.composite
def clients(draw: st.DrawFn, recorded: Sequence[Recorded]) -> list[Recorded]:
    """What a client asks that does nearly what was recorded."""
    times = st.sampled_from([1, 1, 1, 1, 0, 2, 3])
    moves = st.sampled_from([0, 0, 0, 0, -3, 3, -20, 20])
    asked = [
        (place + draw(moves), number, each) for place, each in enumerate(recorded) for number in range(draw(times))
    ]
    calls = [each for *_, each in sorted(asked, key=lambda one: one[:2])]
    for place in draw(st.lists(st.integers(0, 60), max_size=2)):
        calls.insert(place, draw(st.sampled_from([
            call("GET", "/threads/thread_0/messages?limit=6&order=asc", None, ""),
            call("GET", "/threads/thread_9", None, ""),
            call("POST", "/threads/thread_0/messages", {"content": "hé/é", "n": 7}, ""),
            call("POST", "/threads/thread_0/runs/run_1/submit_tool_outputs", {"n": [1, 1, None]}, ""),
        ])))  # fmt: skip
    return calls


def serve(replay, recorded: Sequence[Recorded], asked: Sequence[Recorded], seed: int, **options) -> list[Told]:
    """What a session of the product answers, each call spelled in its own way."""
    chance = random.Random(seed)
    recording = replay.Recording([interaction(each, place) for place, each in enumerate(recorded)])
    session = Session(Tape(recording, **options))
    answers = []
    for each in asked:
        target = respell_target(each.target, chance)
        body = respell_body(each.body, chance) if each.method == "POST" else b""
        served = session.serve(request_key(Request(each.method, target.encode(), JSON, Body.of(body))))
        answers.append(Told(served.how, served.row.summary.arrival) if served else MISS)
    assert session.misses == sum(told == MISS for told in answers)
    return answers


def interaction(recorded: Recorded, arrival: int) -> Interaction:
    request = Request(recorded.method, f"/v1{recorded.target}".encode(), JSON, Body.of(recorded.body))
    response = Response(recorded.status, b"", JSON, Body.of(recorded.answer)) if recorded.status else None
    end = End.CLIENT_CUT if recorded.cut else End.COMPLETE
    return Interaction(arrival, arrival, request, response, end)


@given(st.data(), st.integers(), st.sampled_from(["compress", "recorded"]), st.booleans())
def test_a_session_answers_each_call_as_the_oracle_says(replay, data: st.DataObject, seed: int, polls, strict) -> None:
    recorded = data.draw(recordings())
    asked = data.draw(clients(recorded))
    oracle = Oracle(recorded, compress=polls == "compress", strict=strict)
    expected = [oracle.answer(each.method, each.target, each.body) for each in asked]
    assert serve(replay, recorded, asked, seed, polls=polls, strict=strict) == expected


@given(recordings())
def test_the_oracle_gives_each_call_that_was_not_given_up_its_own_answer(recorded: list[Recorded]) -> None:
    answered = [each for each in recorded if each.status or each.method == "POST"]
    oracle = Oracle(answered, compress=False, strict=True)
    answers = [oracle.answer(each.method, each.target, each.body) for each in answered]
    assert answers == [Told("exact", place) for place in range(len(answered))]


@pytest.mark.parametrize("base", BASES)
def test_the_oracle_tells_the_worked_table_of_the_docs(base: str) -> None:
    run, submit = "/threads/t/runs/r", "/threads/t/runs/r/submit_tool_outputs"
    recorded = [
        call("POST", "/threads/t/runs", {}, "created"),
        *(call("GET", run, None, state) for state in ("queued", "in_progress", "requires_action")),
        call("POST", submit, {}, "submitted"),
        *(call("GET", run, None, state) for state in ("in_progress", "completed")),
    ]
    poll, submitted = ("GET", base + run), ("POST", base + submit)

    def told(*calls: tuple[str, str]) -> list[tuple[str, int | None]]:
        oracle = Oracle(recorded)
        oracle.answer("POST", base + "/threads/t/runs", b"{}")
        return [tuple(oracle.answer(*each)) for each in calls]

    assert told(poll, submitted, poll, poll) == [("exact", 1), ("exact", 4), ("exact", 5), ("exact", 6)]
    assert told(*[poll] * 5, submitted, *[poll] * 4) == [
        ("exact", 1), ("exact", 2), ("exact", 3), ("held", 3), ("held", 3),
        ("exact", 4), ("exact", 5), ("exact", 6), ("held", 6), ("held", 6),
    ]  # fmt: skip
