"""Serving moves a thread on as its recording did: the rules one by one, and the rules written out beside them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.positions import Served, Session
from respool.cassettes.scopes import scope_hash
from respool.cassettes.tape import Tape

RUN = "GET /threads/t/runs/r"
MESSAGES = "GET /threads/t/messages"
SUBMIT = "POST /threads/t/runs/r/submit_tool_outputs"
CREATE = "POST /threads/t/runs"
T = scope_hash("t")


def told(session: Session, call) -> str | None:
    """The recorded answer, as text, and how it was served; None for a miss."""
    served = session.serve(call.key, variant=call.variant)
    if served is None:
        return None
    recording = session.tape.recording
    response = recording.interaction(served.row).response
    assert response is not None
    text = response.body.read().decode().strip('"')
    return text if served.how == "exact" else f"{text} ({served.how})"


STATES = "create, queued, in_progress, requires_action, submit, in_progress, completed"


@pytest.mark.parametrize("polls", ["compress", "recorded"])
@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("create poll submit poll poll", "created queued submitted in_progress completed"),
        (
            "create poll poll poll poll poll submit poll poll poll poll",
            (
                "created queued in_progress requires_action requires_action* requires_action* "
                "submitted in_progress completed completed* completed*"
            ),
        ),
        ("create submit poll poll", "created submitted in_progress completed"),
        (
            "create poll poll poll submit poll poll",
            "created queued in_progress requires_action submitted in_progress completed",
        ),
    ],
)
def test_the_worked_table(replay, polls: str, calls: str, expected: str) -> None:
    run = replay.Call(RUN)
    create, submit = replay.Call(CREATE, {}, answer="created"), replay.Call(SUBMIT, {}, answer="submitted")
    before = [replay.Call(RUN, answer=state) for state in ("queued", "in_progress", "requires_action")]
    after = [replay.Call(RUN, answer=state) for state in ("in_progress", "completed")]
    session = Session(Tape(replay.record(create, *before, submit, *after), polls=polls))
    by_name = {"create": create, "poll": run, "submit": submit}
    served = [told(session, by_name[name]) for name in calls.split()]
    assert [text.replace(" (held)", "*") for text in served if text] == expected.split()
    assert session.misses == session.ahead == 0


def test_a_poll_moves_the_whole_thread_on(replay) -> None:
    run, messages = replay.Call(RUN), replay.Call(MESSAGES)
    recording = replay.record(
        replay.Call(CREATE, {}, answer="created"),
        replay.Call(MESSAGES, answer="asked"),
        replay.Call(RUN, answer="queued"),
        replay.Call(RUN, answer="completed"),
        replay.Call(MESSAGES, answer="replied"),
    )
    session = Session(Tape(recording))
    create = replay.Call(CREATE, {})
    assert [told(session, call) for call in (create, run, run, messages)] == [
        "created",
        "queued",
        "completed",
        "replied",
    ]
    session = Session(Tape(recording))
    assert [told(session, call) for call in (create, messages, run)] == ["created", "asked", "queued"]
    session = Session(Tape(recording))
    assert [told(session, call) for call in (create, run, messages)] == ["created", "queued", "replied"]


def test_a_write_is_used_once_in_order_and_then_missed(replay) -> None:
    say = replay.Call("POST /threads/t/messages", {"content": "go"})
    recording = replay.record(*(replay.Call("POST /threads/t/messages", {"content": "go"}, answer=n) for n in range(3)))
    session = Session(Tape(recording))
    assert [told(session, say) for _ in range(5)] == ["0", "1", "2", None, None]
    assert (session.exact, session.misses, session.played, session.unplayed) == (3, 2, 3, 0)
    assert session.position(T) == 2


def test_a_retried_call_gets_its_failures_in_order(replay) -> None:
    create = replay.Call("POST /threads", {})
    recording = replay.record(
        replay.Call("POST /threads", {}, status=429, answer="slow"),
        replay.Call("POST /threads", {}, status=429, answer="slower"),
        replay.Call("POST /threads", {}, answer={"id": "t"}),
        replay.Call(RUN, status=429, answer="slow"),
        replay.Call(RUN, status=429, answer="slower"),
        replay.Call(RUN, answer="queued"),
    )
    session = Session(Tape(recording))
    assert [told(session, create) for _ in range(4)] == ["slow", "slower", '{"id": "t"}', None]
    assert [told(session, replay.Call(RUN)) for _ in range(4)] == ["slow", "slower", "queued", "queued (held)"]
    assert session.position(scope_hash("/threads")) == 1
    assert session.position(T) == 3


def test_writes_in_another_order_leave_the_position_at_the_later_one(replay) -> None:
    first, second = replay.Call(CREATE, {"n": 1}, answer="first"), replay.Call(CREATE, {"n": 2}, answer="second")
    run = replay.Call(RUN)
    recording = replay.record(first, replay.Call(RUN, answer="a"), second, replay.Call(RUN, answer="b"))
    session = Session(Tape(recording))
    assert [told(session, call) for call in (second, run)] == ["second", "b"]
    assert [told(session, call) for call in (first, run)] == ["first", "b (held)"]
    assert session.position(T) == 3
    assert session.unplayed == 0


def test_a_read_that_was_recorded_only_later_is_marked_and_moves_nothing(replay) -> None:
    run, create = replay.Call(RUN), replay.Call(CREATE, {}, answer="created")
    recording = replay.record(create, replay.Call(RUN, answer="queued"), replay.Call(RUN, answer="done"))
    session = Session(Tape(recording))
    assert [told(session, call) for call in (run, run, create, run, run)] == [
        "queued (ahead)",
        "queued (ahead)",
        "created",
        "queued",
        "done",
    ]
    assert (session.ahead, session.exact, session.misses) == (2, 3, 0)
    strict = Session(Tape(recording, strict=True))
    assert [told(strict, call) for call in (run, create, run, run, run)] == [
        None,
        "created",
        "queued",
        "done",
        "done (held)",
    ]
    assert strict.misses == 1


def test_a_call_without_an_answer_is_passed_over_while_there_is_another(replay) -> None:
    run = replay.Call(RUN)
    recording = replay.record(
        replay.Call(RUN, status=0),
        replay.Call(RUN, answer="queued"),
        replay.Call(RUN, status=0),
        replay.Call(RUN, answer="done"),
    )
    session = Session(Tape(recording, polls="recorded"))
    assert [told(session, run) for _ in range(3)] == ["queued", "done", "done (held)"]
    only = Session(Tape(replay.record(replay.Call(RUN, status=0)))).serve(run.key)
    assert only is not None
    assert only.row.summary.status == 0


def test_a_write_that_got_no_answer_is_played_as_it_was(replay) -> None:
    create = replay.Call(CREATE, {})
    session = Session(Tape(replay.record(replay.Call(CREATE, {}, status=0), replay.Call(CREATE, {}, answer="created"))))
    served = session.serve(create.key)
    assert served is not None
    assert served.row.summary.status == 0
    assert told(session, create) == "created"


def test_the_writes_that_were_never_played_are_told(replay) -> None:
    first, second = replay.Call(CREATE, {"n": 1}), replay.Call(CREATE, {"n": 2})
    session = Session(Tape(replay.record(first, replay.Call(RUN), second, first)))
    session.serve(first.key)
    rows = [row for row in session.tape.recording.rows() if row.summary.writes and not session.has_used(row)]
    assert [row.summary.arrival for row in rows] == [2, 3]
    assert (session.played, session.unplayed, session.served) == (1, 2, 1)


def test_two_groups_of_callers_do_not_use_a_write_twice(replay) -> None:
    ann, bob, eve = 0x10, 0x20, 0x30
    calls = [
        replay.Call(CREATE, {}, variant=ann, answer="ann's first"),
        replay.Call(CREATE, {}, variant=bob, status=401, answer="no"),
        replay.Call(CREATE, {}, variant=ann, answer="ann's second"),
    ]
    session = Session(Tape(replay.record(*calls)))
    asked = [replay.Call(CREATE, {}, variant=variant) for variant in (eve, ann, eve, bob, bob)]
    assert [told(session, call) for call in asked] == ["ann's first", "ann's second", None, "no", None]


class Rules:
    """The rules of serving as the design states them, found by walking the whole line at each call."""

    def __init__(self, calls, *, compress: bool, strict: bool) -> None:
        self.calls = calls
        self.strict = strict
        self.position = -1
        self.used: set[int] = set()
        self.folded: set[int] = set()
        for place, call in enumerate(calls if compress else []):
            for before in reversed(range(place)):
                if calls[before].request.method != "GET":
                    break
                if calls[before].key == call.key:
                    if calls[before].answer == call.answer:
                        self.folded.add(place)
                    break

    def serve(self, key: int) -> tuple[int, str] | None:
        here = [place for place, call in enumerate(self.calls) if call.key == key and place not in self.folded]
        if here and self.calls[here[0]].request.method != "GET":
            for place in here:
                if place not in self.used:
                    self.used.add(place)
                    self.position = max(self.position, place)
                    return place, "exact"
            return None
        end = len(self.calls)
        for place in range(self.position + 1, len(self.calls)):
            if self.calls[place].request.method != "GET" and place not in self.used:
                end = place
                break
        for place in here:
            if self.position < place < end:
                self.position = place
                return place, "exact"
        for place in reversed(here):
            if place <= self.position:
                return place, "held"
        return (here[0], "ahead") if here and not self.strict else None


@given(st.data(), st.booleans(), st.booleans())
def test_serving_equals_the_rules_walked_out(replay, data: st.DataObject, compress: bool, strict: bool) -> None:
    lines = [RUN, MESSAGES, "GET /threads/t", CREATE, SUBMIT]
    calls = [
        replay.Call(line, None if line.startswith("GET") else {}, answer=answer)
        for line, answer in data.draw(st.lists(st.tuples(st.sampled_from(lines), st.integers(0, 2)), max_size=25))
    ]
    asked = data.draw(st.lists(st.sampled_from(lines), max_size=40))
    keys = {line: replay.Call(line, None if line.startswith("GET") else {}).key for line in lines}
    rules = Rules(calls, compress=compress, strict=strict)
    session = Session(Tape(replay.record(*calls), polls="compress" if compress else "recorded", strict=strict))
    for line in asked:
        served = session.serve(keys[line])
        assert (served and (served.row.summary.arrival, served.how)) == rules.serve(keys[line])
        assert session.position(T) == rules.position


def test_a_call_costs_no_walk_along_the_line(replay) -> None:
    class Counted(list):
        reads = 0

        def __getitem__(self, index):
            Counted.reads += 1
            return super().__getitem__(index)

    calls = []
    for number in range(500):
        calls += [replay.Call(CREATE, {"n": number}), replay.Call(RUN, answer=number)]
    tape = Tape(replay.record(*calls))
    session = Session(tape)
    run = calls[1]
    found = tape.candidates(run.key)
    assert found is not None
    tape._keys[run.key].groups[-1, -1] = found._replace(rows=Counted(found.rows), places=Counted(found.places))
    for call in calls:
        assert isinstance(session.serve(call.key), Served)
    assert Counted.reads < 500 * 15


def test_sessions_stay_small(replay) -> None:
    polls = [replay.Call(f"GET /threads/t{n}/runs/r") for n in range(50)]
    session = Session(Tape(replay.record(*polls)))
    chance = random.Random(1)
    for _ in range(2000):
        session.serve(chance.choice(polls).key)
        session.serve(chance.getrandbits(64))
    assert len(session._positions) == 50
    assert not session._used
    assert not session._cursors


@pytest.mark.parametrize("polls", ["compress", "recorded"])
def test_a_whole_answer_of_the_same_side_is_held_rather_than_a_cut_one(replay, polls) -> None:
    run, submit = replay.Call(RUN), replay.Call(SUBMIT)
    recorded = [
        replay.Call(RUN, answer="queued"),
        replay.Call(RUN, answer="in_prog", cut=True),
        submit,
        replay.Call(RUN, answer="compl", cut=True),
    ]
    session = Session(Tape(replay.record(replay.Call(CREATE), *recorded), polls=polls))
    calls = (replay.Call(CREATE), run, run, run, run, submit, run, run)
    told_each = [told(session, call) for call in calls]
    # Behind the write there is no whole answer, and that of the other side is none for this one.
    assert told_each == ["ok", "queued", "in_prog", "queued (held)", "queued (held)", "ok", "compl", "compl (held)"]
