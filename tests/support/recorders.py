"""Real recorders in processes of their own, and clients that load them."""

import http.client
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

HEADERS = {"Authorization": "Bearer sk-test-0123456789", "Content-Type": "application/json"}


def start(*arguments: str | Path, mode: str = "record") -> "subprocess.Popen[str]":
    """`respool record` in front of a sandbox, on a free port."""
    command = [sys.executable, "-m", "respool", mode, "--upstream", "sandbox", "--port", "0", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd="/"
    )


def url_of(process: "subprocess.Popen[str]") -> str:
    """Wait for the ready line."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline().strip()
    assert line, process.stderr.read()
    return line


class Client(threading.Thread):
    """Creates threads as fast as it can on one connection, until the connection breaks or it is told to stop.

    `heard` holds each answer that came whole, by the number that the request named, in order.
    """

    def __init__(self, url: str, name: str, *, size: int = 50) -> None:
        super().__init__(daemon=True)
        self.heard: dict[str, bytes] = {}
        self.sent = 0
        self.stopped = threading.Event()
        self._parts = urlsplit(url)
        self._prefix = name
        self._size = size

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=20)
        try:
            while not self.stopped.is_set():
                number = f"{self._prefix}-{self.sent}"
                self.sent += 1
                message = {"role": "user", "content": "x" * self._size}
                body = json.dumps({"metadata": {"number": number}, "messages": [message]})
                connection.request("POST", self._parts.path + "/threads", body, HEADERS)
                response = connection.getresponse()
                data = response.read()
                assert response.status == 200, data
                self.heard[number] = data
        except (OSError, http.client.HTTPException):
            pass  # the recorder is gone
        finally:
            connection.close()


def calls_in(path: Path) -> dict[str, bytes]:
    """What a cassette holds of such clients: the answers, by the number that the request named."""
    from respool.cassettes.reader import Reader

    with Reader.open(path) as reader:
        found = {}
        for row in reader.rows():
            one = reader.interaction(row)
            assert one.response is not None
            number = json.loads(one.request.body.read())["metadata"]["number"]
            assert number not in found
            if not one.end:
                found[number] = one.response.body.read()
        return found
