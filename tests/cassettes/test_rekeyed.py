"""Under rules a recording looks as if it had been made with other keys, and nothing else of it changes."""

import pytest
from respool.cassettes.misses import explain
from respool.cassettes.positions import Session
from respool.cassettes.reader import Reader
from respool.cassettes.rekeyed import EACH, Rekeyed
from respool.cassettes.rules import Rules
from respool.cassettes.tape import Tape


def tape_of(recording, *ignore, match=(), **options) -> Tape:
    return Tape(recording, rules=Rules.of(ignore, match), **options)


def answers(session: Session, *calls) -> list[object]:
    served = [
        session.serve(session.tape.key_of(call.request, variant=call.variant), variant=call.variant) for call in calls
    ]
    return [each and session.tape.recording.interaction(each.row).response.body.read().decode() for each in served]


def test_writes_that_differ_in_what_is_ignored_are_served_in_their_order(replay):
    calls = [replay.Call("POST /threads/t/messages", {"n": 1, "trace": n}, answer=n) for n in (1, 2, 3)]
    recording = replay.record(*calls)
    again = [replay.Call("POST /threads/t/messages", {"trace": n, "n": 1}) for n in (9, 8, 7)]
    assert answers(Session(tape_of(recording, "$.trace")), *again) == ["1", "2", "3"]
    assert answers(Session(tape_of(recording)), *again) == [None, None, None]
    assert answers(Session(tape_of(recording, "$.trace")), replay.Call("POST /threads/t/messages", {"n": 2})) == [None]


def test_a_row_moves_to_a_key_that_was_recorded_as_it_is(replay):
    calls = [
        replay.Call("POST /threads/t", body, answer=n) for n, body in enumerate([{"a": 1}, {}, {"a": 2}, {"b": 1}])
    ]
    recording = replay.record(*calls)
    view = Rekeyed(recording, Rules.of(["$.a"]))
    assert [row.offset for row in view.rows_of_key(calls[1].key)] == [0, 1, 2]
    assert [row.offset for row in view.rows_of_key(calls[3].key)] == [3]
    assert view.rows_of_key(calls[0].key) == []
    assert [row.offset for row in view.rows()] == [0, 1, 2, 3]
    for row in view.rows():
        assert view.interaction(row) is recording.interactions[row.offset]
        assert row in view.rows_of_key(row.summary.key)


def test_polls_that_differ_in_what_is_ignored_are_one_poll(replay):
    polls = [replay.Call(f"GET /threads/t/runs/r?at={n}", answer=a) for n, a in enumerate("aabb")]
    again = [replay.Call("GET /threads/t/runs/r?at=9")] * 3
    assert answers(Session(tape_of(replay.record(*polls), "query:at")), *again) == ['"a"', '"b"', '"b"']
    every = Session(tape_of(replay.record(*polls), "query:at", polls="recorded"))
    assert answers(every, *again) == ['"a"', '"a"', '"b"']


def test_only_what_a_rule_can_touch_is_decoded_and_each_key_once(replay):
    polls = [replay.Call("GET /threads/t/runs/r?limit=1")] * 5
    writes = [replay.Call("POST /threads/t/messages", {"a": n}) for n in (1, 1, 2)]
    polls.append(replay.Call("OPTIONS /threads/t", {"b": 1}))
    for rule, decoded in (("$.b", 2), ("multipart:b", 2), ("query:b", 4), ("header:OpenAI-Beta", 0)):
        recording = replay.record(*polls, *writes)
        tape = tape_of(recording, rule)
        assert recording.decoded == decoded
        assert (tape.recording is recording) == (rule == "header:OpenAI-Beta")


@pytest.mark.parametrize(("rule", "unit"), [("header:openai-beta", 1), ("header:Authorization", 1 << 4)])
def test_an_ignored_header_never_counts(replay, rule, unit):
    calls = [
        replay.Call("POST /threads", {}, answer="good", variant=2 * unit),
        replay.Call("POST /threads", {}, answer="bad", status=401, variant=unit),
    ]
    asked = replay.Call("POST /threads", {}, variant=unit)
    assert answers(Session(tape_of(replay.record(*calls))), asked) == ['"bad"']
    assert answers(Session(tape_of(replay.record(*calls), rule)), asked, asked, asked) == ['"good"', '"bad"', None]


def test_polls_of_two_credentials_are_folded_together_where_the_credential_is_ignored(replay):
    polls = [replay.Call("GET /threads/t/runs/r", answer=a, variant=n << 4) for n, a in enumerate("aaab")]
    for rules, folded in (((), [0, 0, 0, 0]), (("header:api-key",), [0, 1, 1, 0])):
        tape = tape_of(replay.record(*polls), *rules)
        row = next(iter(tape.recording.rows()))
        assert list(tape.line(row.summary.scope).folded) == folded


def test_a_matched_credential_parts_calls_that_were_answered_alike(replay):
    calls = [replay.Call("POST /threads", {}, answer=n, variant=n << 4) for n in (1, 2)]
    for call in calls:
        object.__setattr__(call.request, "headers", (*call.request.headers, (b"Authorization", b"Bearer REDACTED")))
    tape = tape_of(replay.record(*calls), match=("Authorization",))
    assert answers(Session(tape), calls[1], calls[0], calls[0]) == ["2", "1", None]
    asked = calls[0]
    miss = explain(tape.recording, Session(tape), asked.request, variant=7 << 4)
    assert "header:authorization" in miss.message


def test_a_miss_never_names_what_is_ignored(replay):
    recording = replay.record(replay.Call("POST /threads/t/messages?v=1", {"trace": 1, "content": "hello"}))
    tape = tape_of(recording, "$.trace", "query:v")
    asked = replay.Call("POST /threads/t/messages?v=2", {"trace": 2, "content": "goodbye"})
    miss = explain(tape.recording, Session(tape), asked.request)
    assert [each.field for each in miss.nearest[0].differences] == ["$.content"]
    spent = Session(tape)
    same = replay.Call("POST /threads/t/messages?v=3", {"trace": 3, "content": "hello"})
    assert answers(spent, same) == ['"ok"']
    assert explain(tape.recording, spent, same.request).reason == "spent"


def test_progress_is_told(replay):
    told = []
    Rekeyed(replay.record(*[replay.Call("GET /threads/t")] * (2 * EACH + 1)), Rules.of(["$.a"]), progress=told.append)
    assert told == [EACH, 2 * EACH]


def test_a_cassette_on_disk_is_looked_at_the_same_way(tmp_path):
    from recorded_calls import write_cassette

    path = write_cassette(
        tmp_path / "a.cassette",
        [("POST", b"/v1/threads", b'{"trace": %d}' % n, b'{"id": "thread_%d"}' % n, 200) for n in range(3)],
    )
    with Reader.open(path) as reader:
        view = Rekeyed(reader, Rules.of(["$.trace"]))
        (key,) = {row.summary.key for row in view.rows()}
        rows = view.rows_of_key(key)
        assert [view.interaction(row).request.body.read() for row in rows] == [b'{"trace": %d}' % n for n in range(3)]
        assert [view.scope_name(row.summary.scope) for row in rows] == ["thread_0", "thread_1", "thread_2"]
        assert [view.rows_of_scope_hash(row.summary.scope) for row in rows] == [[row] for row in rows]
