"""A performance as the command does it, and an upstream that answers otherwise than the sandbox behind it."""

import json
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web
from respool.cassettes.drift.agenda import created
from respool.cassettes.ids import IdMap
from respool.cassettes.reader import Reader
from respool.cassettes.sse import events
from respool.proxy.drift import Drift
from respool.proxy.upstream import Origin, Upstream

HEADERS = ((b"Authorization", b"Bearer sk-live-0123456789"),)


async def drifted(path, url, *, ids=(), patience=20.0, threads=None, keep=False):
    """The performance of a cassette against an upstream, done and cleaned up."""
    said = []
    with Reader.open(path) as reader:
        upstream = Upstream(Origin.parse(url + "/v1"))
        pairs = IdMap(ids)
        work = Drift(reader, upstream, ids=pairs, headers=HEADERS, narrate=said.append, patience=patience)
        work.said = said
        names = [name for name in reader.scopes() if not name.startswith("/")]
        chosen = [name for name in names if pairs.knows_old(name) or created(reader.rows_of_scope(name))]
        try:
            await work.perform(threads or chosen, alone=threads is not None)
        finally:
            if not keep:
                await work.clean_up()
            upstream.close()
    return work


class Call:
    """An answer on its way, for a test to change: `value` is its JSON, `events` those of a stream."""

    def __init__(self, method, path, asked, status, headers, body):
        self.method, self.path, self.asked, self.status, self.headers, self.body = (
            method,
            path,
            asked,
            status,
            headers,
            body,
        )
        self.is_stream = headers.get("Content-Type", "").startswith("text/event-stream")
        self.events = [[event.name, event.data] for event in events(body)] if self.is_stream else []
        try:
            self.value = json.loads(body)
        except ValueError:
            self.value = None

    def objects(self, kind):
        """Every object of a kind in the answer, to be changed in place; those of streams too."""
        if self.is_stream:
            for event in self.events:
                try:
                    value = json.loads(event[1])
                except ValueError:
                    continue
                yield from _found(value, kind)
                event[1] = json.dumps(value)
        else:
            yield from _found(self.value, kind)

    def written(self):
        if self.is_stream:
            return "".join(f"event: {name}\ndata: {data}\n\n" for name, data in self.events).encode()
        return self.body if self.value is None else json.dumps(self.value).encode()


def _found(value, kind):
    if isinstance(value, dict):
        if value.get("object") == kind:
            yield value
        for child in list(value.values()):
            yield from _found(child, kind)
    elif isinstance(value, list):
        for child in list(value):
            yield from _found(child, kind)


@asynccontextmanager
async def mutating(url, mutate):
    """An upstream on a free port that passes calls on to `url`, and answers by way of `mutate(call)`."""

    async def handle(request):
        asked = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        async with session.request(request.method, url + request.path_qs, data=asked, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() in KEPT}
            call = Call(
                request.method, request.path.removeprefix("/v1"), asked, answer.status, kept, await answer.read()
            )
        mutate(call)
        return web.Response(status=call.status, headers=call.headers, body=call.written())

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    async with ClientSession() as session:
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


KEPT = frozenset({"content-type", "openai-poll-after-ms", "retry-after"})
