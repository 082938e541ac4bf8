"""The commands as a user runs them: in processes of their own, with their own stdout, stderr and exit status."""

import asyncio
import contextlib
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import nursery
import pytest
from nursery import Command
from respool.cassettes.writer import Writer
from respool.cli.main import run
from respool.proxy.record import Recorder
from respool.proxy.sandbox.server import serve_sandbox
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

PATIENCE = 30.0
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
"""Commands run as for a user: stdout is buffered where it is no terminal, and byte code is cached."""
HEADERS = {"Authorization": "Bearer sk-test-0123456789", "Content-Type": "application/json"}


def call(base: str, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    """One HTTP call on a connection of its own; `base` is what a server's ready line said."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request(method, parts.path + path, None if body is None else json.dumps(body).encode(), HEADERS)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Served:
    """A serving command in its own process. `url` is its ready line."""

    def __init__(self, process: subprocess.Popen[str] | Command) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []
        self._heard = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((process.stdout, self.out), (process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()
        self.url = ""

    def ready(self) -> "Served":
        """Wait for the ready line."""
        with self._heard:
            heard = self._heard.wait_for(lambda: self.out or self.process.poll() is not None, PATIENCE)
        assert heard, "neither a ready line nor an end"
        assert self.out, f"no ready line: {''.join(self.err)}"
        self.url = self.out[0].rstrip("\n")
        return self

    def _read(self, stream, lines: list[str]) -> None:
        for line in stream:
            with self._heard:
                lines.append(line)
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until stderr has said something."""
        with self._heard:
            assert self._heard.wait_for(lambda: text in "".join(self.err), PATIENCE), f"stderr never said {text!r}"

    def call(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        return call(self.url, method, path, body)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Stop it by a signal; returns the exit status once all it said was read."""
        self.send(number)
        self.process.wait(PATIENCE)
        return self.close()

    def close(self) -> int:
        """Make sure that it has ended and that all it said was read; returns the exit status."""
        if self.process.poll() is None:
            self.process.kill()
        status = self.process.wait(PATIENCE)
        for reader, stream in zip(self._readers, (self.process.stdout, self.process.stderr), strict=True):
            reader.join(PATIENCE)
            if stream is not None:
                stream.close()
        return status

    @property
    def said(self) -> str:
        return "".join(self.err)


class Respool:
    """Runs commands in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object, through: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, by way of another one if `through` is given."""
        process = self.start(*arguments, through=through)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.wait(), out, err)

    def inside(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The same without a process of its own, for what ends by itself and where the process is not the point."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = run([str(argument) for argument in arguments])
            except SystemExit as end:  # argparse's `--help`
                status = int(end.code or 0)
        return subprocess.CompletedProcess([*map(str, arguments)], status, out.getvalue(), err.getvalue())

    def start(self, *arguments: object, through: Sequence[str] = ()) -> "subprocess.Popen[str] | Command":
        """Start a command, by way of another one if `through` is given. The caller sees to its end."""
        words = [str(argument) for argument in arguments]
        if not through:
            return Command(words, cwd=self.folder, environment=ENVIRONMENT)
        return subprocess.Popen(
            [*through, sys.executable, "-m", "respool", *words],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )  # fmt: skip

    @contextlib.contextmanager
    def serving(self, *arguments: object, through: Sequence[str] = ()) -> Iterator[Served]:
        """Run a serving command on a free port until the block ends, whatever happens in it."""
        server = Served(self.start(*arguments, "--port", "0", through=through))
        try:
            yield server.ready()
        finally:
            server.close()

    def into_closed_pipe(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command whose stdout nobody reads any more."""
        reading, writing = os.pipe()
        os.close(reading)
        try:
            words = [str(argument) for argument in arguments]
            return nursery.run(words, timeout=PATIENCE, cwd=self.folder, environment=ENVIRONMENT, stdout=writing)
        finally:
            os.close(writing)

    def files(self) -> dict[str, bytes]:
        """All that is in the folder, byte for byte; a folder in it counts as nothing but its name."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else b""
            for path in sorted(self.folder.rglob("*"))
        }


@pytest.fixture
def respool(tmp_path: Path) -> Respool:
    return Respool(tmp_path)


async def _record(path: Path) -> None:
    async with serve_sandbox(speed=1000) as sandbox:
        upstream = Upstream(Origin.parse(sandbox.url + "/v1"))
        with Writer.create(path, meta={"upstream": upstream.origin.url}) as writer:
            recorder = Recorder(upstream, writer, narrate=print)
            async with serve(recorder, name="record", narrate=print) as proxy:
                await asyncio.to_thread(hold_conversation, proxy.url + "/v1")


def hold_conversation(base: str) -> list[tuple[int, bytes]]:
    """Six calls: a thread, a message, a run that ends at once, what it said, and a thread that is not there."""
    seen = [call(base, "POST", "/threads", {"metadata": {"customer": "118"}})]
    thread = json.loads(seen[0][1])["id"]
    seen.append(call(base, "POST", f"/threads/{thread}/messages", {"role": "user", "content": "Where is order 118?"}))
    run = {"assistant_id": "asst_abc123", "metadata": {"sandbox_script": "fail server_error"}}
    seen.append(call(base, "POST", f"/threads/{thread}/runs", run))
    run_id = json.loads(seen[2][1])["id"]
    seen.append(call(base, "GET", f"/threads/{thread}/runs/{run_id}"))
    seen.append(call(base, "GET", f"/threads/{thread}/messages"))
    seen.append(call(base, "GET", "/threads/thread_unknown"))
    return seen


@pytest.fixture(scope="session")
def recorded_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("recorded") / "recorded.cassette"
    asyncio.run(_record(path))
    return path.read_bytes()


@pytest.fixture
def cassette(tmp_path: Path, recorded_bytes: bytes) -> Path:
    """A sealed cassette of six calls, `recorded.cassette`, in the folder where commands run."""
    path = tmp_path / "recorded.cassette"
    path.write_bytes(recorded_bytes)
    return path


@pytest.fixture(scope="session")
def conversation():
    return hold_conversation
