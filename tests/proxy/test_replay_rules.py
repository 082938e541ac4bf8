"""Rules over HTTP: what they leave out of a request, a replay does not look at; what is matched, it does."""

import gzip
import json

import aiohttp
import pytest
from recorded_calls import write_cassette
from respool.cassettes.rules import Rules

MESSAGES = b"/v1/threads/thread_1/messages"


def message(text: str, trace: object) -> bytes:
    return json.dumps({"role": "user", "content": text, "metadata": {"trace_id": trace}}).encode()


@pytest.fixture
def traced(tmp_path):
    """Two messages with a trace id each, and a poll with a version in its query."""
    return write_cassette(
        tmp_path / "traced.cassette",
        [
            ("POST", MESSAGES, message("one", "a"), b'{"id": "msg_1"}', 200),
            ("GET", MESSAGES + b"?api-version=1&limit=2", b"", b'{"data": ["msg_1"]}', 200),
            ("POST", MESSAGES, message("one", "b"), b'{"id": "msg_2"}', 200),
            ("GET", MESSAGES + b"?api-version=2&limit=2", b"", b'{"data": ["msg_2", "msg_1"]}', 200),
        ],
    )


class Caller:
    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self.client, self.url = client, url

    async def __call__(self, method: str, target: bytes, data: bytes = b"", **headers: str):
        head = {"Content-Type": "application/json", **headers}
        async with self.client.request(method, self.url + target.decode(), data=data, headers=head) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def caller():
    async with aiohttp.ClientSession() as client:
        yield lambda url: Caller(client, url)


async def test_calls_that_differ_in_what_is_ignored_are_answered_in_their_order(proxies, traced, caller):
    rules = Rules.of(["$.metadata.trace_id", "query:api-version"])
    async with proxies.replaying(traced, rules=rules) as proxy:
        call = caller(proxy.url)
        assert await call("POST", MESSAGES, message("one", "new")) == (200, {"id": "msg_1"})
        assert await call("GET", MESSAGES + b"?limit=2") == (200, {"data": ["msg_1"]})
        packed = gzip.compress(message("one", ["x"]))
        assert await call("POST", MESSAGES, packed, **{"Content-Encoding": "gzip"}) == (200, {"id": "msg_2"})
        for _ in range(2):
            assert await call("GET", MESSAGES + b"?limit=2&api-version=9") == (200, {"data": ["msg_2", "msg_1"]})
        assert proxy.recorder.misses == 0


async def test_without_the_rules_each_is_a_miss_that_names_the_field(proxies, traced, caller):
    async with proxies.replaying(traced) as proxy:
        status, answer = await caller(proxy.url)("POST", MESSAGES, message("one", "new"))
    assert (status, answer["error"]["param"]) == (502, "$.metadata.trace_id")


async def test_a_miss_under_rules_names_what_is_not_ignored(proxies, traced, caller):
    async with proxies.replaying(traced, rules=Rules.of(["$.metadata.trace_id"])) as proxy:
        status, answer = await caller(proxy.url)("POST", MESSAGES, message("two", "new"))
    assert (status, answer["error"]["param"]) == (502, "$.content")
    assert "trace_id" not in answer["error"]["message"]


async def test_a_matched_header_parts_two_tenants(proxies, tmp_path, caller):
    def echo(heard, writer):
        tenant = next(line.split(b": ")[1] for line in heard.headers if line.lower().startswith(b"x-tenant"))
        body = b'{"tenant": "%s"}' % tenant
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)

    async def script(heard, writer):
        echo(heard, writer)

    path = tmp_path / "tenants.cassette"
    async with proxies.raw_upstream(script) as upstream, proxies.recording(upstream.url, path) as proxy:
        for tenant in ("a", "b"):
            assert await caller(proxy.url)("POST", b"/threads", b"{}", **{"X-Tenant": tenant}) == (
                200,
                {"tenant": tenant},
            )
    for match, served in (((), ["a", "b"]), (("X-Tenant",), ["b", "a"])):
        async with proxies.replaying(path, rules=Rules.of([], match)) as proxy:
            call = caller(proxy.url)
            answers = [await call("POST", b"/threads", b"{}", **{"X-Tenant": tenant}) for tenant in ("b", "a")]
        assert [answer["tenant"] for _, answer in answers] == served


async def test_a_matched_credential_parts_two_users_and_shows_neither(proxies, tmp_path, caller):
    async def script(heard, writer):
        body = b'{"call": %d}' % len(upstream.heard)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)

    users = [{"Authorization": f"Bearer sk-user-{name}-0123456789"} for name in ("one", "two", "three")]
    path = tmp_path / "users.cassette"
    async with proxies.raw_upstream(script) as upstream, proxies.recording(upstream.url, path) as proxy:
        for user in users[:2]:
            await caller(proxy.url)("POST", b"/threads", b"{}", **user)
    async with proxies.replaying(path, rules=Rules.of([], ["authorization"])) as proxy:
        call = caller(proxy.url)
        assert await call("POST", b"/threads", b"{}", **users[1]) == (200, {"call": 2})
        assert await call("POST", b"/threads", b"{}", **users[0]) == (200, {"call": 1})
        status, answer = await call("POST", b"/threads", b"{}", **users[2])
    assert status == 502
    assert answer["error"]["param"] == "header:authorization"
    assert "sk-user" not in json.dumps(answer)


async def test_a_part_of_a_form_that_is_ignored_does_not_count(proxies, tmp_path, caller):
    def form(boundary: str, nonce: str) -> tuple[bytes, dict[str, str]]:
        parts = [("purpose", "assistants"), ("nonce", nonce)]
        lines = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts
        ]
        return "".join([*lines, f"--{boundary}--\r\n"]).encode(), {
            "Content-Type": f"multipart/form-data; boundary={boundary}"
        }

    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

    path = tmp_path / "form.cassette"
    data, headers = form("one", "1")
    async with proxies.raw_upstream(script) as upstream, proxies.recording(upstream.url, path) as proxy:
        assert (await caller(proxy.url)("POST", b"/files", data, **headers))[0] == 200
    data, headers = form("two", "2")
    for rules, status in ((Rules(), 502), (Rules.of(["multipart:nonce"]), 200)):
        async with proxies.replaying(path, rules=rules) as proxy:
            assert (await caller(proxy.url)("POST", b"/files", data, **headers))[0] == status
