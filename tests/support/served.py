"""`respool inspect --web` at work, and a browser's way to speak to it: the link, its cookie, and the web socket of a page."""

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE = 60


class Served:
    """`respool inspect --web` at work."""

    def __init__(self, process, link):
        self.process = process
        self.link = link
        self.root = link.partition("/open/")[0]
        self.origin = {"Origin": self.root}

    def children(self):
        """The inspectors that it runs."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == self.process.pid:
                found.append(int(place.name))
        return found


@asynccontextmanager
async def serving(path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "respool", "inspect", "--web", str(path), stdout=-1, stderr=-1, cwd=path.parent
    )
    try:
        async with asyncio.timeout(PATIENCE):
            yield Served(process, (await process.stdout.readline()).decode().strip())
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.wait()
