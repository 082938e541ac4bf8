"""The five laws of replay, over recordings and clients left to chance.

Recordings hold several threads, each begun by a creation (some after refusals), then writes (equal ones repeated), polls
with states, lists, errors, and calls to collections, in any interleaving of the threads.
"""

import json
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from respool.cassettes.positions import Session
from respool.cassettes.scopes import scope_hash, scope_of
from respool.cassettes.tape import Tape

STEPS = ["say", "say", "run", "submit", "delete", "poll", "poll", "poll", "list", "list", "get"]


def a_thread(replay, name: str, steps: Sequence[tuple[str, int]], *, refusals: int, like: object) -> list:
    """The calls of one thread. `like`: what its creation says; threads created alike cannot be told apart by it."""
    refused = [
        replay.Call("POST /threads", {"metadata": like}, status=429, answer={"error": n}) for n in range(refusals)
    ]
    return [
        *refused,
        replay.Call("POST /threads", {"metadata": like}, answer={"id": name}),
        *(a_call(replay, name, step, state) for step, state in steps),
    ]


def a_call(replay, name: str, step: str, state: int):
    thread = f"/threads/{name}"
    status = 404 if state == 3 else 200
    match step:
        case "say":
            return replay.Call(
                f"POST {thread}/messages", {"content": state % 2}, answer=f"said {name} {state}", status=status
            )
        case "run":
            return replay.Call(f"POST {thread}/runs", {}, answer=f"run {name} {state}", status=status)
        case "submit":
            return replay.Call(f"POST {thread}/runs/r/submit_tool_outputs", {"n": state}, answer=f"submitted {name}")
        case "delete":
            return replay.Call(f"DELETE {thread}", answer=f"deleted {name} {state}")
        case "poll":
            return replay.Call(f"GET {thread}/runs/r", answer=f"state {name} {state}", status=status)
        case "list":
            return replay.Call(f"GET {thread}/messages?limit=5", answer=f"list {name} {state}")
        case _:
            return replay.Call(f"GET {thread}", answer=f"thread {name} {state}")


@st.composite
def conversations(draw: st.DrawFn, replay, *, told_apart: bool) -> list:
    """A recording's calls. With `told_apart` no two threads are created by equal calls."""
    steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3)), max_size=14)
    lines = [
        a_thread(
            replay, f"t{number}", draw(steps), refusals=draw(st.integers(0, 2)), like=number if told_apart else "same"
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    collection = [
        replay.Call("POST /assistants", {}, answer=f"asst {n}")
        if writes
        else replay.Call("GET /assistants", answer=f"list {n}")
        for n, writes in enumerate(draw(st.lists(st.booleans(), max_size=5)))
    ]
    return woven(draw, [*lines, collection])


def woven(draw: st.DrawFn, lines: Sequence[list]) -> list:
    """The lines as one, the order within each kept."""
    order = draw(st.permutations([number for number, line in enumerate(lines) for _ in line]))
    heads = [iter(line) for line in lines]
    return [next(heads[number]) for number in order]


def answer(session: Session, call) -> tuple[int, bytes, str] | None:
    """What a client gets: status and bytes, and how it was served."""
    served = session.serve(call.key, variant=call.variant)
    if served is None:
        return None
    response = session.tape.recording.interaction(served.row).response
    assert response is not None
    return response.status, response.body.read(), served.how


def recorded(call) -> tuple[int, bytes, str]:
    response = call.interaction(0).response
    assert response is not None
    return response.status, response.body.read(), "exact"


def without_repeated_polls(calls: list) -> list:
    """The calls less each read that told what the read before it told, unless a write of its scope stood between."""
    kept = []
    last: dict[str, dict[int, object]] = {}
    for call in calls:
        scope = scope_of(call.request, call.interaction(0).response)
        if call.request.method != "GET":
            last[scope] = {}
        elif last.setdefault(scope, {}).get(call.key) == (call.status, call.answer):
            continue
        else:
            last[scope][call.key] = (call.status, call.answer)
        kept.append(call)
    return kept


@given(st.data(), st.booleans())
def test_law_a_the_recorded_calls_replay_byte_for_byte(replay, data: st.DataObject, strict: bool) -> None:
    calls = data.draw(conversations(replay, told_apart=False))
    session = Session(Tape(replay.record(*calls), polls="recorded", strict=strict))
    assert [answer(session, call) for call in calls] == [recorded(call) for call in calls]
    assert session.misses == session.unplayed == 0


@given(st.data(), st.booleans())
def test_law_a_the_recorded_calls_less_repeated_polls_replay_when_compressed(
    replay, data: st.DataObject, strict: bool
) -> None:
    calls = data.draw(conversations(replay, told_apart=False))
    kept = without_repeated_polls(calls)
    session = Session(Tape(replay.record(*calls), polls="compress", strict=strict))
    assert [answer(session, call) for call in kept] == [recorded(call) for call in kept]
    assert session.misses == session.unplayed == 0


@given(st.data(), st.booleans(), st.sampled_from(["compress", "recorded"]))
def test_law_b_no_state_crosses_a_write(replay, data: st.DataObject, strict: bool, polls) -> None:
    """Reads are answered from their own side of the writes wherever the recording has that read there.

    "Their side" is what lies between the last write that the session reached and the next one. A read that was not recorded
    there has no right answer; it gets the last state before (never one of after the next write), and only where there
    is none the earliest later one: marked "ahead", and refused by a strict tape.
    """
    calls = data.draw(conversations(replay, told_apart=True))
    asked = data.draw(st.lists(st.sampled_from(calls), max_size=40))
    recording = replay.record(*calls)
    session = Session(Tape(recording, polls=polls, strict=strict))
    for call in asked:
        scope = scope_of(call.request, None)
        rows = recording.rows_of_scope_hash(scope_hash(scope))
        before = session.position(scope_hash(scope))
        served = session.serve(call.key)
        if call.request.method != "GET":
            continue
        writes = [place for place, row in enumerate(rows) if row.summary.writes]
        last = max((place for place in writes if place <= before), default=-1)
        following = min((place for place in writes if place > before), default=len(rows))
        on_this_side = [place for place in range(last + 1, following) if rows[place].summary.key == call.key]
        if served is None:
            assert strict
            assert not on_this_side
            continue
        place = rows.index(served.row)
        if on_this_side:
            assert last < place < following
        if served.how == "ahead":
            assert not strict
            assert not any(row.summary.key == call.key for row in rows[:following])
        else:
            assert place < following
    assert not (strict and session.ahead)


def test_law_c_positions_never_move_back(replay) -> None:
    class Client(RuleBasedStateMachine):
        @initialize(data=st.data())
        def record(self, data: st.DataObject) -> None:
            self.calls = data.draw(conversations(replay, told_apart=False))
            recording = replay.record(*self.calls)
            self.scopes = {row.summary.scope for row in recording.rows()}
            tape = Tape(recording, polls=data.draw(st.sampled_from(["compress", "recorded"])))
            self.sessions = [Session(tape), Session(tape)]

        @rule(which=st.integers(0, 1), place=st.integers(0, 60))
        def call(self, which: int, place: int) -> None:
            session, other = self.sessions[which], self.sessions[1 - which]
            before = {scope: session.position(scope) for scope in self.scopes}
            others = {scope: other.position(scope) for scope in self.scopes}
            served = session.serve(self.calls[place % len(self.calls)].key)
            assert all(session.position(scope) >= before[scope] for scope in self.scopes)
            assert {scope: other.position(scope) for scope in self.scopes} == others
            moved = [scope for scope in self.scopes if session.position(scope) != before[scope]]
            assert moved in ([], [served.row.summary.scope] if served else [])
            if served is not None and served.how != "exact":
                assert not moved

    run_state_machine_as_test(Client, settings=settings(stateful_step_count=30))


@given(st.data())
def test_law_d_sessions_do_not_touch_each_other(replay, data: st.DataObject) -> None:
    calls = data.draw(conversations(replay, told_apart=False))
    clients = data.draw(st.lists(st.lists(st.sampled_from(calls), max_size=15), min_size=2, max_size=4))
    recording = replay.record(*calls)
    alone = []
    for asked in clients:
        session = Session(Tape(recording))
        alone.append([answer(session, call) for call in asked])
    tape = Tape(recording)
    sessions = [Session(tape) for _ in clients]
    together: list[list] = [[] for _ in clients]
    numbered = [[(number, call) for call in asked] for number, asked in enumerate(clients)]
    for number, call in data.draw(weaves(numbered)):
        together[number].append(answer(sessions[number], call))
    assert together == alone


@given(st.data(), st.booleans())
def test_law_d_scopes_do_not_touch_each_other(replay, data: st.DataObject, strict: bool) -> None:
    """Threads that no call confuses. (Which of two threads created by equal calls is handed out depends on their order.)"""
    calls = data.draw(conversations(replay, told_apart=True))
    by_thread: dict[str, list] = {}
    for call in calls:
        creates = call.request.target == b"/threads"
        # Which thread a creation begins, and a refused one would have begun, is told by its body here.
        name = f"t{json.loads(call.request.body.read())['metadata']}" if creates else scope_of(call.request, None)
        by_thread.setdefault(name, []).append(call)
    clients = [data.draw(st.lists(st.sampled_from(own), max_size=15)) for own in by_thread.values()]
    tape = Tape(replay.record(*calls), strict=strict)
    alone = []
    for asked in clients:
        session = Session(tape)
        alone.append([answer(session, call) for call in asked])
    session = Session(tape)
    together: list[list] = [[] for _ in clients]
    numbered = [[(number, call) for call in asked] for number, asked in enumerate(clients)]
    for number, call in data.draw(weaves(numbered)):
        together[number].append(answer(session, call))
    assert together == alone


@st.composite
def weaves(draw: st.DrawFn, lines: Sequence[list]) -> list:
    return woven(draw, lines)


@given(st.data(), st.sampled_from(["compress", "recorded"]), st.booleans())
def test_law_e_the_same_calls_give_the_same_answers_always(replay, data: st.DataObject, polls, strict: bool) -> None:
    calls = data.draw(conversations(replay, told_apart=False))
    asked = data.draw(st.lists(st.sampled_from(calls), max_size=40))
    first = Session(Tape(replay.record(*calls), polls=polls, strict=strict))
    answers = [answer(first, call) for call in asked]
    # A tape on which others have played, in whatever order it was read.
    tape = Tape(replay.record(*calls), polls=polls, strict=strict)
    for _ in range(2):
        other = Session(tape)
        for call in data.draw(st.permutations(asked)):
            answer(other, call)
    again = Session(tape)
    assert [answer(again, call) for call in asked] == answers
    assert (again.exact, again.held, again.ahead, again.misses) == (first.exact, first.held, first.ahead, first.misses)


@pytest.mark.parametrize("seed", range(3))
def test_a_client_with_other_numbers_of_polls_sees_each_run_go_its_way(replay, seed: int) -> None:
    """A run of three acts, polled by a client at its own pace: states come in order and on their side of the writes."""
    chance = random.Random(seed)
    acts = [
        ["queued", "in_progress", "requires_action"],
        ["queued_2", "requires_action_2"],
        ["in_progress_3", "completed"],
    ]
    poll = replay.Call("GET /threads/t/runs/r")
    submit = replay.Call("POST /threads/t/runs/r/submit_tool_outputs", {})
    calls = [replay.Call("POST /threads/t/runs", {})]
    for number, states in enumerate(acts):
        calls += [submit] if number else []
        calls += [replay.Call("GET /threads/t/runs/r", answer=s) for s in states for _ in range(chance.randrange(1, 4))]
    tape = Tape(replay.record(*calls))
    for _ in range(200):
        session = Session(tape)
        session.serve(calls[0].key)
        for number, states in enumerate(acts):
            if number:
                session.serve(submit.key)
            told = [answer(session, poll) for _ in range(chance.randrange(1, 6))]
            texts = [text[1].decode().strip('"') for text in told if text]
            assert texts == [states[min(place, len(states) - 1)] for place in range(len(texts))]
        assert session.misses == session.ahead == session.unplayed == 0
