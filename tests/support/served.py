"""`respool inspect --web` at work, and a browser's way to speak to it: the link, its cookie, and the web socket of a page."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path

from nursery import Command

PATIENCE = 60


class Served:
    """`respool inspect --web` at work."""

    def __init__(self, process, link):
        self.process = process
        self.link = link
        self.root = link.partition("/open/")[0]
        self.origin = {"Origin": self.root}

    async def ended(self):
        """All that it says from now on, until it has ended."""
        return await asyncio.to_thread(self.process.communicate, PATIENCE)

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
    process = Command(["inspect", "--web", str(path)], cwd=path.parent, environment=os.environ)
    try:
        async with asyncio.timeout(PATIENCE):
            yield Served(process, (await asyncio.to_thread(process.stdout.readline)).strip())
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, PATIENCE)
        process.close()
