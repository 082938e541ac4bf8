"""The one fixed upstream: dialling, reuse of connections, one exchange at a time on each.

aiohttp's connection protocol parses what comes back; the request is written here, byte for byte, because aiohttp's client
loses headers that are spelled in different case and bytes that are not UTF-8, and sends a call a second time when a
kept connection has gone stale. Here a call reaches the upstream once or fails.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError

from ..cassettes.errors import UpstreamError, UsageError
from ..cassettes.text import clip
from . import wire
from .dialling import dial
from .reception import Connection, unreadable
from .replies import Head, Reply

HEAD_SECONDS = 900.0
"""A run without a stream may think for minutes before it says a word; the clients' own default is 600 s."""
IDLE_SECONDS = 300.0
"""The longest silence within a body."""
KEEP_SECONDS = 4.0
"""How long an idle connection is kept: less than the common servers' own 5 s, so that one is rarely found stale."""
KEEP_MOST = 64


class Origin(NamedTuple):
    """Where calls go: scheme, host and port. `base` is the path that the user's URL had, without a slash at its end."""

    scheme: str
    host: str
    port: int
    base: str

    @property
    def authority(self) -> str:
        """What stands in `Host`: the port only where it is not the scheme's own (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @property
    def root(self) -> str:
        """The URL without its path: what a `Location` within this origin begins with."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base}"

    @classmethod
    def parse(cls, url: str) -> "Origin":
        """Read `--upstream`. Raises UsageError for anything but an http(s) URL with a host and a plain path."""
        example = "give an URL such as https://host.example/v1"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # its text may quote a password, which stands where the port should
            raise UsageError("the upstream URL cannot be read: its host or port is malformed", example) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            # What stands before an @ may be a password, and what stands behind a ? a key.
            shown = "" if "@" in url else clip(url.partition("?")[0], 100) + " "
            raise UsageError(f"the upstream {shown}is no http:// or https:// URL with a host", example)
        if parts.username or parts.password:
            raise UsageError(
                "the upstream URL holds a user name or a password", "send credentials in the client's headers"
            )
        if parts.query or parts.fragment:
            raise UsageError("the upstream URL has a query or a fragment", "clients send those themselves: " + example)
        return cls(
            parts.scheme, parts.hostname, port or {"http": 80, "https": 443}[parts.scheme], parts.path.rstrip("/")
        )


class Broken(Exception):
    """The upstream broke off within a body, or fell silent for too long."""


class HungUp(UpstreamError):
    """The proxy itself has closed its connections, because it stops: no fault of the upstream."""


class Exchange:
    """One call on one connection: `send` its parts, take the `head`, read the `body`, then `release`.

    For a call whose request was sent, `reply` may be tried first: it is all of the answer, or nothing was taken.
    """

    def __init__(self, upstream: "Upstream", connection: Connection, method: str) -> None:
        self._upstream = upstream
        self._connection = connection
        self._method = method
        self._payload = None
        self._whole = False
        self._sent_all = False
        self._released = False
        connection.begin(bodiless=method == "HEAD")

    async def send(self, data: bytes, *, last: bool) -> None:
        """Write a part of the request as it is. Waits while the upstream takes nothing."""
        transport = self._connection.transport
        if transport is None or transport.is_closing():
            raise self._gone(Broken("the upstream closed the connection before it had the whole request"))
        if data:
            transport.write(data)
        if last:
            self._sent_all = True
        if self._connection.writing_paused:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._connection._drain_helper()
            except TimeoutError:
                raise Broken(f"the upstream took no more of the request for {IDLE_SECONDS:.0f} s") from None
            except (ConnectionError, ClientError):
                raise self._gone(Broken("the upstream closed the connection before it had the whole request")) from None

    async def reply(self) -> Reply | None:
        """The whole answer, if it comes plain and in one piece; None: read it with `head` and `body`.

        Raises UpstreamError when nothing comes for too long.
        """
        hoped = self._connection.hope()
        if not hoped.done():
            late = self._connection._loop.call_later(HEAD_SECONDS, _give_up, hoped)
            try:
                reply = await hoped
            except TimeoutError:
                raise self._silent() from None
            finally:
                late.cancel()
        else:
            reply = hoped.result()
        self._whole = reply is not None
        return reply

    def _gone(self, failure: Exception) -> Exception:
        """What to raise for a connection that is gone: `failure`, unless it was the proxy that hung up."""
        if self._upstream.closed:
            return HungUp(f"respool was stopped before {self._upstream.origin.url} had answered")
        return failure

    def _silent(self) -> UpstreamError:
        return UpstreamError(f"{self._upstream.origin.url} did not answer within {HEAD_SECONDS:.0f} s")

    async def head(self) -> Head:
        """Wait for the final response head. Raises UpstreamError when none comes, HungUp when the proxy stops meanwhile."""
        url = self._upstream.origin.url
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                while True:
                    message, payload = await self._connection.read()
                    if not 100 <= message.code < 200:
                        break
                    if message.code == 101:
                        raise UpstreamError(f"{url} switched protocols although it was not asked to")
        except TimeoutError:
            raise self._silent() from None
        except HttpProcessingError as error:
            raise unreadable(url, error) from None
        except (ClientError, ConnectionError, OSError):
            raise self._gone(UpstreamError(f"{url} closed the connection without an answer")) from None
        codings = wire.header_values(message.raw_headers, b"transfer-encoding")
        if codings and [value.strip().lower() for value in codings] != [b"chunked"]:
            raise UpstreamError(f"{url} answered in a transfer coding other than chunked, which cannot be passed on")
        self._payload = payload
        if not wire.has_body(self._method, message.code):
            self._whole = True
        reason = message.reason.encode("utf-8", "surrogateescape")
        return Head(message.code, reason, message.raw_headers)

    @property
    def at_hand(self) -> bool:
        """Whether the whole body has come already."""
        return self._whole or (self._payload is not None and self._payload.is_eof())

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body (chunked framing taken off, content coding left on) as it arrives. Raises Broken or HungUp."""
        payload = self._payload
        if self._whole or payload is None:
            return
        while True:
            try:
                if payload.is_eof():  # all has come: no wait, and none to guard
                    if not payload.at_eof():
                        yield payload.read_nowait()
                    break
                async with asyncio.timeout(IDLE_SECONDS):
                    data = await payload.readany()
            except TimeoutError:
                raise Broken(f"the upstream was silent for {IDLE_SECONDS:.0f} s") from None
            except (ClientError, HttpProcessingError, ConnectionError, OSError):
                raise self._gone(Broken("the upstream broke off within its answer")) from None
            if not data:
                break
            yield data
        self._whole = True

    def release(self) -> None:
        """Give the connection back, or close it unless both messages are whole and neither side wants to close."""
        if self._released:
            return
        self._released = True
        self._upstream.take_back(self._connection, reusable=self._whole and self._sent_all)


def _give_up(hoped: "asyncio.Future[Reply | None]") -> None:
    if not hoped.done():
        hoped.set_exception(TimeoutError())


MakeExchange = Callable[["Upstream", Connection, str], Exchange]


class Upstream:
    """Connections to one origin, the last one used first."""

    def __init__(self, origin: Origin, *, tls: ssl.SSLContext | None = None) -> None:
        self.origin = origin
        self.host = origin.authority.encode()
        """What stands in the `Host` line."""
        self.dialled = 0
        self.closed = False
        self._tls = (tls or ssl.create_default_context()) if origin.scheme == "https" else None
        self._idle: list[tuple[Connection, float]] = []
        self._busy: set[Connection] = set()

    async def exchange(self, method: str, *, make: "MakeExchange" = Exchange) -> Exchange:
        """Begin a call. Raises UpstreamError when the upstream cannot be reached. `make` gives the exchange its class."""
        connection = self._kept()
        if connection is None:  # an idle one is an empty queue, and so false
            connection = await self._dial()
        self._busy.add(connection)
        return make(self, connection, method)

    async def check(self) -> None:
        """Find out whether the upstream takes connections. Raises UpstreamError; the connection is kept for the first call."""
        self.take_back(await self._dial(), reusable=True)

    def _kept(self) -> Connection | None:
        now = time.monotonic()
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_connected() and not connection.should_close and now - since < KEEP_SECONDS:
                return connection
            connection.close()
        return None

    async def _dial(self) -> Connection:
        loop = asyncio.get_running_loop()
        origin = self.origin
        self.dialled += 1
        return await dial(lambda: Connection(loop), origin.host, origin.port, tls=self._tls, url=origin.url)

    def take_back(self, connection: Connection, *, reusable: bool) -> None:
        self._busy.discard(connection)
        if reusable and connection.is_connected() and not connection.should_close and len(self._idle) < KEEP_MOST:
            self._idle.append((connection, time.monotonic()))
        elif reusable:
            connection.close()
        else:
            connection.abort()

    def close(self) -> None:
        """Close every connection, also those in use: their calls raise HungUp."""
        self.closed = True
        for connection, _ in self._idle:
            connection.close()
        self._idle.clear()
        for connection in list(self._busy):
            connection.abort()
        self._busy.clear()
