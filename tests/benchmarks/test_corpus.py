"""The corpus: deterministic, of the size that was asked for, believable, and played back as it was recorded."""

import json
import subprocess
import sys
import tracemalloc
from itertools import islice, pairwise
from pathlib import Path

import pytest
from respool.benchmarks import corpus
from respool.benchmarks.corpus import generate, write_corpus
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.interaction import End
from respool.cassettes.operations import OPERATIONS
from respool.cassettes.positions import Session
from respool.cassettes.reader import Reader
from respool.cassettes.redaction import redact
from respool.cassettes.summaries import summarise
from respool.cassettes.tape import Tape

SCRIPT = Path(corpus.__file__)


def names_in(events: bytes) -> list[str]:
    return [line[7:].decode() for line in events.split(b"\n") if line.startswith(b"event: ")]


def test_same_arguments_give_the_same_bytes(tmp_path):
    one = write_corpus(tmp_path / "one.cassette", 400, 9, seed=3).read_bytes()
    assert write_corpus(tmp_path / "two.cassette", 400, 9, seed=3).read_bytes() == one
    assert write_corpus(tmp_path / "three.cassette", 400, 9, seed=4).read_bytes() != one


@pytest.mark.parametrize(("interactions", "threads"), [(1, 1), (7, 7), (40, 7), (200, 10), (501, 20)])
def test_size_is_what_was_asked_for(interactions, threads):
    calls = list(generate(interactions, threads))
    assert len(calls) == interactions
    assert len({call.scope for call in calls}) == threads
    assert all(call.scope.startswith("thread_") for call in calls)
    assert [call.arrival for call in calls] == list(range(interactions))
    started = [call.started_us for call in calls]
    assert started == sorted(started)


@pytest.mark.parametrize(("interactions", "threads"), [(0, 0), (5, 0), (3, 4)])
def test_impossible_sizes_are_refused(interactions, threads):
    with pytest.raises(UsageError):
        generate(interactions, threads)


def test_it_holds_what_real_recordings_hold():
    calls = list(generate(4000, 80))
    numbers = {summarise(call).operation for call in calls}
    seen = {row.name for row in OPERATIONS if row.number in numbers}
    assert seen >= {
        "createThread", "createThreadAndRun", "createMessage", "createRun", "getRun", "submitToolOuputsToRun", "cancelRun",
        "listMessages", "listRunSteps", "getRunStep", "getMessage", "modifyThread",
    }  # fmt: skip
    assert {call.response.status for call in calls if call.response} == {200, 404, 429}
    assert {call.end for call in calls} == {End.COMPLETE, End.CLIENT_CUT}
    lengths = sorted(call.response.body.length for call in calls if call.response)
    assert 1000 < lengths[len(lengths) // 4] < lengths[len(lengths) * 3 // 4] < 5000
    # Threads interleave, and some of them are created by one and the same request.
    assert any(here.scope != there.scope for here, there in pairwise(calls))
    creations = [call.request.body.read() for call in calls if call.request.target == b"/v1/threads"]
    assert 1 < creations.count(b"{}") < len(creations)


def test_most_polls_find_nothing_new_and_states_follow_each_other():
    before: dict[bytes, tuple[str, bytes]] = {}
    same = polls = 0
    follows = {
        "queued": {"queued", "in_progress"},
        "in_progress": {"in_progress", "requires_action", "completed", "failed", "cancelled"},
        "requires_action": {"in_progress", "requires_action"},
    }
    for call in generate(4000, 80):
        if not call.request.target.partition(b"/runs/run_")[1] or call.request.method != "GET" or not call.response:
            continue
        if b"/steps" in call.request.target:
            continue
        polls += 1
        body = call.response.body.read()
        status = json.loads(body)["status"]
        if call.request.target in before:
            last, told = before[call.request.target]
            assert status in follows.get(last, {last})
            same += told == body
        before[call.request.target] = status, body
    assert same > polls / 2


def test_bodies_are_what_their_headers_say():
    for call in generate(1000, 20):
        body, fields = call.request.body.read(), {name.lower(): value for name, value in call.request.headers}
        assert fields.get(b"content-length", b"0") == b"%d" % len(body)
        if body:
            json.loads(body)
        response = call.response
        assert response is not None
        told, kind = response.body.read(), dict(response.headers)[b"Content-Type"]
        if kind == b"application/json":
            json.loads(told)
            assert not response.marks
            continue
        assert sum(length for length, _ in response.marks) == len(told)
        moments = [moment for _, moment in response.marks]
        assert moments == sorted(moments)
        assert response.head_us <= moments[0] <= moments[-1] <= call.duration_us
        events = names_in(told)
        assert events[0] == "thread.run.created"
        assert (events[-1] == "done") is (call.end is End.COMPLETE)
        for line in told.split(b"\n"):
            if line.startswith(b"data: {"):
                json.loads(line[6:])


def test_without_streams_every_run_is_polled():
    assert not any(call.response and call.response.marks for call in generate(600, 10, streams=False))
    assert any(call.response and call.response.marks for call in generate(600, 10))


def test_credentials_are_gone_before_it_is_written():
    for call in generate(300, 6):
        assert redact(call) == call
        assert dict(call.request.headers)[b"authorization"] == b"Bearer REDACTED"
        assert call.variant  # whose credential it was is still told from none


@pytest.mark.parametrize("polls", ["compress", "recorded"])
def test_it_replays_as_it_was_recorded(tmp_path, polls):
    with Reader.open(write_corpus(tmp_path / "c.cassette", 1000, 20)) as reader:
        assert (len(reader), len(reader.scopes()), reader.sealed) == (1000, 20, True)
        session = Session(Tape(reader, polls=polls))
        for row in reader.rows():
            served = session.serve(row.summary.key, variant=row.summary.variant)
            assert served is not None
            assert served.how != "ahead"
            if polls == "recorded":  # else a poll that told nothing new is passed over
                assert served.row.summary.answer == row.summary.answer
        assert (session.misses, session.unplayed) == (0, 0)


def test_a_large_corpus_is_made_in_bounded_memory():
    calls = generate(1_000_000, 20_000)
    for _ in islice(calls, 500):
        pass
    tracemalloc.start()
    try:
        for _ in islice(calls, 1500):
            pass
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 3_000_000


def test_script_prints_the_path_and_does_not_replace(tmp_path):
    out = tmp_path / "made.cassette"
    command = [sys.executable, str(SCRIPT), "--interactions", "30", "--threads", "3", "--seed", "7", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    again = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert again.returncode == CassetteError.exit_status
    assert str(out) in again.stderr
    assert subprocess.run([*command, "--overwrite"], capture_output=True, timeout=60).returncode == 0


def test_nothing_is_left_behind_when_it_fails(tmp_path):
    def full(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_corpus(tmp_path / "c.cassette", 1500, 3, progress=full)
    assert list(tmp_path.iterdir()) == []
