"""A recording made anew says the same: whatever the ids, the pace, the number of polls, or whether it was streamed."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from recorded_conversation import calls_of, hold, record, with_answer, with_bodies, write
from respool.cassettes.comparison import Tolerance, compare
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer
from respool.cli.conversation import Client


def differences(left: Path, right: Path, **options):
    with Reader.open(left) as one, Reader.open(right) as other:
        return compare(one, other, **options)


def same(left: Path, right: Path) -> None:
    for sides in ((left, right), (right, left)):
        findings = differences(*sides)
        assert findings == [], "\n\n".join(map(str, findings))


@pytest.mark.parametrize(
    ("seed", "speed", "options"),
    [
        (None, 50, {}),
        (7, 200, {"extra_polls": 4}),
        (None, 8, {}),
        (3, 50, {"streamed": True}),
        (1, 50, {"streamed": True, "extra_polls": 2}),
    ],
)
def test_the_same_conversation_recorded_anew_differs_in_nothing(tmp_path, recorded, seed, speed, options):
    again = record(tmp_path / "again.cassette", partial(hold, **options), seed=seed, speed=speed)
    same(recorded, again)


SCRIPTS = [
    'say "Hello {input}"',
    'call a({"x": 1}) & b({"y": [1, 2]}); say "Done: {outputs}."',
    'call a({"x": 1}); in_progress 50ms; call a({"x": 1}); say "Twice."',
    'code "print(1)" -> "1"; search "file-abc123" "manual.pdf"; say "See [1]." cite "[1]" "file-abc123" "so"; tokens 12 3',
    'code "plot()" -> "done"; say "Here [1]." path "[1]" "file-made"',
    'in_progress 60ms; fail rate_limit_exceeded "You exceeded your current quota."',
    'say "This sentence has no"; incomplete max_completion_tokens',
    'http 503 retry-after 0 on getRun; say "Sorry to keep you waiting."',
    "in_progress 100ms; expire",
]


def conversations(client: Client, *, streamed: frozenset[int], extra_polls: int) -> None:
    """A thread for each script, those in `streamed` by a stream."""

    def call(method: str, path: str, body: object = None) -> tuple[int, bytes]:
        exchange = client.call(method, path, body, label=path)
        return exchange.status, exchange.body

    for number, script in enumerate(SCRIPTS):
        thread = json.loads(call("POST", "/threads", {"metadata": {"number": str(number)}})[1])["id"]
        call("POST", f"/threads/{thread}/messages", {"role": "user", "content": f"Question {number} in {thread}"})
        tools = [{"type": "function", "function": {"name": name}} for name in "ab"]
        asked = {"assistant_id": "asst_abc123", "tools": tools, "metadata": {"sandbox_script": script}}
        if number in streamed:
            asked["stream"] = True
        path = f"/threads/{thread}/runs"
        answer = call("POST", path, asked)[1]
        for _ in range(20):
            if answer.startswith(b"event"):
                events = [json.loads(line[6:]) for line in answer.split(b"\n") if line.startswith(b"data: {")]
                run = [event for event in events if event["object"] == "thread.run"][-1]
            else:
                run = json.loads(answer)
            path = f"/threads/{thread}/runs/{run['id']}"
            while run["status"] in ("queued", "in_progress"):
                for _ in range(1 + extra_polls):
                    status, answer = call("GET", path)
                run = json.loads(answer) if status == 200 else run
            if run["status"] != "requires_action":
                break
            wanted = run["required_action"]["submit_tool_outputs"]["tool_calls"]
            outputs = [{"tool_call_id": each["id"], "output": each["function"]["name"].upper()} for each in wanted]
            sent = {"tool_outputs": outputs, **({"stream": True} if number in streamed else {})}
            answer = call("POST", f"{path}/submit_tool_outputs", sent)[1]
        call("GET", f"{path}/steps")
        call("GET", f"/threads/{thread}/messages?order=asc")


@pytest.mark.parametrize(
    ("seed", "speed", "streamed", "extra_polls"),
    [(None, 20, range(0), 2), (5, 90, range(0), 0), (6, 50, range(1, 5), 1)],
)
def test_every_kind_of_run_recorded_anew_differs_in_nothing(tmp_path, every_kind, seed, speed, streamed, extra_polls):
    work = partial(conversations, streamed=frozenset(streamed), extra_polls=extra_polls)
    same(every_kind, record(tmp_path / "again.cassette", work, seed=seed, speed=speed))


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory) -> Path:
    work = partial(conversations, streamed=frozenset(), extra_polls=0)
    return record(tmp_path_factory.mktemp("kinds") / "kinds.cassette", work, seed=4)


def test_a_client_that_never_asked_for_steps_and_messages_lacks_none(tmp_path, calls, recorded):
    quiet = [call for call in calls if not call.request.target.split(b"?")[0].endswith((b"/steps", b"/messages")) or
             call.request.method == "POST"]  # fmt: skip
    assert len(quiet) < len(calls)
    left = write(tmp_path / "quiet.cassette", quiet)
    findings = differences(left, recorded)
    assert [str(finding) for finding in findings if "message" not in finding.place] == []
    assert all(finding.kind != "missing" for finding in findings)


def test_the_order_in_which_threads_were_recorded_does_not_count(tmp_path, calls, recorded):
    turned = sorted(calls, key=lambda call: (call.scope.startswith("/"), call.scope.startswith("thread_H")))
    same(recorded, write(tmp_path / "turned.cassette", turned))


def test_times_count_once_a_tolerance_is_given(tmp_path, calls, recorded):
    def slow(call: Interaction) -> Interaction:
        return replace(call, duration_us=call.duration_us + 5_000_000) if b"/files" in call.request.target else call

    slower = write(tmp_path / "slow.cassette", map(slow, calls))
    assert differences(recorded, slower) == []
    assert differences(recorded, slower, tolerance=Tolerance(us=10_000_000)) == []
    for tolerance in (Tolerance(us=1_000_000), Tolerance(share=0.5)):
        (finding,) = differences(recorded, slower, tolerance=tolerance)
        assert (finding.place, finding.field) == ("other calls, POST /files", "time")


def test_an_id_in_a_text_is_the_object_that_it_names_and_no_other(tmp_path, calls, recorded):
    """The second message, and the reply that repeats it, speak of the first; here they speak of the second."""
    again = record(tmp_path / "again.cassette", hold, seed=9)
    others = calls_of(again)
    ids = [json.loads(call.response.body.read())["id"] for call in others if call.request.target.endswith(b"/messages")
           and call.request.method == "POST"]  # fmt: skip
    speaks = f"Thank you for {ids[0]}!".encode(), f"Thank you for {ids[1]}!".encode()
    changed = [with_bodies(call, lambda data: data.replace(*speaks)) for call in others]
    findings = differences(recorded, write(tmp_path / "changed.cassette", changed))
    assert [(finding.place, finding.field) for finding in findings] == [
        ("thread 1, message 3", "text"),
        ("thread 1, message 4", "text"),
    ]


def test_an_index_that_lies_hides_nothing(tmp_path, calls):
    """What a record says of itself is a claim: the same numbers before another answer are not believed."""

    def numbered(path: Path, change) -> Path:
        with Writer.create(path) as writer:
            for call in calls:
                call = replace(call, arrival=writer.next_arrival())
                writer.append(with_answer(call, change), summarise(call))
        return path

    honest = numbered(tmp_path / "honest.cassette", lambda data: data)
    lying = numbered(tmp_path / "lying.cassette", lambda data: data.replace(b"It is 42", b"It is 13"))
    assert differences(honest, honest) == []
    assert [finding.field for finding in differences(honest, lying)] == ["text"]


def test_what_an_answer_tells_of_many_runs_is_told_once(tmp_path, calls, recorded):
    changed = [with_answer(call, lambda data: data.replace(b"gpt-4o-mini", b"gpt-4o")) for call in calls]
    (finding,) = differences(recorded, write(tmp_path / "changed.cassette", changed))
    assert finding.field in ("model", "answer.model")
    assert finding.also == ("thread 1, run 1", "thread 1, run 2", "thread 2, run 1")


def test_findings_come_in_the_same_order_each_time_and_name_the_threads(tmp_path, calls, recorded):
    changed = [with_bodies(call, lambda data: data.replace(b"118", b"119").replace(b"help", b"HELP")) for call in calls]
    path = write(tmp_path / "changed.cassette", changed)
    findings = differences(recorded, path)
    assert len(findings) > 3
    assert findings == differences(recorded, path)
    places = [finding.place.split(",")[0] for finding in findings]
    assert places == sorted(places, key=lambda place: {"thread 1": 0, "thread 2": 1}.get(place, 2))
    assert all(
        all(name.startswith("thread_") for name in finding.threads) for finding in findings if "thread" in finding.place
    )


def test_a_call_that_a_person_held_is_the_same_call(tmp_path, recorded, calls):
    held = {"intercepted": {"what": "released", "held_us": 2_100_000}}
    marked = [replace(call, extra={**call.extra, **held}) for call in calls]
    again = write(tmp_path / "held.cassette", marked)
    with Reader.open(again) as reader:
        assert all("intercepted" in reader.interaction(row).extra for row in reader.rows())
    same(recorded, again)
