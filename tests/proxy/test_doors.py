"""Who may speak to the data port: every Host with every Origin, every kind of fetch, every method and form of target."""

import asyncio
import itertools
import json
import socket
from contextlib import asynccontextmanager

import pytest
from respool.cassettes.errors import UsageError
from respool.proxy.doors import Doors, host_name
from respool.proxy.record import Recorder
from respool.proxy.server import listen, serve
from respool.proxy.upstream import Origin, Upstream

HOSTS = {
    # what the Host says (PORT is the port's own), and whether that is one of its names
    "127.0.0.1:PORT": True,
    "localhost:PORT": True,
    "LocalHost:PORT": True,
    "[::1]:PORT": True,
    "friend.test": True,
    "friend.test:1": True,
    "exact.test:77": True,
    "exact.test": False,
    "exact.test:78": False,
    "127.0.0.1": False,
    "127.0.0.1:1": False,
    "localhost": False,
    "localhost.:PORT": False,
    "127.0.0.1.evil.test:PORT": False,
    "localhost.evil.test:PORT": False,
    "evil.test:PORT": False,
    "evil.test": False,
    "127.1:PORT": False,
    "2130706433:PORT": False,
    "0.0.0.0:PORT": False,
    "[::ffff:127.0.0.1]:PORT": False,
    "user@127.0.0.1:PORT": False,
    "127.0.0.1:PORT/x": False,
    "friend.test:x": False,
    "friend.test.evil.test": False,
    "": False,
    None: False,
}
ORIGINS = {
    None: True,
    "http://127.0.0.1:PORT": True,
    "http://localhost:PORT": True,
    "https://friend.test": True,
    "http://localhost:3000": False,
    "http://evil.test": False,
    "https://evil.test:PORT": False,
    "http://localhost:PORT.evil.test": False,
    "http://127.0.0.1": False,
    "file://": False,
    "null": False,
    "": False,
    "chrome-extension://abcdef": False,
}
SITES = {None: True, "none": True, "same-origin": True, "same-site": False, "cross-site": False, "other": False}
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
FORMS = {
    # the target, and the status where host, origin and site are all right (None: it is passed on)
    "/v1/threads/t": None,
    "/@one/v1/threads/t": None,
    "/_respool/health": 200,
    "http://HOST/v1/threads/t": None,
    "http://elsewhere.test/v1/threads/t": 421,
    "https://HOST/v1/threads/t": 421,
    "http://user@HOST/v1/threads/t": 421,
}


async def empty(heard, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@asynccontextmanager
async def guarded(upstream_url, *, listener=None):
    said = []
    recorder = Recorder(Upstream(Origin.parse(upstream_url)), None, narrate=said.append)
    allowed = ("friend.test", "Exact.test:77")
    async with serve(
        recorder, name="live", narrate=said.append, listener=listener, allow_hosts=allowed, drain=1
    ) as port:
        yield port


class Kept:
    """A connection for many calls: it is made anew where the proxy closed it."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def call(self, data):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(data)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = b"" if data.startswith(b"HEAD") else await self.reader.readexactly(length)
        if b"connection: close" in head.lower():
            await self.close()
        return head, body

    async def close(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None


TELLING = {
    "hosts": ("127.0.0.1:PORT", "friend.test", "evil.test:PORT", None),
    "origins": (None, "http://127.0.0.1:PORT", "http://evil.test", "null"),
    "sites": (None, "same-site", "cross-site"),
}
"""What stands for all of its kind with the other forms of target."""


def combinations():
    first, *others = FORMS
    yield from itertools.product(HOSTS, ORIGINS, SITES, [first])
    yield from itertools.product(*TELLING.values(), others)


@pytest.mark.parametrize("method", METHODS)
async def test_every_host_with_every_origin_fetch_and_form(proxies, method):
    """2,000 combinations a method and more: one is let in only if nothing speaks against it."""
    let_in = refused = 0
    async with proxies.raw_upstream(empty) as upstream, guarded(upstream.url) as port:
        kept = Kept(port.port)
        for host, origin, site, form in combinations():
            place = str(port.port)
            named = "" if host is None else host.replace("PORT", place)
            target = form.replace("HOST", named)
            lines = [f"{method} {target} HTTP/1.1"]
            lines += [] if host is None else [f"Host: {named}"]
            lines += [] if origin is None else [f"Origin: {origin.replace('PORT', place)}"]
            lines += [] if site is None else [f"Sec-Fetch-Site: {site}"]
            lines += ["Content-Length: 0"] if method == "POST" else []
            before = len(upstream.heard)
            head, body = await kept.call("\r\n".join([*lines, "", ""]).encode())
            status = int(head.split(b" ", 2)[1])
            assert b"access-control" not in head.lower()
            fine = HOSTS[host] and ORIGINS[origin] and SITES[site]
            expected = FORMS[form]
            if expected == 200 and method not in {"GET", "HEAD"}:
                expected = 404
            if fine and expected is None:
                let_in += 1
                assert (status, len(upstream.heard)) == (200, before + 1), lines
                continue
            refused += 1
            assert len(upstream.heard) == before, lines
            if fine:
                assert status == expected, lines
            else:
                assert status in {400, 403, 421}, lines
                if FORMS[form] != 421:
                    assert status == (400 if not named else 421 if not HOSTS[host] else 403) or not HOSTS[host], lines
                assert b"connection: close" in head.lower()
                assert method == "HEAD" or json.loads(body)["error"]["type"] == "respool_error"
        await kept.close()
    assert let_in >= 80
    assert refused > 1000


@pytest.mark.parametrize(
    ("line", "lines", "status"),
    [
        ("CONNECT 127.0.0.1:443 HTTP/1.1", (), 405),
        ("CONNECT evil.test:443 HTTP/1.1", (), 405),
        ("TRACE / HTTP/1.1", (), 405),
        ("OPTIONS * HTTP/1.1", (), 501),
        ("GET * HTTP/1.1", (), 400),
        ("GET v1/threads HTTP/1.1", (), 400),
        ("GET ftp://HOST/x HTTP/1.1", (), 421),
        ("GET http:///x HTTP/1.1", (), 400),
        ("GET /x HTTP/1.1", ("Upgrade: websocket", "Connection: Upgrade"), 501),
        ("GET /x HTTP/1.1", ("Upgrade: tcp", "Connection: Upgrade"), 501),
        ("GET /x HTTP/1.1", ("Upgrade: TLS/1.0", "Connection: Upgrade"), 501),
        ("GET /x HTTP/1.1", ("Upgrade: h2c, websocket",), 501),
        ("GET /x HTTP/1.1", ("Expect: something",), 417),
        ("GET /x HTTP/1.1", ("Host: 127.0.0.1:PORT",), 400),
        ("GET /x HTTP/1.1", ("Origin: http://127.0.0.1:PORT", "Origin: http://evil.test"), 403),
        ("GET /x HTTP/1.1", ("Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"), 403),
    ],
)
async def test_what_is_no_request_for_a_reverse_proxy_never_reaches_the_upstream(proxies, line, lines, status):
    async with proxies.raw_upstream(empty) as upstream, guarded(upstream.url) as port:
        host = f"127.0.0.1:{port.port}"
        request = "\r\n".join([line.replace("HOST", host), f"Host: {host}", *lines, "", ""])
        got = await proxies.raw_call(port.port, request.replace("PORT", str(port.port)).encode())
        assert upstream.connections == 0
    assert got.startswith(b"HTTP/1.1 %d " % status)


async def test_an_offer_of_http_2_is_not_taken_and_does_not_travel_on(proxies):
    """As Java's own client makes it with its first call: a refusal would break it."""
    async with proxies.raw_upstream(empty) as upstream, guarded(upstream.url) as port:
        got = await proxies.raw_call(
            port.port,
            b"GET /x HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" % port.port,
        )
        assert got.startswith(b"HTTP/1.1 200 ")
        assert b"pgrade" not in upstream.heard[0].head
        assert b"HTTP2-Settings" not in upstream.heard[0].head


async def test_on_all_addresses_the_one_that_was_dialled_is_a_name(proxies):
    """As when a container is called by its address; a page can rebind a name, but no address."""
    async with proxies.raw_upstream(empty) as upstream, guarded(upstream.url, listener=listen("0.0.0.0", 0)) as port:
        for host, status in (
            ("127.0.0.1", 200),
            ("localhost", 200),
            ("0.0.0.0", 200),
            ("127.0.0.2", 421),
            ("evil.test", 421),
        ):
            request = f"GET /x HTTP/1.1\r\nHost: {host}:{port.port}\r\nConnection: close\r\n\r\n".encode()
            assert (await proxies.raw_call(port.port, request)).startswith(b"HTTP/1.1 %d " % status), host
        reader, writer = await asyncio.open_connection("127.0.0.2", port.port)
        writer.write(b"GET /x HTTP/1.1\r\nHost: 127.0.0.2:%d\r\nConnection: close\r\n\r\n" % port.port)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()


def test_only_on_port_80_a_name_stands_without_its_port():
    assert Doors("127.0.0.1", 80).knows(b"localhost", None)
    assert not Doors("127.0.0.1", 8080).knows(b"localhost", None)
    assert Doors("::1", 8080).knows(b"[::1]:8080", None)


@pytest.mark.parametrize("name", ["respool", "Respool.internal", "a_b-c", "10.0.0.7", "[fd00::7]", "respool:8080"])
def test_a_name_of_a_host_is_taken(name):
    known = Doors("127.0.0.1", 1, [name])
    assert known.knows(name.encode(), None)
    assert not known.knows(b"x" + name.encode(), None)


@pytest.mark.parametrize(
    "name", ["", "*", "http://respool", "a b", "a/b", "respool:", "a:123456", "ä", ".a", "a\n", "u@h"]
)
def test_what_names_no_host_is_refused(name):
    with pytest.raises(UsageError, match="--allow-host"):
        host_name(name)


SELF = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "0"]  # fmt: skip


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("spelling", SELF)
async def test_the_proxy_is_not_its_own_upstream_however_it_is_spelled(proxies, bound, spelling):
    listener = listen(bound, 0)
    port = listener.getsockname()[1]
    async with guarded(f"http://{spelling}:{port}/v1", listener=listener) as own:
        request = b"GET /v1/threads/t HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % own.port
        got = await proxies.raw_call(own.port, request)
        assert len(own.server.connections) <= 1
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"is this respool itself" in got


@pytest.mark.parametrize("name", ["[::1]", "[::]", "localhost"])
async def test_the_proxy_is_not_its_own_upstream_on_ipv6_either(proxies, name):
    try:
        listener = listen("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    port = listener.getsockname()[1]
    if name == "localhost" and not any(
        address[0] == "::1" for *_, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)
    ):
        listener.close()
        pytest.skip("localhost is no IPv6 address here")
    async with guarded(f"http://{name}:{port}", listener=listener):
        reader, writer = await asyncio.open_connection("::1", port)
        writer.write(b"GET /x HTTP/1.1\r\nHost: [::1]:%d\r\nConnection: close\r\n\r\n" % port)
        assert b"is this respool itself" in await reader.read()
        writer.close()


async def test_a_name_is_looked_up_once_a_connection_and_what_was_found_is_dialled(proxies, monkeypatch):
    """The upstream's name may come to stand for the proxy itself."""

    async def closing(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async with proxies.raw_upstream(closing) as upstream:
        listener = listen("127.0.0.2", upstream.port)
        async with guarded(f"http://moving.test:{upstream.port}", listener=listener):
            loop = asyncio.get_running_loop()
            asked, lookup = [], loop.getaddrinfo

            async def looked_up(host, port, **options):
                if host != "moving.test":
                    return await lookup(host, port, **options)
                asked.append(host)
                address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

            monkeypatch.setattr(loop, "getaddrinfo", looked_up)
            request = b"GET /x HTTP/1.1\r\nHost: 127.0.0.2:%d\r\nConnection: close\r\n\r\n" % upstream.port
            answers = []
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.2", upstream.port)
                writer.write(request)
                answers.append(await reader.read())
                writer.close()
        assert answers[0].startswith(b"HTTP/1.1 200 ")
        assert b"is this respool itself" in answers[1]
        assert len(asked) == 2
        assert upstream.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_passed_on_and_not_followed(proxies, status):
    async def elsewhere(heard, writer):
        raise AssertionError("followed")

    async with proxies.raw_upstream(elsewhere) as other:

        async def redirect(heard, writer):
            writer.write(
                b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:%d/x\r\nContent-Length: 0\r\n\r\n" % (status, other.port)
            )

        async with proxies.raw_upstream(redirect) as upstream, guarded(upstream.url) as port:
            request = b"GET /x HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n" % port.port
            got = await proxies.raw_call(port.port, request)
        assert other.connections == 0
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert b"Location: http://127.0.0.1:%d/x\r\n" % other.port in got
