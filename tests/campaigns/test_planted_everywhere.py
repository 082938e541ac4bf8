"""Secrets of every kind in every place, recorded through the proxy: no file, log, screen or export has one of them.

`make test` plants one secret of each kind in every place, `make test-long` some thousand.
"""

import asyncio
import contextlib
import gzip
import io
import shutil
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import brotli
import pytest
import zstandard
from aiohttp import web
from campaign import sized
from planted import KINDS, PLACES, planted
from planted_search import found_in, said, spellings, words_of
from respool.cassettes.exports.calls import MOST_CALLS
from respool.cassettes.reader import Reader
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.storage import keep_partial
from respool.cassettes.writer import Writer
from respool.cli import loop, ls
from respool.cli.loop import _unheard
from respool.cli.main import FAULT, run
from respool.inspector.app import Inspector
from respool.proxy.answer import error_answer
from respool.proxy.control.hub import Hub
from respool.proxy.narration import Narration
from respool.proxy.passage import Passage
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream
from yarl import URL

EACH = sized(1, 20)
"""Secrets of each kind; each stands in every place."""
CODINGS = {
    "": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "br": brotli.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
EXPORTS = ("html", "har", "jsonl", "curl", "markdown")
PROGRAMS = ("python", "pytest")
"""Forms that take so many calls at most."""
MALFORMED = (
    b"GET /v1/threads?key=%b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nBad Header: %b\r\n\r\n",
    b"GET /v1/threads?key=%b HTTP/9.9\r\nAuthorization: Bearer %b\r\n\r\n",
    b"POST /v1/threads HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: x%b\r\n\r\n",
    b"%b %b\r\n\r\n",
)


class Corpus:
    """What was planted, and everything that was written of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "planted.cassette"
        self.secrets: set[str] = set()
        self.sent: list[bytes] = []
        self.calls = list(planted(11, EACH))
        self.texts: list[bytes] = []


def verbose(mode: str, told: list[str]) -> Hub:
    """A hub that has each call said, as with `--verbose`."""
    hub = Hub(mode)
    hub.narration = Narration(told.append)
    return hub


@contextlib.asynccontextmanager
async def served_answers(answer: Callable[[web.BaseRequest], web.StreamResponse]) -> AsyncIterator[str]:
    """The URL of an upstream that answers so."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return answer(request)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def record(corpus: Corpus) -> None:
    """Each call once through a recording proxy, with bodies in all codings by turns, and requests that no server can read."""

    def answer(request: web.BaseRequest) -> web.StreamResponse:
        number = int(request.headers["X-Case"])
        response = corpus.calls[number][3][1]
        coding = list(CODINGS)[number % len(CODINGS)]
        body = response.body.read()
        headers = [(name.decode(), value.decode()) for name, value in response.headers]
        if coding:
            headers.append(("Content-Encoding", coding))
        return web.Response(status=response.status, headers=headers, body=CODINGS[coding](body))

    async with served_answers(answer) as url:
        await send(corpus, Upstream(Origin.parse(url)))


async def send(corpus: Corpus, upstream: Upstream) -> None:
    told: list[str] = []
    writer = Writer.create(corpus.path, meta=PLAIN.note())
    hub = verbose("record", told)
    recorder = Recorder(upstream, writer, narrate=told.append, replacer=Pseudonyms(b"k" * 32), hub=hub)
    async with serve(recorder, name="record", narrate=told.append, narration=hub.narration) as proxy:
        async with aiohttp.ClientSession(auto_decompress=False) as client:
            for number, (_, _, secret, (asked, answered)) in enumerate(corpus.calls):
                corpus.secrets.add(secret)
                corpus.sent += [asked.target, repr(asked.headers + answered.headers).encode()]
                corpus.sent += [asked.body.read(), answered.body.read()]
                coding = list(CODINGS)[number // 5 % len(CODINGS)] if asked.body.length else ""
                headers = [(name.decode(), value.decode()) for name, value in asked.headers] + [("X-Case", str(number))]
                headers += [("Content-Encoding", coding)] if coding else []
                url = URL(proxy.url + asked.target.decode(), encoded=True)
                body = CODINGS[coding](asked.body.read())
                async with client.request(asked.method, url, headers=headers, data=body) as response:
                    await response.read()
            for number, secret in enumerate(sorted(corpus.secrets)[:: max(len(corpus.secrets) // 40, 1)]):
                raw = (
                    MALFORMED[number % len(MALFORMED)]
                    .replace(b"%b", secret.encode())
                    .replace(b"%d", b"%d" % proxy.port)
                )
                reader, sender = await asyncio.open_connection("127.0.0.1", proxy.port)
                sender.write(raw)
                sender.write_eof()
                await reader.read()
                sender.close()
        corpus.texts.append((corpus.path.parent / (corpus.path.name + ".partial")).read_bytes())
    writer.close()
    assert sum(", recorded, session default" in line for line in told) == len(corpus.calls)
    assert sum("could not be parsed" in line for line in told) >= 10
    corpus.texts.append("\n".join(told).encode())


async def ask_for_what_is_not_there(corpus: Corpus) -> None:
    """Misses: what they answer, and what they say on stderr."""
    told: list[str] = []
    with Reader.open(corpus.path) as reader:
        hub = verbose("replay", told)
        replayer = Replayer(reader, narrate=told.append, hub=hub)
        async with serve(replayer, name="replay", narrate=told.append, narration=hub.narration) as proxy:
            async with aiohttp.ClientSession() as client:
                for _, _, _, (asked, _) in corpus.calls[:: max(len(corpus.calls) // 150, 1)]:
                    path, mark, query = asked.target.decode().partition("?")
                    url = URL(proxy.url + path + ".other" + mark + query, encoded=True)
                    headers = [(name.decode(), value.decode()) for name, value in asked.headers]
                    async with client.request("POST", url, headers=headers, data=asked.body.read()) as response:
                        assert response.status == 502
                        corpus.texts.append(await response.read())
    assert sum(", miss, session default" in line for line in told) >= 100
    corpus.texts.append("\n".join(told).encode())


def parts_of(corpus: Corpus) -> Iterator[Path]:
    """The recording in parts of as many calls as a program may make."""
    with Reader.open(corpus.path) as reader:
        rows = list(reader.rows())
        for at in range(0, len(rows), MOST_CALLS):
            part = corpus.folder / f"part-{at}.cassette"
            with Writer.create(part, meta=dict(reader.meta)) as writer:
                for row in rows[at : at + MOST_CALLS]:
                    writer.append(reader.interaction(row), row.summary)
            yield part


def command(corpus: Corpus, *arguments: object) -> int:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(corpus.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run([str(argument) for argument in arguments])
    corpus.texts += [out.getvalue().encode(), err.getvalue().encode()]
    return status


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    corpus = Corpus(tmp_path_factory.mktemp("planted"))
    asyncio.run(record(corpus))
    return corpus


def test_the_corpus_is_as_large_as_it_should_be_and_the_search_finds_what_is_there(corpus):
    assert len(KINDS) >= 25
    assert len(PLACES) >= 20
    assert len(corpus.calls) == EACH * len(KINDS) * len(PLACES)
    assert len(corpus.secrets) >= sized(len(KINDS), 1000)
    words = words_of(corpus.sent)
    assert [secret for secret in corpus.secrets if not any(each in words for each in spellings(secret))] == []


def test_the_cassette_holds_none_of_them(corpus):
    with Reader.open(corpus.path) as reader:
        assert len(reader) >= len(corpus.calls)
        texts = [repr(reader.meta).encode(), corpus.path.read_bytes()]
        for row in reader.rows():
            texts += [repr(row).encode(), said(reader.interaction(row))]
    assert found_in(texts, corpus.secrets) == []


def test_no_command_and_no_export_tells_one(corpus):
    folder, path = corpus.folder, corpus.path
    torn = folder / "torn.cassette"
    torn.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    shutil.copy(path, folder / "other.cassette")
    assert command(corpus, "ls", path) == 0
    for form in ((), ("--plain",), ("--filter", "http:4xx")):
        assert command(corpus, "show", path, *form) == 0
    made = [folder / f"export.{kind}" for kind in EXPORTS]
    for kind in EXPORTS:
        assert command(corpus, "export", f"--{kind}", path, folder / f"export.{kind}") == 0
    for number, part in enumerate(parts_of(corpus)):
        for kind in PROGRAMS:
            made.append(folder / f"export-{number}.{kind}")
            assert command(corpus, "export", f"--{kind}", part, made[-1]) == 0
    assert command(corpus, "diff", path, torn) in (1, 3)
    assert command(corpus, "doctor", path) == 0
    assert command(corpus, "drift", path, "--upstream", "sandbox") in (0, 1, 2)
    assert command(corpus, "doctor", "--repair", torn) == 0
    assert command(corpus, "scan", path, *made) in (0, 1)
    assert command(corpus, "pack", path, "-o", folder / "packed.cassette") == 0
    assert command(corpus, "redact", path, "-o", folder / "again.cassette") == 0
    asyncio.run(ask_for_what_is_not_there(corpus))
    files = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    assert len(files) >= 3 + len(EXPORTS)
    assert found_in([*corpus.texts, *files], corpus.secrets) == []


def test_no_file_that_an_interrupted_recording_leaves_holds_one(corpus, tmp_path):
    """What is set aside of a torn end (`.torn-N`), and a recording that was cut (`.cut-N`)."""
    whole = corpus.path.read_bytes()
    for number in range(1, 41):
        partial = tmp_path / f"{number}.cassette.partial"
        partial.write_bytes(whole[: len(whole) * number // 41])
        Writer.append_to(partial, create=False).close()
        keep_partial(tmp_path / f"{number}.cassette")
    files = sorted(tmp_path.iterdir())
    assert len([file for file in files if ".torn-" in file.name and file.stat().st_size > 100]) >= 20
    assert len([file for file in files if ".cut-" in file.name]) == 40
    assert found_in([file.read_bytes() for file in files], corpus.secrets) == []


@pytest.mark.parametrize("where", ["handler", "copy", "task"])
async def test_no_fault_of_our_own_tells_one(corpus, monkeypatch, where):
    """Every call meets a fault whose text holds all of it: in the handler, in what is kept of it, in a task of nobody."""
    told: list[str] = []

    async def fail(self, request, session, target, **_):
        fault = KeyError(str(request.headers) + str(target) + str(await request.read()))
        if where == "handler":
            raise fault
        _unheard(asyncio.get_running_loop(), {"exception": fault, "message": str(fault), "task": str(fault)})
        return error_answer(404, "gone", "gone")

    def fail_the_copy(self, request, response):
        raise KeyError(repr(request) + repr(response) + str(request.body.read()))

    monkeypatch.setattr(loop, "narrate", told.append)
    if where == "copy":
        monkeypatch.setattr(Passage, "_without_secrets", fail_the_copy)
    else:
        monkeypatch.setattr(Recorder, "handle", fail)
    texts = []
    async with served_answers(lambda request: web.Response(body=request.headers["X-Note"])) as url:
        hub = verbose("record", told)
        writer = Writer.create(corpus.folder / f"{where}.cassette", meta=PLAIN.note())
        recorder = Recorder(Upstream(Origin.parse(url)), writer, narrate=told.append, hub=hub)
        async with serve(recorder, name="record", narrate=told.append, narration=hub.narration) as proxy:
            async with aiohttp.ClientSession() as client:
                for number, secret in enumerate(sorted(corpus.secrets)):
                    headers = {"Authorization": f"Bearer {secret}", "X-Note": secret}
                    path = f"{proxy.url}/v1/threads?key={quote(secret, safe='')}&n={number}"
                    async with client.post(URL(path, encoded=True), data=secret, headers=headers) as response:
                        body = await response.read()
                        texts += [] if where == "copy" else [body]  # there the client gets its own answer
        writer.discard()
    assert sum("KeyError" in line for line in told) == len(corpus.secrets)
    assert found_in([*texts, "\n".join(told).encode()], corpus.secrets) == []


def test_no_command_that_fails_by_a_fault_tells_one(corpus, monkeypatch):
    held = " ".join(corpus.secrets)

    def fail(arguments):
        raise ValueError(held, arguments)

    monkeypatch.setattr(ls, "run", fail)
    assert command(corpus, "ls", corpus.path) == FAULT
    said = corpus.texts[-2:]
    assert b"internal error: ValueError in fail" in b"".join(said)
    assert found_in(said, corpus.secrets) == []


async def test_no_panel_of_the_inspector_shows_one(corpus):
    shown = []
    with Reader.open(corpus.path) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(160, 60)) as pilot:
            for number in range(12):
                await pilot.press("down", *("tab",) * (number % 3), str(number % 6 + 1))
                await pilot.pause(0.05)
                shown.append(app.export_screenshot(simplify=True).encode())
    assert len(set(shown)) > 3
    assert found_in(shown, corpus.secrets) == []
