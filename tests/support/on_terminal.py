"""A command of respool on a terminal of its own."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

from idle import busy
from nursery import Command

PATIENCE = 30.0
ESCAPE = b"\x1b[27u"
"""As terminals send it that tell keys apart: a bare one, read late with what follows, would be another key."""


class OnTerminal:
    """A command on a terminal of its own: what it wrote, what is typed into it, and its exit status."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (80, 24)) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "", "TEXTUAL_ANIMATIONS": "none"}
        self._process = Command(arguments, stdin=theirs, stdout=theirs, stderr=theirs, environment=environment)
        os.close(theirs)
        self.written = b""

    def until(self, text: bytes) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.written:
            if time.monotonic() > end:
                self._process.kill()
                raise TimeoutError(f"{text!r} was never written; the last is {self.written[-500:]!r}")
            self.watch(0.01)

    def watch(self, seconds: float) -> None:
        """Read until nothing was written for that long though the command could run."""
        end = time.monotonic() + PATIENCE
        while (ready := select.select([self._ours], [], [], seconds)[0]) or busy(self._process.pid):
            if ready:
                self.written += os.read(self._ours, 65536)
            elif time.monotonic() > end:
                return

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def quit(self, key: bytes) -> None:
        """Leave what may be open, one after the other, and then the program."""
        for _ in range(3):
            self.type(ESCAPE)
            self.watch(0.5)
        self.type(key)

    def end(self) -> int:
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                self.watch(0.1)
        except OSError:  # the terminal's other end is closed
            pass
        else:
            self._process.kill()
        os.close(self._ours)
        return self._process.wait(PATIENCE)

    def hang_up(self) -> int:
        """Close our end of the terminal; returns the exit status. Nobody is sent a signal, since nobody owns this terminal."""
        os.close(self._ours)
        try:
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()
