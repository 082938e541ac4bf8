"""A tape finds the recordings that may answer a request, and reads each line once."""

import pytest
from respool.cassettes.errors import DamagedCassetteError
from respool.cassettes.scopes import scope_hash
from respool.cassettes.tape import Reads, Tape, Writes

RUN = "GET /threads/t/runs/r"
V1, V2, OTHER_BETA = 1, 2, 15
ANN, BOB, EVE = 0x0010, 0x0020, 0x0030


def statuses(tape: Tape, key: int, variant: int = 0) -> list[int]:
    found = tape.candidates(key, variant)
    assert found is not None
    return [row.summary.status for row in found.rows]


def test_a_line_holds_a_scope_in_order_and_folds_repeated_polls(replay) -> None:
    states = ["queued", "queued", "running", "running", "queued"]
    polls = [replay.Call(RUN, answer=state) for state in states]
    recording = replay.record(
        replay.Call("GET /assistants"),
        *polls,
        replay.Call("POST /threads/t/messages", {}),
        replay.Call(RUN, answer="queued"),
    )
    line = Tape(recording).line(scope_hash("t"))
    assert list(line.arrivals) == [1, 2, 3, 4, 5, 6, 7]
    assert list(line.writes) == [5]
    assert list(line.folded) == [0, 1, 0, 1, 0, 0, 0]
    assert not any(Tape(recording, polls="recorded").line(scope_hash("t")).folded)


def test_other_reads_between_two_polls_do_not_hinder_folding(replay) -> None:
    recording = replay.record(
        replay.Call(RUN, answer="queued"),
        replay.Call("GET /threads/t/messages", answer=[]),
        replay.Call(RUN, answer="queued"),
        replay.Call("GET /threads/t/messages", answer=["reply"]),
        replay.Call(RUN + "?x=1", answer="queued"),
    )
    assert list(Tape(recording).line(scope_hash("t")).folded) == [0, 0, 1, 0, 0]


def test_a_call_without_an_answer_is_no_state(replay) -> None:
    queued, lost = replay.Call(RUN, answer="queued"), replay.Call(RUN, status=0)
    tape = Tape(replay.record(queued, lost, queued, lost))
    assert list(tape.line(scope_hash("t")).folded) == [0, 0, 1, 0]
    assert statuses(tape, queued.key) == [200]
    assert statuses(Tape(replay.record(lost)), lost.key) == [0]


def test_an_unknown_key_has_no_candidates_and_leaves_nothing_behind(replay) -> None:
    tape = Tape(replay.record(replay.Call(RUN)))
    for key in range(100):
        assert tape.candidates(key) is None
    assert not tape._keys
    assert not tape.line(12345).arrivals
    assert list(tape._lines) == []


def test_each_key_and_line_is_looked_up_once(replay) -> None:
    create, run = replay.Call("POST /threads/t/messages", {"a": 1}), replay.Call(RUN)
    recording = replay.record(create, run, create, run)
    tape = Tape(recording)
    for _ in range(10):
        assert isinstance(tape.candidates(create.key), Writes)
        assert isinstance(tape.candidates(run.key), Reads)
    assert len(recording.look_ups) == 3


def test_writes_are_found_across_scopes_in_order_of_arrival(replay) -> None:
    line = "POST /threads"
    calls = [
        replay.Call(line, status=429, answer={"error": {}}),
        replay.Call(line, answer={"id": "thread_b"}),
        replay.Call(line, answer={"id": "thread_a"}),
    ]
    tape = Tape(replay.record(*calls))
    found = tape.candidates(calls[0].key)
    assert isinstance(found, Writes)
    assert [row.summary.arrival for row in found.rows] == [0, 1, 2]
    assert [row.summary.scope for row in found.rows] == [
        scope_hash(name) for name in ("/threads", "thread_b", "thread_a")
    ]
    assert found.places == [0, 0, 0]


@pytest.mark.parametrize(
    ("recorded", "asked", "expected"),
    [
        # One caller, whatever it got: the headers do not count.
        ([(ANN, 429), (ANN, 429), (ANN, 200)], EVE, [429, 429, 200]),
        ([(ANN | V2, 404), (ANN | V2, 200)], ANN | V1, [404, 200]),
        # Several that got the same: neither.
        ([(ANN, 200), (BOB, 200)], EVE, [200, 200]),
        ([(ANN | V1, 200), (ANN | V2, 200)], ANN, [200, 200]),
        # A credential that got another status has its own.
        ([(ANN, 200), (BOB, 401)], ANN, [200]),
        ([(ANN, 200), (BOB, 401)], BOB, [401]),
        ([(ANN, 200), (BOB, 401)], EVE, [200]),
        ([(0, 401), (ANN, 200)], 0, [401]),
        ([(0, 401), (ANN, 200)], BOB, [200]),
        ([(ANN, 403), (BOB, 401)], EVE, [403, 401]),
        # So has a version; one that was never recorded gets all.
        ([(ANN | V1, 400), (ANN | V2, 200)], ANN | V1, [400]),
        ([(ANN | V1, 400), (ANN | V2, 200)], EVE | V2, [200]),
        ([(ANN | V1, 400), (ANN | V2, 200)], ANN | OTHER_BETA, [400, 200]),
        # Both at once.
        ([(ANN | V1, 400), (ANN | V2, 200), (BOB | V2, 401)], ANN | V2, [200]),
        ([(ANN | V1, 400), (ANN | V2, 200), (BOB | V2, 401)], EVE | V2, [200]),
        ([(ANN | V1, 400), (ANN | V2, 200), (BOB | V2, 401)], BOB | V2, [401]),
        ([(ANN | V1, 400), (ANN | V2, 200), (BOB | V2, 401)], ANN | V1, [400]),
        # A call that got no answer tells nothing of its caller.
        ([(ANN, 200), (BOB, 0)], BOB, [200, 0]),
    ],
)
def test_a_header_counts_where_the_recordings_differ_in_status_by_it(
    replay, recorded: list[tuple[int, int]], asked: int, expected: list[int]
) -> None:
    calls = [
        replay.Call("POST /threads/t/messages", {}, status=status, variant=variant) for variant, status in recorded
    ]
    assert statuses(Tape(replay.record(*calls)), calls[0].key, asked) == expected


def test_each_credential_keeps_its_polls_where_it_counts(replay) -> None:
    polls = [
        replay.Call(RUN, answer="queued", variant=ANN),
        replay.Call(RUN, answer="queued", variant=BOB),
        replay.Call(RUN, answer="queued", variant=ANN),
        replay.Call(RUN, answer="no", status=401, variant=BOB),
    ]
    tape = Tape(replay.record(*polls))
    assert statuses(tape, polls[0].key, ANN) == [200]
    assert statuses(tape, polls[0].key, BOB) == [200, 401]


def test_callers_that_are_served_alike_share_their_candidates(replay) -> None:
    calls = [replay.Call(RUN, variant=ANN), replay.Call(RUN, status=401, variant=BOB)]
    tape = Tape(replay.record(*calls))
    found = {id(tape.candidates(calls[0].key, variant)) for variant in range(0, 0x10000, 16)}
    assert len(found) == 3


def test_an_index_that_disagrees_with_itself_is_damage(replay) -> None:
    call = replay.Call("POST /threads/t/messages", {})
    recording = replay.record(call)
    recording.rows_of_scope_hash = lambda scope: []
    with pytest.raises(DamagedCassetteError, match="not in its thread"):
        Tape(recording).candidates(call.key)


def test_writes_are_counted_once(replay) -> None:
    tape = Tape(replay.record(replay.Call(RUN), replay.Call("DELETE /threads/t"), replay.Call("POST /assistants", {})))
    assert tape.count_writes() == tape.count_writes() == 2
