"""Many cassettes behind one data port."""

import aiohttp
import pytest
from recorded_calls import write_cassette
from respool.cassettes.errors import CassetteError, DamagedCassetteError, RespoolError, UpstreamError
from respool.cassettes.folder import NoCassetteError
from respool.cassettes.reader import Reader
from respool.proxy.health import Health
from respool.proxy.library import Library
from respool.proxy.replay import Replayer
from respool.proxy.server import serve


async def get(url: str) -> tuple[int, dict]:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return answer.status, await answer.json()


async def test_each_session_is_answered_by_the_mode_it_was_opened_with(tmp_path):
    said: list[str] = []
    path = write_cassette(tmp_path / "a.cassette", [("GET", b"/v1/threads/thread_1", b"", b'{"id": "thread_1"}', 200)])
    with Reader.open(path) as reader:
        library = Library(narrate=said.append)
        library.open("one", Replayer(reader, narrate=said.append))
        async with serve(library, name="replay", narrate=said.append) as listening:
            status, _ = await get(listening.url + "/@one/v1/threads/thread_1")
            assert status == 200
            library.close("one")
            status, answer = await get(listening.url + "/@one/v1/threads/thread_1")
            assert (status, answer["error"]["code"]) == (404, "no_cassette")
    assert library.unknown == 1


class Nowhere:
    """A resolver that finds nothing, and says it with `error`."""

    def __init__(self, error: RespoolError) -> None:
        self.error = error

    async def find(self, session: str, target: bytes):
        raise self.error

    def health(self) -> Health:
        return Health(cassettes=7)

    async def stop(self, timeout: float) -> None: ...


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (NoCassetteError, 404, "no_cassette"),
        (DamagedCassetteError, 500, "cassette_damaged"),
        (CassetteError, 500, "cassette_refused"),
        (UpstreamError, 502, "upstream_failed"),
    ],
)
async def test_a_session_that_leads_nowhere_is_told_why_and_not_to_try_again(kind, status, code):
    said: list[str] = []
    library = Library(resolver=Nowhere(kind("no cassette lost.cassette", "record it first")), narrate=said.append)
    async with serve(library, name="replay", narrate=said.append) as listening, aiohttp.ClientSession() as client:
        async with client.get(listening.url + "/@lost/v1/threads/t") as answer:
            assert answer.status == status
            assert answer.headers["x-should-retry"] == "false"
            error = (await answer.json())["error"]
    assert (error["code"], error["message"]) == (code, "no cassette lost.cassette. record it first")
    assert said == ["respool: session lost: no cassette lost.cassette. record it first"]
    assert library.health() == Health(cassettes=7)


async def test_a_name_is_opened_once():
    library = Library(narrate=print)
    library.open("one", library)
    with pytest.raises(ValueError, match="open already"):
        library.open("one", library)
