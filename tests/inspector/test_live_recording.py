from pathlib import Path

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.inspector import live_recording
from respool.inspector.live_recording import LiveRecording
from respool.proxy.control.protocol import Call, CallBegun


def ended(number, scope="thread_a", **more):
    told = {
        "number": number, "place": number, "how": "recorded", "session": "default", "method": "GET", "target": "/v1/threads/x",
        "scope": scope, "record": number, "status": 200, "operation": 2, "flags": 0, "variant": 0, "started_us": 5,
        "duration_us": 5, "key": "0" * 16, "answer": "f" * 16, "noted": "",
    }  # fmt: skip
    return Call(**told | more)


def begun(number, scope="thread_a", target="/v1/threads/thread_a/runs"):
    return CallBegun(
        n=1, kind="call-begun", number=number, session="default", method="POST", target=target, scope=scope, at_us=7
    )


class Fetching:
    """A client that counts what it is asked."""

    def __init__(self, body=b"{}"):
        self.asked = []
        self.body = body
        self.gone = False

    def call(self, number):
        self.asked.append(number)
        if self.gone:
            raise CassetteError("gone")
        return Interaction(number, 1, Request("GET", b"/"), Response(200, body=Body.of(self.body)))

    def close(self):
        pass


@pytest.fixture
def live():
    recording = LiveRecording(Path("live"))
    recording.begin(Fetching())
    return recording


def test_calls_of_a_thread_stand_in_order_of_their_beginnings_whenever_they_end(live):
    for number in (3, 1, 2):
        live.take(ended(number))
    assert [row.summary.arrival for row in live.rows_of_scope("thread_a")] == [1, 2, 3]
    assert live.scope_name(live.rows_of_scope("thread_a")[0].summary.scope) == "thread_a"
    assert live.take(ended(2)) is None
    assert len(live) == 3


def test_a_call_under_way_has_a_row_that_goes_where_its_answer_says(live):
    assert live.start(begun(1, "/threads", "/v1/threads/runs")) == "/threads"
    assert live.is_running(1)
    assert live.grow(1, "thread_b", status=200, stream=True) == ["/threads", "thread_b"]
    assert live.scopes() == ["thread_b"]
    assert live.grow(1, "thread_b") == ["thread_b"]
    (row,) = live.rows_of_scope("thread_b")
    assert (row.summary.status, row.summary.arrival) == (200, 1)
    live.take(ended(1, "thread_b"))
    assert not live.is_running(1)
    assert len(live.rows_of_scope("thread_b")) == 1
    assert live.grow(1, "thread_c") == []


def test_a_call_is_fetched_once_when_it_has_ended_and_each_time_before(live):
    live.start(begun(1))
    (row,) = live.rows_of_scope("thread_a")
    live.interaction(row)
    live.interaction(row)
    live.take(ended(1))
    (row,) = live.rows_of_scope("thread_a")
    live.interaction(row)
    live.interaction(row)
    assert live.client.asked == [1, 1, 1]


def test_what_is_kept_of_calls_is_bounded(live, monkeypatch):
    monkeypatch.setattr(live_recording, "MOST_CACHED_BYTES", 10_000)
    live.client.body = b"x" * 4000
    for number in range(4):
        live.take(ended(number))
    rows = live.rows_of_scope("thread_a")
    for row in rows:
        live.interaction(row)
    live.interaction(rows[3])
    live.interaction(rows[0])
    assert live.client.asked == [0, 1, 2, 3, 0]


def test_the_oldest_threads_go_when_there_are_too_many_calls(live, monkeypatch):
    monkeypatch.setattr(live_recording, "MOST_CALLS", 3)
    for number in range(5):
        live.take(ended(number, f"thread_{number}"))
    assert live.scopes() == ["thread_2", "thread_3", "thread_4"]
    assert len(live) == 3


def test_of_a_call_that_is_gone_there_is_what_its_row_told(live):
    live.take(ended(1, target="/v1/threads/thread_a", status=404))
    live.client.gone = True
    call = live.interaction(live.rows_of_scope("thread_a")[0])
    assert (call.request.target, call.response.status, call.arrival) == (b"/v1/threads/thread_a", 404, 1)


def test_sessions_of_a_replay_have_threads_of_their_own(live):
    assert live.take(ended(1, how="exact", session="gw3")) == "thread_a @gw3"
    under_way = begun(8).model_copy(update={"session": "gw3"})
    live.replays = True
    assert live.start(under_way) == "thread_a @gw3", "where its row will be when it has ended"
    assert live.grow(8, "thread_a", status=200) == ["thread_a @gw3"]
    live.take(ended(8, how="exact", session="gw3"))
    assert live.take(ended(2, how="exact")) == "thread_a"
    assert live.take(ended(3, session="gw3")) == "thread_a"


def test_another_run_of_the_proxy_begins_with_nothing_and_the_same_loses_what_was_under_way(live):
    live.take(ended(1))
    live.start(begun(2))
    live.reconnect(Fetching())
    assert (len(live), live.is_running(2)) == (1, False)
    live.begin(Fetching())
    assert (len(live), live.scopes()) == (0, [])


def test_before_a_proxy_is_there_a_call_is_an_error_of_ours():
    with pytest.raises(CassetteError):
        LiveRecording(Path("live")).client  # noqa: B018
