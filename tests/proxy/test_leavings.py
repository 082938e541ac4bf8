"""What was created upstream: kept account of, and deleted."""

import json

from respool.cassettes.ids import IdMap
from respool.cassettes.interaction import Request
from respool.proxy.leavings import Leavings
from respool.proxy.performer import Caller, Live, Performer
from respool.proxy.upstream import Origin, Upstream

JSON = ((b"Content-Type", b"application/json"),)


def live(value, status=200):
    return Live(status, JSON, json.dumps(value).encode())


CALLS = (
    ("POST", b"/v1/threads", live({"object": "thread", "id": "thread_1"})),
    ("POST", b"/v1/threads/runs", live({"object": "thread.run", "id": "run_1", "thread_id": "thread_2"})),
    ("POST", b"/v1/assistants", live({"object": "assistant", "id": "asst_new"})),
    ("POST", b"/v1/assistants", live({"object": "assistant", "id": "asst_keep"})),
    ("POST", b"/v1/files", live({"object": "file", "id": "file-1"})),
    ("POST", b"/v1/files", live({"object": "file", "id": "x HTTP/1.1\r\nHost: a"})),
    ("POST", b"/v1/files", live({"object": "file", "id": "file-2"}, 400)),
    ("POST", b"/v1/threads/thread_1/messages", live({"object": "thread.message", "id": "msg_1"})),
    ("POST", b"/v1/assistants/asst_x", live({"object": "assistant", "id": "asst_x"})),
    ("GET", b"/v1/threads/thread_9", live({"object": "thread", "id": "thread_9"})),
    ("DELETE", b"/v1/assistants/asst_old", live({"deleted": True})),
    ("DELETE", b"/v1/assistants/asst_keep", live({}, 500)),
)


async def test_just_what_was_created_and_is_still_there_is_deleted(proxies):
    said = []

    async def script(heard, writer):
        status = b"500 No" if b"thread_2" in heard.line else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    async with proxies.raw_upstream(script) as upstream:
        connections = Upstream(Origin.parse(upstream.url))
        caller = Caller(b"/v1", ((b"Authorization", b"Bearer live"),))
        leavings = Leavings(Performer(connections, IdMap(), patience=5), caller)
        for method, target, answer in CALLS:
            leavings.note(Request(method, target), answer, IdMap([("asst_old", "asst_new")]))
        assert len(leavings) == 4
        await leavings.delete(said.append)
        await leavings.delete(said.append)
        connections.close()
        assert [heard.line for heard in upstream.heard] == [
            b"DELETE /v1/files/file-1 HTTP/1.1",
            b"DELETE /v1/assistants/asst_keep HTTP/1.1",
            b"DELETE /v1/threads/thread_2 HTTP/1.1",
            b"DELETE /v1/threads/thread_1 HTTP/1.1",
        ]
        assert all(b"Authorization: Bearer live" in heard.headers for heard in upstream.heard)
    assert said == ["respool: 1 thing could not be deleted upstream: thread_2"]
