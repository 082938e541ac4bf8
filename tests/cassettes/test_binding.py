"""Late binding: threads created by equal calls, replayed in another order than recorded.

The upstream of these tests is a plain function of what a thread was asked before, so that clients which differ later cannot
be told apart, nor their answers, before they differ.
"""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes import binding
from respool.cassettes.ambiguities import Ambiguities, Call
from respool.cassettes.binding import Binder
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.keys import request_key
from respool.cassettes.positions import Session
from respool.cassettes.tape import Tape

JSON = ((b"content-type", b"application/json"),)
EVENTS = ((b"content-type", b"text/event-stream"),)
ID = re.compile(r"\b(?:thread|run|msg|call)_[0-9]{4}\b")


class Upstream:
    """Answers as a function of a thread's calls; only the ids are new each time. Keeps what it was asked."""

    def __init__(self) -> None:
        self.kept: list[Interaction] = []
        self._count = 1000
        self._threads: dict[str, list[str]] = {}
        self._calls: dict[str, str] = {}

    def ask(self, method: str, target: str, body: object = None) -> bytes:
        data = b"" if body is None else json.dumps(body).encode()
        answer = self._answer(method, target.split("/")[2:], data.decode())
        headers = EVENTS if answer.startswith(b"event") else JSON
        request = Request(method, target.encode(), JSON, Body.of(data))
        response = Response(200, b"OK", headers, Body.of(answer))
        number = len(self.kept)
        self.kept.append(Interaction(number, number, request, response, End.COMPLETE))
        return answer

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"

    def _answer(self, method: str, path: list[str], data: str) -> bytes:
        if path in ([], ["runs"]):
            thread = self._id("thread")
            self._threads[thread] = []
            if not path:
                return json.dumps({"id": thread, "object": "thread"}).encode()
            run = {"id": self._id("run"), "thread_id": thread, "assistant_id": "asst_shared", "content": f"of {thread}"}
            return b'event: thread.created\ndata: {"id": "%b"}\n\nevent: thread.run.created\ndata: %b\n\n' % (
                thread.encode(),
                json.dumps(run).encode(),
            )
        thread, *rest = path
        history = self._threads[thread]
        answer: dict[str, object] = {"thread_id": thread, "assistant_id": "asst_shared", "writes": len(history)}
        if method == "POST":
            # What was asked counts without the ids in it, which are new each time.
            history.append(ID.sub("x", " ".join(rest) + data))
            answer["id"] = self._id("run" if rest == ["runs"] else "msg")
            if rest == ["runs"]:
                self._calls[str(answer["id"])] = self._id("call")
                answer["tool_calls"] = [{"id": self._calls[str(answer["id"])]}]
        answer["content"] = f"{thread} heard\n{ID.sub('x', ' '.join(history))}, see {answer.get('id', thread)}"
        return json.dumps(answer).encode()


Ask = Callable[[str, str, object], bytes]


def a_client(steps: list[str], *, creates: str) -> Iterator[tuple[str, str, object]]:
    """Yields calls and is sent their answers, as a program would that knows only what it was told."""
    answer = (yield "POST", creates, {"metadata": {}}).decode()
    thread = f"/threads/{re.search('thread_[0-9]+', answer)[0]}"
    run = re.search("run_[0-9]+", answer)
    run, call, message = run and run[0], None, None
    for step in steps:
        if step.startswith("say"):
            message = json.loads((yield "POST", f"{thread}/messages", {"content": step}))["id"]
        elif step == "run":
            answer = json.loads((yield "POST", f"{thread}/runs", {"assistant_id": "asst_shared"}))
            run, call = answer["id"], answer["tool_calls"][0]["id"]
        elif step == "poll" and run:
            yield "GET", f"{thread}/runs/{run}", None
        elif step == "submit" and call:
            outputs = [{"tool_call_id": call, "output": f"done in {thread}"}]
            yield "POST", f"{thread}/runs/{run}/submit_tool_outputs", {"tool_outputs": outputs}
        elif step == "mark" and message:
            yield "POST", f"{thread}/messages/{message}", {"metadata": {"seen": run or "none"}}
        elif step == "list":
            yield "GET", f"{thread}/messages?after={message or 'none'}", None


class Replayed:
    """Replays what an upstream kept, in one session; `missed` are the calls that nothing answers."""

    def __init__(self, upstream: Upstream, replay, *, tape: Tape | None = None) -> None:
        self.tape = tape or Tape(replay.Recording(upstream.kept), polls="recorded")
        self.session = Session(self.tape)
        self.binder = Binder(self.session, Ambiguities(self.tape))
        self.missed = 0

    def ask(self, method: str, target: str, body: object = None) -> bytes:
        data = b"" if body is None else json.dumps(body).encode()
        call = Call(method, target.encode(), JSON, data)
        served = self.binder.serve(call, key_of(call))
        if served is None:
            self.missed += 1
            return b"{}"
        response = self.tape.recording.interaction(served.row).response
        return self.binder.names.apply(response.body.read())


def key_of(call: Call) -> int:
    return request_key(Request(call.method, call.target, call.headers, Body.of(call.data)))


def converse(programs: list[tuple[list[str], str]], order: list[int], ask: Ask) -> list[list[bytes]]:
    """The answers that each client got, when they take turns in this order."""
    clients = [a_client(steps, creates=creates) for steps, creates in programs]
    waiting = [next(client) for client in clients]
    got: list[list[bytes]] = [[] for _ in clients]
    for number in [*order, *(n for n in range(len(clients)) for _ in range(99))]:
        if waiting[number] is not None:
            got[number].append(ask(*waiting[number]))
            try:
                waiting[number] = clients[number].send(got[number][-1])
            except StopIteration:
                waiting[number] = None
    return got


def rename_of(recorded: list[list[bytes]], seen: list[list[bytes]]) -> dict[str, str]:
    """What each recorded id was written as, the same for all clients and one to one; nothing else differs."""
    names: dict[str, str] = {}
    for before, after in zip(recorded, seen, strict=True):
        assert len(before) == len(after)
        for one, other in zip(map(bytes.decode, before), map(bytes.decode, after), strict=True):
            for recorded_id, name in zip(ID.findall(one), ID.findall(other), strict=True):
                assert names.setdefault(recorded_id, name) == name
            assert ID.sub(lambda match: names[match[0]], one) == other
    assert len(set(names.values())) == len(names)
    return names


STEPS = ["say 0", "say 0", "say 1", "run", "run", "poll", "submit", "mark", "list"]
PROGRAMS = st.lists(
    st.tuples(st.lists(st.sampled_from(STEPS), max_size=8), st.sampled_from(["/threads", "/threads", "/threads/runs"])),
    min_size=2,
    max_size=5,
)


def an_order(data: st.DataObject, programs: list) -> list[int]:
    return data.draw(
        st.permutations([number for number, (steps, _) in enumerate(programs) for _ in range(len(steps) + 1)])
    )


@given(st.data(), PROGRAMS)
def test_in_any_order_each_client_gets_its_own_recording_up_to_the_ids(replay, data: st.DataObject, programs) -> None:
    upstream = Upstream()
    recorded = converse(programs, an_order(data, programs), upstream.ask)
    replayed = Replayed(upstream, replay)
    seen = converse(programs, an_order(data, programs), replayed.ask)
    assert replayed.missed == 0
    rename_of(recorded, seen)
    assert replayed.session.unplayed == 0


@given(st.data(), PROGRAMS)
def test_in_the_recorded_order_nothing_is_renamed(replay, data: st.DataObject, programs) -> None:
    upstream = Upstream()
    order = an_order(data, programs)
    recorded = converse(programs, order, upstream.ask)
    replayed = Replayed(upstream, replay)
    assert converse(programs, order, replayed.ask) == recorded
    assert not replayed.binder.names


@given(st.data(), PROGRAMS)
def test_sessions_of_one_tape_do_not_touch_each_other_and_repeat_themselves(
    replay, data: st.DataObject, programs
) -> None:
    upstream = Upstream()
    converse(programs, an_order(data, programs), upstream.ask)
    orders = [an_order(data, programs) for _ in range(2)]
    alone = [converse(programs, order, Replayed(upstream, replay).ask) for order in orders]
    first = Replayed(upstream, replay)
    second = Replayed(upstream, replay, tape=first.tape)
    assert converse(programs, orders[0], first.ask) == alone[0]
    assert converse(programs, orders[1], second.ask) == alone[1]
    again = Replayed(upstream, replay, tape=first.tape)
    assert converse(programs, orders[0], again.ask) == alone[0]


ALIKE = ("/threads", {"metadata": {}})


def recorded_threads(*conversations: list[str], creates: str = "/threads") -> Upstream:
    """Threads created by equal calls, one after the other, each with its own words: thread_1001 and on."""
    upstream = Upstream()
    for steps in conversations:
        converse([(steps, creates)], [], upstream.ask)
    return upstream


def threads_of(upstream: Upstream) -> list[str]:
    return [json.loads(kept.response.body.read())["id"] for kept in upstream.kept if kept.request.target == b"/threads"]


def test_a_move_pushes_others_along_as_far_as_it_must(replay) -> None:
    """Three names, of which two have said what only two of the threads can tell apart."""
    upstream = recorded_threads(["say a", "say x"], ["say a", "say y"], ["say b"])
    first, second, third = threads_of(upstream)
    replayed = Replayed(upstream, replay)
    assert [json.loads(replayed.ask("POST", *ALIKE))["id"] for _ in range(3)] == [first, second, third]
    said = [(third, "say a"), (first, "say a"), (first, "say y"), (third, "say x"), (second, "say b")]
    for thread, words in said:
        answer = json.loads(replayed.ask("POST", f"/threads/{thread}/messages", {"content": words}))
        assert answer["thread_id"] == thread
    assert replayed.missed == replayed.session.unplayed == 0


def test_surplus_polls_and_reads_of_the_same_side_do_not_move_a_name(replay) -> None:
    upstream = recorded_threads(["run", "poll", "say x"], ["run", "poll", "poll", "poll", "say y"])
    replayed = Replayed(upstream, replay)
    converse([(["run", "poll", "poll", "poll", "poll", "say x"], "/threads")], [], replayed.ask)
    assert replayed.missed == 0
    assert not replayed.binder.names


def test_a_client_that_leaves_a_write_out_gets_the_thread_that_strays_least(replay) -> None:
    upstream = recorded_threads(["say x", "say y", "say z"], ["say q"])
    replayed = Replayed(upstream, replay)
    converse([(["say x", "say z"], "/threads")], [], replayed.ask)
    assert replayed.missed == 0
    assert not replayed.binder.names


def test_threads_that_are_created_apart_are_never_looked_at(replay) -> None:
    upstream = recorded_threads(["say x"])
    upstream.ask("POST", "/threads", {"metadata": {"other": "1"}})
    replayed = Replayed(upstream, replay)
    replayed.ask("POST", *ALIKE)
    replayed.ask("POST", "/threads", {"metadata": {"other": "1"}})
    assert not replayed.binder.active


def test_a_refused_creation_is_served_first_and_hands_nothing_out(replay) -> None:
    refused = replay.Call("POST /threads", {"metadata": {}}, status=429, answer={"error": "slow down"})
    upstream = recorded_threads(["say x"], ["say y"])
    kept = [refused.interaction(0)]
    kept += [Interaction(n, n, each.request, each.response) for n, each in enumerate(upstream.kept, 1)]
    upstream.kept = kept
    replayed = Replayed(upstream, replay)
    assert json.loads(replayed.ask("POST", *ALIKE)) == {"error": "slow down"}
    assert not replayed.binder.active
    converse([(["say y"], "/threads"), (["say x"], "/threads")], [], replayed.ask)
    assert replayed.missed == replayed.session.unplayed == 0


def test_a_thread_that_a_client_writes_to_unasked_is_left_where_it_is(replay) -> None:
    upstream = recorded_threads(["say x"], ["say y"])
    first, second = threads_of(upstream)
    replayed = Replayed(upstream, replay)
    replayed.ask("POST", f"/threads/{second}/messages", {"content": "say y"})
    replayed.ask("POST", *ALIKE)
    replayed.ask("POST", f"/threads/{first}/messages", {"content": "say y"})
    assert replayed.missed == 1
    assert not replayed.binder.names


@pytest.mark.parametrize(("limit", "most"), [("MOST_CALLS", 3), ("MOST_BYTES", 3 * 256)])
def test_a_name_is_bound_when_its_calls_are_too_many_to_remember(replay, monkeypatch, limit: str, most: int) -> None:
    monkeypatch.setattr(binding, limit, most)
    upstream = recorded_threads(["say a", "say a", "say x"], ["say a", "say a", "say y"])
    replayed = Replayed(upstream, replay)
    converse([(["say a", "say a"], "/threads")], [], replayed.ask)
    assert not replayed.binder.active
    replayed.ask("POST", f"/threads/{threads_of(upstream)[0]}/messages", {"content": "say y"})
    assert replayed.missed == 1


def test_long_calls_are_remembered_as_well_as_short_ones(replay) -> None:
    long = [f"say {'word ' * 10_000}{number}" for number in range(8)]
    upstream = recorded_threads([*long, "say x"], [*long, "say y"])
    replayed = Replayed(upstream, replay)
    converse([([*long, "say y"], "/threads"), ([*long, "say x"], "/threads")], [], replayed.ask)
    assert replayed.missed == replayed.session.unplayed == 0


def test_of_too_many_open_names_the_oldest_is_bound(replay, monkeypatch) -> None:
    monkeypatch.setattr(binding, "MOST_OPEN", 2)
    upstream = recorded_threads(["say x"], ["say y"], ["say z"])
    _, second, third = threads_of(upstream)
    replayed = Replayed(upstream, replay)
    for _ in range(3):
        replayed.ask("POST", *ALIKE)
    replayed.ask("POST", f"/threads/{second}/messages", {"content": "say x"})
    assert replayed.missed == 1
    replayed.ask("POST", f"/threads/{second}/messages", {"content": "say z"})
    replayed.ask("POST", f"/threads/{third}/messages", {"content": "say y"})
    assert replayed.missed == 1


def test_a_call_whose_body_was_not_kept_is_served_where_the_name_stands_and_binds_it(replay) -> None:
    upstream = recorded_threads(["say x"], ["say y"])
    replayed = Replayed(upstream, replay)
    thread = json.loads(replayed.ask("POST", *ALIKE))["id"]
    target = f"/threads/{thread}/messages".encode()
    key = key_of(Call("POST", target, JSON, json.dumps({"content": "say x"}).encode()))
    assert replayed.binder.serve(Call("POST", target, JSON, None), key)
    assert not replayed.binder.active


def test_the_work_for_one_call_is_bounded(replay, monkeypatch) -> None:
    monkeypatch.setattr(binding, "MOST_WORK", 20)
    upstream = recorded_threads(*(["say a", "say a"] for _ in range(30)))
    replayed = Replayed(upstream, replay)
    made = []
    monkeypatch.setattr(replayed.tape, "key_of", lambda asked, **_: made.append(asked) or request_key(asked))
    thread = json.loads(replayed.ask("POST", *ALIKE))["id"]
    replayed.ask("POST", f"/threads/{thread}/messages", {"content": "unheard of"})
    assert replayed.missed == 1
    assert len(made) == 20
    made.clear()
    replayed.ask("POST", f"/threads/{thread}/messages", {"content": "x" * 30 * 4096})
    assert not made
