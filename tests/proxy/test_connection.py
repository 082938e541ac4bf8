"""A server that was shut down holds no connection: not one whose client does not read, nor one that came too late."""

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web
from respool.proxy.connection import ConnectionServer

ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _endless(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(bytes(1 << 16))


@asynccontextmanager
async def serving():
    server = ConnectionServer(_endless, narrate=print)
    service = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield server, service.sockets[0].getsockname()
    finally:
        service.close()
        await server.shutdown(0.1)


async def test_a_client_that_does_not_read_is_hung_up_on():
    async with serving() as (server, address):
        _, writer = await asyncio.open_connection(*address)
        writer.transport.pause_reading()
        writer.write(ASKED)
        while not (server.connections and any(each.get_write_buffer_size() for each in server._connections.values())):
            await asyncio.sleep(0.01)
        (transport,) = server._connections.values()
        await server.shutdown(0.1)
        assert transport.get_extra_info("socket").fileno() == -1
        writer.close()


async def test_who_comes_while_the_port_is_closed_is_hung_up_on():
    async with serving() as (server, address):
        await server.shutdown(0.1)
        reader, writer = await asyncio.open_connection(*address)
        try:
            assert await asyncio.wait_for(reader.read(), 5) == b""
        except ConnectionResetError:
            pass
        writer.close()
