"""Commands in processes of their own that do not each import everything anew.

A process that has imported respool forks for each command that it is asked for. The command has its own streams, folder,
environment, signals and exit status, as one that `python -m respool` starts; what is imported when is for other tests.

`Command` has as much of `subprocess.Popen` as tests ask for.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TextIO

LATE = ("uvloop", "yaml", "jsonpath", "textual.app", "textual_serve.server")
"""What respool imports of others when it is needed, as far as it is installed."""


class Nursery:
    """The process that forks."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen([sys.executable, __file__], stdin=theirs.fileno(), env=dict(environment))

    def ask(self, request: object, files: Sequence[int]) -> None:
        told = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(self._ours, [told], files)
        self._ours.sendall(told[sent:])

    def close(self) -> None:
        self._ours.close()
        self._process.wait()


@cache
def _nursery(environment: tuple[tuple[str, str], ...]) -> Nursery:
    nursery = Nursery(dict(environment))
    atexit.register(nursery.close)
    return nursery


class Command:
    """A command of respool that runs. `stdout` and `stderr` say where it writes; what is not given is a pipe, read as text."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: Path | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self.stdout = self.stderr = None
        self._line, theirs = socket.socketpair()
        self._said = b""
        with theirs, contextlib.ExitStack() as handed:
            if stdin is None:
                stdin = os.open(os.devnull, os.O_RDONLY)
                handed.callback(os.close, stdin)
            if stdout is None:
                self.stdout, stdout = _pipe()
                handed.callback(os.close, stdout)
            if stderr is None:
                self.stderr, stderr = _pipe()
                handed.callback(os.close, stderr)
            request = {"arguments": self.args, "cwd": str(cwd or Path.cwd()), "environment": dict(environment)}
            steady = tuple((name, value) for name, value in sorted(environment.items()) if not _is_read_late(name))
            _nursery(steady).ask(request, [theirs.fileno(), stdin, stdout, stderr])
        self.pid = int(self._hear(None))

    def _hear(self, timeout: float | None) -> bytes:
        """The next line: first the number of the process, then its exit status."""
        self._line.settimeout(timeout)
        while b"\n" not in self._said:
            part = self._line.recv(100)
            if not part:
                raise RuntimeError("the nursery has ended")
            self._said += part
        line, _, self._said = self._said.partition(b"\n")
        return line

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            try:
                self.returncode = int(self._hear(timeout))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._line.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it writes until it ends, read and closed."""
        said = ["", ""]

        def read(number: int, stream: TextIO) -> None:
            with stream:
                said[number] = stream.read()

        readers = [
            threading.Thread(target=read, args=(number, stream), daemon=True)
            for number, stream in enumerate((self.stdout, self.stderr))
            if stream is not None
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(timeout)
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Read no more of what it writes."""
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()


def run(arguments: Sequence[str], *, timeout: float, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; the options are those of `Command`."""
    command = Command(arguments, **options)
    try:
        out, err = command.communicate(timeout)
    finally:
        command.kill()
    return subprocess.CompletedProcess(command.args, command.wait(), out, err)


def _pipe() -> tuple[TextIO, int]:
    reading, writing = os.pipe()
    return os.fdopen(reading, encoding="utf-8"), writing


def _is_read_late(name: str) -> bool:
    """Whether nothing reads a variable before a command runs."""
    return name.startswith(("RESPOOL_", "OPENAI_", "PYTEST_", "XDG_")) or name in {
        "HOME",
        "PATH",
        "COLUMNS",
        "EDITOR",
        "VISUAL",
    }


def _serve() -> None:
    """Fork for each request, until nobody can ask any more. Returns in the process of a command alone."""
    for module in pkgutil.walk_packages(respool.__path__, "respool."):
        if not module.name.startswith("respool.proxy.plugin"):
            importlib.import_module(module.name)
    for name in LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # by Ctrl-C in a terminal; whoever asks will end
    control = socket.socket(fileno=os.dup(0))
    while True:
        request, files, _, _ = socket.recv_fds(control, 1 << 20, 4)
        while request[-1:] != b"\n":
            part = control.recv(1 << 20)
            if not part:
                os._exit(0)
            request += part
        if not os.fork():
            control.close()
            _begin(json.loads(request), *files)
            signal.signal(signal.SIGINT, interrupted)
            return
        for file in files:
            os.close(file)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _begin(request: dict[str, Any], line: int, *streams: int) -> None:
    """Fork once more: one tells the number and the exit status, which only a parent hears, and the other one is the command."""
    child = os.fork()
    if child:
        for stream in (0, *streams):
            os.close(stream)
        os.write(line, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(line, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(line)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[0] = request["cwd"]
    sys.argv = [respool_main.__file__, *request["arguments"]]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _open_anew(number, name)


def _open_anew(number: int, name: str) -> None:
    """The stream as an interpreter opens it: its buffer depends on what it leads to."""
    was = getattr(sys, name)
    mode, by_lines = ("r", False) if not number else ("w", number == 2 or os.isatty(number))
    now = os.fdopen(number, mode, 1 if by_lines else -1, was.encoding, was.errors, "\n", closefd=False)
    setattr(sys, name, now)
    setattr(sys, f"__{name}__", now)


if __name__ == "__main__":
    import respool
    from respool import __main__ as respool_main

    _serve()
    sys.exit(respool_main.main())
