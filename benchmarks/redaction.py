"""What looking for secrets costs: recording with and without it, and a mebibyte of JSON beside reading and writing it.

As a program it serves what the measure needs, on a free port of 127.0.0.1 whose URL it prints, until stdin ends or SIGTERM comes:
`upstream CASSETTE` answers with the bodies of a cassette in turn, each id and each longer text in them made another by a number,
so that none is known from the call before; `record URL FILE` records, and with `--keep-secrets` takes nothing out.
"""

import argparse
import asyncio
import itertools
import json
import signal
import sys
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import uvloop
from respool.benchmarks.bench import Bench, contender, take_turns
from respool.benchmarks.processes import HERE, PYTHON, BenchmarkError
from respool.benchmarks.references import Upstream as Answering
from respool.benchmarks.report import Ceiling, Finding, Ratio, Series
from respool.cassettes.reader import Reader
from respool.cassettes.rules import Rules
from respool.cassettes.secrets.cleaning import Cleaning
from respool.cassettes.secrets.finder import find_once
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.writer import Writer
from respool.proxy.record import Recorder
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

MIB = 1 << 20
SMALL = (200, 10)
HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 02 Mar 2026 09:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"openai-organization: parcel-and-sons\r\nx-request-id: req_%024x\r\nServer: cloudflare\r\n\r\n%b"
)


def redaction(bench: Bench) -> Finding:
    """Recording with and without looking for secrets, and looking through a mebibyte of JSON."""
    path = bench.corpus(*SMALL)
    tapes = [bench.folder / f"{name}.cassette" for name in ("redacted", "kept")]
    program = str(HERE / "redaction.py")
    with ExitStack() as stack:
        generator = bench.generator(stack)
        upstream = stack.enter_context(bench.serving("upstream", PYTHON, program, "upstream", str(path), driven=True))
        command = (PYTHON, program, "record", upstream.url)
        servers = [
            ("recording", stack.enter_context(bench.serving("recording", *command, str(tapes[0])))),
            (
                "recording, secrets and all",
                stack.enter_context(bench.serving("kept", *command, str(tapes[1]), "--keep-secrets")),
            ),
        ]
        contenders = [contender(bench, name, server, path, sessions=False) for name, server in servers]
        sent = take_turns(bench, generator, contenders, brief=True)
    for tape, calls in zip(tapes, sent, strict=True):
        with Reader.open(tape) as reader:
            if len(reader) != calls:
                raise BenchmarkError(f"{calls:,} calls went through, and {tape.name} holds {len(reader):,}")
        tape.unlink()
    series = [contender.series for contender in contenders]
    looked, read = Series("1 MiB of JSON, looked through", "ms"), Series("1 MiB of JSON, json.loads and dumps", "ms")
    text = mebibyte(path)
    for _ in range(bench.rounds):
        looked.costs.append(_took(lambda: find_once(text, PLAIN)))
        read.costs.append(_took(lambda: json.dumps(json.loads(text))))
    return Finding(
        "redaction",
        [*series, looked, read],
        [
            Ratio("recording : recording, secrets and all", series[0], series[1], 0.85),
            Ratio("looking through JSON : json.loads and dumps", looked, read, 1.0),
        ],
        [Ceiling("looking through 1 MiB of JSON", looked, 50)],
        [
            "each answer has ids, texts and a request id of its own: only names and short words are known from the call before",
            "milliseconds of CPU; the JSON is made of the bodies of the corpus",
        ],
    )


def mebibyte(path: Path) -> bytes:
    """A list of as many answers of a cassette, again and again, as make a mebibyte or a little more."""
    bodies = list(answers(path))
    taken: list[bytes] = []
    length = 0
    for body in itertools.cycle(bodies):
        taken.append(body)
        length += len(body) + 1
        if length >= MIB:
            return b"[" + b",".join(taken) + b"]"
    raise BenchmarkError(f"{path} has no answers in JSON")


def answers(path: Path) -> list[bytes]:
    with Reader.open(path) as reader:
        calls = [reader.interaction(row) for row in reader.rows()]
        bodies = [call.response.body.read() for call in calls if call.response is not None]
    return [body for body in bodies if body.startswith(b"{")]


def _took(work) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e3


def varied(body: bytes) -> bytes:
    """A body of JSON to be filled with a number, which then stands in each id and each text."""

    def vary(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: vary(member) for name, member in value.items()}
        if isinstance(value, list):
            return [vary(member) for member in value]
        if isinstance(value, str) and (" " in value or (len(value) >= 24 and value[-8:].isalnum())):
            return f"{value[:-8]}%(number)08d"
        return value

    text = body.decode().replace("%", "%%")
    return json.dumps(vary(json.loads(text)), indent=2 if "\n" in text else None).encode()


class Varied(Answering):
    """An upstream whose answers come in turn, and no two of which are equal: each has a number in its ids and its texts."""

    count = itertools.count()

    def __init__(self, bodies: list[bytes]) -> None:
        super().__init__(b"")
        self._bodies = [varied(body) for body in bodies]

    @property
    def _answer(self) -> bytes:
        number = next(self.count)
        body = self._bodies[number % len(self._bodies)] % {b"number": number}
        body = b'{"seen": %d, ' % number + body[1:]
        return HEAD % (len(body), number, body)

    @_answer.setter
    def _answer(self, answer: bytes) -> None:
        pass


async def _serve(chosen: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    loop.add_reader(sys.stdin.fileno(), stopped.set)  # nothing is ever sent there: readable means that it ended
    async with AsyncExitStack() as stack:
        if chosen.kind == "upstream":
            bodies = answers(Path(chosen.at))
            listener = await loop.create_server(lambda: Varied(bodies), "127.0.0.1", 0, backlog=1024)
            stack.callback(listener.close)
            url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        else:
            writer = Writer.create(chosen.file, meta=PLAIN.note())
            stack.callback(writer.close)
            recorder = Recorder(
                Upstream(Origin.parse(chosen.at)), writer, narrate=print, replacer=Pseudonyms(b"k" * 32)
            )
            if chosen.keep_secrets:  # what no user can ask for
                recorder._cleaning, recorder._rules = Cleaning(None), Rules(policy=None)
            url = (await stack.enter_async_context(serve(recorder, name="record", narrate=print))).url
        print(url, flush=True)
        await stopped.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description="Serve what the measure of redaction needs.")
    parser.add_argument("kind", choices=["upstream", "record"])
    parser.add_argument("at", help="the cassette, or the upstream's URL")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--keep-secrets", action="store_true")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
