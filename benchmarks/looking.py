"""The live inspector under events: `looking.py look RATE SECONDS` prints what it came to, as JSON.

The proxy's side runs in a process of its own (`looking.py tell SOCKET RATE`): a real hub and a real control socket, calls in 20
threads, three events each. The inspector draws to a screen of 120 by 36 in memory. A frame cannot be drawn while the event loop
is held up, so what is measured, all the time, is how long that lasts: by how much a sleep of two milliseconds came back late
(`wall`), and how much of the processor the loop's thread took meanwhile (`cpu`), which a neighbour on the machine moves less.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

THREADS = 20
NAP = 0.002
EVENTS = 3
"""Of each call: begun, headed, finished."""


async def tell(where: str, rate: int) -> None:
    """Make calls until stdin ends."""
    from respool.cassettes.interaction import Body, Interaction, Request, Response
    from respool.cassettes.summaries import summarise
    from respool.proxy.control.hub import Hub
    from respool.proxy.control.memory import Memory
    from respool.proxy.control.server import control

    hub, memory = Hub("record"), Memory()

    def made(number: int) -> Interaction:
        thread = f"thread_{number % THREADS}"
        body = {"id": f"msg_{number}", "role": "user", "thread_id": thread}
        body["content"] = [{"type": "text", "text": {"value": f"What of order {number}?"}}]
        told = Response(200, body=Body.of(json.dumps(body).encode()))
        asked = Request("POST", f"/v1/threads/{thread}/messages".encode(), (), Body.of(b'{"content": "x"}'))
        return Interaction(number, time.time_ns() // 1000, asked, told, scope=thread)

    async with control(hub, where, 1, narrate=print):
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        ended = loop.run_in_executor(None, sys.stdin.read)
        began, number = loop.time(), 0
        while not ended.done():
            due = int((loop.time() - began) * rate / EVENTS)
            while number < due:
                interaction = made(number)
                call = hub.begin("default", lambda interaction=interaction: interaction)
                hub.headed(call, 200, shown=None)
                hub.end(call, "recorded", interaction, memory.append(interaction, summarise(interaction)), memory)
                number += 1
            await asyncio.sleep(0.005)


async def look(rate: int, seconds: float) -> dict[str, float]:
    from respool.inspector.live import LiveInspector
    from respool.proxy.control.client import Client

    with tempfile.TemporaryDirectory(prefix="respool-") as folder:
        where = str(Path(folder) / "c.sock")
        teller = subprocess.Popen(
            [sys.executable, __file__, "tell", where, str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            await asyncio.to_thread(teller.stdout.readline)
            app = LiveInspector(lambda: Client(where))
            async with app.run_test(size=(120, 36)) as pilot:
                await pilot.pause(1.0)
                late: list[float] = []
                held: list[float] = []
                before = app.feed.waiting
                end = time.perf_counter() + seconds
                while time.perf_counter() < end:
                    began, used = time.perf_counter(), time.thread_time()
                    await asyncio.sleep(NAP)
                    late.append((time.perf_counter() - began - NAP) * 1e3)
                    held.append((time.thread_time() - used) * 1e3)
                waiting, calls = app.feed.waiting, len(app.live)
        finally:
            teller.stdin.close()
            teller.wait(20)
    late.sort()
    held.sort()
    return {
        "cpu_longest": held[-1],
        "cpu_p99": held[len(held) * 99 // 100],
        "wall_longest": late[-1],
        "wall_p99": late[len(late) * 99 // 100],
        "waiting": waiting - before,
        "calls": calls,
    }


def main() -> None:
    kind, first, second = sys.argv[1:]
    if kind == "tell":
        asyncio.run(tell(first, int(second)))
    else:
        print(json.dumps(asyncio.run(look(int(first), float(second)))))


if __name__ == "__main__":
    main()
