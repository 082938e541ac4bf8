"""Host × Origin × token × method, on a socket and on a port, with real servers."""

import asyncio
import itertools
import json

import pytest
from controlled import answering, upstream
from respool.cassettes.errors import UsageError
from respool.proxy.control.gate import token_of_user
from respool.proxy.control.hub import Hub
from respool.proxy.control.server import control

TOKEN = "t" * 32


async def asked(address, lines):
    """The status of a raw request, and the whole answer."""
    if address.startswith("http"):
        host, _, port = address[7:].rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    else:
        reader, writer = await asyncio.open_unix_connection(address)
    try:
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        async with asyncio.timeout(10):
            answer = await reader.read(-1)
    finally:
        writer.close()
    return int(answer.split(b" ", 2)[1]), answer


def expected(host, origin, site, token, method, *, port):
    if host is None:
        return 400
    if host != "own":
        return 421
    if origin or site == "cross-site":
        return 403
    if port and token != "right":
        return 401
    return {"GET": 200, "POST": 405, "OPTIONS": 405, "PATCH": 405, "DELETE": 405, "HEAD": 405}[method]


@pytest.mark.parametrize("port", [False, True], ids=["socket", "port"])
async def test_every_host_with_every_origin_token_and_method(tmp_path, monkeypatch, port):
    monkeypatch.setenv("RESPOOL_CONTROL_TOKEN", TOKEN)
    where = "127.0.0.1:0" if port else str(tmp_path / "c.sock")
    hub = Hub("record")
    async with control(hub, where, 1, narrate=lambda _: None) as address:
        own = address.removeprefix("http://") if port else "localhost"
        hosts = {"own": own, "foreign": "evil.example", "rebound": "evil.example:" + own.rpartition(":")[2]}
        if port:
            hosts["other port"] = "127.0.0.1:1"
            hosts["socket's"] = "respool"
        tokens = {
            "right": f"Bearer {TOKEN}",
            "wrong": f"Bearer {TOKEN[:-1]}x",
            "short": "Bearer t",
            "other": f"Basic {TOKEN}",
        }
        seen = 0
        for host, origin, site, token, method in itertools.product(
            [*hosts, None],
            ["", "http://evil.example", "null", f"http://{own}"],
            ["", "none", "cross-site"],
            [*tokens, None],
            ["GET", "POST", "OPTIONS", "PATCH", "DELETE", "HEAD"],
        ):
            lines = [f"{method} /snapshot HTTP/1.1"]
            lines += [f"Host: {hosts[host]}"] if host else []
            lines += [f"Origin: {origin}"] if origin else []
            lines += [f"Sec-Fetch-Site: {site}"] if site else []
            lines += [f"Authorization: {tokens[token]}"] if token else []
            status, answer = await asked(address, lines)
            assert status == expected(host, origin, site, token, method, port=port), lines
            assert b"access-control" not in answer.lower()
            assert (b'"instance"' in answer) == (status == 200)
            seen += 1
        assert seen > 500


@pytest.mark.parametrize("target", ["/snapshot", "/events", "/calls", "/calls/0", "/sessions/default", "/nowhere"])
async def test_the_gate_stands_before_every_operation_the_stream_of_events_included(monkeypatch, target):
    monkeypatch.setenv("RESPOOL_CONTROL_TOKEN", TOKEN)
    async with control(Hub("record"), "127.0.0.1:0", 1, narrate=lambda _: None) as address:
        own = address.removeprefix("http://")
        for more, status in [([], 401), ([f"Authorization: Bearer {TOKEN}", f"Origin: http://{own}"], 403)]:
            said, answer = await asked(address, [f"GET {target} HTTP/1.1", f"Host: {own}", *more])
            assert said == status
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "respool_error"


@pytest.mark.parametrize(
    "line", ["GET http://evil.example/snapshot HTTP/1.1", "CONNECT evil.example:443 HTTP/1.1", "TRACE / HTTP/1.1"]
)
async def test_what_is_no_plain_request_is_refused(tmp_path, line):
    async with control(Hub("record"), str(tmp_path / "c.sock"), 1, narrate=lambda _: None) as address:
        status, _ = await asked(address, [line, "Host: localhost"])
        assert status in {405, 421}


async def test_a_token_is_drawn_and_told_once_where_none_is_given(monkeypatch):
    monkeypatch.delenv("RESPOOL_CONTROL_TOKEN", raising=False)
    said = []
    async with control(Hub("record"), "127.0.0.1:0", 1, narrate=said.append) as address:
        (line,) = [each for each in said if "token" in each]
        token = line.split("control API is ")[1].split()[0]
        own = address.removeprefix("http://")
        status, _ = await asked(address, ["GET /snapshot HTTP/1.1", f"Host: {own}", f"Authorization: Bearer {token}"])
        assert status == 200
    assert token_of_user()[0] != token_of_user()[0]


@pytest.mark.parametrize("weak", ["short", "with a blank in it 123", "x" * 15, "ü" * 20])
def test_a_weak_token_is_refused(monkeypatch, weak):
    monkeypatch.setenv("RESPOOL_CONTROL_TOKEN", weak)
    with pytest.raises(UsageError):
        token_of_user()


async def test_the_data_port_never_answers_the_control_api(recorded):
    async with upstream(answering(b'{"from": "upstream"}')) as url, recorded(url) as one:
        for target in ("/snapshot", "/events", "/calls", "/calls/0"):
            assert b'{"from": "upstream"}' in await one.call("GET", target)
        assert (await one.call("GET", "/_respool/snapshot")).startswith(b"HTTP/1.1 404")


async def test_a_query_of_more_fields_than_there_are_is_a_mistake_of_the_client(tmp_path):
    address = str(tmp_path / "c.sock")
    async with control(Hub("record"), address, 8080, narrate=print):
        many = "&".join(f"a{number}=1" for number in range(30))
        assert (await asked(address, [f"GET /calls?{many} HTTP/1.1", "Host: respool"]))[0] == 400
