"""What `--verbose` says of each call: one line, what became of it, and nothing that is secret or acts on a screen."""

import asyncio

import pytest
from controlled import answering, upstream
from respool.cassettes.faults import Faults
from respool.cassettes.reader import Reader
from respool.cassettes.secrets.cleaning import Cleaning
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.writer import Writer
from respool.proxy.answer import Answer
from respool.proxy.control.hub import Hub
from respool.proxy.narration import LONGEST_SESSION, LONGEST_TARGET, Narration
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

SECRET = "sk-proj-aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"
HEAD = "Host: p\r\nConnection: close\r\nContent-Length: 0\r\n"


async def ask(port: int, line: str, *headers: str, head: str = HEAD) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    text = f"{line} HTTP/1.1\r\n{head}" + "".join(f"{each}\r\n" for each in headers) + "\r\n"
    writer.write(text.encode("utf-8", "surrogateescape"))
    async with asyncio.timeout(20):
        got = await reader.read()
    writer.close()
    return got


def narrated(hub: Hub) -> list[str]:
    """What the narration of a hub says, without the times."""
    said: list[str] = []
    hub.narration = Narration(said.append)
    return said


def timeless(lines: list[str]) -> list[str]:
    return [" ".join(word if not word.isdigit() or len(word) == 3 else "N" for word in line.split()) for line in lines]


@pytest.fixture
async def recording(tmp_path):
    """A cassette with two calls of two sessions, and what was said of them."""
    path = tmp_path / "a.cassette"
    hub = Hub("record")
    said = narrated(hub)
    async with upstream(answering(b'{"id": "thread_1"}')) as url:
        writer = Writer.create(path, meta={"upstream": url, **PLAIN.note()})
        recorder = Recorder(Upstream(Origin.parse(url)), writer, narrate=lambda _: None, hub=hub)
        async with serve(
            recorder, name="record", narrate=lambda _: None, allow_hosts=("p",), drain=1, narration=hub.narration
        ) as port:
            await ask(port.port, "POST /v1/threads", f"Authorization: Bearer {SECRET}")
            await ask(port.port, f"GET /@{SECRET}/v1/threads/thread_1?after=x&key={SECRET}", f"X-Note: {SECRET}")
            await ask(port.port, f"GET /v1/threads?key={SECRET}", head="Host: elsewhere\r\nConnection: close\r\n")
            await ask(port.port, f"GET /v1 {SECRET} nonsense")
        writer.close()
    return path, said


async def test_a_recording_says_a_line_for_each_call_and_each_that_is_refused(recording):
    _, said = recording
    assert timeless(said) == [
        "respool: POST /v1/threads: 200 in N ms, recorded, session default",
        "respool: GET /v1/threads/thread_1?after=x&key=REDACTED: 200 in N ms, recorded, session REDACTED",
        "respool: GET /v1/threads?key=REDACTED: 421, refused",
        "respool: 400 to a request that could not be parsed",
    ]


async def test_a_replay_says_hits_misses_and_faults(recording):
    path, _ = recording
    hub = Hub("replay")
    said = narrated(hub)
    with Reader.open(path) as reader:
        faults = Faults(["GET /assistants: status 429"])
        replayer = Replayer(reader, narrate=lambda _: None, hub=hub, faults=faults)
        async with serve(
            replayer, name="replay", narrate=lambda _: None, allow_hosts=("p",), drain=1, narration=hub.narration
        ) as port:
            await ask(port.port, "POST /v1/threads")
            await ask(port.port, "GET /@one/v1/threads/thread_1?after=x&key=other")
            await ask(port.port, f"GET /@{SECRET}/v1/threads/thread_9?token={SECRET}")
            await ask(port.port, "GET /v1/assistants")
            await ask(port.port, "GET /_respool/health")
    assert SECRET not in "".join(said)
    hit, other, miss, injected, health = timeless(said)
    assert hit == "respool: POST /v1/threads: 200 in N ms, hit, session default"
    assert other.startswith("respool: GET /v1/threads/thread_1?after=x&key=REDACTED: 200 in N ms, hit")
    assert other.endswith(", session one")
    assert miss == "respool: GET /v1/threads/thread_9?token=REDACTED: 502 in N ms, miss, session REDACTED"
    assert injected == "respool: GET /v1/assistants: 429 in N ms, injected, session default"
    assert health == "respool: GET /_respool/health: 200, answered by respool itself"


async def test_a_long_path_and_a_long_session_are_cut(recording):
    path, _ = recording
    hub = Hub("replay")
    said = narrated(hub)
    with Reader.open(path) as reader:
        replayer = Replayer(reader, narrate=lambda _: None, hub=hub)
        async with serve(replayer, name="replay", narrate=lambda _: None, allow_hosts=("p",)) as port:
            await ask(port.port, "GET /@" + "s" * 120 + "/v1/" + "x" * 5000)
    (line,) = said
    assert "x" * 200 in line
    assert len(line) < LONGEST_TARGET + LONGEST_SESSION + 100


def test_nothing_that_acts_on_a_screen_is_told_and_a_line_stays_one():
    said: list[str] = []
    target = "/v1/\u202e\x9b31m\n  forged".encode() + b"\xff\x1b]52;c;x\x07"
    Narration(said.append).answered("G\x1bET", target, (), Answer(b"HTTP/1.1 421 \r\n\r\n"), "refused", "a\nb")
    (line,) = said
    assert line.isprintable()
    assert "\\x1b" in line


def test_a_key_in_the_place_of_a_method_is_not_told_of_a_call_that_is_refused():
    said: list[str] = []
    Narration(said.append).answered(SECRET, b"/v1", (), Answer(b"HTTP/1.1 421 \r\n\r\n"), "refused")
    assert said == ["respool: REDACTED /v1: 421, refused"]


def test_what_a_rule_of_the_user_names_is_not_told():
    said: list[str] = []
    cleaning = Cleaning(Policy.of(["text:acme_live_*"]))
    answer = Answer(b"HTTP/1.1 421 \r\n\r\n")
    Narration(said.append, cleaning).answered("GET", b"/v1/acme_live_1", (), answer, "refused", "acme_live_2")
    assert said == ["respool: GET /v1/REDACTED: 421, refused, session REDACTED"]
